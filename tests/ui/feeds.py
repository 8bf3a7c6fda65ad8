"""A second gateway beside the played one, with the same server and session id, and a third that is down."""

from build import START, Log
from msgspec import structs
from rpc import call, result, text
from scene import SOURCE, Scene
from verdicts import verified

from mcpwatch.model.feed import FeedState
from mcpwatch.traffic.fold import Traffic

OFFICE, LAB = "office", "lab"


def play(scene: Scene) -> Scene:
    """The whole story on one feed, three calls on another, and nothing of the third."""
    scene.play()
    log, traffic = Log(source=OFFICE, step=0.004), Traffic(OFFICE)
    log.wait(scene.now - START)
    entries = [log.started(), *log.initialize("a")]
    for number in range(2, 5):
        entries += log.exchange(call(number, "search"), result(number, text("found")), session="a")
    for entry in entries:
        asked = entry.record is not None and entry.record.__class__.__name__ == "RequestEntry"
        scene.state.apply(entry, traffic.apply(entry, verified() if asked else None))
        scene.now = max(scene.now, entry.received)
    scene.state.advance(scene.now)
    played = scene.state.feeds[SOURCE]
    scene.state.set_feed(
        structs.replace(
            played,
            name=OFFICE,
            address="https://office.example:4181",
            origin=log.origin,
            next_index=log.next,
            verified_size=log.next,
            received=log.next,
            last_entry_at=scene.now,
        )
    )
    scene.state.set_feed(
        structs.replace(
            played,
            name=LAB,
            address="http://10.0.0.7:4181",
            state=FeedState.DISCONNECTED,
            detail="nothing answers there; is the gateway running?",
            health=None,
            connected_at=None,
            retry_at=scene.now + 4.0,
            last_entry_at=scene.now - 95.0,
            last_checkpoint_at=scene.now - 93.0,
            next_index=212,
            verified_size=212,
            received=212,
            history=(*played.history, (scene.now - 90.0, FeedState.DISCONNECTED, "the gateway closed the stream")),
        )
    )
    scene.watcher.sources = (SOURCE, OFFICE, LAB)
    return scene
