"""The one spelling of a feed's address, under which its key is pinned and its status is kept."""

from urllib.parse import urlsplit

from mcpwatch.errors import UsageError

FEED_PATH = "/v1/feed"
CHECKPOINT_PATH = "/v1/checkpoint"
CONSISTENCY_PATH = "/v1/proof/consistency"
INCLUSION_PATH = "/v1/proof/inclusion"
HEALTH_PATH = "/v1/health"
METRICS_PATH = "/metrics"
ACTS_PATH = "/v1/alerts/{id}/acts"
_HINT = "Give the address the gateway printed, such as http://127.0.0.1:4181"
_DEFAULT_PORTS = {"http": 80, "https": 443}


def feed_address(url: str) -> str:
    """`http://HOST:PORT[/PREFIX]`, lower-case, without `/v1/feed`; raises UsageError when it is no such address."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        raise UsageError(f"not a feed's address: {url}", _HINT) from None
    if parts.scheme not in _DEFAULT_PORTS or not host or parts.query or parts.fragment:
        raise UsageError(f"not a feed's address: {url}", _HINT)
    if "@" in parts.netloc:
        raise UsageError("an address must not hold a user name or password", _HINT)
    if not parts.netloc.isascii() or not all("!" <= char <= "~" for char in parts.path):
        raise UsageError(f"not a feed's address: {url}", _HINT)
    prefix = parts.path.rstrip("/").removesuffix(FEED_PATH).rstrip("/")
    named = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{named}:{port or _DEFAULT_PORTS[parts.scheme]}{prefix}"


def acts_path(id: str) -> str:
    """Where acts on an alert, or on a silence, are written."""
    return ACTS_PATH.format(id=id)


def host_and_port(address: str) -> str:
    """What a feed is called when the operator gives no name."""
    return urlsplit(address).netloc
