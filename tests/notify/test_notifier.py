"""The notifier tells of what begins to fire, not of what was told, and not of the past one by one."""

import asyncio
from collections.abc import Mapping

import pytest
from msgspec import structs
from notified import Post, alert

from mcpwatch.model.alerts import Alert, AlertState, Severity
from mcpwatch.model.feed import FeedState, FeedStatus
from mcpwatch.notify.notifier import Notifier
from mcpwatch.notify.options import NotifyOptions
from mcpwatch.watch.state import State

LIVE = FeedStatus("gw", "http://127.0.0.1:1", FeedState.LIVE, announced=0)


class Watch:
    """A state of alerts that a test fires, with a notifier that looks when it is told to."""

    def __init__(self, alerts: Mapping[str, Alert] = {}, feed: FeedStatus = LIVE) -> None:
        self.alerts = dict(alerts)
        self.state = State(self.alerts)
        self.state.set_feed(feed)
        self.post = Post(per_minute=100)
        self.notifier = Notifier(self.state, NotifyOptions(), [self.post.outbox])

    async def look(self, *fired: Alert) -> list[str]:
        """What is told after these alerts came or changed: event and alert ids."""
        self.alerts.update((each.id, each) for each in fired)
        self.state.alerts_changed()
        self.notifier.look()
        before = len(self.post.somebody.told)
        return [f"{told['event']} {told['alert']['id']}" for _, told in (await self.post.sent())[before:]]


async def test_an_alert_is_told_when_it_begins_to_fire_and_when_it_rises() -> None:
    watch = Watch()
    assert await watch.look() == []
    assert await watch.look(alert("a"), alert("b", Severity.MEDIUM)) == ["fired a"]
    assert await watch.look() == []
    assert await watch.look(alert("a", count=9)) == []
    assert await watch.look(alert("b", Severity.HIGH)) == ["fired b"]
    assert await watch.look(alert("b", Severity.CRITICAL)) == ["fired b"]
    assert await watch.look(alert("a", state=AlertState.ACKNOWLEDGED)) == []
    assert await watch.look(alert("a")) == ["fired a"]


@pytest.mark.parametrize("standing", [FeedState.LIVE, FeedState.GAP])
async def test_what_was_open_before_is_one_message_once_the_past_is_read(standing: FeedState) -> None:
    past = {name: alert(name) for name in "abc"}
    watch = Watch(past, structs.replace(LIVE, announced=50, next_index=20, state=standing))
    assert await watch.look() == []
    watch.state.set_feed(structs.replace(LIVE, announced=50, next_index=50, state=standing))
    assert await watch.look() == ["open a"]
    assert watch.post.somebody.told[0][1]["more"] == 2
    assert await watch.look(alert("d")) == ["fired d"]


async def test_a_feed_that_is_lost_before_it_caught_up_is_no_reason_to_be_silent() -> None:
    watch = Watch({"a": alert("a")}, structs.replace(LIVE, announced=50, next_index=20, state=FeedState.DISCONNECTED))
    assert await watch.look() == ["open a"]


async def test_what_fired_last_is_told_before_the_end() -> None:
    watch = Watch()
    await watch.look()
    running = asyncio.create_task(watch.notifier.run())
    watch.alerts["z"] = alert("z")
    watch.state.alerts_changed()
    await watch.notifier.finish()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert [told["alert"]["id"] for _, told in watch.post.somebody.told] == ["z"]
    assert watch.post.said == []


async def test_no_text_of_an_agent_is_in_the_line_that_chats_show() -> None:
    watch = Watch()
    await watch.look()
    await watch.look(alert("a", subject="<!channel> \x1b[31m", reason="<!channel>"))
    ((_, told),) = watch.post.somebody.told
    assert "<!channel>" not in told["text"]
    assert told["alert"]["subject"] == "<!channel> \x1b[31m"
