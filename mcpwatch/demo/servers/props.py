"""What the servers are given beside their own code."""

from msgspec import Struct, field

from mcpwatch.demo.registry.records import Opening


class Props(Struct):
    """Left out, a member stands for nothing of the kind."""

    registry: Opening = field(default_factory=lambda: Opening("", [], []))
    directory: list[dict[str, str]] = []
    """JWKs of the key directory (RFC 7517)."""
    profiles: dict[str, list[dict[str, str]]] = {}
    """JWKs by the path of the profile that lists them."""
    signer: str = ""
    """PEM file of the key with which a server signs its answers."""
