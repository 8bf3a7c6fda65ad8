"""The view shows what a naive filter over the state shows, whatever happens in whatever order."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from verdicts import judged, unsigned, verified
from watched import Stage

from mcpwatch.model.alerts import AlertState, Severity
from mcpwatch.model.identity import Word
from mcpwatch.model.traffic import CallState
from mcpwatch.watch.query import parse
from mcpwatch.watch.row import Row
from mcpwatch.watch.view import View

QUERIES = [
    "",
    "tool:read",
    "!tool:read",
    "sig:verified | sev>=high",
    "status:ok",
    "status:running",
    "kind:response",
    "alert:any",
    "ack:no",
    "ack:yes tool:w",
    "dur>400ms status:ok",
]
VERDICTS = [unsigned(), verified(), judged(Word.BAD_SIG, "mallory")]


class Views(RuleBasedStateMachine):
    helping = 1_000

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage(max_rows=12)
        self.view = View(self.stage.state, helping=self.helping)
        self.shown: list[Row] = []
        self.running: list[Row] = []
        self.answered: list[Row] = []
        self.anchor: Row | None = None
        """Where the cursor was put, by hand or by following."""

    @rule(tool=st.sampled_from(["read", "write"]), verdict=st.sampled_from(VERDICTS))
    def ask(self, tool: str, verdict: object) -> None:
        self.running.append(self.stage.request(tool, verdict=verdict))  # type: ignore[arg-type]

    @precondition(lambda self: self.running)
    @rule(state=st.sampled_from([CallState.DONE, CallState.TOOL_ERROR]), seconds=st.sampled_from([0.1, 0.5]))
    def answer(self, state: CallState, seconds: float) -> None:
        request = self.running.pop(0)
        self.stage.response(request)
        self.stage.answer(request, state, seconds)
        self.answered.append(request)

    @precondition(lambda self: self.answered)
    @rule()
    def end(self) -> None:
        self.stage.end(self.answered.pop(0))

    @precondition(lambda self: self.stage.index)
    @rule(data=st.data(), severity=st.sampled_from(Severity))
    def alarm(self, data: st.DataObject, severity: Severity) -> None:
        index = data.draw(st.integers(max(self.stage.index - 15, 0), self.stage.index - 1))
        self.stage.alert(index, rule=f"rule/{severity.name}", severity=severity)

    @precondition(lambda self: self.stage.alerts)
    @rule(data=st.data(), state=st.sampled_from(AlertState))
    def acknowledge(self, data: st.DataObject, state: AlertState) -> None:
        self.stage.rest(data.draw(st.sampled_from(list(self.stage.alerts.values()))), state)

    @rule(text=st.sampled_from(QUERIES))
    def filter(self, text: str) -> None:
        self.view.set_query(parse(text))
        self.stand_still()

    @rule(shown=st.booleans())
    def show_plumbing(self, shown: bool) -> None:
        self.view.set_plumbing(shown)
        self.stand_still()

    @precondition(lambda self: not self.view.frozen)
    @rule()
    def freeze(self) -> None:
        self.view.sync()
        self.view.freeze()
        self.stand_still()

    def stand_still(self) -> None:
        """Take note of what a frozen view has to show from now on, once it has all of it."""
        while self.view.frozen and self.view.is_filling:
            self.view.sync()
        self.shown = list(self.view.rows(0, 1_000))

    @rule()
    def thaw(self) -> None:
        self.view.thaw()

    @rule(lines=st.integers(-3, 3))
    def move(self, lines: int) -> None:
        before = self.view.cursor
        self.view.move(lines)
        if len(self.view):
            assert self.view.cursor == min(max(before + lines, 0), len(self.view) - 1)
            self.anchor = self.view.selected

    @rule()
    def follow(self) -> None:
        self.view.last()
        self.anchor = self.view.selected or self.anchor

    @invariant()
    def it_shows_what_passes(self) -> None:
        self.view.sync()
        if self.view.frozen:
            assert self.view.rows(0, 1_000) == self.shown
        else:
            shown = self.view.rows(0, 1_000)
            passing = [row for row in self.stage.state.rows if self.view.passes(row)]
            assert shown == (passing[len(passing) - len(shown) :] if self.view.is_filling else passing)
            assert self.view.pending == 0
        if self.view.follow and len(self.view) and not self.view.frozen:
            assert self.view.cursor == len(self.view) - 1
            self.anchor = self.view.selected
        elif self.anchor is not None and self.view.line_of(self.anchor) is not None:
            assert self.view.selected is self.anchor


Views.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
TestViews = Views.TestCase


class FillingViews(Views):
    """The same where a filter goes through the rows two at a time, while others come and go."""

    helping = 2


FillingViews.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
TestFillingViews = FillingViews.TestCase


def _stage(*tools: str) -> Stage:
    stage = Stage()
    for tool in tools:
        stage.request(tool)
    return stage


def _tools(view: View) -> list[str]:
    return [row.tool for row in view.rows(0, 100)]


def test_the_cursor_comes_back_to_its_row_when_the_filter_lets_it_through_again() -> None:
    stage = _stage("a", "b", "a", "c", "a")
    view = View(stage.state)
    assert view.select(3)
    view.set_query(parse("tool:a"))
    assert view.selected is not None and view.selected.tool == "a"
    stage.request("a")
    view.sync()
    view.set_query(parse(""))
    assert view.selected is not None and view.selected.index == 3


def test_the_cursor_stays_with_its_row_while_others_come_and_are_evicted() -> None:
    stage = Stage(max_rows=4)
    for tool in "abcd":
        stage.request(tool)
    view = View(stage.state)
    view.select(2)
    assert not view.follow
    stage.request("e")
    view.sync()
    assert view.selected is stage.state.rows.get(2)
    assert view.cursor == 1
    for tool in "fgh":
        stage.request(tool)
    view.sync()
    assert _tools(view) == list("efgh")
    assert view.selected is stage.state.rows.get(4)


def test_selecting_what_is_not_shown_moves_nothing() -> None:
    view = View(_stage("a", "b").state, parse("tool:a"))
    assert not view.select(1)
    assert not view.select(99)
    assert view.follow and view.cursor == 0


def test_up_ends_following_and_last_resumes_it() -> None:
    stage = _stage("a", "b", "c")
    view = View(stage.state)
    view.move(-1)
    stage.request("d")
    view.sync()
    assert (view.follow, view.cursor) == (False, 1)
    view.last()
    stage.request("e")
    view.sync()
    assert (view.follow, view.cursor) == (True, 4)


def test_a_frozen_view_stands_still_counts_what_would_come_and_catches_up() -> None:
    stage = Stage(max_rows=3)
    for tool in "aba":
        stage.request(tool)
    view = View(stage.state, parse("tool:a"))
    view.freeze()
    for tool in "abaa":
        stage.request(tool)
    assert view.sync()
    assert (_tools(view), view.pending) == (["a", "a"], 2)
    assert [row.index for row in view.rows(0, 9)] == [0, 2]
    view.thaw()
    assert [row.index for row in view.rows(0, 9)] == [5, 6]
    assert view.pending == 0


def test_another_filter_on_a_frozen_view_looks_at_what_had_come_so_far() -> None:
    stage = _stage("a", "b", "a")
    view = View(stage.state)
    view.freeze()
    for tool in "ab":
        stage.request(tool)
    view.set_query(parse("tool:a"))
    assert [row.index for row in view.rows(0, 9)] == [0, 2]
    assert view.pending == 1


def test_jumps_go_round_and_find_matches_and_alerts() -> None:
    stage = _stage("a", "b", "a", "b")
    stage.alert(0)
    view = View(stage.state)
    assert view.cursor == 3
    assert view.jump_to_match(1, parse("tool:a")) and view.cursor == 0
    assert view.jump_to_match(-1, parse("tool:a")) and view.cursor == 2
    assert view.jump_to_alert(1) and view.cursor == 0
    assert view.jump_to_alert(1) and view.cursor == 0
    assert not view.jump_to_match(1, parse("tool:zzz")) and view.cursor == 0
    assert not View(Stage().state).jump_to_alert(1)


def test_heads_of_good_answers_and_quiet_ends_are_hidden_until_asked_for() -> None:
    stage = Stage()
    good, bad = stage.request("good"), stage.request("bad")
    for request, status in ((good, 200), (bad, 500)):
        stage.response(request, status)
    stage.end(good)
    stage.end(bad, "client-closed")
    view = View(stage.state)
    assert [(row.kind, row.tool) for row in view.rows(0, 9)] == [
        ("request", "good"),
        ("request", "bad"),
        ("response", "bad"),
        ("end", "bad"),
    ]
    assert view.hidden == 2
    view.set_query(parse("kind:response"))
    assert len(view) == 2
    view.set_query(parse(""))
    view.set_plumbing(True)
    assert len(view) == 6
    stage.alert(2)
    view.set_plumbing(False)
    assert 2 in [row.index for row in view.rows(0, 9)]


def test_a_view_of_one_session_holds_its_rows_only() -> None:
    stage = Stage()
    mine, other = stage.session("mine"), stage.session("other")
    for session in (mine, other, mine, None):
        stage.request(session=session)
    view = View(stage.state, session=("", "mine"))
    assert [row.index for row in view.rows(0, 9)] == [0, 2]


def test_what_time_alone_changes_shows_without_a_new_entry() -> None:
    stage = _stage("a")
    young, slow = View(stage.state, parse("age<5s")), View(stage.state, parse("dur>5s"))
    assert (len(young), len(slow)) == (1, 0)
    stage.wait(10)
    young.sync()
    slow.sync()
    assert (len(young), len(slow)) == (0, 1)


def test_an_answer_moves_its_request_in_and_out_of_a_filter_by_outcome() -> None:
    stage = _stage("a")
    running, done = View(stage.state, parse("status:running")), View(stage.state, parse("kind:request status:ok"))
    assert (len(running), len(done)) == (1, 0)
    stage.answer(next(iter(stage.state.rows)))
    running.sync()
    done.sync()
    assert (len(running), len(done)) == (0, 1)


def test_an_acknowledgement_moves_rows_in_and_out_of_a_filter_by_it() -> None:
    stage = _stage("a")
    alert = stage.alert(0)
    unread, read = View(stage.state, parse("ack:no")), View(stage.state, parse("ack:yes"))
    assert (len(unread), len(read)) == (1, 0)
    stage.rest(alert)
    unread.sync()
    read.sync()
    assert (len(unread), len(read)) == (0, 1)


def test_sync_says_whether_there_was_anything() -> None:
    stage = _stage("a")
    view = View(stage.state)
    assert not view.sync()
    stage.request("b")
    assert view.sync()
    assert not view.sync()


def test_more_changes_than_the_log_of_changes_holds_are_not_lost() -> None:
    stage = _stage("a")
    view = View(stage.state, parse("status:ok"))
    first = stage.state.rows.get(0)
    assert first is not None
    stage.answer(first)
    others = [stage.request("b") for _ in range(3)]
    for request in others:
        for _ in range(7_000):
            stage.state.raise_alerts([], stage.now)
            stage.state._touch(request.seq)
    view.sync()
    assert [row.index for row in view.rows(0, 9)] == [0, 1]


def test_another_filter_shows_the_newest_at_once_and_the_rest_as_it_is_synced() -> None:
    view = View(_stage("a", "b", "c", "d", "e").state, helping=2)
    view.set_query(parse("!tool:c"))
    filling = [view.is_filling]
    assert _tools(view) == ["d", "e"]
    assert view.sync() and _tools(view) == ["b", "d", "e"]
    filling.append(view.is_filling)
    assert view.sync() and _tools(view) == ["a", "b", "d", "e"]
    assert [*filling, view.is_filling] == [True, True, False]
    assert not view.sync()


def test_what_goes_through_all_rows_waits_for_none_to_be_tested() -> None:
    stage = _stage("a", "b", "c", "d", "e")
    view = View(stage.state, helping=2)
    view.set_query(parse("!tool:c"))
    assert view.select(0) and view.selected is not None and view.selected.tool == "a"
    view.set_query(parse("!tool:d"))
    assert view.jump_to_alert(1) is False and _tools(view) == ["a", "b", "c", "e"]


def test_a_cursor_on_the_first_row_stays_there_while_older_ones_are_tested() -> None:
    stage = _stage("a", "b", "c", "d", "e")
    view = View(stage.state, helping=2)
    view.set_query(parse("!tool:c"))
    view.first()
    selected = []
    while view.is_filling:
        view.sync()
        selected.append(view.selected.tool if view.selected is not None else "")
    assert selected == ["b", "a"] and view.cursor == 0 and not view.follow
