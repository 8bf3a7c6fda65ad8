"""Walks over the waterfall of a session and the path of an alert, with real keys."""

import pytest
import trail
from build import session_hash
from hands import Hands, hands
from rpc import call, result, text
from scene import Scene
from verdicts import verified

pytest_plugins = ["played"]


@pytest.fixture
def story(blank: Scene) -> Scene:
    """A key that was read and sent, and all that went wrong beside it."""
    return trail.play(blank)


@pytest.fixture
def going_on(blank: Scene) -> Scene:
    """The same while two calls run."""
    return trail.play(blank, running=True)


def row(shown: str, words: str) -> str:
    """The first line that has these words."""
    return next(line for line in shown.splitlines() if words in line)


def cursor(shown: str) -> str:
    """The row that the cursor stands on."""
    return next(line for line in shown.splitlines() if line[:1] in "▌▏" and line.strip())


async def to_session(at: Hands, name: str = "s1") -> str:
    """Open a session."""
    return await at.command(f"session {session_hash(name)[:8]}")


@pytest.mark.parametrize("size", [(80, 24), (140, 40)])
async def test_each_outcome_has_its_end_and_its_word(story: Scene, size: tuple[int, int]) -> None:
    async with hands(story, size) as at:
        shown = await to_session(at)
    ends = {"✗": "-32602", "⊘": "denied", "–": "cancelled", "✂": "truncated"}
    assert all(word in row(shown, glyph) for glyph, word in ends.items())
    assert "○ UNSIGNED" in row(shown, "truncated")


async def test_the_chain_is_drawn_beside_the_calls_and_goes_through_other_sessions(story: Scene) -> None:
    async with hands(story, (140, 40)) as at:
        shown = await to_session(at)
    read, sent = row(shown, "read_file"), row(shown, "post_message")
    assert f"→ read_file in {session_hash('s2')[:4]}" in read and "└┴→ post_message" in sent
    assert "┌─┄ fetch_page" in shown and "└││─ search_index" in shown


async def test_steps_on_the_path_of_an_alert_are_numbered(story: Scene) -> None:
    async with hands(story) as at:
        shown = await to_session(at)
        marks = {name: row(shown, name)[1] for name in ("initialize", "fetch_page", "read_file", "post_message")}
        assert marks == {"initialize": " ", "fetch_page": "1", "read_file": "2", "post_message": "‼"}


async def test_hours_without_a_call_are_cut_out_and_told(story: Scene) -> None:
    async with hands(story, (140, 40)) as at:
        shown = await to_session(at)
    assert "╱42m╱" in row(shown, "TOOK") and "12:00:00" in row(shown, "TOOK")


async def test_a_running_call_tells_how_far_it_is_and_a_silent_one_for_how_long(going_on: Scene) -> None:
    async with hands(going_on) as at:
        shown = await to_session(at)
        assert "running 4.8s 60% ┿▸" in shown and "silent 1m20s▹" in shown
        going_on.wait(30.0)
        shown = await at.read()
        assert "silent 1m50s▹" in shown and "running 34.8s 60%" in shown and "┿" in shown


async def test_e_goes_from_call_to_call_that_an_alert_is_about(story: Scene) -> None:
    async with hands(story) as at:
        await to_session(at)
        await at.press("home")
        met = [cursor(await at.press("e")) for _ in range(4)]
        assert [name for name, line in zip(("fetch", "read", "post", "search"), met, strict=True) if name in line] == [
            "fetch",
            "read",
            "post",
            "search",
        ]
        assert "post_message" in cursor(await at.press("E"))


async def test_e_says_so_where_no_call_is_part_of_an_alert(blank: Scene) -> None:
    blank.take(blank.log.exchange(call(1, "ping"), result(1, text("x")), session="s1"), verified("alice"))
    async with hands(blank) as at:
        await to_session(at)
        assert "No call of this session is part of an alert" in await at.press("e")
        assert "No alert's path leads over this call" in await at.press("p")


