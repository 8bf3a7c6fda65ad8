"""`mcpwatch gateway --enforce` in a process: what it refuses, how watchers see it, and edits of the policy."""

import contextlib
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from processes import DEADLINE_S, Process, told
from sdk import Fixture, fixture

from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.identity.signer import Rfc9421Auth

pytestmark = pytest.mark.e2e
ERAS = pytest.mark.parametrize("mode", ["auto", "legacy"])
HERE = "127.0.0.1:0"
LIST_TOOLS = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


@contextlib.asynccontextmanager
async def enforcing(server: Fixture, policy: Path) -> AsyncIterator[tuple[Process, str, str]]:
    """The gateway with its two addresses."""
    words = (
        "--upstream",
        f"notes={server.url}",
        "--listen",
        HERE,
        "--feed",
        HERE,
        "--enforce",
        "--policy",
        str(policy),
    )
    gateway = await Process.start("gateway", *words)
    await gateway.line("Ctrl-C")
    found = re.search(r"listening on (\S+), feed on ([^\s,]+)", gateway.lines[0])
    assert found is not None
    yield gateway, f"{found[1]}/notes/mcp", found[2]
    assert await gateway.end() == 0


@contextlib.asynccontextmanager
async def client(url: str, mode: str, key: AgentKey | None = None) -> AsyncIterator[Client]:
    auth = None if key is None else Rfc9421Auth(key)
    async with (
        httpx2.AsyncClient(auth=auth, timeout=DEADLINE_S) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as made,
    ):
        yield made


@ERAS
async def test_a_refused_call_is_shown_as_denied_with_its_alert(tmp_path: Path, mode: str) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[upstream.notes]\nsignatures = "required"\n')
    async with fixture() as server, enforcing(server, policy) as (gateway, url, feed):
        assert f"policy {policy} enforced at notes\n" in gateway.lines
        async with client(url, mode) as unsigned:
            with pytest.raises(MCPError, match=r"a signature is required") as caught:
                await unsigned.call_tool("echo", {"message": "no"})
        async with client(url, mode, AgentKey.generate()) as signed:
            await signed.call_tool("echo", {"message": "yes"})
        assert server.echoed == ["yes"]
        named = re.search(r"\((\S+), entry (\d+) of the log\)$", str(caught.value))
        assert named is not None
        rule, entry = named[1], int(named[2])
        tail = await Process.start("tail", feed, "--json", "--all")
        lines = await tail.until(
            lambda lines: (
                any(line["kind"] == "end" and line["exchange"] == entry for line in told(lines, "entry"))
                and any(line["rule"] == rule for line in told(lines, "alert"))
            )
        )
        await tail.end()
    (alert,) = [line for line in told(lines, "alert") if line["rule"] == rule and entry in line["evidence"]]
    (end,) = [line for line in told(lines, "entry") if line["kind"] == "end" and line["exchange"] == entry]
    assert (end["outcome"], end["server"], end["tool"]) == ("denied", "notes", "echo")
    assert alert["subject"].endswith("at notes")


async def test_a_refusal_is_told_by_its_rule_without_the_policy_and_after_it_changed(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('signatures = "required"\nmax_age = 10\n')
    auth = Rfc9421Auth(AgentKey.generate(), clock=lambda: time.time() - 30)
    async with fixture() as server, enforcing(server, policy) as (gateway, url, feed):
        async with httpx2.AsyncClient(auth=auth, timeout=DEADLINE_S) as http:
            answer = await http.post(url, json=LIST_TOOLS, headers={"accept": "application/json, text/event-stream"})
        refused = answer.json()["error"]["data"]
        policy.write_text('signatures = "required"\nmax_age = 300\n')
        await said(gateway, "enforced at notes", 2)
        tail = await Process.start("tail", feed, "--json", "--all")
        lines = await tail.until(lambda lines: any(refused["entry"] in one["evidence"] for one in told(lines, "alert")))
        await tail.end()
    about = {alert["rule"] for alert in told(lines, "alert") if refused["entry"] in alert["evidence"]}
    assert (refused["rule"], about) == ("identity/stale", {"identity/stale"})


async def test_edits_of_the_policy_count_and_bad_ones_do_not(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('signatures = "required"\n')
    async with (
        fixture() as server,
        enforcing(server, policy) as (gateway, url, _),
        client(url, "auto", AgentKey.generate()) as agent,
    ):
        await agent.call_tool("echo", {"message": "one"})
        policy.write_text('signatures = "requird"\n')
        (told_of,) = await said(gateway, "the policy before stays in force")
        assert "line 1, column 1" in told_of
        await agent.call_tool("echo", {"message": "two"})
        policy.write_text(
            'signatures = "required"\n[upstream.notes.tool."ec*"]\nidentities = ["did:web:ann.example"]\n'
        )
        await said(gateway, "enforced at notes", 2)
        with pytest.raises(MCPError, match="policy/not-permitted"):
            await agent.call_tool("echo", {"message": "three"})
        policy.write_text("")
        (told_of,) = await said(gateway, "refuses nothing to anybody at notes")
        assert "the policy before stays in force" in told_of
        with pytest.raises(MCPError, match="policy/not-permitted"):
            await agent.call_tool("echo", {"message": "four"})
        assert server.echoed == ["one", "two"]


async def said(gateway: Process, what: str, times: int = 1) -> list[str]:
    """The lines in which the gateway says so, once there are that many."""
    lines = await gateway.until(lambda lines: sum(what in line for line in lines) >= times)
    return [line for line in lines if what in line]


START = {
    "no file": (None, "there is no policy at"),
    "a bad file": ('signatures = "always"', "line 1, column 1: signatures must be one of these"),
    "nothing to enforce": ("", "refuses nothing to anybody at notes"),
    "another server": ('[upstream.orders]\nsignatures = "required"', "The policy names orders, the gateway notes."),
}


@pytest.mark.parametrize(("text", "why"), START.values(), ids=START.keys())
async def test_it_does_not_start_without_something_to_enforce(tmp_path: Path, text: str | None, why: str) -> None:
    policy = tmp_path / "policy.toml"
    if text is not None:
        policy.write_text(text)
    upstream = "notes=http://127.0.0.1:9/mcp"
    for words in (("--policy", str(policy)), ()):
        gateway = await Process.start(
            "gateway", "--upstream", upstream, "--listen", HERE, "--feed", HERE, "--enforce", *words
        )
        assert await gateway.wait() == 2
        assert why in "".join(gateway.lines)
        assert str(policy) in "".join(gateway.lines)


async def test_it_does_not_go_by_a_policy_that_anybody_can_write(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('signatures = "required"')
    policy.chmod(0o666)
    words = ("--upstream", "http://127.0.0.1:9", "--listen", HERE, "--feed", HERE, "--enforce", "--policy", str(policy))
    gateway = await Process.start("gateway", *words)
    assert await gateway.wait() == 5
    assert "can be written by others" in gateway.lines[0]


async def test_a_policy_without_enforcement_is_none(tmp_path: Path) -> None:
    gateway = await Process.start(
        "gateway", "--upstream", "http://127.0.0.1:9", "--policy", str(tmp_path / "policy.toml")
    )
    assert await gateway.wait() == 2
    assert "with --enforce only" in gateway.lines[0]
