"""Which protocol era a request belongs to; both may arrive at one URL (spec 2026-07-28, versioning)."""

from typing import Final

from mcpwatch.model.traffic import Era

HANDSHAKE_VERSIONS: Final = frozenset({"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"})
"""Protocol versions that begin with `initialize`."""

_LEGACY = Era.LEGACY
_MODERN = Era.MODERN


def era_of(claimed: str, opening: bool, version: str, session: str) -> Era:
    """The era of one request.

    `claimed` is the protocol version in the body's `_meta`, `version` the MCP-Protocol-Version header and `session`
    the hash of Mcp-Session-Id, each empty where there is none; `opening` says that the body carries `initialize`.
    """
    if claimed:
        return _MODERN
    if opening:
        return _LEGACY
    if version:
        return _LEGACY if version in HANDSHAKE_VERSIONS else _MODERN
    return _LEGACY if session else Era.UNKNOWN
