"""A real watcher tells a real program and a real webhook of an alert, and goes on where they fail."""

import asyncio
import json
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from behind import Rig
from processes import Process, told

from mcpwatch.files import write_private

pytestmark = pytest.mark.e2e

WRITES = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read())"


class Hook:
    """A server on this machine that answers each post with the next of these statuses, the last again and again."""

    def __init__(self, *statuses: int) -> None:
        self.got: list[tuple[str, dict[str, Any]]] = []
        """Authorization, and the JSON."""
        self._statuses = list(statuses)

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((request.headers.get("Authorization", ""), await request.json()))
        return web.Response(status=self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0])

    async def start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/hooks/s3cret", self.take)
        runner = web.AppRunner(app, shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner


async def call(rig: Rig, agent: str) -> None:
    async with rig.stage().client(agent, "orders") as orders:
        await orders.call_tool("lookup_order", {"number": "A-1042"})


async def test_a_program_and_a_webhook_are_told_of_an_alert_and_failures_are_said_once(
    rig: Rig, tmp_path: Path
) -> None:
    hook, file, token = Hook(500, 204), tmp_path / "told.jsonl", tmp_path / "token"
    write_private(token, b"t0ken")
    runner = await hook.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks/s3cret"
    command = shlex.join([sys.executable, "-c", WRITES, str(file)])
    words = ["--exec-on-alert", command, "--webhook", url, "--webhook-token-file", str(token)]
    tail = await Process.start("tail", rig.feed, "--json", *words, "--notify-from", "medium")
    await tail.until(lambda lines: any(feed["state"] == "LIVE" for feed in told(lines, "feed")))
    await call(rig, "tourist")
    await tail.until(lambda lines: any(alert["rule"] == "identity/unsigned-call" for alert in told(lines, "alert")))
    wanted = {alert["id"] for alert in told(tail.lines, "alert") if alert["rule"] == "identity/unsigned-call"}
    async with asyncio.timeout(60):
        while not (wanted <= ids(body for _, body in hook.got[1:]) and wanted <= ids(written(file))):
            await asyncio.sleep(0.05)
    await tail.until(lambda lines: any("works again" in line for line in lines))
    assert await tail.end() == 143
    await runner.cleanup()
    assert {authorization for authorization, _ in hook.got} == {"Bearer t0ken"}
    assert hook.got[0][1]["id"] == hook.got[1][1]["id"]
    said = [line for line in tail.lines if line.startswith("mcpwatch:")]
    assert [line.split(": ")[2].strip() for line in said] == ["it answers with HTTP status 500", "works again"]
    assert not any("s3cret" in line or "t0ken" in line for line in [*tail.lines, file.read_text()])


def written(file: Path) -> list[dict[str, Any]]:
    text = file.read_text() if file.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def ids(messages: Iterable[dict[str, Any]]) -> set[str]:
    return {message["alert"]["id"] for message in messages}
