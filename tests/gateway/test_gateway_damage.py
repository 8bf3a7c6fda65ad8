"""A journal whose file was damaged: it opens to entries that all fit one root, or is refused with what to do."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from rig import gateway, leaves

from mcpwatch.errors import IntegrityError, LocalError
from mcpwatch.feed.merkle import Frontier, leaf_hash
from mcpwatch.gateway.folder import open_folder
from mcpwatch.model.entries import End

NOWHERE = "http://127.0.0.1:9/mcp"
PAGE = 4_096
FILE = "journal.sqlite3"


async def fill(state: Path, entries: int, copy: Path | None = None) -> None:
    """Write a log; `copy` is how its folder looked before it was closed."""
    async with gateway(state, NOWHERE) as running:
        for number in range(entries):
            running.log.append(End(number, "complete", 1, 2))
        await running.log.sign_now()
        running.log.append(End(entries, "complete", 1, 2))
        await running.log.sign_now()
        if copy is not None:
            shutil.copytree(state, copy)


def opened(state: Path) -> int | None:
    """How many entries the log has, each of which fits its root; None where it was refused."""
    try:
        folder = open_folder(state)
    except (IntegrityError, LocalError) as refused:
        assert refused.hint
        return None
    frontier = folder.store.frontier
    folder.close()
    again = Frontier()
    for leaf in leaves(state):
        again.append(leaf_hash(leaf))
    assert (again.size, again.root()) == (frontier.size, frontier.root())
    return frontier.size


def spoiled(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """The file with one page after the other spoiled, whole or in its middle."""
    for page in range(len(octets) // PAGE):
        begin = page * PAGE
        yield page, octets[:begin] + bytes(PAGE) + octets[begin + PAGE :]
        middle = begin + PAGE // 2
        yield page, octets[:middle] + bytes(255 - each for each in octets[middle : middle + 64]) + octets[middle + 64 :]


async def test_a_spoiled_page_leads_to_no_silent_hole(tmp_path: Path) -> None:
    await fill(tmp_path, 300)
    file = tmp_path / "gateway" / FILE
    octets = file.read_bytes()
    found = set()
    for _, damage in spoiled(octets):
        for each in file.parent.glob(f"{FILE}-*"):
            each.unlink()
        file.write_bytes(damage)
        found.add(opened(tmp_path))
    # Some pages hold only what does not matter any more.
    assert found == {None, 303}


async def test_without_its_write_ahead_log_it_is_a_prefix_or_refused(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    await fill(tmp_path / "state", 300, copy)
    wal = copy / "gateway" / f"{FILE}-wal"
    assert wal.stat().st_size > 0
    whole = wal.read_bytes()
    (copy / "gateway" / f"{FILE}-shm").unlink()
    sizes = set()
    for kept in (*range(0, len(whole), len(whole) // 40), len(whole)):
        again = tmp_path / f"cut-{kept}"
        shutil.copytree(copy, again)
        (again / "gateway" / f"{FILE}-wal").write_bytes(whole[:kept])
        sizes.add(opened(again))
    assert max(size or 0 for size in sizes) == 302
    wal.unlink()
    assert opened(copy) in (None, 0)


@pytest.mark.parametrize("size", [0, 1, 100, PAGE, PAGE + 1])
async def test_a_file_that_was_cut_off_is_refused(tmp_path: Path, size: int) -> None:
    await fill(tmp_path, 300)
    file = tmp_path / "gateway" / FILE
    file.write_bytes(file.read_bytes()[:size])
    assert opened(tmp_path) is None
