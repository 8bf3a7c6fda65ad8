"""All text inside a JSON value, and where it is."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple, TypeVar, cast

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


PLACED: Final = 10_000
"""Strings of a part of a message that are told with their places."""

# Every string of every answer passes here, and the constructor of a named tuple takes twice as long.
_N = TypeVar("_N")
_new = cast("Callable[[type[_N], tuple[object, ...]], _N]", tuple.__new__)


def strings(value: Json) -> Iterator[Found]:
    """Every string in `value`, object keys included; no depth is too deep. Who stops early has walked no further."""
    todo: list[tuple[Path | None, Iterator[tuple[str | int | None, Json]]]] = [(None, iter(((None, value),)))]
    while todo:
        above, items = todo[-1]
        for step, each in items:
            if type(each) is str:
                yield _new(Found, (None if step is None else _new(Path, (above, step)), each))
            elif type(each) is dict:
                path = None if step is None else _new(Path, (above, step))
                for key in each:
                    yield _new(Found, (_new(Path, (path, key)), key))
                todo.append((path, iter(each.items())))
                break
            elif type(each) is list or type(each) is tuple:
                todo.append((None if step is None else _new(Path, (above, step)), enumerate(each)))
                break
        else:
            todo.pop()


def texts(value: Json) -> Iterator[str]:
    """The same without places, in a tenth of the time."""
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


class _Joined:
    """The message joined last, and its text."""

    message: RpcMessage | None = None
    text: str = ""


def whole(message: RpcMessage) -> str:
    """Every string in what a message carries, in no order and a blank between: what is not in here is in none.

    Asked again at once, it costs nothing; and what nearly every message has nothing of is best looked for here first.
    """
    if message is not _Joined.message:
        parts: list[str] = []
        waiting: list[Json] = [message.result, message.error, message.params]
        for each in waiting:
            kind = type(each)
            if kind is str:
                parts.append(each)
            elif kind is dict:
                parts += each
                waiting += each.values()
            elif kind is list or kind is tuple:
                waiting += each
        _Joined.text = " ".join(parts)
        _Joined.message = message
    return _Joined.text


def said(message: RpcMessage) -> Sequence[Found]:
    """Every string in what a message carries: result, error and params. Asked again at once, it costs nothing.

    Of a part with very many the rest comes as one text that has no place.
    """
    if message is not _Walked.message:
        found: list[Found] = []
        for part in (message.result, message.error, message.params):
            if part is not None:
                placed = list(islice(strings(part), PLACED))
                found += placed
                if len(placed) == PLACED:
                    found.append(Found(None, "\n\n".join(islice(texts(part), PLACED, None))))
        _Walked.found = found
        _Walked.message = message
    return _Walked.found
