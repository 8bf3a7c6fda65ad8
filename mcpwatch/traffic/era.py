"""Which protocol era a request belongs to; both may arrive at one URL (spec 2026-07-28, versioning)."""

from collections.abc import Iterable
from typing import Final

from mcpwatch.model.traffic import Era, RpcMessage
from mcpwatch.traffic.claims import PROTOCOL_VERSION, meta

HANDSHAKE_VERSIONS: Final = frozenset({"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"})
"""Protocol versions that begin with `initialize`."""


def era_of(messages: Iterable[RpcMessage], version: str, session: str) -> Era:
    """The era of one request.

    `version` is the MCP-Protocol-Version header and `session` the hash of Mcp-Session-Id, each empty where there
    is none. What the body says of itself comes first, then `initialize`, then the two headers.
    """
    for message in messages:
        if isinstance(meta(message.params).get(PROTOCOL_VERSION), str):
            return Era.MODERN
        if message.method == "initialize":
            return Era.LEGACY
    if version:
        return Era.LEGACY if version in HANDSHAKE_VERSIONS else Era.MODERN
    return Era.LEGACY if session else Era.UNKNOWN
