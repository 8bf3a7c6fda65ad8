"""The tree on disk gives the proofs of the tree in memory, from any beginning."""

from hypothesis import given
from hypothesis import strategies as st
from tiny_log import TinyLog

from mcpwatch.export.tree_file import TreeFile
from mcpwatch.feed.merkle import leaf_hash
from mcpwatch.feed.proofs import verify_inclusion


@given(st.data())
def test_every_entry_that_was_read_is_proven_at_every_size(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 150))
    first = data.draw(st.integers(0, size - 1))
    log = TinyLog()
    log.grow(size)
    tree = TreeFile(first, log.at(first).hashes())
    hashes = [leaf_hash(leaf) for leaf in log.leaves]
    for hashed in hashes[first:]:
        tree.append(hashed)
    for at in (first + 1, data.draw(st.integers(first + 1, size)), size):
        assert tree.root(at) == log.at(at).root()
        for index in range(first, at):
            verify_inclusion(hashes[index], index, at, tree.path(index, at), log.at(at).root())
    tree.close()
