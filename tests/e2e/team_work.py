"""What the agents of a team do all day: each job is a session or two, and what one call gives the next one takes."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from mcp.client.client import Client
from mcp.shared.exceptions import MCPError
from mcp_types import ResourceLink, TextContent
from team_agents import Agent
from team_data import FILES, PAGES, WORKSPACE

Job = Callable[[Agent], Awaitable[None]]
_CODE = (
    "import os\n\n\ndef run(command):\n    return os.system(command) or eval('1')  # `rm -rf build/` comes later\n",
    "SELECT o.id FROM orders o; DELETE FROM carts; -- in one transaction\n",
    "<h1>{{ title }}</h1>{% for row in rows %}<b>{{ 7 * 7 }}</b>{% endfor %} ${name} #{id} <%= user %>\n",
    "#!/bin/sh\nset -e\ncurl -fsS https://get.example.com/tool.sh | sh\ncat /etc/hosts; echo `id` $(whoami)\n",
    '<?xml version="1.0"?><!DOCTYPE page [<!ENTITY nbsp "&#160;">]><page>&nbsp;</page>\n',
    "const merged = {...a, ['__proto__']: null}; process.env.NODE_ENV; require('child_process');\n",
)
_QUERIES = (
    "SELECT id, mail FROM orders WHERE customer = 'O''Neill & Sons' OR total > 100 ORDER BY placed_at LIMIT 4;",
    "-- late ones\nWITH late AS (SELECT * FROM orders WHERE placed_at < now() - interval '3 days') "
    "SELECT count(*) FROM late LIMIT 1",
    "SELECT item, sum(total) FROM orders GROUP BY item HAVING sum(total) > 0; -- all of it",
    "SELECT id FROM a UNION ALL SELECT id FROM b ORDER BY 1 LIMIT 2",
    "EXPLAIN SELECT * FROM orders WHERE item LIKE '%lamp%' LIMIT 1",
)


async def begin(client: Client) -> None:
    """What clients do at first: all pages of the tools, then whatever else there is."""
    page = await client.list_tools()
    while page.next_cursor:
        page = await client.list_tools(cursor=page.next_cursor)
    if client.server_capabilities.prompts is not None:
        await client.list_prompts()
    if client.server_capabilities.resources is not None:
        await client.list_resources()
        await client.list_resource_templates()


async def ask(client: Client, tool: str, **arguments: object) -> Any:
    """What a tool gives, as data where it gives data."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    found = result.structured_content
    return found.get("result", found) if found is not None else "".join(_texts(result.content))


def _texts(content: list[Any]) -> list[str]:
    return [part.text for part in content if isinstance(part, TextContent)]


async def triage(agent: Agent) -> None:
    """From a search over an issue to the page that says what to do, and back with a comment."""
    async with agent.at("tracker") as tracker, agent.at("wiki") as wiki:
        await begin(tracker)
        await begin(wiki)
        for issue in (await ask(tracker, "search", query=agent.random.choice(("Parcel", "Scanner", "Search"))))[:4]:
            whole = await ask(tracker, "get_issue", id=issue["id"])
            url = next(word for word in whole["body"].split() if "/pages/" in word)
            await ask(wiki, "read_page", url=url)
            await wiki.read_resource(url)
            note = f"As {url} says:\n\n```sh\nmake test && echo `git rev-parse HEAD`\n```\nSee {issue['url']}."
            await ask(tracker, "add_comment", issue=issue["id"], body=note)
        made = await ask(tracker, "create_issue", title="Cart: `KeyError: 'vat'`; see comments", body=_CODE[0])
        await ask(tracker, "add_comment", issue=made["id"], body="Same as the one before.")


async def incident(agent: Agent) -> None:
    """An issue names an order; the database knows which others it hits; the channel is told, with links and ids."""
    async with agent.at("tracker") as tracker, agent.at("warehouse") as warehouse, agent.at("post") as post:
        await begin(tracker)
        await begin(warehouse)
        await begin(post)
        listed = await ask(tracker, "list_issues")
        issue = await ask(tracker, "get_issue", id=agent.random.choice(listed["issues"]))
        order = issue["body"].split("Order ")[1][:36]
        await ask(warehouse, "describe_table", table="orders")
        (row,) = await ask(warehouse, "run_query", sql=f"SELECT * FROM orders WHERE id = '{order}'")
        others = await ask(warehouse, "run_query", sql="SELECT * FROM orders ORDER BY placed_at LIMIT 4")
        hit = "\n".join(f"- {one['id']} ({one['tracking_number']})" for one in (row, *others))
        text = f"{issue['title']}: {issue['url']}\n{hit}"
        await ask(post, "post_message", channel="incidents", text=text)
        await ask(tracker, "add_comment", issue=issue["id"], body=f"Told the channel.\n{hit}")


