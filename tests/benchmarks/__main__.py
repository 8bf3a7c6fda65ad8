"""Runs a benchmark: `uv run python tests/benchmarks [NAME [ARGUMENT ...]]`; without a name it lists them.

Nothing here asserts a time: figures go to a person, who compares those of one run.
"""

import ast
import runpy
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def benchmarks() -> dict[str, Path]:
    """The benchmarks by name."""
    return {
        path.stem.removesuffix("_bench"): path for path in sorted(HERE.glob("*.py")) if not path.stem.startswith("_")
    }


def main(words: list[str]) -> int:
    """Run the one that is named, with the words after its name as its arguments."""
    known = benchmarks()
    if not words or words[0] not in known:
        for name, path in known.items():
            print(f"{name:16} {(ast.get_docstring(ast.parse(path.read_text())) or '').splitlines()[0]}")
        return 0 if not words else 2
    # The helpers of the tests are imported by their bare names.
    sys.path[:0] = [str(HERE.parent), *(str(path) for path in HERE.parent.iterdir() if path.is_dir())]
    sys.argv = [str(known[words[0]]), *words[1:]]
    runpy.run_path(sys.argv[0], run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
