"""The operator's program gets the message and nothing else, and not for ever."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest
from processes import processes_with

from mcpwatch.notify.channel import Undelivered
from mcpwatch.notify.command import CommandChannel

MESSAGE = b'{"text":"$(touch pwned); `touch pwned`"}'


def python(code: str, *arguments: str) -> tuple[str, ...]:
    return sys.executable, "-c", code, *arguments


async def test_it_reads_the_message_and_sees_no_token_and_no_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MCPWATCH_TOKEN", "s3cret")
    monkeypatch.setenv("GREETING", "hello")
    told = tmp_path / "told.json"
    code = (
        "import json, os, sys\n"
        "print('noise', flush=True); print('noise', file=sys.stderr, flush=True)\n"
        "seen = {'said': sys.stdin.read(), 'env': dict(os.environ), 'arguments': sys.argv[2:],"
        " 'leader': os.getsid(0) == os.getpid()}\n"
        "open(sys.argv[1], 'w').write(json.dumps(seen))\n"
    )
    await CommandChannel(python(code, str(told), "$HOME", "a b")).send(MESSAGE)
    seen = json.loads(told.read_text())
    assert seen["said"] == MESSAGE.decode() + "\n"
    assert (seen["arguments"], seen["leader"]) == (["$HOME", "a b"], True)
    assert seen["env"]["GREETING"] == "hello"
    assert "s3cret" not in json.dumps(seen["env"])
    assert not (tmp_path / "pwned").exists()


async def test_one_that_reads_nothing_is_fine() -> None:
    await CommandChannel(python("")).send(b"x" * 1_000_000)


async def test_one_that_fails_is_told_by_its_exit_code() -> None:
    with pytest.raises(Undelivered, match="exit code 3") as failure:
        await CommandChannel(python("raise SystemExit(3)")).send(MESSAGE)
    assert failure.value.again_s is None


async def test_one_that_does_not_end_is_killed_with_all_it_started(tmp_path: Path) -> None:
    mark = f"mark-{os.getpid()}-{tmp_path.name}"
    code = (
        "import subprocess, sys, time\n"
        f"subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)', {mark!r}])\n"
        "time.sleep(600)\n"
    )
    with pytest.raises(Undelivered, match="was killed"):
        await CommandChannel(python(code, mark), limit_s=0.5).send(MESSAGE)
    async with asyncio.timeout(30):
        while processes_with(mark):
            await asyncio.sleep(0.02)


async def test_one_that_cannot_be_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(Undelivered, match="cannot be run: No such file"):
        await CommandChannel((str(tmp_path / "gone"),)).send(MESSAGE)


async def test_one_is_killed_when_the_watcher_ends(tmp_path: Path) -> None:
    mark, began = f"mark-{os.getpid()}-{tmp_path.name}", tmp_path / "began"
    code = f"import time; open({str(began)!r}, 'w').close(); time.sleep(600)"
    sending = asyncio.create_task(CommandChannel(python(code, mark)).send(MESSAGE))
    async with asyncio.timeout(30):
        while not began.exists():
            await asyncio.sleep(0.02)
    sending.cancel()
    await asyncio.wait({sending})
    assert processes_with(mark) == []
