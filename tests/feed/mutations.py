"""A stream of a small log, what an attacker between gateway and watcher can do to it, and a second opinion on it.

The opinion is reached without any code of the watcher: it splits lines, hashes the tree by its definition, and knows
the notes that were really signed instead of checking signatures.
"""

import base64
import re
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from random import Random

from msgspec import Struct
from tiny_log import TinyLog

from mcpwatch.feed.sse import frame

Event = tuple[str, bytes, str]
"""Name, data and last event id."""
SIZE, EVERY = 24, 4
TRUTH = TinyLog()
EVENTS = TRUTH.grow(SIZE, every=EVERY)
LAST = len(EVENTS) - 2 * (EVERY + 1)
"""Events from here on are left alone, so that two checkpoints follow whatever was done."""


def forked(at: int) -> TinyLog:
    """A log of the same keys that is another from entry `at` on."""
    log = TinyLog()
    for leaf in TRUTH.leaves[:at]:
        log.add(leaf=leaf)
    for leaf in TRUTH.leaves[at:]:
        log.add(leaf=leaf.replace(b"200", b"500"))
    return log


FORKS = [forked(at) for at in range(SIZE)]
SIGNED = {log.note(size) for log in (TRUTH, *FORKS) for size in range(EVERY, SIZE + 1, EVERY)}


class Opinion(Struct):
    """What is to be thought after each event of a stream."""

    leaves: list[bytes]
    verified: int = 0
    alarm: bool = False
    repeated: int = 0


def root(leaves: Sequence[bytes]) -> bytes:
    """The root of the tree over these leaves, as RFC 6962 section 2.1 defines it."""
    if len(leaves) < 2:
        return sha256(b"\0" + leaves[0]).digest() if leaves else sha256().digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\1" + root(leaves[:split]) + root(leaves[split:])).digest()


def dispatched(stream: bytes) -> Iterator[Event]:
    """The events of a whole stream."""
    name, data, last = b"", list[bytes](), b""
    for line in re.split(rb"\r\n|\r|\n", stream)[:-1]:
        field, _, value = line.partition(b":")
        value = value[1:] if value[:1] == b" " else value
        if not line:
            if data:
                yield name.decode(errors="replace") or "message", b"\n".join(data), last.decode(errors="replace")
            name, data = b"", []
        elif field == b"data":
            data.append(value)
        elif field == b"event":
            name = value
        elif field == b"id" and b"\0" not in value:
            last = value


def covers(event: Event) -> int:
    """How many entries a checkpoint says that it covers; 0 for another event, or where that cannot be read."""
    size = event[1].split(b"\n")[1:2] if event[0] == "checkpoint" else []
    return int(size[0]) if size and size[0].isdigit() else 0


def opinions(stream: bytes) -> Iterator[Opinion]:
    """What is to be thought of a stream, after each of its events in turn; always the same object."""
    now, waiting = Opinion([]), list[tuple[int, bytes]]()
    for name, data, id in dispatched(stream):
        if name == "entry" and not now.alarm:
            index = int(id) if re.fullmatch("[0-9]+", id) and str(int(id)) == id else -1
            if 0 <= index < len(now.leaves):
                now.alarm = data != now.leaves[index]
                now.repeated += not now.alarm
            elif index == len(now.leaves):
                now.leaves.append(data)
            else:
                now.alarm = True
        elif name == "checkpoint" and not now.alarm:
            text = data.split(b"\n")
            now.alarm = data + b"\n" not in SIGNED or int(text[1]) < now.verified
            if not now.alarm:
                waiting.append((int(text[1]), base64.b64decode(text[2])))
        for size, signed in [] if now.alarm else sorted(waiting):
            if size <= len(now.leaves):
                waiting.remove((size, signed))
                now.alarm |= root(now.leaves[:size]) != signed
                now.verified = now.verified if now.alarm else max(now.verified, size)
        yield now


class Tampered(Struct, frozen=True):
    """What reaches the watcher, and where it first is not what was sent."""

    events: list[bytes]
    at: int


def is_entry(event: bytes) -> bool:
    return event.startswith(b"id:")


def drop(random: Random) -> Tampered:
    """Leave out an event."""
    at = random.randrange(LAST)
    return Tampered(EVENTS[:at] + EVENTS[at + 1 :], at)