async def test_the_foot_tells_what_the_call_follows_from_and_why(story: Scene) -> None:
    async with hands(story, (140, 40)) as at:
        await to_session(at)
        foot = (await at.press("home", "e", "e")).splitlines()[-2]
    assert "12:00:03" in foot and "Lethal trifecta step 2 of 3 and 2 other alerts" in foot
    assert "follows fetch_page → data flow: " in foot


async def test_p_opens_the_path_that_leads_over_the_call_and_enter_the_call(story: Scene) -> None:
    async with hands(story) as at:
        await to_session(at)
        await at.press("home", "e")
        shown = await at.press("p")
        assert "Alerts › Lethal trifecta › path" in shown and "fetch_page" in cursor(shown)
        assert [row(shown, name).split()[-1] for name in ("untrusted read", "private read")] == [
            "fetch_page",
            "read_file",
        ]
        assert "tools/call read_file" in (await at.press("home", "j", "enter")).splitlines()[2]
        assert "Alerts › Lethal trifecta › path" in await at.press("escape")


async def test_enter_on_an_alert_with_a_path_shows_it_step_by_step_with_what_ties_them(story: Scene) -> None:
    async with hands(story) as at:
        shown = await at.press("3", "j", "enter")
        assert "Step 3 of 3" in shown and "follows read_file → data flow: a secret of its content[0].text" in shown
        assert "the path begins here" in await at.press("home")


async def test_a_step_leads_to_its_session_at_that_call(story: Scene) -> None:
    async with hands(story, (140, 40)) as at:
        await at.press("3", "j", "enter", "home")
        shown = await at.press("s")
        assert f"Sessions › {session_hash('s1')[:8]} on web" in shown
        assert "fetch_page" in cursor(shown)


async def test_the_page_of_an_alert_tells_its_path(story: Scene) -> None:
    async with hands(story, (100, 60)) as at:
        shown = await at.press("3", "j")
    assert "untrusted read → private read → send" in shown
    assert "1 ✓ VERIFIED  12:00:01  fetch_page at web  fetch  2bd806c9" in shown
    assert "3 ✓ VERIFIED  12:42:04  post_message at web  send  2bd806c9" in shown


async def test_the_cursor_stays_with_its_call_and_on_the_last_it_follows(story: Scene) -> None:
    async with hands(story) as at:
        await to_session(at)
        more = story.log.exchange(call(90, "newest"), result(90, text("x")), session="s1", upstream="web")
        story.take(more, verified("alice"))
        assert "newest" in cursor(await at.read())
        await at.press("home", "j")
        for number in range(40):
            exchange = story.log.exchange(
                call(100 + number, "later"), result(100 + number, text("x")), session="s1", upstream="web"
            )
            story.take(exchange, verified("alice"))
        assert "tools/list" in cursor(await at.read())
        assert "later" in cursor(await at.press("G"))


async def test_the_axis_is_of_the_calls_in_view(story: Scene) -> None:
    async with hands(story, (140, 24)) as at:
        for number in range(40):
            story.wait(1.0)
            exchange = story.log.exchange(
                call(100 + number, "later"), result(100 + number, text("x")), session="s1", upstream="web"
            )
            story.take(exchange, verified("alice"))
        shown = await to_session(at)
        assert "╱" not in row(shown, "TOOK") and "12:42:" in row(shown, "TOOK")
        assert "╱42m╱" in row(await at.press("home"), "TOOK")


async def test_a_session_without_calls_says_so(blank: Scene) -> None:
    blank.take(blank.log.request(None, method="GET", session="s1"), verified("alice"))
    async with hands(blank) as at:
        assert "No call was made in it so far" in await to_session(at)


async def test_names_that_attack_the_screen_are_shown_in_their_cells(blank: Scene) -> None:
    async with hands(trail.hostile(blank)) as at:
        shown = await to_session(at)
        assert all(len(line) <= 80 for line in shown.splitlines()) and "\\x1b" in shown
        for strip in at.app.screen._compositor.render_strips():
            assert strip.cell_length == 80
        shown = await at.press("e", "p")
        assert "path" in shown.splitlines()[2] and "read_file \\x1b" in shown
