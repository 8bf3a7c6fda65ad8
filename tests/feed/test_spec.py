"""SPEC.md against itself and against the code: its vectors are computed again, its tables compared."""

import base64
import json
import re
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from nacl.signing import SigningKey

import mcpwatch.feed
from mcpwatch.detect.book import fingerprint
from mcpwatch.feed import about, edge, envelope, health, note, proof_answers, sse
from mcpwatch.feed.about import parse_about
from mcpwatch.feed.envelope import ENVELOPES, Malformed, decode, encode, seal
from mcpwatch.feed.log import LogReader
from mcpwatch.feed.merkle import Frontier, leaf_hash
from mcpwatch.feed.note import LogKey, NoteVerifier
from mcpwatch.feed.proofs import verify_consistency, verify_inclusion
from mcpwatch.identity.signed_acts import act_fault, silence_id
from mcpwatch.model.entries import AlertActed, Body, Envelope, Principal, SilenceTerms, ToolCapture, UpstreamInfo
from mcpwatch.model.feed import FeedState
from mcpwatch.model.health import Health

TEXT = Path(mcpwatch.feed.__path__[0], "SPEC.md").read_text(encoding="utf-8")
BLOCKS: dict[str, str] = dict(re.findall(r"^```\w+ ([\w-]+)\n(.*?)^```$", TEXT, re.M | re.S))
LEAVES = [BLOCKS[f"leaf-{index}"].rstrip("\n").encode() for index in range(3)]
TABLES = re.findall(r"((?:^\|.*\n)+)", TEXT, re.M)


def members(table: str) -> list[tuple[str, str]]:
    """Name and default of each row."""
    rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in table.splitlines()[2:]]
    return [(row[0].strip("`"), row[2].strip("`")) for row in rows]


def declared(kind: type[msgspec.Struct]) -> list[tuple[str, str]]:
    """The same, from the struct."""
    fields = msgspec.structs.fields(kind)
    return [(each.name, "" if each.required else json.dumps(each.default).replace("null", "none")) for each in fields]


def test_the_vectors_by_nothing_but_hashes_and_signatures() -> None:
    """As another implementation would: with no code of ours."""
    seeds = [SigningKey(bytes.fromhex(line)) for line in BLOCKS["seeds"].split()]
    hashes = [sha256(b"\x00" + leaf).digest() for leaf in LEAVES]
    assert [each.hex() for each in hashes] == BLOCKS["leaf-hashes"].split()
    pair = sha256(b"\x01" + hashes[0] + hashes[1]).digest()
    roots = [sha256(b"").digest(), hashes[0], pair, sha256(b"\x01" + pair + hashes[2]).digest()]
    assert [base64.b64encode(each).decode() for each in roots] == BLOCKS["roots"].split()
    text = f"gateway.example/feed/1\n3\n{BLOCKS['roots'].split()[3]}\n"
    lines, vkeys = [], []
    origin = "gateway.example/feed/1"
    for name, kind, seed in ((origin, b"\x01", seeds[0]), (f"{origin}/time", b"\x04", seeds[1])):
        material = kind + bytes(seed.verify_key)
        key_id = sha256(name.encode() + b"\n" + material).digest()[:4]
        vkeys.append(f"{name}+{key_id.hex()}+{base64.b64encode(material).decode()}")
        if kind == b"\x01":
            signature = seed.sign(text.encode()).signature
        else:
            timed = f"cosignature/v1\ntime 1795348802\n{text}".encode()
            signature = (1795348802).to_bytes(8, "big") + seed.sign(timed).signature
        lines.append(f"\u2014 {name} {base64.b64encode(key_id + signature).decode()}\n")
    assert vkeys == BLOCKS["keys"].split()
    assert text + "\n" + "".join(lines) == BLOCKS["note"]
    stream = f"id: 2\nevent: entry\ndata: {LEAVES[2].decode()}\n\nevent: checkpoint\n"
    stream += "".join(f"data: {line}\n" for line in BLOCKS["note"].removesuffix("\n").split("\n"))
    assert stream == BLOCKS["stream"]


def test_the_acts_by_nothing_but_json_and_signatures() -> None:
    key = SigningKey(bytes.fromhex(BLOCKS["operator-seed"].strip()))
    for line, octets in zip(BLOCKS["acts"].splitlines(), BLOCKS["signed"].splitlines(), strict=True):
        act = json.loads(line)
        assert base64.b64decode(act["key"]) == bytes(key.verify_key)
        assert base64.b64decode(act.pop("signature")) == key.sign(octets.encode()).signature
        members = {"type": "mcpwatch.alert.acted"} | act
        assert json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False) == octets
    first, second = (json.loads(line) for line in BLOCKS["acts"].splitlines())
    origin = "gateway.example/feed/1"
    assert first["alert"] == sha256(f"tool/poisoned|{origin}|read_file at files".encode()).hexdigest()[:12]
    assert second["alert"] == sha256(f"silence|{origin}|session/*|*".encode()).hexdigest()[:12]


def test_the_acts_hold_by_this_code_and_their_ids_are_its_own() -> None:
    first, second = (msgspec.json.decode(line, type=AlertActed) for line in BLOCKS["acts"].splitlines())
    origin = "gateway.example/feed/1"
    for act in (first, second):
        assert act_fault(act, origin, act.time) == ""
        assert encode(decode(encode(seal(5, origin, datetime(2026, 11, 22, tzinfo=UTC), act)))).endswith(b"}}")
    assert first.alert == fingerprint("tool/poisoned", origin, "read_file at files")
    assert second.alert == silence_id(origin, "session/*", "*")


