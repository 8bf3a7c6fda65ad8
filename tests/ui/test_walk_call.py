"""Walks over a call: both its sides, folding, searching, and what is said where there is nothing to show."""

import re

from build import body_of
from hands import Hands, hands, screen_text
from msgspec.structs import replace
from rpc import ask, call, result, text
from scene import COVERED, Scene
from textual.widgets import Input
from verdicts import verified

from mcpwatch.model.entries import Body, MessageEntry
from mcpwatch.ui.widgets.grid import Grid
from mcpwatch.ui.widgets.reader import Reader
from mcpwatch.watch.row import Row

pytest_plugins = ["played"]

WIDE = (140, 60)
ORDERS = {"orders": [{"id": f"A-{at}", "note": "n" * 80, "lines": {"sku": "s" * 80}} for at in range(30)]}


def asked(scene: Scene, answer: object, **arguments: object) -> Row:
    """A verified call just made, by the row of its request."""
    request = scene.log.request(call(77, "lookup", **arguments), session="a")
    scene.take(request, verified("alice", *COVERED))
    scene.take([scene.log.response(request), scene.log.message(request, result(77, answer)), scene.log.end(request)])
    scene.feed()
    row = scene.state.row(request.index, request.source)
    assert row is not None
    return row


async def opened(at: Hands, row: Row) -> str:
    """The screen of a row's call."""
    at.app.show_row(row)
    return await at.read()


async def test_both_sides_stand_beside_each_other_where_there_is_room(scene: Scene) -> None:
    row = asked(scene, {"order": "A-1090"}, number="A-1090")
    async with hands(scene, WIDE) as at:
        lines = (await opened(at, row)).splitlines()
        head = next(line for line in lines if "Request" in line and "Answer" in line)
        assert head.index("Answer") > 60 and any("[request and answer]" in line for line in lines)
        assert sum('"A-1090"' in line for line in lines) == 2
        assert any("Body  ┃ covered by the signature" in line for line in lines)
    async with hands(scene, (100, 40)) as at:
        assert "[entry]" in await opened(at, row)
        assert "[exact]" in await at.press("v")
        lines = (await at.press("v")).splitlines()
        assert lines.index(next(line for line in lines if "  Answer" in line)) > lines.index(
            next(line for line in lines if "  Request" in line)
        )


async def test_progress_stands_between_what_was_asked_and_the_answer_to_come(scene: Scene) -> None:
    running = next(each for each in scene.state.calls.values() if each.progress is not None)
    async with hands(scene, WIDE) as at:
        at.app.show_call(running)
        shown = await at.read()
    assert "progress  20/100  20 of 100 files" in shown and "progress  60/100" in shown and "HTTP 200" in shown


async def test_a_call_without_a_word_of_an_answer_says_for_how_long(scene: Scene) -> None:
    request = scene.log.request(call(78, "lookup"), session="a")
    scene.take(request, verified("alice", *COVERED))
    scene.wait(4.0)
    row = scene.state.row(request.index, request.source)
    assert row is not None
    async with hands(scene, WIDE) as at:
        assert "No answer yet, 4.0s after it was asked." in await opened(at, row)


async def test_enter_folds_and_opens_and_a_click_does_too(scene: Scene) -> None:
    row = asked(scene, ORDERS)
    async with hands(scene, WIDE) as at:
        await opened(at, row)
        await at.press("tab", "tab")
        assert '"id": "A-1"' in await at.press("plus")
        shown = await at.press("minus")
        assert '"result": {… 1 }' in shown and "A-1" not in shown
        answer = at.app.screen.query_one("#answer", Reader)
        while '"result"' not in answer.selected:
            await at.press("down")
        assert '"orders": [… 30 ]' in await at.press("enter")
        await at.press("down")
        assert "{… 3 }," in await at.press("enter")
        assert '"orders": [… 30 ]' in await at.press("h")
        shown = await at.press("equals_sign")
        assert '"id": "A-0"' in shown
        lines = shown.splitlines()
        y = next(y for y, line in enumerate(lines) if '"orders": [' in line)
        await at.pilot.click(offset=(lines[y].index('"orders"'), y))
        assert '"orders": [… 30 ]' in await at.read()


async def test_what_is_folded_stays_so_while_traffic_goes_on(scene: Scene) -> None:
    row = asked(scene, ORDERS)
    async with hands(scene, WIDE) as at:
        await opened(at, row)
        await at.press("tab", "tab", "minus")
        scene.take(scene.log.exchange(call(90, "search"), result(90, text("x")), session="a"))
        scene.wait(2.0)
        assert '"result": {… 1 }' in await at.read()


async def test_search_counts_marks_and_opens_what_hides_a_match(scene: Scene) -> None:
    row = asked(scene, ORDERS, number="A-29")
    async with hands(scene, WIDE) as at:
        await opened(at, row)
        await at.press("tab", "tab", "minus", "shift+tab", "home")
        await at.press("slash")
        await at.type("a-2")
        shown = await at.press("enter")
        assert "line 1 of 12 with “a-2”" in shown
        foot = (await at.press("n")).splitlines()[-1]
        assert "line 2 of 12" in foot and '"id": "A-2"' in screen_text(at.app)
        answer = at.app.screen.query_one("#answer", Reader)
        assert answer.has_focus and '"A-2"' in answer.selected
        hit = answer.part_style("tone--hit")
        strips = [answer.render_line(y) for y in range(answer.size.height)]
        marked = [part.text for strip in strips for part in strip if part.style and part.style.reverse]
        assert hit.reverse and marked[0] == "A-2"
        assert "line 12 of 12" in await at.press("N", "N")
        assert "line 1 of 12" in await at.press("n")
        await at.press("escape")
        assert answer.needle == "" and "Live ›" in screen_text(at.app)


