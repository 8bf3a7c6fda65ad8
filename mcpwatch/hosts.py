"""Names of hosts that more than one room reads."""

from ipaddress import ip_address


def is_loopback(name: str) -> bool:
    """Whether `name` is this very machine: localhost or a loopback address."""
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
