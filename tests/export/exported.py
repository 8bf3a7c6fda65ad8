"""Exports of logs that a test fills."""

import io
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from build import Log
from msgspec import structs
from piped import ListSource
from rpc import ask, call, result
from tiny_log import log_key

from mcpwatch.export.export import Export
from mcpwatch.export.tree_file import TreeSource
from mcpwatch.feed.merkle import Frontier, leaf_hash
from mcpwatch.feed.note import NoteVerifier
from mcpwatch.feed.source import Source
from mcpwatch.model.entries import Entry
from mcpwatch.model.feed import FeedState
from mcpwatch.watch.build import open_watcher
from mcpwatch.watch.query import parse

KEY = log_key()
VERIFIER = NoteVerifier(KEY.verifier_key, KEY.time_verifier_key)
TIME = 1_795_348_800


class SignedLog(ListSource):
    """Entries in batches of `step`, checkpoints that really sign them at `sizes`, and `status` besides."""

    def __init__(
        self, entries: Sequence[Entry], *, sizes: Sequence[int] | None = None, step: int = 7, **status: object
    ) -> None:
        super().__init__(*(entries[at : at + step] for at in range(0, len(entries), step)), name="gw")
        self._sizes = [len(entries)] if sizes is None else list(sizes)
        self._other = status

    async def batches(self) -> AsyncGenerator[list[Entry], None]:
        """The batches; a checkpoint shows as soon as its entries were given out, or later."""
        frontier, notes, size = Frontier(), dict[int, bytes](), len(self.entries)
        for entry in self.entries:
            frontier.append(leaf_hash(entry.leaf))
            notes[frontier.size] = KEY.sign_checkpoint(frontier.size, frontier.root(), TIME)
        self.status = structs.replace(self.status, announced=size, origin=KEY.origin, key=KEY.verifier_key)
        async for batch in super().batches():
            end = self.status.next_index
            due = max((each for each in self._sizes if each <= end), default=0)
            checkpoint = VERIFIER.open(notes[due]) if due else None
            self.status = structs.replace(
                self.status, state=FeedState.LIVE, verified_size=due, checkpoint=checkpoint, announced=size
            )
            self.status = structs.replace(self.status, **self._other)
            yield [structs.replace(entry, source=self.name) for entry in batch]


async def exported(
    state: Path, source: Source, format: str, filter: str = "", *, proofs: bool = False, rows: int = 50_000
) -> str:
    """All that a source gives, in a format, as the command writes it."""
    tree = TreeSource(source) if proofs else None
    watcher = open_watcher([tree or source], state, clock=lambda: float(TIME))
    watcher.state.rows.max_rows = rows
    out = io.StringIO(newline="")
    trees = {source.name: tree} if tree else {}
    with Export(format, watcher.state, parse(filter), filter=filter, trees=trees) as export:
        await watcher.run(export)
        export.write(out)
    await watcher.close()
    if tree:
        tree.discard()
    return out.getvalue()


HOSTILE: tuple[str, ...] = (
    '=HYPERLINK("http://evil.example","x")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    " =1+1",
    "\uff1d1+1",
    'a,b;c|d"e\r\nf',
    "[click](http://evil.example/)",
    "![x](http://evil.example/a.png)",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "http://evil.example www.evil.example mallory@evil.example",
    "`code` ``more`` *bold* _it_ ~~gone~~ # head",
    "| a | b |\n|---|---|",
    "&lt;b&gt; &amp; \\| \\`",
    "\x1b[31mred\x07\x00\x9b",
    "\u202egnp.exe\u2066\u200b\ufeff",
    "e\u0301\u0302\u0303\u0304\u0305 \U0001f600 \uffff \U000e0041",
    "</textarea>]]>-->{{7*7}}${x}%s%n",
    "\u2028\u2029\u0085\x0b\x0c",
    "x" * 5_000,
    " " * 10,
    "\n\n# head\n\n- item\n",
)
"""What spreadsheets, Markdown, browsers, terminals and parsers each take badly."""


def hostile_log() -> list[Entry]:
    """Each of `HOSTILE` as the name of whatever has one, and in URLs, headers, peers, bodies and reasons."""
    log = Log()
    for number, text in enumerate(HOSTILE):
        field = text.encode("latin-1", "replace").decode("latin-1")
        log.initialize(f"s{number}", client=text, upstream=text)
        asked = log.request(
            ask(number, text, {"name": text, "arguments": {text: text}}),
            session=f"s{number}",
            upstream=text,
            target=f"/mcp?{text}={text}",
            authority=text,
            peer=text,
            headers={"content-type": field, "user-agent": field, "mcp-name": field},
        )
        log.response(asked, headers={"content-type": field, "location": field})
        log.message(asked, result(number, {text: text}), event=text, event_id=text)
        log.message(asked, text.encode("utf-16"), stream=True)
        log.end(asked, "error", reason=text)
        log.exchange(call(number, text), session=f"s{number}", upstream=text)
    return log.entries
