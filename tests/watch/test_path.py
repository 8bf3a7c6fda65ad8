"""The path of an alert: which calls led to the one it is about."""

from collections.abc import Sequence

import pytest
from watched import Stage

from mcpwatch.detect.rules import CATALOGUE
from mcpwatch.model.alerts import Alert, Severity
from mcpwatch.model.tools import ToolClass
from mcpwatch.model.traffic import Call, Edge, EdgeKind
from mcpwatch.watch.path import RULES, Paths, does, path, severity_of

FETCH, FILE, SEND, EXEC = ToolClass.FETCH, ToolClass.FILE, ToolClass.SEND, ToolClass.EXEC


class Trail(Stage):
    """Calls that follow from each other."""

    def call(self, tool: str, *classes: ToolClass, after: Sequence[Call] = (), kind: EdgeKind | None = None) -> Call:
        """A call that follows from others, by a value unless told otherwise."""
        call = self.request(tool).call
        assert call is not None
        call.classes, call.last_index = classes, call.index
        call.parents = tuple(Edge(kind or EdgeKind.DATA_FLOW, each.id, f"from {each.target}") for each in after)
        return call

    def raised(self, about: Call, *shown: Call, rule: str = "chain/exfiltration") -> Alert:
        """An alert on a call with the entries of these for evidence."""
        alert = self.alert(*sorted({each.index for each in (*shown, about)}), rule=rule)
        alert.calls.append(about.id)
        return alert


def told(trail: Trail, alert: Alert) -> list[str]:
    """Each step as its tool, what it does, and what ties it to a step before."""
    steps = path(alert, trail.state)
    return [f"{each.call.target}: {each.does}{f' ({each.edge.why})' if each.edge else ''}" for each in steps]


def test_a_path_goes_from_the_untrusted_read_over_the_private_one_to_the_way_out() -> None:
    trail = Trail()
    page = trail.call("fetch_page", FETCH)
    trail.call("ping")
    diary = trail.call("read_file", FILE, after=[page])
    sent = trail.call("post", SEND, FETCH, after=[diary])
    assert told(trail, trail.raised(sent, page, diary)) == [
        "fetch_page: untrusted read",
        "read_file: private read (from fetch_page)",
        "post: send (from read_file)",
    ]


def test_what_did_not_lead_there_is_no_step_though_it_is_evidence() -> None:
    trail = Trail()
    other, read = trail.call("other", FILE), trail.call("read_file", FILE)
    sent = trail.call("post", SEND, after=[read])
    assert told(trail, trail.raised(sent, other, read)) == ["read_file: private read", "post: send (from read_file)"]


def test_a_step_may_lead_over_calls_that_are_no_evidence() -> None:
    trail = Trail()
    read = trail.call("read_file", FILE)
    between = trail.call("format", after=[read], kind=EdgeKind.TRACED)
    sent = trail.call("run_command", EXEC, after=[between])
    assert told(trail, trail.raised(sent, read)) == ["read_file: private read", "run_command: run"]


def test_a_guess_is_no_path() -> None:
    trail = Trail()
    read = trail.call("read_file", FILE)
    sent = trail.call("post", SEND, after=[read], kind=EdgeKind.INFERRED)
    assert path(trail.raised(sent, read), trail.state) == []


def test_the_rules_that_tell_a_path_are_in_the_catalogue() -> None:
    assert set(CATALOGUE) >= RULES


def test_what_is_found_again_and_again_on_calls_that_are_tied_is_no_path() -> None:
    trail = Trail()
    first = trail.call("run_a", EXEC)
    second = trail.call("run_b", EXEC, after=[first])
    for rule in ("chain/command-execution", "identity/uncovered-body"):
        trail.raised(first, rule=rule)
        assert path(trail.raised(second, rule=rule), trail.state) == []


def test_the_path_is_that_of_the_newest_call() -> None:
    trail = Trail()
    first, second = trail.call("read_a", FILE), trail.call("read_b", FILE)
    early = trail.call("post", SEND, after=[first])
    trail.raised(early, first)
    late = trail.call("post", SEND, after=[second])
    assert [each.split(":")[0] for each in told(trail, trail.raised(late, second))] == ["read_b", "post"]


def test_a_path_whose_evidence_was_evicted_is_shown_as_far_as_it_is_held() -> None:
    trail = Trail()
    read = trail.call("read_file", FILE)
    sent = trail.call("post", SEND, after=[read])
    alert = trail.raised(sent, read)
    trail.state.calls.clear()
    assert path(alert, trail.state) == []


@pytest.mark.parametrize(
    ("classes", "in_between", "at_the_end"),
    [
        ((FETCH, ToolClass.PEOPLE), "untrusted read", "fetch"),
        ((FILE, SEND), "private read", "send"),
        ((ToolClass.WRITE, EXEC), "run", "run"),
        ((ToolClass.SQL,), "private read", "private read"),
        ((), "", ""),
    ],
)
def test_what_a_call_does_depends_on_where_it_stands(
    classes: tuple[ToolClass, ...], in_between: str, at_the_end: str
) -> None:
    call = Trail().call("t", *classes)
    assert (does(call), does(call, is_last=True)) == (in_between, at_the_end)


def test_a_call_knows_its_places_on_paths_and_what_was_raised_at_it() -> None:
    trail = Trail()
    read, aside = trail.call("read_file", FILE), trail.call("aside")
    sent = trail.call("post", SEND, after=[read])
    paths = Paths(trail.state)
    assert paths.places(read) == []
    alert = trail.raised(sent, read)
    assert [(each.alert, each.number, each.steps) for each in paths.places(read)] == [(alert, 1, 2)]
    assert [each.number for each in paths.places(sent)] == [2]
    assert paths.places(aside) == []
    severities = [severity_of(each, trail.state) for each in (read, aside, sent)]
    assert severities == [None, None, Severity.HIGH]
