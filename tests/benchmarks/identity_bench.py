"""What a verdict costs beside the bare signature check on the same octets."""

import gc
import time
from collections.abc import Callable
from hashlib import sha256

from nacl.signing import VerifyKey

from mcpwatch.identity.judge import Judge
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.reading import Scheme
from mcpwatch.identity.replay import ReplayWindow
from mcpwatch.identity.request import SignedRequest
from mcpwatch.identity.schemes import SCHEMES
from mcpwatch.identity.signer import AgentKey, aip_headers, rfc9421_headers
from mcpwatch.model.entries import Body, Request
from mcpwatch.model.identity import Word

NOW = 1_795_000_000.0
URI = "http://127.0.0.1:8080/mcp"
COUNT = 400
ROUNDS = 60
BODY = b'{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"echo","arguments":{"msg":"hello, world"}}}'
PLAIN = {
    "accept": "application/json, text/event-stream",
    "content-type": "application/json",
    "mcp-protocol-version": "2025-11-25",
    "mcp-session-id": "0123456789abcdef0123456789abcdef",
    "user-agent": "bench",
}


def requests(kind: str, key: AgentKey) -> list[Request]:
    """`COUNT` different requests, signed."""
    made = []
    for number in range(COUNT):
        nonce = f"{number:022d}"
        covered = {name: value for name, value in PLAIN.items() if name.startswith("mcp-")}
        signed: dict[str, str] = {}
        if kind == "aip":
            signed = aip_headers(key, "POST", "/mcp", BODY, now=NOW, nonce=nonce)
        elif kind == "rfc9421":
            signed = rfc9421_headers(key, "POST", URI, covered, BODY, now=NOW, nonce=nonce)
        headers = tuple((name.lower(), value) for name, value in {**PLAIN, **signed}.items())
        body = Body(len(BODY), sha256(BODY).hexdigest(), BODY.decode())
        made.append(Request("demo", "POST", "http", "127.0.0.1:8080", "/mcp", "127.0.0.1:5", headers, body))
    return made


def timed(*runs: Callable[[], None]) -> list[float]:
    """Microseconds an item for each run, the best of several rounds in turn, so that all see the same machine."""
    times = [float("inf")] * len(runs)
    for _ in range(ROUNDS):
        for number, run in enumerate(runs):
            gc.collect()
            start = time.perf_counter()
            run()
            times[number] = min(times[number], time.perf_counter() - start)
    return [seconds / COUNT * 1e6 for seconds in times]


def bare(kind: str, key: AgentKey, made: list[Request]) -> Callable[[], None]:
    """PyNaCl alone over the same signed octets."""
    scheme: Scheme = next(scheme for scheme in SCHEMES if scheme.name == kind)
    readings = [scheme.read(SignedRequest(request))[0] for request in made]
    pairs = [(reading.attempt.signed, reading.signature) for reading in readings]
    verifier = VerifyKey(key.public)

    def run() -> None:
        for message, signature in pairs:
            verifier.verify(message, signature)

    return run


def judging(key: AgentKey, made: list[Request], word: Word) -> Callable[[], None]:
    """The whole judge; every request must get `word`."""
    keys = KeyBook()
    keys.pin(key.did_aip, key.public)
    judge = Judge(keys, ReplayWindow())

    def run() -> None:
        for index, request in enumerate(made):
            if judge.judge(index, request, NOW + 1).word is not word:
                raise SystemExit(f"entry {index} is not {word}")

    return run


def main() -> None:
    """Print microseconds and the ratio for each kind of request."""
    key = AgentKey(bytes(range(32)))
    print(f"{'kind':10}{'judge us':>10}{'bare us':>10}{'ratio':>8}")
    for kind in ("aip", "rfc9421"):
        made = requests(kind, key)
        judged, alone = timed(judging(key, made, Word.VERIFIED), bare(kind, key, made))
        print(f"{kind:10}{judged:10.2f}{alone:10.2f}{alone / judged:8.3f}")
    (judged,) = timed(judging(key, requests("unsigned", key), Word.UNSIGNED))
    print(f"{'unsigned':10}{judged:10.2f}")


if __name__ == "__main__":
    main()