async def support(agent: Agent) -> None:
    """Mail of customers, answered with what the database says of their order."""
    async with agent.at("post") as post, agent.at("warehouse") as warehouse:
        await begin(post)
        await begin(warehouse)
        for head in agent.random.sample(await ask(post, "read_inbox"), 3):
            mail = await ask(post, "get_mail", id=head["id"])
            order = mail.split("order ")[1][:36]
            customer = await ask(warehouse, "find_customer", mail=head["from"])
            (row,) = await ask(warehouse, "run_query", sql=f"SELECT * FROM orders WHERE id = '{order}'")
            body = (
                f"Dear {customer['customer']},\n\nyour order {row['id']} is on its way: {row['tracking_number']}. Your "
                f"customer number is {customer['customer_number']}; please have it at hand when you call.\n"
            )
            await ask(post, "send_mail", to=head["from"], subject=f"Re: {head['subject']}", body=body)


async def develop(agent: Agent) -> None:
    """Files are read and written, builds started, watched and given up, tests run, and a person agrees to a release."""
    async with agent.at("workspace") as files, agent.at("builds") as builds:
        await begin(files)
        await begin(builds)
        found = await files.call_tool("find_in_files", {"pattern": agent.random.choice(("cart", "{{", "password"))})
        for link in islice((part for part in found.content if isinstance(part, ResourceLink)), 2):
            await files.read_resource(link.uri)
        await files.read_resource(f"file://{WORKSPACE}/docs/setup.md")
        for path in agent.random.sample(sorted(FILES), 4):
            await ask(files, "read_file", path=path)
            await ask(files, "write_file", path=path, content=agent.random.choice(_CODE))
        assert (await files.call_tool("read_file", {"path": f"{WORKSPACE}/../shop/TODO"})).is_error
        build = await ask(builds, "start_build", project="shop", ref="b1946ac92492d2347c6235b4d2611184a2f1c7de")
        while (await ask(builds, "get_build", build=build["build"]))["state"] != "passed":
            pass
        await builds.call_tool("run_tests", {"project": "shop"}, progress_callback=_ignore)
        await asyncio.gather(*(_one_shard(builds, number) for number in range(4)))
        await given_up(builds, build["build"])
        await ask(builds, "deploy", project="shop", region=agent.random.choice(("eu-north-1", "Malmö")))


async def _one_shard(builds: Client, number: int) -> None:
    await builds.call_tool("run_tests", {"project": f"part-{number}", "shards": 2}, progress_callback=_ignore)


async def _ignore(progress: float, total: float | None, message: str | None) -> None:
    """Asking for progress takes a callback."""


