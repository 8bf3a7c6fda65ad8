"""Addresses that only a server's own network reaches, however they are spelled."""

import re
import unicodedata
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network
from typing import Final, NamedTuple
from urllib.parse import unquote

_URL = re.compile(r"(?:(?:https?|wss?|ftp|gopher|dict):[/\\]*|//)", re.IGNORECASE)
_DROPPED = {ord(char): None for char in "\t\n\r"}
"""Characters that parsers of URLs leave out (WHATWG URL, 4.4)."""
_DOTS = {ord(char): "." for char in "\u3002\uff61"}
"""Full stops of other scripts, which names of hosts may have (UTS 46)."""
_HEAD = 32
"""Characters in which a scheme ends, with those that parsers leave out."""
_MAX_HOST = 255
_BLANK = "".join(map(chr, range(33)))

_LOOPBACK: Final = "loopback"
_METADATA: Final = "cloud metadata"
_NETWORKS: Final = tuple(
    (name, (net := ip_network(network)).version, int(net.network_address), int(net.broadcast_address))
    for name, network in (
        (_METADATA, "169.254.169.254/32"),
        (_METADATA, "169.254.170.2/32"),
        (_METADATA, "100.100.100.200/32"),
        (_METADATA, "fd00:ec2::254/128"),
        (_LOOPBACK, "127.0.0.0/8"),
        (_LOOPBACK, "0.0.0.0/8"),
        (_LOOPBACK, "::1/128"),
        (_LOOPBACK, "::/128"),
        ("link-local", "169.254.0.0/16"),
        ("link-local", "fe80::/10"),
        ("private", "10.0.0.0/8"),
        ("private", "172.16.0.0/12"),
        ("private", "192.168.0.0/16"),
        ("private", "100.64.0.0/10"),
        ("private", "fc00::/7"),
    )
)
"""Kind, version of IP, first and last address; the first row that holds an address counts (RFC 1122, 1918, 3927, 4193,
4291, 6598; the metadata services' own pages)."""
_NAMES: Final = {
    "localhost": _LOOPBACK,
    "localhost.localdomain": _LOOPBACK,
    "ip6-localhost": _LOOPBACK,
    "ip6-loopback": _LOOPBACK,
    "localtest.me": _LOOPBACK,
    "lvh.me": _LOOPBACK,
    "metadata": _METADATA,
    "metadata.google.internal": _METADATA,
    "metadata.goog": _METADATA,
    "instance-data": _METADATA,
}
"""Names that lead to such an address wherever they are looked up; so does any name under the loopback ones."""
_UNDER: Final = tuple(f".{name}" for name, of in _NAMES.items() if of == _LOOPBACK)
_SPELLED_NAME = re.compile(r"(?:^|[.-])((?:\d{1,3}[.-]){3}\d{1,3})\.(?:nip|sslip|xip)\.io")
_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")


class Inside(NamedTuple):
    """An address inside of the server's network."""

    kind: str
    """loopback, private, link-local or cloud metadata."""
    host: str
    """As it was spelled."""
    address: str
    """As it is usually written; empty for a name."""


def may_be_url(text: str) -> bool:
    """Whether a closer look is worth it."""
    head = text[:_HEAD]
    return ":" in head or "//" in head or "" < head[:1] <= " "


def inside(url: str) -> Inside | None:
    """The address inside that a URL leads to by any usual reading of it; None where it leads elsewhere, or is none."""
    if not may_be_url(url):
        return None
    url = url.strip(_BLANK)
    if "\t" in url or "\n" in url or "\r" in url:
        url = url.translate(_DROPPED)
    scheme = _URL.match(url)
    if scheme is None:
        return None
    authority = re.split(r"[/?#]", url[scheme.end() :], maxsplit=1)[0]
    found = _inside(_host(authority))
    if found is None and "\\" in authority:
        found = _inside(_host(authority.partition("\\")[0]))
    return found


def origin(url: str) -> str:
    """Scheme, host and port of a URL as they are spelled, in lower case; empty for text that is no such URL."""
    scheme = _URL.match(url)
    return (scheme[0] + re.split(r"[/\\?#]", url[scheme.end() :], maxsplit=1)[0]).lower() if scheme is not None else ""


def _host(authority: str) -> str:
    host = authority.rpartition("@")[2]
    bracketed, closing, _ = host[1:].partition("]")
    return bracketed if host.startswith("[") and closing else host.partition(":")[0]


def _inside(spelled: str) -> Inside | None:
    if not spelled or len(spelled) > _MAX_HOST:
        return None
    host = unicodedata.normalize("NFKC", unquote(spelled)).translate(_DOTS).lower().rstrip(".")
    kind = _NAMES.get(host, "")
    if not kind and "." in host:
        kind = _LOOPBACK if host.endswith(_UNDER) else ""
    if kind:
        return Inside(kind, spelled, "")
    named = _SPELLED_NAME.search(host)
    address = _ipv4(named[1].replace("-", ".")) if named else _ipv6(host) if ":" in host else _ipv4(host)
    if address is None:
        return None
    number = int(address)
    kind = next((name for name, of, first, last in _NETWORKS if first <= number <= last and of == address.version), "")
    return Inside(kind, spelled, str(address)) if kind else None


def _ipv4(host: str) -> IPv4Address | None:
    """An address as `inet_aton` reads it: one to four numbers, decimal, octal or hexadecimal; the last fills up."""
    parts = host.split(".")
    if len(parts) > 4 or not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    try:
        numbers = [_number(part) for part in parts]
    except ValueError:
        return None
    *heads, last = numbers
    if any(number > 255 for number in heads) or last >= 256 ** (5 - len(parts)):
        return None
    return IPv4Address(sum(number << (24 - 8 * at) for at, number in enumerate(heads)) + last)


def _number(part: str) -> int:
    if part.startswith("0x"):
        return int(part[2:] or "0", 16)
    return int(part, 8) if len(part) > 1 and part.startswith("0") else int(part)


def _ipv6(host: str) -> IPv4Address | IPv6Address | None:
    """An IPv6 address, or the IPv4 address that it carries."""
    try:
        address = IPv6Address(host.partition("%")[0])
    except ValueError:
        return None
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
