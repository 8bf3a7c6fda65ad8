"""`mcpwatch alerts` and `mcpwatch ack`, on a feed that a test fills."""

import json
import os
import pty
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from build import Log
from checked import WholeLog
from piped import story

from mcpwatch.cli import main
from mcpwatch.commands import ack, sources
from mcpwatch.config import Config
from mcpwatch.feed.upto import Until, UpTo
from mcpwatch.model.entries import Json
from mcpwatch.watch.build import open_watcher
from mcpwatch.watch.watcher import Watcher

Told = dict[str, Json]


class Shell:
    """Types commands that read the story, or a feed whose status is otherwise."""

    def __init__(self, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.status: dict[str, object] = {}
        self.entries = story()
        self._state = state
        self._capsys = capsys

    async def open(self, target: object, until: Until) -> tuple[Watcher, list[UpTo]]:
        source = WholeLog(self.entries, **self.status)
        feed = UpTo(source, until)
        return open_watcher([feed], self._state, clock=lambda: source.entries[-1].received), [feed]

    def type(self, *words: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error."""
        code = main(words)
        said = self._capsys.readouterr()
        return code, said.out, said.err

    def alerts(self, state: str = "any") -> dict[str, Told]:
        """Alerts by their rule, as JSON tells them."""
        _, out, _ = self.type("alerts", "--state", state, "--format", "json")
        return {line["rule"]: line for line in map(json.loads, out.splitlines())}

    def ack(self, rule: str, *words: str) -> tuple[int, str, str]:
        return self.type("ack", str(self.alerts()[rule]["id"])[:7], "--note", "a \x1btest", *words)


@pytest.fixture
def shell(state_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    made = Shell(state_folder, capsys)
    monkeypatch.setattr(sources, "find", lambda options: SimpleNamespace(config=Config()))
    monkeypatch.setattr(sources, "open_to_the_end", made.open)
    return made


RULE = "identity/wrong-key"


def newest(alert: Told) -> str:
    evidence = alert["evidence"]
    assert isinstance(evidence, list)
    return str(evidence[-1])


def test_alerts_are_told_worst_first_with_the_id_that_ack_takes(shell: Shell) -> None:
    code, out, err = shell.type("alerts")
    heads = [line for line in out.splitlines() if not line.startswith(" ")]
    assert (code, err) == (0, "")
    assert [head.split()[1] for head in heads] == ["CRITICAL", "CRITICAL", "CRITICAL", "MEDIUM"]
    assert {head.split()[0] for head in heads} == {alert["id"] for alert in shell.alerts().values()}
    assert all(line.isprintable() for line in out.splitlines())


def test_only_alerts_of_the_state_are_told_that_was_asked_for(shell: Shell) -> None:
    shell.ack(RULE, "--seen", newest(shell.alerts()[RULE]))
    assert set(shell.alerts("acknowledged")) == {RULE}
    assert set(shell.alerts("firing")) == set(shell.alerts()) - {RULE}
    _, out, _ = shell.type("alerts", "--state", "acknowledged")
    assert "acknowledged by" in out and ": a \\x1btest" in out


def test_a_feed_that_is_not_proven_is_said_and_shows_in_the_exit_code(shell: Shell) -> None:
    shell.status = {"checkpoint": None}
    code, out, err = shell.type("alerts")
    assert (code, bool(out), "NOT PROVEN" in err) == (6, True, True)
    code, _, err = shell.ack(RULE, "--undo")
    assert "NOT PROVEN" in err


def test_an_alert_is_acknowledged_resolved_silenced_and_taken_back(shell: Shell) -> None:
    seen = ["--seen", newest(shell.alerts()[RULE])]
    for words, state in (
        (seen, "acknowledged"),
        (["--undo"], "firing"),
        ([*seen, "--resolve"], "resolved"),
        (["--undo"], "firing"),
        (["--silence", "1h", "--yes"], "silenced"),
        (["--undo"], "firing"),
    ):
        code, out, err = shell.ack(RULE, *words)
        assert (code, err) == (0, "")
        assert out.splitlines()[-1].endswith("on this machine only")
        assert shell.alerts()[RULE]["state"] == state


def test_a_silence_is_about_this_alert_alone_whatever_its_subject_holds(shell: Shell) -> None:
    shell.ack(RULE, "--silence", "1h", "--yes")
    assert {rule for rule, alert in shell.alerts().items() if alert["state"] == "silenced"} == {RULE}
    silence = shell.alerts()[RULE]["silence"]
    assert isinstance(silence, dict) and silence["rule"] == RULE
    assert ack.exactly("a*[b]?") == "a[*][[]b][?]"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--seen", "0"], 1, "newer than what you were shown"),
        ([], 2, "--seen INDEX"),
        (["--silence", "8d", "--yes"], 1, "within seven days"),
        (["--silence", "1h"], 2, "--yes"),
        (["--silence", "1h", "--seen", "0"], 1, "newer than what you were shown"),
        (["--undo"], 1, "neither acknowledged nor resolved"),
    ],
)
def test_what_makes_no_sense_changes_nothing(words: list[str], code: int, says: str, shell: Shell) -> None:
    told, _, err = shell.ack(RULE, *words)
    assert (told, says in err) == (code, True), err
    assert {alert["state"] for alert in shell.alerts().values()} == {"firing"}


def test_what_was_acknowledged_is_not_taken_back_by_who_was_shown_less(shell: Shell) -> None:
    shell.ack(RULE, "--seen", f"#{newest(shell.alerts()[RULE])}")
    code, _, err = shell.ack(RULE, "--undo", "--seen", "#0")
    assert (code, "newer than what you were shown" in err) == (1, True)
    assert shell.alerts()[RULE]["state"] == "acknowledged"
    assert shell.ack(RULE, "--undo", "--seen", f"#{newest(shell.alerts()[RULE])}")[0] == 0
    assert shell.alerts()[RULE]["state"] == "firing"


@pytest.mark.parametrize("seen", ["#", "-1", "one", "٣"])
def test_what_is_no_index_is_refused(seen: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["ack", "a", "--note", "known", f"--seen={seen}"])
    assert (left.value.code, "is not the index of an entry" in capsys.readouterr().err) == (2, True)


@pytest.mark.parametrize(("id", "says"), [("zzz", "There is no alert zzz"), ("", "There is no alert")])
def test_an_id_that_fits_none_is_refused(id: str, says: str, shell: Shell) -> None:
    code, _, err = shell.type("ack", id, "--note", "known")
    assert (code, says in err) == (2, True)


def test_a_beginning_that_fits_several_is_refused(shell: Shell) -> None:
    log = Log()
    for name in range(17):
        log.initialize(f"s{name}", client=f"agent{name}")
    shell.entries = log.entries
    _, out, _ = shell.type("alerts", "--format", "json")
    firsts = Counter(json.loads(line)["id"][0] for line in out.splitlines())
    ((first, count),) = firsts.most_common(1)
    code, _, err = shell.type("ack", first, "--note", "known")
    assert (code, f"{count} alerts begin with {first}" in err, count > 1) == (2, True, True)


SEEN, SILENT = "Say that you have seen this?", "Hear nothing of this for so long?"


@pytest.mark.parametrize(
    ("words", "asks", "typed", "code", "state"),
    [
        ((), SEEN, "n\n", 2, "firing"),
        ((), SEEN, "y\n", 0, "acknowledged"),
        (("--silence", "1h"), SILENT, "\n", 2, "firing"),
        (("--silence", "1h"), SILENT, "y\n", 0, "silenced"),
    ],
)
def test_who_is_shown_an_alert_on_a_terminal_is_asked(
    words: tuple[str, ...], asks: str, typed: str, code: int, state: str, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, terminal = pty.openpty()
    with os.fdopen(terminal) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        os.write(host, typed.encode())
        told, out, _ = shell.ack(RULE, *words)
    os.close(host)
    assert (told, asks in out) == (code, True)
    assert shell.alerts()[RULE]["state"] == state


@pytest.mark.parametrize("note", ["", "  "])
def test_a_note_is_needed(note: str, shell: Shell) -> None:
    assert main(["ack", "a", "--note", note]) == 2