def test_the_vectors_by_this_code() -> None:
    seeds = [SigningKey(bytes.fromhex(line)) for line in BLOCKS["seeds"].split()]
    key = LogKey("gateway.example/feed/1", *seeds)
    assert [key.verifier_key, key.time_verifier_key] == BLOCKS["keys"].split()
    frontier = Frontier()
    for leaf in LEAVES:
        assert encode(decode(leaf)) == leaf
        frontier.append(leaf_hash(leaf))
    assert key.sign_checkpoint(3, frontier.root(), 1795348802).decode() == BLOCKS["note"]
    introduction = parse_about(BLOCKS["introduction"].encode())
    assert introduction is not None
    assert introduction.frontier == frontier.hashes()
    assert introduction.note == BLOCKS["note"]


def test_the_proofs_of_the_vectors_by_nothing_but_hashes() -> None:
    leaf = [bytes.fromhex(line) for line in BLOCKS["leaf-hashes"].split()]
    roots = [base64.b64decode(line) for line in BLOCKS["roots"].split()]
    consistency, inclusion = (json.loads(BLOCKS[name]) for name in ("consistency", "inclusion"))
    (edge,) = (base64.b64decode(each) for each in consistency["frontier"])
    second, third = (base64.b64decode(each) for each in consistency["hashes"])
    assert (edge, second, third) == (roots[1], leaf[1], leaf[2])
    pair = sha256(b"\x01" + edge + second).digest()
    assert (pair, sha256(b"\x01" + pair + third).digest()) == (roots[2], roots[3])
    left, right = (base64.b64decode(each) for each in inclusion["hashes"])
    below = sha256(b"\x01" + left + base64.b64decode(inclusion["leaf_hash"])).digest()
    assert sha256(b"\x01" + below + right).digest() == roots[3]


def test_the_proofs_of_the_vectors_by_this_code() -> None:
    leaf = [bytes.fromhex(line) for line in BLOCKS["leaf-hashes"].split()]
    roots = [base64.b64decode(line) for line in BLOCKS["roots"].split()]
    consistency = proof_answers.parse_consistency(BLOCKS["consistency"].encode())
    inclusion = proof_answers.parse_inclusion(BLOCKS["inclusion"].encode())
    assert consistency is not None
    assert inclusion is not None
    verify_consistency(1, 3, Frontier.load(1, consistency.frontier).root(), roots[3], consistency.hashes)
    verify_inclusion(leaf[1], inclusion.index, inclusion.size, inclusion.hashes, roots[3])
    assert [msgspec.json.encode(each).decode() + "\n" for each in (consistency, inclusion)] == [
        BLOCKS["consistency"],
        BLOCKS["inclusion"],
    ]


def test_the_stream_of_the_vectors_is_read_and_proven() -> None:
    reader = LogReader(verifier=NoteVerifier(*BLOCKS["keys"].split()))
    reader.connected(1795348803.0)
    frames = sse.SseReader().feed(
        b"".join(sse.frame("entry", LEAVES[index], index) for index in range(2)) + BLOCKS["stream"].encode() + b"\n"
    )
    entries = [entry for each in frames for entry in reader.take(each, 1795348803.0)]
    assert [entry.leaf for entry in entries] == LEAVES
    assert not any(entry.fault for entry in entries)
    assert (reader.status.state, reader.status.verified_size) == (FeedState.LIVE, 3)


@pytest.mark.parametrize("leaf", BLOCKS["malformed"].splitlines())
def test_the_malformed_leaves_are_malformed_and_json_all_the_same(leaf: str) -> None:
    assert json.loads(leaf)["specversion"] == "1.0"
    with pytest.raises(Malformed):
        decode(leaf.encode())


def test_every_type_and_part_has_its_table() -> None:
    kinds = [Envelope, *ENVELOPES, UpstreamInfo, ToolCapture, Body, Principal, SilenceTerms]
    tables = [members(table) for table in TABLES if table.startswith("| member | type | default |")]
    envelope_table = tables[0]
    assert envelope_table[0] == ("type", "")
    assert envelope_table[-1] == ("data", "")
    tables[0] = envelope_table[1:-1]
    assert tables == [declared(kind) for kind in kinds]


def test_every_type_is_named() -> None:
    named = re.findall(r"^`(mcpwatch\.[a-z.]+)`:", TEXT, re.M)
    assert named == [each.__struct_config__.tag for each in ENVELOPES.values()]


def test_the_limits_are_those_of_the_code() -> None:
    numbers = {
        int(each.replace(",", "")) for each in re.findall(r"\d[\d,]*\d|\d", TEXT[TEXT.index("## 10. Limits") :][:700])
    }
    limits = {sse.MAX_LINE, sse.MAX_EVENT, sse.MAX_LINES, envelope.MAX_LEAF, note.MAX_NOTE, note.MAX_SIGNATURES}
    limits |= {about.MAX_ABOUT, proof_answers.MAX_ANSWER, proof_answers.MAX_HASHES, health.MAX_HEALTH}
    assert limits <= numbers
    assert f"{edge.REMEMBERED:,} entries" in TEXT


@pytest.mark.parametrize(
    ("heading", "answers"),
    [
        ("GET /v1/proof/consistency", proof_answers.ConsistencyAnswer),
        ("GET /v1/proof/inclusion", proof_answers.InclusionAnswer),
        ("GET /v1/health", Health),
    ],
)
def test_the_members_of_answers_are_those_of_the_code(heading: str, answers: type[msgspec.Struct]) -> None:
    rows = re.search(r"(?:^\|.*\n)+", TEXT[TEXT.index(f"`{heading}") :], re.M)
    assert rows is not None
    named = [name for row in rows[0].splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert sorted(named) == sorted(answers.__struct_fields__)
