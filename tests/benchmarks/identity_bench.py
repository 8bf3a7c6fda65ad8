"""What a verdict costs beside the bare signature check on the same octets."""

import gc
import json
import time
import warnings
from collections.abc import Callable
from hashlib import sha256

import proofs_of_possession as possession
import proven
import receipts
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from msgspec.structs import replace
from nacl.signing import VerifyKey
from p256 import CAROL
from signed import ALICE

from mcpwatch.encoding import decode_base64url
from mcpwatch.identity.judge import Judge
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.proofs import Asked, Moment, ProofJudge
from mcpwatch.identity.reading import Scheme
from mcpwatch.identity.replay import ReplayWindow
from mcpwatch.identity.request import SignedRequest
from mcpwatch.identity.schemes import SCHEMES
from mcpwatch.identity.schemes.dpop import Dpop
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
        data = receipted(key, nonce) if kind == "signet" else BODY
        headers = tuple((name.lower(), value) for name, value in {**PLAIN, **signed}.items())
        body = Body(len(data), sha256(data).hexdigest(), data.decode())
        made.append(Request("demo", "POST", "http", "127.0.0.1:8080", "/mcp", "127.0.0.1:5", headers, body))
    return made


def proofs() -> list[Request]:
    """`COUNT` different requests with DPoP proofs (ES256) for their access token."""
    body = Body(len(BODY), sha256(BODY).hexdigest(), BODY.decode())
    made = []
    for number in range(COUNT):
        claims = {**possession.CLAIMS, "jti": f"{number:022d}", "iat": int(NOW)}
        headers = (*PLAIN.items(), ("dpop", possession.proof(claims=claims)))
        asked = Request("demo", "POST", "http", "127.0.0.1:8080", "/mcp", "127.0.0.1:5", headers, body)
        made.append(replace(asked, principal=possession.BOUND))
    return made


def openssl(made: list[Request]) -> Callable[[], None]:
    """OpenSSL alone over the same signed octets."""
    readings = [Dpop().read(SignedRequest(request))[0] for request in made]
    numbers = [
        (int.from_bytes(one.signature[:32], "big"), int.from_bytes(one.signature[32:], "big")) for one in readings
    ]
    pairs = [(encode_dss_signature(r, s), one.attempt.signed) for (r, s), one in zip(numbers, readings, strict=True)]
    public, algorithm = CAROL.private.public_key(), ECDSA(SHA256())

    def run() -> None:
        for signature, message in pairs:
            public.verify(signature, message, algorithm)

    return run


def receipted(key: AgentKey, nonce: str) -> bytes:
    """The same call with a Signet receipt."""
    arguments = {"msg": "hello, world"}
    carried = receipts.receipt("echo", arguments, key=key, now=NOW, nonce=f"rnd_{nonce}")
    return json.dumps(receipts.call(carried, "echo", arguments), separators=(",", ":")).encode()


def proving() -> tuple[Callable[[], None], Callable[[], None]]:
    """Judging `COUNT` answers with MCP-I proofs, and PyNaCl alone over the same signed octets."""
    asked = Asked(proven.body(proven.CALL), 4)
    answers, pairs = [], []
    for number in range(COUNT):
        made = proven.proof(nonce=f"{number:022d}")
        head, _, last = made["jws"].rpartition(".")
        pairs.append((head.encode(), decode_base64url(last) or b""))
        answers.append(proven.body(proven.answer(made)))
    judge, verifier = ProofJudge(KeyBook()), VerifyKey(ALICE.public)

    def judged() -> None:
        for index, answer in enumerate(answers):
            found = judge.judge(Moment(index, "", NOW), answer, asked)
            if found is None or found.word is not Word.VERIFIED:
                raise SystemExit(f"answer {index} is not proven")

    def alone() -> None:
        for message, signature in pairs:
            verifier.verify(message, signature)

    return judged, alone


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
    for kind, word in (("aip", Word.VERIFIED), ("rfc9421", Word.VERIFIED), ("signet", Word.PARTIAL)):
        made = requests(kind, key)
        judged, alone = timed(judging(key, made, word), bare(kind, key, made))
        print(f"{kind:10}{judged:10.2f}{alone:10.2f}{alone / judged:8.3f}")
    made = proofs()
    judged, alone = timed(judging(key, made, Word.PARTIAL), openssl(made))
    print(f"{'dpop':10}{judged:10.2f}{alone:10.2f}{alone / judged:8.3f}")
    warnings.filterwarnings("ignore", "EdDSA is deprecated")
    judged, alone = timed(*proving())
    print(f"{'mcp-i':10}{judged:10.2f}{alone:10.2f}{alone / judged:8.3f}")
    (judged,) = timed(judging(key, requests("unsigned", key), Word.UNSIGNED))
    print(f"{'unsigned':10}{judged:10.2f}")


if __name__ == "__main__":
    main()