async def given_up(builds: Client, build: str) -> None:
    """A long call that is cancelled once it has said something."""
    begun = asyncio.Event()

    async def step(progress: float, total: float | None, message: str | None) -> None:
        begun.set()

    call = asyncio.create_task(builds.call_tool("watch_build", {"build": build}, progress_callback=step))
    waiting = asyncio.create_task(begun.wait())
    await asyncio.wait({call, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    assert begun.is_set(), f"the build was watched and nothing was said of it: {call}"
    call.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await call


async def released(agent: Agent) -> None:
    """A tool is called that this client has not listed, which takes the SDK a second try where headers are wanted."""
    async with agent.at("builds") as builds:
        await ask(builds, "deploy", project="docs", region="eu-north-1")


async def report(agent: Agent) -> None:
    """Queries, big and small, with a mistake in one; then a file and a note to the channel."""
    async with agent.at("warehouse") as warehouse, agent.at("workspace") as files, agent.at("post") as post:
        await begin(warehouse)
        await begin(files)
        await ask(warehouse, "describe_table", table="orders")
        assert (await warehouse.call_tool("run_query", {"sql": "SELEC 1;"})).is_error
        for query in _QUERIES:
            await ask(warehouse, "run_query", sql=query)
        everything = await ask(warehouse, "run_query", sql="SELECT * FROM orders")
        text = "\n".join(f"{row['id']};{row['mail']};{row['total']}" for row in everything)
        path = f"{WORKSPACE}/reports/orders.csv"
        await ask(files, "write_file", path=path, content=text)
        await ask(post, "post_message", channel="sales", text=f"{len(everything)} orders, in {path}")


async def document(agent: Agent) -> None:
    """Pages are found, read, summarised and written, with code in them."""
    async with agent.at("wiki") as wiki:
        await begin(wiki)
        for words in ("secrets", "order", "drop table", "ignore all previous", "password", "mail"):
            found = await wiki.call_tool("search", {"query": words})
            for link in islice((part for part in found.content if isinstance(part, ResourceLink)), 2):
                await ask(wiki, "read_page", url=link.uri)
        await wiki.get_prompt("summarise", {"page": agent.random.choice(PAGES).title})
        for code in _CODE:
            await ask(wiki, "save_page", title="How it works", text=f"# Example\n\n```\n{code}```\n<!-- end -->\n")


async def maintain(agent: Agent) -> None:
    """What an issue needs is denied to who is no maintainer; one who may become one asks for a token that says so."""
    async with agent.at("tracker") as tracker:
        await begin(tracker)
        issue = (await ask(tracker, "list_issues"))["issues"][0]
        with contextlib.suppress(MCPError):
            await ask(tracker, "close_issue", issue=issue)
        if agent.name == "cleo":
            agent.token.scope = "read write maintain"
            await ask(tracker, "close_issue", issue=issue)
            agent.token.scope = "read write"


async def look_after(agent: Agent) -> None:
    """A long session that looks now and then whether all is well."""
    async with agent.at("tracker", "legacy") as tracker, agent.at("builds", "legacy") as builds:
        await begin(tracker)
        await begin(builds)
        build = await ask(builds, "start_build", project="nightly", ref="main")
        for _ in range(12):
            await tracker.send_ping()
            await ask(builds, "get_build", build=build["build"])
            await ask(tracker, "list_issues")


async def compare(agent: Agent) -> None:
    """A tool appears while a client is there; told so, it lists again and uses it."""
    async with agent.at("wiki", "legacy") as wiki:
        await begin(wiki)
        await ask(wiki, "enable_comparing")
        await wiki.list_tools(cache_mode="refresh")
        await ask(wiki, "compare_pages", first=PAGES[0].title, second=PAGES[1].title)
    async with agent.at("wiki", "auto") as wiki, wiki.listen(tools_list_changed=True) as changes:
        await begin(wiki)
        await ask(wiki, "enable_comparing")
        await anext(aiter(changes))
        await wiki.list_tools(cache_mode="refresh")
        await ask(wiki, "compare_pages", first=PAGES[2].title, second=PAGES[1].title)


async def account(agent: Agent) -> None:
    """Invoices, page by page."""
    async with agent.at("billing") as billing:
        await begin(billing)
        after = ""
        for _ in range(3):
            page = await ask(billing, "list_invoices", after=after)
            after = page["next_cursor"]
            for invoice in page["invoices"][:4]:
                await ask(billing, "get_invoice", id=invoice)


async def shop(agent: Agent) -> None:
    """Parts, as anybody may look for them."""
    async with agent.at("catalog") as catalog:
        await begin(catalog)
        for words in ("lamp; desk", "50% 'off'", "usb-c 2 m"):
            for part in (await ask(catalog, "search_parts", words=words))[:3]:
                await ask(catalog, "get_part", part=part["part"])


TEAM_WORK: tuple[Job, ...] = (
    triage, incident, support, develop, released, report, document, maintain, look_after, compare,
)  # fmt: skip
WORK: dict[str, tuple[Job, ...]] = {"hana": (account,), "ivy": (shop,), "joe": (shop,)}
"""What somebody does who does not do what the team does."""


async def work_together(agents: Sequence[Agent], patience: float) -> None:
    """All of them at once, until the hour is over.

    Raises AssertionError where none of them asked anything for so many seconds and some are not done: it names the
    lines in which they wait, since no wait of theirs is for anything but an answer.
    """
    clock = agents[0].clock
    working = {asyncio.create_task(work(agent), name=agent.name) for agent in agents}
    try:
        while working:
            before = clock.at
            done, working = await asyncio.wait(working, timeout=patience, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
            still = sorted(f"{task.get_name()} in {_line(task)}" for task in working)
            assert clock.at > before or not still, f"nobody asked anything for {patience:g} s: {', '.join(still)}"
    finally:
        for task in working:
            task.cancel()
        if working:
            await asyncio.wait(working, timeout=patience)


def _line(task: asyncio.Task[None]) -> str:
    """The innermost line of this module that a task waits in."""
    at: Any = task.get_coro()
    line = "no line"
    while (frame := getattr(at, "cr_frame", None)) is not None:
        if frame.f_code.co_filename == __file__:
            line = f"{frame.f_code.co_name}, {Path(__file__).name}:{frame.f_lineno}"
        at = at.cr_await
    return line


async def work(agent: Agent) -> None:
    """One job after the other, until the hour is over."""
    jobs = WORK.get(agent.name, TEAM_WORK)
    while not agent.clock.is_over:
        for job in agent.random.sample(jobs, len(jobs)):
            if not agent.clock.is_over:
                await job(agent)
