"""A request as its entry shows it, as far as its capture mode lets it through."""

from collections.abc import Sequence

from mcpwatch.gateway.arrival import Arrival
from mcpwatch.gateway.bodies import capture_body
from mcpwatch.gateway.headers import DPOP, RawHeader, content_encoding, logged
from mcpwatch.gateway.mask_text import mask_authority, mask_query, mask_shapes, split_target
from mcpwatch.gateway.principal import KeyedHash, read_principal
from mcpwatch.gateway.session_ids import holds, mask_session, without
from mcpwatch.model.entries import MASKED_PATH, MASKED_QUERY, NOTHING_CARRIED, Body, Capture, Leak, Request

_MARKED = frozenset({MASKED_PATH, MASKED_QUERY, NOTHING_CARRIED, DPOP})


def read_request(upstream: str, arrival: Arrival, capture: Capture, hashed: KeyedHash) -> Request:
    """A request that has come in whole, or as far as it will, as an entry that shows of it what `capture` allows."""
    headers, body = arrival.headers, arrival.body
    session = session_id(headers)
    kept, withheld = logged(headers, masked=capture != "full", session=session)
    path, query = split_target(arrival.target)
    if capture != "full":
        path, in_path = mask_shapes(path)
        query, in_query = mask_query(query)
        if in_path:
            # A proof of possession repeats the path.
            withheld = (*withheld, MASKED_PATH, *(name for name, _ in kept if name == DPOP))
            kept = tuple(field for field in kept if field[0] != DPOP)
        if in_query:
            withheld = (*withheld, MASKED_QUERY)
    target = path + query
    encoded = bool(content_encoding(headers))
    sha512 = any(name == "content-digest" and "sha-512" in value for name, value in kept)
    entered = None if body is None else capture_body(body, capture, encoded=encoded, sha512=sha512)
    leaked: list[Leak] = []
    if holds(arrival.target.encode("iso-8859-1"), session):
        leaked.append("target")
        if capture != "full":
            target, found = mask_session(target, session)
            if found and MASKED_QUERY not in withheld:
                withheld = (*withheld, MASKED_QUERY)
    if entered is not None and body is not None and holds(body, session):
        leaked.append("body")
        if capture != "full":
            entered = without(entered, session)
    return Request(
        upstream=upstream,
        method=mask_shapes(arrival.method)[0],
        scheme="http",
        authority=mask_authority(arrival.authority),
        target=target,
        peer=arrival.peer,
        headers=kept,
        body=entered,
        session=hashed(session) if session else "",
        withheld=withheld,
        principal=read_principal(headers, hashed),
        leaked=tuple(leaked),
    )


def is_altered(request: Request) -> bool:
    """Whether something of it is not as the agent sent it, so that a good signature may not hold over what there is."""
    body, withheld = request.body, request.withheld
    masked = not _MARKED.isdisjoint(withheld) or any(name in withheld for name, _ in request.headers)
    return masked or (body is not None and (body.masked > 0 or is_hidden(body)))


def is_hidden(body: Body) -> bool:
    """Whether nothing of a body is shown."""
    return body.size > 0 and body.text is None and body.base64 is None


def session_id(headers: Sequence[RawHeader]) -> bytes:
    """The Mcp-Session-Id; several are one, joined by a comma and a space. Empty for none."""
    return b", ".join(value for name, value in headers if name.lower() == b"mcp-session-id")
