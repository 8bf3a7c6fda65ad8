"""Walks over the Live screen, with real keys."""

from pathlib import Path

import msgspec
import pytest
from hands import hands, screen_text
from rpc import call, result, text
from scene import Scene

from mcpwatch.model.alerts import AlertState
from mcpwatch.model.feed import FeedState
from mcpwatch.model.identity import Word
from mcpwatch.ui.app import WatchApp
from mcpwatch.ui.rows.live_rows import TimeStyle, faults, live_columns
from mcpwatch.ui.screens.live import LiveScreen
from mcpwatch.ui.widgets.grid import Grid
from mcpwatch.ui.widgets.prompt import Prompt
from mcpwatch.watch.query import Query, parse
from mcpwatch.watch.view import View

pytest_plugins = ["played"]


def more(scene: Scene, count: int) -> None:
    """Further traffic."""
    for number in range(count):
        scene.take(
            scene.log.exchange(
                call(100 + number, "read_file", path=f"{number}"), result(100 + number, text("x")), session="a"
            )
        )
    scene.feed()


def rows(shown: str) -> list[str]:
    """The grid's rows without their outcome, which may count seconds."""
    return [line[:60] for line in shown.splitlines()[4:22]]


def cursor(shown: str) -> str:
    """The row that the cursor stands on."""
    return next(line for line in shown.splitlines() if line.startswith("▌"))


async def test_the_status_tells_state_ages_proof_and_what_is_wrong(scene: Scene) -> None:
    async with hands(scene) as at:
        lines = (await at.read()).splitlines()
    assert "● LIVE gateway" in lines[1]
    assert "last now" in lines[1] and "checkpoint 1.2s" in lines[1]
    assert "proven" in lines[1] and "3 pending" in lines[1]
    assert "4 critical" in lines[2] and "high" in lines[2] and "medium" in lines[2]


async def test_every_bad_verdict_is_counted_at_80_cells(scene: Scene) -> None:
    async with hands(scene) as at:
        line = await at.line(2)
    assert "≠ 1" in line and "✗ 1" in line and "↻ 1" in line


async def test_no_verdict_is_dropped_unsaid_at_80_cells(scene: Scene) -> None:
    words = scene.state.counts.words
    words.update({word: 20 + number for number, word in enumerate(Word)})
    async with hands(scene) as at:
        crowded = await at.line(2)
        words.update(dict.fromkeys(Word, 1000000))
        scene.wait(1.0)
        overfull = await at.line(2)
    assert "○ " in crowded and "‼4" in crowded and "…" not in crowded
    assert overfull.endswith("…") and "≠" in overfull


async def test_what_a_log_kept_is_no_traffic_of_the_moment(blank: Scene) -> None:
    blank.feed()
    more(blank, 100)
    blank.wait(0.0)
    blank.state.advance(blank.now + 1)
    assert blank.state.entry_rate.per_second(blank.now + 1) > 0
    late = Scene(Path("late"))
    entries = late.log.exchange(call(1, "search"), result(1, text("x")), session="a")
    for entry in entries:
        late.take(msgspec.structs.replace(entry, received=entry.received + 3600))
    assert late.state.entry_rate.per_second(late.now + 1) == 0


async def test_answers_stand_in_the_foot_for_a_while(scene: Scene) -> None:
    async with hands(scene, notifications=True) as at:
        assert "The bell is muted" in (await at.press("b")).splitlines()[-1]
        assert "? help" in await at.line(-1)
        scene.monotonic += 5
        scene.now += 1
        assert "The bell" not in await at.line(-1)
        assert "goto takes" not in await at.command("goto 5")


async def test_a_terminal_too_small_is_told_so(scene: Scene) -> None:
    async with hands(scene, (39, 24)) as at:
        assert "Too small" in await at.read() and "VERIFIED" not in await at.read()
        await at.pilot.resize_terminal(80, 9)
        assert "Too small" in await at.read()
        await at.pilot.resize_terminal(40, 10)
        assert "Too small" not in await at.read()


async def test_a_silent_feed_shows_its_age(scene: Scene) -> None:
    async with hands(scene) as at:
        scene.now += 62
        assert "last 1m02s" in await at.line(1)


async def test_it_follows_until_one_moves_up_and_again_after_f(scene: Scene) -> None:
    async with hands(scene) as at:
        assert "▼ following" in await at.line(-2)
        await at.press("k")
        assert "not following" in await at.line(-2)
        more(scene, 30)
        assert "below" in await at.line(-2)
        await at.press("f")
        assert "▼ following" in await at.line(-2)


async def test_what_one_reads_stays_in_place_while_traffic_comes(scene: Scene) -> None:
    async with hands(scene) as at:
        before = rows(await at.press("k", "k"))
        more(scene, 40)
        assert rows(await at.read()) == before


