"""All text inside a JSON value, and where it is."""

from collections.abc import Iterator
from typing import NamedTuple

from mcpwatch.model.entries import Json


class Path(NamedTuple):
    """Where a value is: linked backwards, so that a walk makes no text for it."""

    parent: "Path | None"
    step: str | int

    def __str__(self) -> str:
        steps: list[str] = []
        at: Path | None = self
        while at is not None:
            steps.append(f"[{at.step}]" if isinstance(at.step, int) else f".{at.step}")
            at = at.parent
        return "".join(reversed(steps)).removeprefix(".")


class Found(NamedTuple):
    """A string: the value at `path`, or the last step of `path` itself."""

    path: Path | None
    text: str


def strings(value: Json) -> Iterator[Found]:
    """Every string in `value`, object keys included; no depth is too deep."""
    stack: list[tuple[Path | None, Json]] = [(None, value)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, str):
            yield Found(path, value)
        elif isinstance(value, dict):
            for key in value:
                yield Found(Path(path, key), key)
            stack.extend((Path(path, key), value[key]) for key in reversed(value))
        elif isinstance(value, list | tuple):
            stack.extend((Path(path, at), value[at]) for at in range(len(value) - 1, -1, -1))
