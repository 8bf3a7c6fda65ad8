"""Every kind of signer: known by each way there is, rotated, rivalled, and a server beside them."""

from build import START
from msgspec.structs import replace
from rpc import call, result, text
from scene import Scene
from verdicts import principal, verified

from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.identity.resolution import Resolved, ResolvedKey
from mcpwatch.identity.verifier import fingerprint
from mcpwatch.model.identity import (
    Covered,
    KeyState,
    OtherSignature,
    Receipt,
    Resolution,
    ServerProof,
    Signer,
    Verdict,
    Word,
)
from mcpwatch.model.trust import Asserted, Standing, Step

LEDGER = "did:aip:56475aa75463474c0285df5dbf2bcab7"
OLD, NEW, STRANGER, SERVER = (AgentKey(bytes([number] * 32)) for number in range(1, 5))
DAY = 86_400.0
ROTATED = START - 3 * DAY


def print_of(key: AgentKey) -> str:
    """A key's fingerprint."""
    return fingerprint(key.public)


ROOT, OFFICE = "did:aip:00112233445566778899aabbccddeeff", "did:aip:ffeeddccbbaa99887766554433221100"
PATH = (
    Step(ROOT, OFFICE, ("GENERAL",), key=print_of(SERVER), created=START - 30 * DAY),
    Step(OFFICE, LEDGER, ("FINANCIAL",), key=print_of(SERVER), key_asserted=True, created=START - 20 * DAY),
)
COVERED = (Covered.METHOD, Covered.TARGET, Covered.AUTHORITY, Covered.BODY, Covered.TIME, Covered.NONCE)


def signed_by(signer: Signer) -> Verdict:
    """A valid signature by this signer."""
    return replace(verified("anybody", *COVERED), signer=signer)


OF_LEDGER = Signer(LEDGER, print_of(NEW), Resolution.REGISTRY, KeyState.CURRENT, "ledger")
OF_STRANGER = Signer(f"key:{print_of(STRANGER)}", print_of(STRANGER), Resolution.EMBEDDED, KeyState.CURRENT)
OF_SERVER = Signer(SERVER.did_key, print_of(SERVER), Resolution.DID_KEY, KeyState.CURRENT)


def play(scene: Scene) -> Scene:
    """The whole of it."""
    keys = scene.watcher.key_book
    known = (
        ResolvedKey(NEW.public, valid_from=ROTATED),
        ResolvedKey(OLD.public, valid_from=START - 90 * DAY, valid_until=ROTATED),
    )
    keys.learn(LEDGER, Resolved(Resolution.REGISTRY, known), START)
    keys.name(LEDGER, "ledger")
    scene.watcher.roots = (ROOT,)
    scene.watcher.standings[LEDGER] = Standing(LEDGER, path=PATH, vouches=PATH[1:], asserted=Asserted(True, 3))
    keys.lookup(OF_STRANGER.id, START, STRANGER.public)
    scene.take(scene.log.started())
    _ledger(scene)
    _stranger(scene)
    scene.wait(2.0)
    scene.feed()
    return scene


def _ledger(scene: Scene) -> None:
    log, peer = scene.log, "10.0.0.7:50112"
    before = replace(OF_LEDGER, fingerprint=print_of(OLD), key_state=KeyState.GRACE)
    scene.take(log.initialize("a", client="books-agent", peer=peer, upstream="accounts"), signed_by(before))
    scene.wait(60.0)
    other = OtherSignature(Word.BAD_SIG, "aip", "", OF_STRANGER, "the signature does not fit the request")
    verdict = replace(
        signed_by(OF_LEDGER), profile="web-bot-auth", others=(other,), receipt=Receipt("r-2", "trace-7", "r-1")
    )
    asked = log.request(
        call(1, "transfer", to="bob", amount=12), session="a", peer=peer, upstream="accounts", principal=principal()
    )
    scene.take(asked, verdict)
    scene.wait(0.2)
    head, answer = log.response(asked), log.message(asked, result(1, text("done")))
    scene.take([head, answer, log.end(asked)])
    proof = ServerProof(Word.VERIFIED, "mcp-i", OF_SERVER)
    row = scene.state.prove(answer.index, answer.source, proof)
    assert row is not None and row.seen.exchange is not None
    row.seen.exchange.proof = proof


def _stranger(scene: Scene) -> None:
    log, peer = scene.log, "203.0.113.5:60001"
    stranger = signed_by(OF_STRANGER)
    scene.take(log.initialize("b", client="Ledger", peer=peer, upstream="accounts"), stranger)
    scene.wait(0.5)
    scene.take(log.exchange(call(1, "balance"), result(1, text("7")), session="b", peer=peer), stranger)
