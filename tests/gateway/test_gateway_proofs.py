"""Proofs from a gateway: that its log only grew, and that an entry is in it, for whatever sizes are asked."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from rig import gateway
from watcher import ask, token_of

from mcpwatch.errors import IntegrityError
from mcpwatch.feed.merkle import EMPTY_ROOT, Frontier, leaf_hash
from mcpwatch.feed.note import NoteVerifier
from mcpwatch.feed.proof_answers import parse_consistency, parse_inclusion
from mcpwatch.feed.proofs import verify_consistency, verify_inclusion
from mcpwatch.gateway import hash_tree, store
from mcpwatch.gateway.folder import open_folder
from mcpwatch.gateway.run import Gateway
from mcpwatch.model.entries import End

NOWHERE = "http://127.0.0.1:9/mcp"
SIZES = (1, 2, 255, 256, 257, 300, 511, 512, 513, 700, 768, 800)


def end(number: int) -> End:
    return End(exchange=number, outcome="complete", duration_us=1, sent=2)


async def filled(running: Gateway, size: int) -> None:
    """Append until the log has signed for `size` entries."""
    for number in range(running.log.size, size - 1 if running.log.size == 0 else size):
        running.log.append(end(number))
    await running.log.sign_now()
    assert running.log.note.size == size


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Gateway]:
    """A gateway whose log has 800 entries."""
    async with gateway(tmp_path, NOWHERE) as gate:
        await filled(gate, 800)
        yield gate


def leaves(state: Path) -> list[bytes]:
    with sqlite3.connect(state / "gateway" / "journal.sqlite3") as connection:
        found = connection.execute("SELECT leaf FROM entries ORDER BY idx").fetchall()
    connection.close()
    return [leaf for (leaf,) in found]


def alter(state: Path, *statements: str) -> None:
    connection = sqlite3.connect(state / "gateway" / "journal.sqlite3", isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def roots(entries: list[bytes]) -> list[bytes]:
    """The root at each size."""
    edge, found = Frontier(), [EMPTY_ROOT]
    for leaf in entries:
        edge.append(leaf_hash(leaf))
        found.append(edge.root())
    return found


async def body(gate: Gateway, target: str) -> bytes:
    reply = await ask(gate.feed_address, gate.token.reveal(), target.encode())
    assert reply.status == 200, reply.body
    return reply.body


async def test_any_size_is_shown_to_go_on_from_any_smaller_one(running: Gateway) -> None:
    known = roots(leaves(running.options.state))
    verifier = NoteVerifier(running.log.key.verifier_key, running.log.key.time_verifier_key)
    assert verifier.open(running.log.note.text).root == known[800]
    for second in SIZES:
        for first in (size for size in SIZES if size <= second):
            answer = parse_consistency(await body(running, f"/v1/proof/consistency?first={first}&second={second}"))
            assert answer is not None
            assert (answer.first, answer.second) == (first, second)
            assert Frontier.load(first, answer.frontier).root() == known[first]
            verify_consistency(first, second, known[first], known[second], answer.hashes)


async def test_any_entry_is_shown_to_be_in_any_tree_that_holds_it(running: Gateway) -> None:
    kept = leaves(running.options.state)
    known = roots(kept)
    for size in SIZES:
        for index in {0, size // 2, size - 1}:
            answer = parse_inclusion(await body(running, f"/v1/proof/inclusion?index={index}&size={size}"))
            assert answer is not None
            assert (answer.index, answer.size, answer.leaf_hash) == (index, size, leaf_hash(kept[index]))
            verify_inclusion(answer.leaf_hash, index, size, answer.hashes, known[size])


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("consistency", 400),
        ("consistency?first=1", 400),
        ("consistency?first=0&second=5", 400),
        ("consistency?first=6&second=5", 400),
        ("consistency?first=-1&second=5", 400),
        ("consistency?first=1&first=2&second=5", 400),
        ("consistency?first=%D9%A1&second=5", 400),
        ("consistency?first=1&second=801", 409),
        ("consistency?first=1&second=99999999999999999", 400),
        ("inclusion?index=0&size=0", 400),
        ("inclusion?index=5&size=5", 400),
        ("inclusion?index=x&size=5", 400),
        ("inclusion?index=0&size=801", 409),
        ("other?index=0&size=5", 404),
    ],
)
async def test_what_cannot_be_proven_is_said_with_what_to_do(running: Gateway, query: str, status: int) -> None:
    reply = await ask(running.feed_address, running.token.reveal(), f"/v1/proof/{query}".encode())
    assert reply.status == status
    assert all(json.loads(reply.body)[member] for member in ("error", "hint"))


async def test_proofs_are_for_holders_of_the_token(running: Gateway) -> None:
    assert (await ask(running.feed_address, "wrong", b"/v1/proof/inclusion?index=0&size=5")).status == 401


async def test_a_journal_without_its_tree_gets_it_when_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with gateway(tmp_path, NOWHERE) as gate:
        await filled(gate, 1_500)
        expected = await body(gate, "/v1/proof/consistency?first=300&second=1500")
    alter(tmp_path, "DROP TABLE nodes", "DROP TABLE tiles", "DELETE FROM meta WHERE key = 'octets'")
    monkeypatch.setattr(hash_tree, "BLOCK", 512)
    monkeypatch.setattr(store, "LARGE", 1_000)
    async with gateway(tmp_path, NOWHERE) as gate:
        assert "making the tree of 1,280 entries" in caplog.text
        assert await body(gate, "/v1/proof/consistency?first=300&second=1500") == expected
        await gate.log.sign_now()
        assert gate.log.store.octets == sum(map(len, leaves(tmp_path)))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE nodes SET hash = zeroblob(32) WHERE level = 9 AND idx = 0",
        "DELETE FROM nodes WHERE level = 9",
        "INSERT INTO nodes VALUES (8, 3, zeroblob(32))",
        "INSERT INTO tiles VALUES (0, zeroblob(8192))",
        "DELETE FROM entries WHERE idx = 0",
        "UPDATE entries SET leaf = x'20' WHERE idx = 1",
    ],
)
async def test_a_tree_that_is_not_that_of_the_entries_is_refused(tmp_path: Path, statement: str) -> None:
    async with gateway(tmp_path, NOWHERE) as gate:
        await filled(gate, 600)
    alter(tmp_path, statement)
    with pytest.raises(IntegrityError, match="damaged"):
        open_folder(tmp_path)


async def test_no_proof_is_given_out_that_does_not_hold(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with gateway(tmp_path, NOWHERE) as gate:
        await filled(gate, 600)
    # Below the right edge, where only a proof leads.
    alter(tmp_path, "UPDATE nodes SET hash = zeroblob(32) WHERE level = 8 AND idx = 0")
    async with gateway(tmp_path, NOWHERE) as gate:
        reply = await ask(gate.feed_address, token_of(tmp_path), b"/v1/proof/inclusion?index=300&size=512")
        assert reply.status == 503
        assert "does not prove" in caplog.text


async def test_the_tree_is_read_off_the_loop(running: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[bool] = []
    node: Callable[[int, int], bytes] = running.log.store.node

    def spy(level: int, index: int) -> bytes:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            threads.append(True)
        else:
            threads.append(False)
        return node(level, index)

    monkeypatch.setattr(running.log.store, "node", spy)
    await body(running, "/v1/proof/consistency?first=3&second=700")
    assert threads
    assert all(threads)
