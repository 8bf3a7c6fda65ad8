"""All text inside a JSON value, and where it is."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar, cast

from mcpwatch.model.entries import Json
from mcpwatch.model.traffic import RpcMessage


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


# Every string of every answer passes here, and the constructor of a named tuple takes twice as long.
_N = TypeVar("_N")
_new = cast("Callable[[type[_N], tuple[object, ...]], _N]", tuple.__new__)


def strings(value: Json) -> Iterator[Found]:
    """Every string in `value`, object keys included; no depth is too deep."""
    stack: list[tuple[Path | None, Json]] = [(None, value)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, str):
            yield _new(Found, (path, value))
        elif isinstance(value, dict):
            ways = [(_new(Path, (path, key)), item) for key, item in value.items()]
            for way, _ in ways:
                yield _new(Found, (way, way.step))
            stack += reversed(ways)
        elif isinstance(value, list | tuple):
            stack += [(_new(Path, (path, at)), value[at]) for at in range(len(value) - 1, -1, -1)]


def texts(value: Json) -> Iterator[str]:
    """Every string in `value` without its place, object keys included; whoever stops early has walked no further."""
    stack: list[Iterator[Json]] = [iter((value,))]
    while stack:
        for each in stack[-1]:
            if isinstance(each, str):
                yield each
            elif isinstance(each, dict):
                stack += (iter(each.values()), iter(each))
                break
            elif isinstance(each, list | tuple):
                stack.append(iter(each))
                break
        else:
            stack.pop()


class _Walked:
    """The message walked last with its strings: several rules look at one message, one after the other."""

    message: RpcMessage | None = None
    found: Sequence[Found] = ()


def said(message: RpcMessage) -> Sequence[Found]:
    """Every string in what a message carries: result, error and params. Asked again at once, it costs nothing."""
    if message is not _Walked.message:
        parts = (message.result, message.error, message.params)
        _Walked.found = [found for part in parts if part is not None for found in strings(part)]
        _Walked.message = message
    return _Walked.found
