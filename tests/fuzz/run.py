"""Coverage-guided fuzzing of one target, from its seeds and words:

    uv run --with atheris python tests/fuzz/run.py TARGET --runs N

It ends after N inputs, or at the first on which a reader and its reference do not agree, which is written down.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import atheris  # type: ignore[import-untyped]

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "feed")]
REFERENCES = ["stream_reference", "note_reference", "envelope_reference", "tree_reference", "text_reference"]
# Of what a C library reads, only the reference's branches can lead the way.
with atheris.instrument_imports(include=["mcpwatch", "httpx_sse", *REFERENCES]):
    from targets import TARGETS


FOUND = Path(tempfile.gettempdir(), "mcpwatch-fuzz-")
"""Where the input is written that a reader and its reference do not agree on."""


def quoted(word: bytes) -> str:
    """A line of libFuzzer's dictionaries."""
    return '"' + "".join(f"\\x{octet:02x}" for octet in word) + '"\n'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--runs", type=int, default=100_000)
    options = parser.parse_args()
    target = TARGETS[options.target]
    with tempfile.TemporaryDirectory() as folder:
        corpus, words = Path(folder, "corpus"), Path(folder, "words")
        corpus.mkdir()
        for number, seed in enumerate(target.seeds):
            (corpus / str(number)).write_bytes(seed)
        words.write_text("".join(quoted(word) for word in target.words))
        limits = [f"-runs={options.runs}", f"-dict={words}", "-max_len=4096", f"-artifact_prefix={FOUND}", str(corpus)]
        atheris.Setup([sys.argv[0], *limits], target.run)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
