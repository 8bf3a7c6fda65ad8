"""Requests as a gateway shows them, signed by an agent's key."""

import hashlib
from base64 import b64encode
from typing import Protocol

from mcpwatch.identity.judge import Judge
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.replay import ReplayWindow
from mcpwatch.identity.signer import AgentKey, aip_headers, rfc9421_headers
from mcpwatch.model.entries import Body, Principal, Request
from mcpwatch.model.identity import Verdict

NOW = 1_795_000_000.0
CALL = b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
SESSION = {"mcp-protocol-version": "2025-11-25", "mcp-session-id": "0123456789abcdef0123456789abcdef"}
ALICE = AgentKey(bytes(range(32)))
BOB = AgentKey(bytes(range(1, 33)))


def body_of(data: bytes, **changes: object) -> Body:
    """The body as carried in full; `changes` override fields."""
    fields = {
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "text": data.decode("utf-8", "replace"),
        **changes,
    }
    return Body(**fields)  # type: ignore[arg-type]


def digest_only(data: bytes, *, sha512: bool = False) -> Body:
    """The body as carried by a gateway that captures digests."""
    return body_of(data, text=None, sha512=hashlib.sha512(data).hexdigest() if sha512 else None)


def request(
    headers: dict[str, str] | list[tuple[str, str]],
    data: bytes = CALL,
    *,
    method: str = "POST",
    target: str = "/mcp",
    scheme: str = "http",
    authority: str = "127.0.0.1:8080",
    body: Body | None = None,
    withheld: tuple[str, ...] = (),
    principal: Principal | None = None,
) -> Request:
    """A request with these header fields."""
    pairs = headers.items() if isinstance(headers, dict) else headers
    lines = tuple((name.lower(), value) for name, value in pairs)
    carried = body or (body_of(data) if data else None)
    return Request("demo", method, scheme, authority, target, "127.0.0.1:5", lines, carried, "", withheld, principal)


def signed_text(message: str) -> str:
    """Alice's signature over a message, in base64."""
    return b64encode(ALICE.sign(message.encode())).decode()


def aip(
    key: AgentKey = ALICE, data: bytes = CALL, *, now: float = NOW, nonce: str = "n1", target: str = "/mcp"
) -> dict[str, str]:
    """Header fields of a request with AIP headers."""
    return {"content-type": "application/json", **aip_headers(key, "POST", target, data, now=now, nonce=nonce)}


def rfc9421(
    key: AgentKey = ALICE,
    data: bytes = CALL,
    *,
    now: float = NOW,
    nonce: str = "n1",
    key_id: str = "",
    label: str = "sig1",
) -> dict[str, str]:
    """Header fields of a request with a message signature that covers the session id."""
    uri = "http://127.0.0.1:8080/mcp"
    signed = rfc9421_headers(key, "POST", uri, SESSION, data, now=now, nonce=nonce, key_id=key_id, label=label)
    return {"content-type": "application/json", **SESSION, **signed}


def judge(*pinned: AgentKey, capacity: int = 1000) -> Judge:
    """A judge whose operator pinned the did:aip of these keys."""
    keys = KeyBook()
    for key in pinned:
        keys.pin(key.did_aip, key.public)
    return Judge(keys, ReplayWindow(capacity))


def verdict(asked: Request, *pinned: AgentKey, now: float = NOW) -> Verdict:
    """The verdict on one request by a judge that knows `pinned`, Alice unless told otherwise."""
    return judge(*(pinned or (ALICE,))).judge(0, asked, now)


class Signing(Protocol):
    """A key of any kind that signs."""

    def sign(self, message: bytes) -> bytes: ...


def sign(
    covered: dict[str, str],
    parameters: str = "",
    *,
    key: Signing = ALICE,
    key_id: str = "",
    label: str = "sig1",
    created: float | None = NOW,
) -> dict[str, str]:
    """Signature fields over component identifiers (as serialised) and their values."""
    listed = " ".join(covered)
    text = f"({listed})" + (f";created={int(created)}" if created is not None else "")
    name = key_id or (key.did_key if isinstance(key, AgentKey) else "")
    text += f';keyid="{name}"{parameters}'
    base = "\n".join([*(f"{name}: {value}" for name, value in covered.items()), f'"@signature-params": {text}'])
    signature = b64encode(key.sign(base.encode())).decode()
    return {"signature-input": f"{label}={text}", "signature": f"{label}=:{signature}:"}


def digest(data: bytes = CALL, algorithm: str = "sha-256") -> str:
    """A Content-Digest field."""
    value = hashlib.new(algorithm.replace("-", ""), data).digest()
    return f"{algorithm}=:{b64encode(value).decode()}:"


def judged(asked: Request, now: float = NOW) -> Verdict:
    """The verdict by a judge that knows nobody."""
    return judge().judge(0, asked, now)