async def test_an_answer_names_who_asked(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("slash")
        await at.type("kind:message who:release-agent")
        await at.press("enter", "home")
        shown = await at.press("enter")
        assert re.search(r"caller +2bd806c9 .*verified here +from 10\.0\.0\.7:", shown)
        assert "caller" not in await at.press("home")


async def test_its_traffic_is_shown_at_the_entry_one_came_from(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("slash")
        await at.type("kind:request who:release-agent")
        await at.press("enter", "home", "j")
        wanted = next(line for line in (await at.read()).splitlines() if line.startswith("▌"))
        await at.press("enter")
        shown = await at.press("l")
        assert "where the session contains" in shown
        assert next(line for line in shown.splitlines() if line.startswith("▌")) == wanted


async def test_a_search_that_finds_nothing_says_so(scene: Scene) -> None:
    row = asked(scene, ORDERS)
    async with hands(scene, WIDE) as at:
        await opened(at, row)
        assert "No line has “nosuch”" in await at.command("search nosuch")
        await at.press("n")
        assert "No line has “nosuch”" in await at.line(-1)


async def test_search_works_on_every_page_of_text(scene: Scene) -> None:
    async with hands(scene, (140, 40)) as at:
        await at.press("6", "slash")
        assert at.app.screen.query_one(Input).has_focus
        await at.type("checkpoint")
        assert "with “checkpoint”" in await at.press("enter")


async def test_a_huge_answer_is_laid_out_slice_by_slice(scene: Scene) -> None:
    row = asked(scene, list(range(25_000)))
    async with hands(scene, WIDE) as at:
        assert '"result": [' in await opened(at, row)
        answer = at.app.screen.query_one("#answer", Reader)
        while "being laid out" in answer.left_out:
            await at.pilot.pause()
        shown = await at.command("search nosuch")
        assert "not looked at: what comes after the first" in shown
        answer.focus()
        assert "is not laid out" in await at.press("plus", "end", "pageup", "end")


async def test_a_digest_says_that_there_is_no_more(scene: Scene) -> None:
    request = scene.log.request(call(79, "lookup"), session="a")
    message = scene.log.message(request, result(79, {"secret": "value"}))
    record = message.record
    assert isinstance(record, MessageEntry)
    body = Body(record.data.body.size, record.data.body.sha256)
    scene.take(request, verified("alice", *COVERED))
    scene.take(replace(message, record=replace(record, data=replace(record.data, body=body))))
    row = scene.state.row(request.index, request.source)
    assert row is not None
    async with hands(scene, WIDE) as at:
        shown = await opened(at, row)
    assert "digest only" in shown and "value" not in shown


async def test_octets_that_are_no_text_stand_in_hex(scene: Scene) -> None:
    request = scene.log.request(call(80, "lookup"), session="a")
    message = scene.log.message(request, b"\xff\xfe\x00MCP")
    scene.take(request, verified("alice", *COVERED))
    scene.take(message)
    row = scene.state.row(request.index, request.source)
    assert row is not None and body_of(b"\xff").base64
    async with hands(scene, WIDE) as at:
        assert "000000  ff fe 00 4d 43 50" in await opened(at, row)


async def test_an_argument_names_the_result_it_came_from(scene: Scene) -> None:
    path = "/srv/secret-project/plans/q3-roadmap.md"
    first = asked(scene, text(f"see {path}"))
    scene.wait(1.0)
    second = asked(scene, text("ok"), path=path)
    assert second.call is not None and second.call.flows
    async with hands(scene, (180, 60)) as at:
        shown = await opened(at, second)
    assert first.call is not None and f"← call {first.call.id}, content[0].text" in " ".join(shown.split())
    assert f'"path": "{path}"' in shown


async def test_the_entries_of_a_session_can_be_filtered(scene: Scene) -> None:
    async with hands(scene, (100, 30)) as at:
        shown = await at.press("2", "enter", "slash")
        assert "[entries" in shown
        every = at.app.screen.query_one("#entries", Grid).rows
        assert len(every) > 20
        await at.type("kind:request tool:search")
        shown = await at.press("enter")
        assert "1 entry where" in shown and "search" in shown
        assert "/ filters these entries" in await at.press("escape")
        assert "Sessions ›" in screen_text(at.app)
        await at.press("slash")
        assert "✗" in await at.type("tool:")
        assert "/ filters these entries" in await at.press("escape")


async def test_a_request_that_is_not_held_any_more_is_said_to_be_gone(blank: Scene) -> None:
    blank.state.rows.max_rows = 6
    blank.take(blank.log.initialize("a", client="x"), verified("alice", *COVERED))
    request = blank.log.request(ask(1, "ping"), session="a")
    blank.take(request, verified("alice", *COVERED))
    made = next(each for each in blank.state.calls.values() if each.method == "ping")
    for number in range(2, 9):
        blank.take(blank.log.exchange(call(number, "search"), result(number, text("x")), session="a"))
    blank.take(blank.log.message(request, result(1, text("late"))))
    blank.feed()
    async with hands(blank, WIDE) as at:
        at.app.show_call(made)
        shown = await at.read()
        assert "It is not held any more: newer entries took its place." in shown and '"late"' in shown
        assert "Answer" in await at.press("v") and "The exact leaf" in await at.press("v")


async def test_the_width_may_change_while_a_text_is_being_laid_out(scene: Scene) -> None:
    row = asked(scene, [{"id": at, "text": "x" * 300, "more": ["y" * 60]} for at in range(3_000)])
    async with hands(scene, WIDE) as at:
        await opened(at, row)
        for width in (60, 140, 81, 200, 40):
            await at.pilot.resize_terminal(width, 30)
            at.scene.wait(1.0)
            assert '"id": 0' in await at.read() or width < 120
