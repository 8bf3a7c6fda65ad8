"""`mcpwatch check` up to the feed: its arguments, and what it ends with when nobody reads it."""

import io
import sys
from pathlib import Path

import pytest
from checked import quiet, report_on

from mcpwatch.cli import main
from mcpwatch.commands.check import _print
from mcpwatch.report import FORMATS


class Gone(io.StringIO):
    """A pipe that nobody reads any more."""

    def flush(self) -> None:
        raise BrokenPipeError


@pytest.mark.parametrize("command", ["check", "tail"])
@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "soon"])
def test_a_wait_without_end_is_none(command: str, seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([command, f"--until-idle={seconds}"])
    assert left.value.code == 2
    assert "--until-idle" in capsys.readouterr().err


@pytest.mark.parametrize("format", FORMATS)
async def test_a_reader_that_is_gone_changes_nothing(
    tmp_path: Path, format: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = await report_on(tmp_path, quiet())
    monkeypatch.setattr(sys, "stdout", Gone())
    _print(report, format)
    assert ("passed" in capsys.readouterr().err) is (format != "text")


def test_a_character_that_the_locale_lacks_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["--version"]) == 0
    print("×")
    out.flush()
    assert out.buffer.getvalue().endswith(b"\\xd7\n")