async def test_freezing_counts_what_comes_and_going_on_shows_it(scene: Scene) -> None:
    async with hands(scene) as at:
        before = rows(await at.press("space"))
        more(scene, 5)
        after = await at.read()
        assert rows(after) == before
        assert "FROZEN +15 new" in after.splitlines()[-2]
        assert "FROZEN" not in (await at.press("space")).splitlines()[-2]


async def test_a_filter_narrows_while_one_types_and_says_so_in_english(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("slash")
        await at.type("tool:notes")
        assert "where the tool contains “notes”" in await at.read()
        shown = await at.press("enter")
        assert "read_file" not in shown and "notes.add" in shown


async def test_a_bad_filter_says_why_and_the_last_good_one_stays(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("slash")
        await at.type("tool:notes ")
        shown = await at.type('"')
        assert "✗ this quote is not closed" in shown
        assert "notes.add" in shown and "search" not in shown


async def test_leaving_the_filter_prompt_puts_the_old_filter_back(scene: Scene) -> None:
    async with hands(scene, (100, 60)) as at:
        await at.press("slash")
        await at.type("tool:notes")
        assert "read_file" in await at.press("escape")


async def test_tab_completes_and_arrow_up_recalls(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("slash")
        await at.type("tool:read")
        await at.press("tab", "enter")
        assert "tool:read_file" in await at.line(-2)
        await at.press("escape", "slash", "up")
        assert "tool:read_file" in await at.line(-2)


async def test_it_can_begin_with_a_filter(scene: Scene) -> None:
    app = WatchApp(scene.watcher, query=parse("tool:notes"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.tick()
        await pilot.pause()
        assert "/ tool:notes" in screen_text(app).splitlines()[-2]


async def test_escape_takes_the_filter_off(scene: Scene) -> None:
    async with hands(scene, (100, 60)) as at:
        await at.press("slash")
        await at.type("tool:notes")
        await at.press("enter")
        assert "read_file" in await at.press("escape")


async def test_a_filter_that_matches_nothing_says_so(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("slash")
        await at.type("tool:nosuchtool")
        shown = await at.press("enter")
        assert "Nothing matches" in shown and "press esc" in shown


async def test_the_keys_come_back_to_the_grid_with_its_rows(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("slash")
        await at.type("tool:nosuchtool")
        await at.press("enter")
        before = cursor(await at.press("escape"))
        assert cursor(await at.press("k")) != before


async def test_e_goes_from_alert_to_alert(scene: Scene) -> None:
    async with hands(scene) as at:
        found = [cursor(await at.press(*keys)) for keys in (("g", "e"), ("e",), ("E",))]
        assert all(line[1] in "‼!▪·" for line in found)
        assert found[0] != found[1] and found[0] == found[2]


async def test_find_marks_and_goes_on_with_n(scene: Scene) -> None:
    async with hands(scene) as at:
        found = [cursor(await at.command("find summarise"))]
        found += [cursor(await at.press(key)) for key in ("n", "N")]
        assert all("summarise" in line for line in found)
        assert found[0] != found[1] and found[0] == found[2]


async def test_t_turns_times_to_ages_and_steps(scene: Scene) -> None:
    async with hands(scene) as at:
        assert "12:00:" in await at.line(8)
        assert "12:00:" not in (await at.press("t")).splitlines()[8]
        assert "+" in (await at.press("t")).splitlines()[8]


async def test_columns_can_be_chosen_but_not_the_verdict(scene: Scene) -> None:
    async with hands(scene, (140, 40)) as at:
        dialog = await at.press("c")
        assert "✓ shown" in dialog and "OUTCOME" in dialog
        assert "VERDICT" not in "\n".join(line for line in dialog.splitlines() if "│" in line)
        header = (await at.press("space", "escape")).splitlines()[3]
        assert "TIME" not in header and "VERDICT" in header


async def test_columns_and_times_can_come_from_the_configuration(scene: Scene) -> None:
    app = WatchApp(scene.watcher)
    app.columns, app.times = ("index", "time", "tool"), TimeStyle.AGE
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        shown = screen_text(app)
        assert shown.splitlines()[3].split() == ["TIME", "INDEX", "VERDICT", "TOOL"]
        assert "12:00:" not in shown


async def test_columns_and_times_are_kept_for_the_run(scene: Scene) -> None:
    async with hands(scene, (140, 40)) as at:
        await at.press("c", "space", "escape", "t")
        assert at.app.columns is not None and "time" not in at.app.columns and "verdict" in at.app.columns
        assert at.app.times is TimeStyle.AGE
        await at.press("c", "d")
        assert at.app.columns is None


def test_a_column_that_there_is_not_is_told_with_the_nearest() -> None:
    (fault,) = faults(("time", "tol"))
    assert fault.what == "ui.columns: Live has no such column as tol; did you mean tool?"
    assert not list(faults([column.id for column in live_columns()]))


@pytest.mark.parametrize(("place", "index"), [("12:00", 0), ("-1h", 0), ("+1h", 90), ("90", 90)])
async def test_one_can_go_to_a_time_and_by_a_step(scene: Scene, place: str, index: int) -> None:
    async with hands(scene, (100, 30)) as at:
        await at.command("goto 43")
        await at.command(f"goto {place}")
        screen = at.app.screen
        assert isinstance(screen, LiveScreen)
        assert screen.view.selected is not None and screen.view.selected.index == index


async def test_one_can_go_to_an_alert_and_nowhere_else(scene: Scene) -> None:
    async with hands(scene, (140, 40)) as at:
        assert cursor(await at.command("goto alert"))[1] in "‼!▪·"
        assert "There is no going to 'nowhere'. Say an entry such as 1500" in await at.command("goto nowhere")


async def test_the_detail_follows_the_cursor_from_120_cells_on(scene: Scene) -> None:
    async with hands(scene, (140, 40)) as at:
        await at.command("goto 43")
        shown = await at.read()
        assert "✗ BAD SIG" in shown and "The signature does not fit this request" in shown
        assert "the body's digest is not the one that was signed" in shown


async def test_copy_gives_one_line_of_plain_json(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("y")
        copied = at.app.clipboard
        assert copied.startswith("{") and copied.isascii() and copied.isprintable()


async def test_nobody_is_told_to_start_a_gateway_while_the_feed_is_being_opened(blank: Scene) -> None:
    async with hands(blank) as at:
        shown = await at.read()
    assert "The feed is being opened." in shown and "mcpwatch gateway --upstream" not in shown


async def test_a_live_feed_without_traffic_tells_how_to_get_some(blank: Scene) -> None:
    blank.feed()
    async with hands(blank) as at:
        shown = await at.read()
    assert "● LIVE" in shown and "No traffic yet" in shown and "point your MCP client" in shown
    assert "mcpwatch demo" in shown and "mcpwatch gateway --upstream" in shown


async def test_a_refusing_feed_tells_what_to_do(blank: Scene) -> None:
    blank.feed(FeedState.REFUSED, "401: the token is not known")
    async with hands(blank) as at:
        shown = await at.read()
    assert "⊘ REFUSED" in shown and "401: the token is not known" in shown and "right token" in shown


async def test_a_lost_feed_keeps_what_was_received(scene: Scene) -> None:
    scene.feed(FeedState.DISCONNECTED, "connection refused")
    async with hands(scene) as at:
        shown = await at.read()
    assert "◌ DISCONNECTED" in shown and "VERIFIED" in shown


async def test_a_failed_pipeline_is_told(scene: Scene) -> None:
    async with hands(scene, notifications=True) as at:
        at.app.failure = "ValueError"
        scene.now += 1
        assert "NOTHING IS TAKEN IN" in await at.line(1)


async def test_keys_that_come_right_after_enter_reach_the_list_and_not_the_prompt(scene: Scene) -> None:
    async with hands(scene, (100, 30)) as at:
        await at.press("slash")
        await at.type("tool:read_file")
        await at.press("enter", "slash", "ctrl+u")
        shown = await at.send(*"tool:notes", "enter", "up", "k", "t")
        assert "/ tool:notes" in shown.splitlines()[-2] and "Times as age" in shown.splitlines()[-1]


async def test_what_is_typed_in_one_go_filters_once_it_is_whole(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Query] = []
    kept = View.set_query

    def set_query(view: View, query: Query) -> None:
        asked.append(query)
        kept(view, query)

    monkeypatch.setattr(View, "set_query", set_query)
    async with hands(scene) as at:
        await at.press("slash")
        await at.type("tool:notes sess:a")
    assert asked == [parse("tool:notes sess:a")]


async def test_a_prompt_opened_over_an_empty_list_gives_the_keys_to_the_list_that_came_meanwhile(blank: Scene) -> None:
    async with hands(blank) as at:
        await at.press("slash")
        blank.play()
        await at.read()
        at.app.screen.query_one(Prompt).enter()
        assert at.app.focused is at.app.screen.query_one(Grid)


async def test_when_no_alert_is_open_the_bar_says_how_many_rest(scene: Scene) -> None:
    for alert in scene.state.alerts.values():
        alert.state = AlertState.ACKNOWLEDGED
    async with hands(scene) as at:
        assert f"none open  {len(scene.state.alerts)} ack" in await at.read()
