"""A channel is told of each alert once, seldom enough, worst first, and again until it takes it."""

from notified import Post, alert, flood

from mcpwatch.model.alerts import AlertState, Severity
from mcpwatch.notify.channel import Undelivered


async def test_each_alert_is_a_message_worst_first() -> None:
    post = Post()
    post.outbox.put([alert("a"), alert("b", Severity.CRITICAL), alert("c")])
    sent = [message for _, message in await post.sent()]
    assert [message["alert"]["id"] for message in sent] == ["b", "a", "c"]
    assert [(message["type"], message["event"], message["more"]) for message in sent] == [
        ("notification", "fired", 0)
    ] * 3
    assert sent[0]["text"] == "CRITICAL: Wrong key (identity/wrong-key), alert b"
    assert len({message["id"] for message in sent}) == 3
    assert post.somebody.closed


async def test_a_flood_is_summed_up() -> None:
    post = Post(per_minute=10)
    post.outbox.put(flood(1_000))
    sent = await post.sent()
    assert len(sent) == 10
    assert {when for when, _ in sent} == {0.0}
    last = sent[-1][1]
    assert (last["more"], last["more_by_severity"]) == (990, {"high": 990})
    assert last["text"].endswith(", and 990 more")
    assert [message["alert"]["severity"] for _, message in sent] == ["critical"] * 10


async def test_no_minute_has_more_messages_than_allowed() -> None:
    post = Post(per_minute=3)
    for number in range(8):
        post.outbox.put([alert(f"{number}.{each}") for each in range(5)])
        await post.sent()
        post.time.now += 11
    times = [when for when, _ in post.somebody.told]
    assert all(later - earlier >= 60 for earlier, later in zip(times, times[3:], strict=False))
    assert sum(1 + int(str(message["more"])) for _, message in post.somebody.told) == 40


async def test_what_was_there_before_is_one_message() -> None:
    post = Post()
    post.outbox.put_together(flood(30))
    ((_, message),) = await post.sent()
    assert (message["event"], message["more"], message["alert"]["severity"]) == ("open", 29, "critical")


async def test_what_was_acknowledged_meanwhile_is_not_told() -> None:
    post = Post()
    post.outbox.put([alert("a", state=AlertState.ACKNOWLEDGED), alert("b")])
    post.outbox.put_together([alert("c", state=AlertState.RESOLVED)])
    assert [message["alert"]["id"] for _, message in await post.sent()] == ["b"]


async def test_a_message_is_sent_again_later_and_later_until_it_arrives() -> None:
    post = Post(*[Undelivered("down", 0.0)] * 4)
    post.outbox.put([alert("a")])
    ((_, message),) = await post.sent()
    waits = [later - earlier for earlier, later in zip(post.somebody.tries, post.somebody.tries[1:], strict=False)]
    assert message["alert"]["id"] == "a"
    assert waits == sorted(waits) and waits[0] > 0 and waits[-1] > waits[0]
    assert post.said == ["somebody: down", "somebody: "]


async def test_who_asks_to_be_left_alone_is() -> None:
    post = Post(Undelivered("busy", 90.0))
    post.outbox.put([alert("a")])
    assert [when for when, _ in await post.sent()] == [90.0]


async def test_what_is_refused_is_not_sent_again_and_said_once() -> None:
    post = Post(Undelivered("no"), Undelivered("no"))
    post.outbox.put([alert("a"), alert("b"), alert("c")])
    assert [message["alert"]["id"] for _, message in await post.sent()] == ["c"]
    assert post.said == ["somebody: no", "somebody: "]


async def test_an_error_of_our_own_is_said_and_ends_nothing_else() -> None:
    post = Post(ZeroDivisionError("s3cret"))
    post.outbox.put([alert("a")])
    await post.sent()
    assert post.said == ["somebody: an error of mcpwatch's own: ZeroDivisionError"]
    assert post.somebody.closed
    await post.outbox.emptied()
