"""What a request brings that may say who calls, and that nobody here can read."""

from mcpwatch.model.entries import Request

_READ = frozenset({"authorization", "mcp-name", "dpop", "@path", "@query"})
_ARGUMENTS = "mcp-param-"


def unread(request: Request) -> tuple[str, ...]:
    """Names of header fields whose values the log withholds: cookies, API keys and the like."""
    if not request.withheld:
        return ()
    masked = {name for name, _ in request.headers}
    return tuple(
        name
        for name in request.withheld
        if name not in _READ and name not in masked and not name.startswith(_ARGUMENTS)
    )
