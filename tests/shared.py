"""Captures and vectors that lie beside the repository; a bare clone has none of them."""

from pathlib import Path

import pytest

_SHARED = Path(__file__).resolve().parents[2] / "shared"


def vectors(relative: str) -> Path:
    """The path of a shared file or folder; skips the test, saying so, where it is not present."""
    path = _SHARED / relative
    if not path.exists():
        pytest.skip(f"shared/{relative} is not present")
    return path
