"""What happens to a feed, for the feed rules."""

from registry import fires, spares
from rpc import call
from rule_scene import Scene

from mcpwatch.model.feed import FeedState, Gap


@fires("feed/gap")
def entries_passed_over(scene: Scene) -> None:
    scene.feed(FeedState.GAP, gaps=(Gap(5, 9, "past retention"),))


@spares("feed/gap")
def a_gap_that_was_told(scene: Scene) -> None:
    scene.feed(FeedState.GAP, gaps=(Gap(5, 9, "past retention"),))
    scene.findings.clear()
    scene.feed(FeedState.LIVE, FeedState.STALE, FeedState.LIVE)


@fires("feed/stale")
def no_checkpoint(scene: Scene) -> None:
    scene.feed(FeedState.STALE, overdue=True)


@fires("feed/stale")
def a_gateway_that_died(scene: Scene) -> None:
    scene.feed(FeedState.DISCONNECTED)
    scene.feed(FeedState.DISCONNECTED, overdue=True)


@fires("feed/stale")
def a_live_feed_that_refuses(scene: Scene) -> None:
    scene.feed(FeedState.REFUSED, overdue=True)


@spares("feed/stale", "feed/broken", "feed/gap")
def a_reconnect(scene: Scene) -> None:
    scene.feed(FeedState.DISCONNECTED, FeedState.CONNECTING, FeedState.LIVE, FeedState.ENDED)


@fires("feed/broken")
def a_log_that_contradicts_itself(scene: Scene) -> None:
    scene.feed(FeedState.BROKEN, detail="two roots for size 7")


@spares("feed/rollback")
def a_log_that_is_broken_in_another_way(scene: Scene) -> None:
    scene.feed(FeedState.BROKEN, FeedState.BROKEN)


@fires("feed/rollback")
def a_log_that_got_shorter(scene: Scene) -> None:
    scene.feed(FeedState.ROLLBACK, next_index=0)


@spares("feed/broken")
def a_rollback_that_was_told(scene: Scene) -> None:
    scene.feed(FeedState.ROLLBACK, detail="the log now says it has 3 entries; 7 were verified")
    (found,) = scene.findings
    assert found.reason.startswith("The log was rolled back: the log now says")
    scene.findings.clear()
    scene.feed(FeedState.ROLLBACK, detail="still")
    assert not scene.findings


@fires("feed/unproven")
def a_feed_without_a_log(scene: Scene) -> None:
    scene.feed(FeedState.UNPROVEN)


@spares("feed/unproven")
def a_feed_without_a_log_that_was_told(scene: Scene) -> None:
    scene.feed(FeedState.UNPROVEN)
    scene.findings.clear()
    scene.feed(FeedState.UNPROVEN, FeedState.LIVE, next_index=9)


@fires("feed/malformed")
def an_entry_that_is_none(scene: Scene) -> None:
    scene.malformed()


@spares("feed/malformed")
def a_request_that_is_not_json_rpc(scene: Scene) -> None:
    scene.request({"hello": "there"})
    scene.request(call(1, "read"))
