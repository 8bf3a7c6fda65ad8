"""Our readers of hostile octets, held against independent references; by hypothesis here, by `run.py` for longer."""

import pytest
from envelope_reference import is_entry
from hypothesis import given, settings
from hypothesis import strategies as st
from note_reference import open_note
from readers import KEYS, signed
from stream_reference import parse_stream
from targets import LEAVES, TARGETS

EXAMPLES = 300


def edited(seeds: tuple[bytes, ...], words: tuple[bytes, ...]) -> st.SearchStrategy[bytes]:
    """A seed in which some octets were replaced by others, and by words of its kind."""
    piece = st.sampled_from(words) | st.binary(max_size=4) | st.sampled_from(seeds)
    edit = st.tuples(st.integers(0, 2_000), st.sampled_from((0, 0, 1, 2, 8)), piece | st.just(b""))

    def apply(seed: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
        for where, gone, come in edits:
            at = where % (len(seed) + 1)
            seed = seed[:at] + come + seed[at + gone :]
        return seed

    return st.builds(apply, st.sampled_from(seeds), st.lists(edit, max_size=4))


@pytest.mark.parametrize("name", TARGETS)
def test_a_reader_and_its_reference_agree(name: str) -> None:
    """Row 34, scaled to some hundred inputs a reader."""
    target = TARGETS[name]
    made_of_words = st.lists(st.sampled_from(target.words), max_size=20).map(b"".join)

    @settings(max_examples=EXAMPLES)
    @given(edited(target.seeds, target.words) | made_of_words | st.binary(max_size=64))
    def agree(octets: bytes) -> None:
        target.run(octets)

    agree()


@pytest.mark.parametrize("name", TARGETS)
def test_a_reader_and_its_reference_agree_on_what_fuzzing_starts_from(name: str) -> None:
    for seed in TARGETS[name].seeds:
        TARGETS[name].run(seed)


def test_what_fuzzing_starts_from_is_taken() -> None:
    """References that take nothing would agree with readers that take nothing."""
    assert all(is_entry(seed) for seed in LEAVES)
    assert all(open_note(seed, *KEYS) for seed in TARGETS["note"].seeds[:2])
    assert all(open_note(signed(seed), *KEYS) for seed in TARGETS["note"].seeds[2:])
    assert all(parse_stream(seed).events for seed in TARGETS["stream"].seeds[:2])
