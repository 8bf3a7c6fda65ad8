"""`mcpwatch verify` over a long recording: entries a second of one core, and memory.

Writes a recording of unsigned exchanges, and one where every fourth entry is a signed request, verifies each in a
process of its own, then flips single octets and verifies again.
"""

import argparse
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from nacl.signing import SigningKey
from tiny_log import START, log_key

from mcpwatch.feed.envelope import encode, seal
from mcpwatch.feed.merkle import Frontier, leaf_hash
from mcpwatch.feed.recording_format import Head, encode_event, encode_head
from mcpwatch.feed.sse import Frame
from mcpwatch.identity.ed25519 import did_key
from mcpwatch.model.entries import Body, Data, End, Header, Message, Request, Response

SIGNED_SHARE = 10
"""The signed recording has one entry for so many of the unsigned one."""
CHECKPOINT = 256
A_SECOND = 4_000
"""Entries of one second of the log's time."""
FLIPS = 5

AGENT = SigningKey(bytes([9]) * 32)
DID = did_key(bytes(AGENT.verify_key))
CALL = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_orders","arguments":{"customer":"C-88"}}}'
BODY = Body(size=len(CALL), sha256=sha256(CALL).hexdigest(), text=CALL.decode())
DIGEST = f"sha-256=:{b64encode(sha256(CALL).digest()).decode()}:"
HEADERS: tuple[Header, ...] = (
    ("content-type", "application/json"),
    ("mcp-protocol-version", "2026-07-28"),
    ("mcp-method", "tools/call"),
    ("mcp-name", "list_orders"),
)


def signature(index: int) -> tuple[Header, ...]:
    """The header fields of an RFC 9421 signature over the call."""
    params = (
        f'("@method" "@authority" "@path" "content-digest");created={START + index // A_SECOND};'
        f'keyid="{DID}";alg="ed25519";nonce="n{index}"'
    )
    base = (
        f'"@method": POST\n"@authority": 127.0.0.1:4180\n"@path": /mcp\n"content-digest": {DIGEST}\n'
        f'"@signature-params": {params}'
    )
    signed = b64encode(AGENT.sign(base.encode()).signature).decode()
    return (("content-digest", DIGEST), ("signature-input", f"sig1={params}"), ("signature", f"sig1=:{signed}:"))


def data(index: int, *, is_signed: bool) -> Data:
    """What stands in entry `index`: exchanges of four entries each."""
    part, exchange = index % 4, index - index % 4
    if part == 0:
        return Request(
            upstream="orders",
            method="POST",
            scheme="http",
            authority="127.0.0.1:4180",
            target="/mcp",
            peer="127.0.0.1:50000",
            headers=HEADERS + (signature(index) if is_signed else ()),
            body=BODY,
        )
    rest: tuple[Data, ...] = (
        Response(exchange=exchange, status=200, headers=HEADERS[:1]),
        Message(exchange=exchange, body=BODY),
        End(exchange=exchange, outcome="complete", duration_us=700, sent=len(CALL)),
    )
    return rest[part - 1]


def write(path: Path, entries: int, *, is_signed: bool) -> None:
    """A recording of a log from its beginning."""
    key, tree = log_key(), Frontier()
    first = key.sign_checkpoint(0, tree.root(), START).decode()
    with path.open("wb") as file:
        head = Head(keys=(key.verifier_key, key.time_verifier_key), note=first, first=0, frontier=())
        file.write(encode_head(head))
        for index in range(entries):
            now = START + index // A_SECOND
            leaf = encode(seal(index, key.origin, datetime.fromtimestamp(now, UTC), data(index, is_signed=is_signed)))
            tree.append(leaf_hash(leaf))
            file.write(encode_event(Frame("entry", leaf, str(index))))
            if tree.size % CHECKPOINT == 0 or tree.size == entries:
                note = key.sign_checkpoint(tree.size, tree.root(), now)
                file.write(encode_event(Frame("checkpoint", note.removesuffix(b"\n"))))


def verify(path: Path, state: Path) -> tuple[int, str, float, float]:
    """Exit code, report, seconds of processor time and MiB of the largest memory of all such runs so far."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "mcpwatch", "verify", "--offline", str(path)],
        env={**os.environ, "MCPWATCH_STATE": str(state)},
        capture_output=True,
        text=True,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.returncode, done.stdout, spent, after.ru_maxrss / 1024


def flips(path: Path, state: Path) -> None:
    """Change single octets of the file, one at a time, and say what the report names."""
    chance = random.Random(1)
    size = path.stat().st_size
    for _ in range(FLIPS):
        at = chance.randrange(size)
        with path.open("r+b") as file:
            file.seek(at)
            was = file.read(1)
            file.seek(at)
            file.write(bytes([was[0] ^ 1]))
        code, report, *_ = verify(path, state)
        named = re.search(r"^FAILED:.*", report, re.MULTILINE)
        print(f"  octet {at:>11,} flipped: exit {code}  {named.group()[:110] if named else '(nothing named)'}")
        with path.open("r+b") as file:
            file.seek(at)
            file.write(was)


def _told(what: Callable[[], None]) -> float:
    begun = time.monotonic()
    what()
    return time.monotonic() - begun


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--entries", type=int, default=1_000_000)
    entries: int = parser.parse_args().entries
    with tempfile.TemporaryDirectory() as folder:
        path, state = Path(folder) / "long.mcpfeed", Path(folder) / "state"
        for number in (entries // 10, entries):
            write(path, number, is_signed=False)
            code, _, spent, peak = verify(path, state)
            print(f"unsigned {number:>9,} entries  {number / spent:>9,.0f} a second  peak {peak:.0f} MiB  exit {code}")
        print(f"five flipped octets, {_told(lambda: flips(path, state)):.0f} s:")
        number = entries // SIGNED_SHARE
        write(path, number, is_signed=True)
        code, _, spent, peak = verify(path, state)
        print(f"signed   {number:>9,} entries  {number / spent:>9,.0f} a second  peak {peak:.0f} MiB  exit {code}")


if __name__ == "__main__":
    main()
