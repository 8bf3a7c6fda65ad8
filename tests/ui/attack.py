"""A scene in which everything that others may write is an attack."""

from pathlib import Path

import msgspec
from build import Log
from hostile import CORPUS
from rpc import ask, call, error, note, result, text, tool
from scene import SOURCE, Scene
from verdicts import judged, principal, verified

from mcpwatch.model.feed import FeedState, FeedStatus, Gap
from mcpwatch.model.health import Health
from mcpwatch.model.identity import OtherSignature, Receipt, ServerProof, Signer, Verdict, Word
from mcpwatch.model.trust import Asserted, Standing, Step


def attacked(folder: Path) -> Scene:
    """Each string of the corpus as every name there is."""
    scene = Scene(folder)
    scene.take(scene.log.started())
    for number, words in enumerate(CORPUS):
        _attack(scene, scene.log, number, words.encode("utf-8", "replace").decode())
    for session, words in zip(scene.state.sessions.values(), CORPUS, strict=False):
        # The wire cannot carry half a surrogate pair; the screen must stand it all the same.
        session.client_name = session.server_name = session.user_agent = words
    for identity, words in zip(scene.state.identities.values(), CORPUS, strict=False):
        identity.claimed_names.add(words)
        step = Step(words, words, (words,), words, words)
        asserted = Asserted(True, 1, (words,))
        scene.watcher.standings[identity.id] = Standing(identity.id, False, (), (step,), asserted, None, words, words)
    everything = " ".join(words[:400] for words in CORPUS)
    scene.state.set_feed(
        FeedStatus(
            name=SOURCE + everything[:200],
            address=everything,
            state=FeedState.DISCONNECTED,
            detail=everything,
            origin=everything,
            key=everything,
            capture=everything,
            gaps=(Gap(1, 2, everything),),
            history=((scene.now, FeedState.LIVE, everything),),
            health=Health(
                trouble=everything, origin=everything, started=1e300, size=-1, commit=-1e300, disk_free=-(2**63)
            ),
        )
    )
    return scene


def _attack(scene: Scene, log: Log, number: int, words: str) -> None:
    name, peer = f"s{number}", f"10.0.{number}.1:1"
    headers = {"user-agent": words, "x-other": words, "mcp-name": words}
    offer = {"tools": [tool(words, words, annotations={"title": words}, **{words[:50] or "x": words})]}
    good = verified(f"signer {number}")
    signer = Signer(f"did:web:{words}", words[:43])
    other = OtherSignature(Word.BAD_SIG, words, words, signer, words)
    beside = {"profile": words, "others": (other,), "receipt": Receipt(words, words, words)}
    good = msgspec.structs.replace(good, **beside)
    bad: Verdict = msgspec.structs.replace(judged(Word.BAD_SIG), signer=signer, reasons=(words, words), **beside)
    scene.take(log.initialize(name, client=words, peer=peer, principal=principal(words), headers=headers), good)
    scene.take(log.exchange(ask(1, "tools/list"), result(1, offer), session=name, peer=peer), good)
    scene.take(log.exchange(call(2, words, words=words), result(2, text(words)), session=name, peer=peer), bad)
    scene.take(log.exchange(ask(3, words, {words[:50]: words}), error(3, -32000, words), session=name, peer=peer), good)
    asked = log.request(call(4, words, meta={"progressToken": words}), session=name, peer=peer, target=f"/{words}")
    scene.take(asked, good)
    scene.take(log.response(asked, headers=headers))
    progress = {"progressToken": words, "progress": 1, "total": 2, "message": words}
    answer = log.message(asked, note("notifications/progress", progress), event=words, event_id=words)
    scene.take(answer)
    scene.state.prove(answer.index, answer.source, ServerProof(Word.BAD_SIG, words, signer, words))
    offer["tools"][0]["description"] += " changed"
    scene.take(log.exchange(ask(5, "tools/list"), result(5, offer), session=name, peer=peer), good)
    scene.take(log.request(words.encode(), session=name, peer=peer, method=words[:20], authority=words))
    scene.take(log.malformed(words.encode(), words))