def swap(random: Random) -> Tampered:
    """Let two events change places."""
    at, other = sorted(random.sample(range(LAST), 2))
    events = list(EVENTS)
    events[at], events[other] = events[other], events[at]
    is_late = not is_entry(EVENTS[at]) and not is_entry(EVENTS[other])
    # Of two checkpoints the newer is only early; it is the older one that comes too late.
    return Tampered(events, other if is_late else at)


def duplicate(random: Random) -> Tampered:
    """Send an event again, at once or later."""
    at = random.randrange(LAST)
    again = random.randint(at + 1, LAST)
    return Tampered([*EVENTS[:again], EVENTS[at], *EVENTS[again:]], again)


def insert(random: Random) -> Tampered:
    """Put in an entry that never was; the others keep their numbers, or move up."""
    at = random.randrange(LAST)
    index = sum(map(is_entry, EVENTS[:at]))
    forged = frame("entry", TRUTH.leaves[index].replace(b"200", b"204"), index)
    rest = renumbered(EVENTS[at:], index + 1) if random.random() < 0.5 else EVENTS[at:]
    return Tampered([*EVENTS[:at], forged, *rest], at)


def flip(random: Random) -> Tampered:
    """Turn one bit of one event over."""
    at = random.randrange(LAST)
    octets = bytearray(EVENTS[at])
    octets[random.randrange(len(octets))] ^= 1 << random.randrange(8)
    return Tampered([*EVENTS[:at], bytes(octets), *EVENTS[at + 1 :]], at)


def renumber(random: Random) -> Tampered:
    """Leave out an entry and let the others move up, so that no number is missing."""
    at = random.choice([at for at in range(LAST) if is_entry(EVENTS[at])])
    index = sum(map(is_entry, EVENTS[:at]))
    return Tampered(EVENTS[:at] + renumbered(EVENTS[at + 1 :], index), at)


def rollback(random: Random) -> Tampered:
    """Send an old checkpoint as the newest, or take entries back and go on with others in their place."""
    at = random.randint(2 * (EVERY + 1), LAST)
    sent = sum(map(is_entry, EVENTS[:at]))
    if random.random() < 0.5:
        old = random.randrange(EVERY, sent // EVERY * EVERY, EVERY) if sent >= 2 * EVERY else EVERY
        return Tampered([*EVENTS[:at], TRUTH.checkpoint(old), *EVENTS[at:]], at)
    parted = random.randrange(sent)
    return Tampered(EVENTS[:at] + continued(parted, random.randrange(parted, sent)), at)


def fork(random: Random) -> Tampered:
    """Go on with another history of the same keys, which parted from this one among what was sent."""
    at = random.randint(1, LAST)
    sent = sum(map(is_entry, EVENTS[:at]))
    return Tampered(EVENTS[:at] + continued(random.randrange(sent), sent), at)


MUTATIONS: tuple[Callable[[Random], Tampered], ...] = (drop, swap, duplicate, insert, flip, renumber, rollback, fork)


def continued(parted: int, index: int) -> list[bytes]:
    """The events from entry `index` on of the log that parted from this one at entry `parted`."""
    log, events = FORKS[parted], list[bytes]()
    for at in range(index, SIZE):
        events.append(log.entry(at))
        if (at + 1) % EVERY == 0:
            events.append(log.checkpoint(at + 1))
    return events


def renumbered(events: Sequence[bytes], first: int) -> list[bytes]:
    """These events with the entries as number `first` and on, envelopes and all."""
    moved = []
    for event in events:
        if is_entry(event):
            number = event[4 : event.index(b"\n")]
            leaf = event[event.index(b"data: ") + 6 :].rstrip()
            event = frame("entry", leaf.replace(b'"id":"%b"' % number, b'"id":"%d"' % first), first)
            first += 1
        moved.append(event)
    return moved


def resent(random: Random) -> list[bytes]:
    """The whole stream as several connections bring it: each begins a little before the last one's end."""
    events, at = list[bytes](), 0
    while at < len(EVENTS):
        upto = random.randint(at + 1, len(EVENTS))
        events += EVENTS[at:upto]
        newest = max((each for each in range(upto) if not is_entry(EVENTS[each])), default=0)
        at = random.randint(newest, upto) if upto < len(EVENTS) else upto
    return events
