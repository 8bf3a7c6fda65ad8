"""Names of hosts that more than one room reads."""

from ipaddress import IPv4Address, IPv6Address, ip_address


def is_loopback(name: str) -> bool:
    """Whether `name` is this very machine: localhost or a loopback address."""
    address = _address(name)
    return name == "localhost" or (address is not None and address.is_loopback)


def leads_here(name: str) -> bool:
    """Whether a client that calls `name` calls its own machine; the unspecified address leads to it as well."""
    address = _address(name)
    return is_loopback(name) or (address is not None and address.is_unspecified)


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name)
    except ValueError:
        return None
