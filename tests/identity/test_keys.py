"""The key book: pins, caches, who is asked and when."""

import pytest
from nacl.signing import SigningKey
from p256 import CAROL
from signed import ALICE, BOB, NOW

from mcpwatch.identity.ed25519 import fingerprint
from mcpwatch.identity.keys import MAX_ID, KeyBook
from mcpwatch.identity.multikey import encode_multikey
from mcpwatch.identity.resolution import EARLY_S, Resolved, ResolvedKey, Status
from mcpwatch.identity.resolver_cache import MAX_HELD, MAX_KEYS, MAX_PAST
from mcpwatch.model.identity import KeyState, Resolution

DID = ALICE.did_aip
THUMB = fingerprint(ALICE.public)
FOUND = Resolved(Resolution.REGISTRY, (ResolvedKey(ALICE.public),))
NOBODY = Resolved(Resolution.REGISTRY, (), "never heard of it")


@pytest.fixture
def book() -> KeyBook:
    book = KeyBook(limit=3)
    book.resolvable = ("did:aip:",)
    return book


def ask(book: KeyBook, number: int) -> str:
    did = f"did:aip:{number:032x}"
    book.lookup(did, NOW)
    return did


def test_a_pinned_key_is_found_by_name_and_thumbprint(book: KeyBook) -> None:
    book.pin("ci", ALICE.public)
    for name in ("ci", fingerprint(ALICE.public)):
        answer = book.lookup(name, NOW)
        assert answer.status is Status.FOUND
        assert (answer.keys[0].signer.id, answer.keys[0].signer.resolution) == ("ci", Resolution.PINNED)
    book.unpin("ci")
    assert book.lookup("ci", NOW).status is Status.UNAVAILABLE
    assert book.lookup(fingerprint(ALICE.public), NOW).status is Status.UNAVAILABLE


def test_an_identity_may_have_several_pinned_keys(book: KeyBook) -> None:
    for key in (ALICE.public, BOB.public, ALICE.public):
        book.pin(DID, key)
    assert [held.key for held in book.lookup(DID, NOW).keys] == [BOB.public, ALICE.public]
    assert book.pinned == {DID: (BOB.public, ALICE.public)}


@pytest.mark.parametrize("key", [b"", bytes(32), b"\x01" + bytes(31)])
def test_a_bad_key_is_not_pinned(book: KeyBook, key: bytes) -> None:
    with pytest.raises(ValueError, match="not an Ed25519 or P-256"):
        book.pin(DID, key)
    assert book.pinned == {}


def test_a_crowd_of_one_kind_keeps_no_other_kind_from_waiting(book: KeyBook) -> None:
    book.resolvable = ("did:aip:", "did:web:", "https://", "")
    for crowd in ("did:web:{}.example", "https://{}.example", "{}"):
        for number in range(4):
            answer = book.lookup(crowd.format(number), NOW)
        assert (answer.status, "of its kind" in answer.reason) == (Status.UNAVAILABLE, True)
    assert book.lookup(DID, NOW).status is Status.WAITING
    assert DID in book.wanted(0.0)


def test_what_hosts_publish_is_kept_within_a_bound() -> None:
    book = KeyBook()
    refused = tuple((f"{number:0300d}", "why") for number in range(1000))
    crowd = Resolved(Resolution.DIRECTORY, (ResolvedKey(ALICE.public, name="good"),), refused=refused)
    urls = [f"https://{number}.example" for number in range(2 * MAX_HELD // MAX_KEYS)]
    for url in urls:
        book.learn(url, crowd, 0.0)
    kept = [url for url in urls if book.history(url)]
    assert kept == urls[-len(kept) :]
    assert MAX_HELD - 2 * MAX_KEYS < len(kept) * (MAX_KEYS + 1) <= MAX_HELD
    for number in range(1000):  # the same one again and again takes no more room
        book.learn(urls[-1], crowd, float(number))
    assert [url for url in urls if book.history(url)] == kept
    for url in kept:
        book.learn(url, NOBODY, 1.0)
    book.learn(urls[0], crowd, 2.0)
    assert book.history(urls[0])


def test_names_that_no_request_can_give_are_not_kept() -> None:
    book = KeyBook()
    keys = (ResolvedKey(ALICE.public, name="short"), ResolvedKey(BOB.public, name="n" * 10_000))
    book.learn("https://a.example", Resolved(Resolution.DIRECTORY, keys, refused=(("r" * 10_000, "why"),)), 0.0)
    assert [key.name for key in book.history("https://a.example")] == ["short"]


def test_few_keys_of_who_is_gone_are_remembered(book: KeyBook) -> None:
    keys = tuple(ResolvedKey(SigningKey.generate().verify_key.encode()) for _ in range(2 * MAX_PAST))
    book.learn(DID, Resolved(Resolution.REGISTRY, keys), 0.0)
    assert book.history(DID) == keys
    book.learn(DID, NOBODY, 1.0)
    assert book.history(DID) == keys[:MAX_PAST]


def test_pinned_keys_are_never_evicted(book: KeyBook) -> None:
    for number in range(20):
        book.pin(f"name-{number}", ALICE.public)
    for number in range(20):
        book.learn(f"did:aip:{number:032x}", FOUND, 0)
    assert all(book.lookup(f"name-{number}", NOW).status is Status.FOUND for number in range(20))


def test_did_key_needs_nobody(book: KeyBook) -> None:
    answer = book.lookup(f"{ALICE.did_key}#{ALICE.did_key[8:]}", NOW)
    assert (answer.keys[0].key, answer.keys[0].signer.id) == (ALICE.public, ALICE.did_key)
    assert book.lookup("did:key:zzz", NOW).status is Status.UNAVAILABLE
    assert book.wanted(0) == []


@pytest.mark.parametrize(
    ("id", "reason"),
    [
        ("did:web:example.com", "did:web is not asked for unless"),
        ("did:example:1", "nobody here resolves did:example"),
        ("https://agent.example/jwks#k", "directories are not asked for unless"),
        ("http://agent.example", "over https only"),
        ("alice", "no key is pinned under this name; pin it: mcpwatch keys add DID KEY"),
        ("", "no key is pinned under this name; pin it: mcpwatch keys add DID KEY"),
        ("did:aip:" + "0" * MAX_ID, "longer than"),
    ],
)
def test_who_cannot_be_asked_for(book: KeyBook, id: str, reason: str) -> None:
    answer = book.lookup(id, NOW)
    assert (answer.status, answer.keys) == (Status.UNAVAILABLE, ())
    assert reason in answer.reason
    assert book.wanted(0) == []


def test_a_p256_did_key_needs_nobody(book: KeyBook) -> None:
    id = f"did:key:{encode_multikey(CAROL.public)}"
    assert id.startswith("did:key:zDn")
    answer = book.lookup(f"{id}#{id[8:]}", NOW)
    assert (answer.keys[0].key, answer.keys[0].signer.resolution) == (CAROL.public, Resolution.DID_KEY)
    assert book.lookup(f"did:key:z{'1' * 40}", NOW).status is Status.UNAVAILABLE


def test_a_pinned_key_wins_over_did_key_and_embedded(book: KeyBook) -> None:
    book.pin(ALICE.did_key, BOB.public)
    assert [held.key for held in book.lookup(f"{ALICE.did_key}#{ALICE.did_key[8:]}", NOW).keys] == [BOB.public]
    book.pin("ci", ALICE.public)
    answer = book.lookup(f"key:{THUMB}", NOW, ALICE.public)
    assert (answer.keys[0].signer.id, answer.keys[0].signer.resolution) == ("ci", Resolution.PINNED)


@pytest.mark.parametrize("id", [f"key:{THUMB}", THUMB])
def test_an_embedded_key_stands_for_itself_and_is_remembered(book: KeyBook, id: str) -> None:
    assert book.lookup(id, NOW).status is Status.UNAVAILABLE
    answer = book.lookup(id, NOW, ALICE.public)
    assert answer.keys[0].key == ALICE.public
    signer = answer.keys[0].signer
    assert (signer.id, signer.resolution, signer.key_state) == (f"key:{THUMB}", Resolution.EMBEDDED, KeyState.CURRENT)
    assert [book.lookup(again, NOW) for again in (THUMB, f"key:{THUMB}")] == [answer, answer]
    assert book.history(f"key:{THUMB}") == (ResolvedKey(ALICE.public),)


@pytest.mark.parametrize(
    ("id", "key", "reason"),
    [
        (f"key:{THUMB}", BOB.public, "not the one it names"),
        ("kid-1", ALICE.public, "not the one it names"),
        (f"key:{THUMB}", b"\x01" + bytes(31), "none that may be used"),
        (f"key:{THUMB}", b"", "no key is pinned"),
    ],
)
def test_an_embedded_key_speaks_for_nobody_else(book: KeyBook, id: str, key: bytes, reason: str) -> None:
    answer = book.lookup(id, NOW, key)
    assert (answer.status, answer.keys) == (Status.UNAVAILABLE, ())
    assert reason in answer.reason


def test_an_embedded_key_does_not_stand_for_a_did(book: KeyBook) -> None:
    assert book.lookup(DID, NOW, BOB.public).status is Status.WAITING
    assert book.lookup("did:web:agent.example", NOW, BOB.public).status is Status.UNAVAILABLE


def test_embedded_keys_are_remembered_in_bounds(book: KeyBook) -> None:
    keys = [bytes(SigningKey(bytes([number]) * 32).verify_key) for number in range(5)]
    for key in keys:
        book.lookup(f"key:{fingerprint(key)}", NOW, key)
        book.lookup(f"key:{fingerprint(keys[0])}", NOW, keys[0])
    held = [bool(book.lookup(fingerprint(key), NOW).keys) for key in keys]
    assert held == [True, False, False, True, True]


def test_a_listed_key_is_more_than_an_embedded_one(book: KeyBook) -> None:
    book.listed = {THUMB: ResolvedKey(ALICE.public)}.get
    answer = book.lookup(f"key:{THUMB}", NOW, ALICE.public)
    assert (answer.keys[0].signer.id, answer.keys[0].signer.resolution) == (f"key:{THUMB}", Resolution.JWKS)


def test_a_fragment_chooses_among_keys_that_have_names(book: KeyBook) -> None:
    book.resolvable = ("did:web:",)
    id = "did:web:agent.example"
    keys = (ResolvedKey(ALICE.public, name="key-1"), ResolvedKey(BOB.public, name="key-2"))
    book.lookup(id, NOW)
    book.wanted(0)
    book.learn(id, Resolved(Resolution.DID_WEB, keys, refused=(("key-3", "it is of small order"),)), 0)
    assert [held.key for held in book.lookup(id, NOW).keys] == [ALICE.public, BOB.public]
    assert [held.key for held in book.lookup(f"{id}#key-2", NOW).keys] == [BOB.public]
    refused, missing = book.lookup(f"{id}#key-3", NOW), book.lookup(f"{id}#key-4", NOW)
    assert (refused.status, refused.reason) == (Status.UNKNOWN, "it is of small order")
    assert (missing.status, "no key of the name" in missing.reason) == (Status.UNKNOWN, True)


@pytest.mark.parametrize("owner", ["pinned", "embedded", "listed"])
def test_a_kid_of_a_directory_is_no_known_keys_thumbprint(book: KeyBook, owner: str) -> None:
    site, thumbprint = "https://agent.example", fingerprint(BOB.public)
    book.learn(site, Resolved(Resolution.DIRECTORY, (ResolvedKey(ALICE.public, name=thumbprint),)), 0)
    (found,) = book.lookup(f"{site}#{thumbprint}", NOW).keys
    assert (found.key, found.signer.id) == (ALICE.public, site)
    if owner == "pinned":
        book.pin("bob", BOB.public)
    elif owner == "embedded":
        book.lookup(f"key:{thumbprint}", NOW, embedded=BOB.public)
    else:
        book.listed = {thumbprint: ResolvedKey(BOB.public)}.get
    refused = book.lookup(f"{site}#{thumbprint}", NOW)
    assert (refused.status, "of another key" in refused.reason) == (Status.UNKNOWN, True)
    assert book.lookup(f"{site}#{fingerprint(ALICE.public)}", NOW).keys


@pytest.mark.parametrize("resolution", [Resolution.JWKS, Resolution.DIRECTORY])
def test_a_key_does_not_count_before_its_nbf(book: KeyBook, resolution: Resolution) -> None:
    book.resolvable = ("https://", "")
    id = "https://agent.example" if resolution is Resolution.DIRECTORY else "ci"
    keys = (ResolvedKey(ALICE.public, valid_from=NOW, name="one"), ResolvedKey(BOB.public, name="two"))
    book.learn(id, Resolved(resolution, keys[:1]), 0)
    assert [held.key for held in book.lookup(id, NOW).keys] == [ALICE.public]
    assert [held.key for held in book.lookup(id, NOW - EARLY_S).keys] == [ALICE.public]
    early = book.lookup(id, NOW - EARLY_S - 1)
    assert (early.status, early.keys, early.reason) == (Status.UNKNOWN, (), "it does not count yet, as its nbf says")
    book.learn(id, Resolved(resolution, keys), 0)
    assert [held.key for held in book.lookup(id, NOW - EARLY_S - 1).keys] == [BOB.public]
    assert book.lookup(id, NOW).keys[0].key == ALICE.public


def test_a_key_counts_whenever_the_registry_was_told_of_it(book: KeyBook) -> None:
    keys = (ResolvedKey(BOB.public, valid_from=NOW + 9000), ResolvedKey(ALICE.public, NOW + 9000, NOW + 5000))
    book.learn(DID, Resolved(Resolution.REGISTRY, keys), 0)
    assert [held.key for held in book.lookup(DID, NOW).keys] == [BOB.public, ALICE.public]


def test_an_embedded_key_is_listed_from_its_nbf_on(book: KeyBook) -> None:
    book.listed = {THUMB: ResolvedKey(ALICE.public, NOW + 1000, NOW)}.get
    times = (NOW - EARLY_S - 1, NOW - EARLY_S, NOW + 1000, NOW + 1001)
    found = [book.lookup(f"key:{THUMB}", now, ALICE.public).keys[0].signer for now in times]
    assert [(signer.resolution, signer.key_state) for signer in found] == [
        (Resolution.EMBEDDED, KeyState.CURRENT),
        (Resolution.JWKS, KeyState.CURRENT),
        (Resolution.JWKS, KeyState.CURRENT),
        (Resolution.JWKS, KeyState.GRACE),
    ]


def test_the_history_of_keys(book: KeyBook) -> None:
    keys = (ResolvedKey(BOB.public, valid_from=NOW), ResolvedKey(ALICE.public, NOW, NOW - 100))
    book.learn(DID, Resolved(Resolution.REGISTRY, keys), 0)
    assert book.history(f"{DID}#key-1") == keys
    book.learn(DID, NOBODY, 1)
    assert book.history(DID) == keys
    assert book.history("did:aip:" + "0" * 32) == ()
    assert book.history(ALICE.did_key) == (ResolvedKey(ALICE.public),)
    book.pin(DID, ALICE.public)
    assert book.history(DID) == (ResolvedKey(ALICE.public),)


def test_who_could_not_be_asked_for_waits_on(book: KeyBook) -> None:
    book.lookup(DID, NOW)
    assert book.failed(DID, "down", 0)
    answer = book.lookup(DID, NOW)
    assert (answer.status, answer.reason) == (Status.WAITING, "down")
    assert not book.failed(DID, "down", 60)
    assert book.failed(DID, "still down", 120)
    assert book.failed(DID, "keep quiet", 180, 500)
    assert book.wanted(679) == []
    assert book.wanted(680) == [DID]


def test_what_is_not_its_turn_keeps_its_standing(book: KeyBook) -> None:
    fetching = book.lookup(DID, NOW)
    assert book.wanted(0) == [DID]
    book.postponed(DID, 0, 7)
    assert book.lookup(DID, NOW) == fetching
    assert book.wanted(6.9) == []
    assert book.wanted(7) == [DID]


def test_a_failed_question_takes_nothing_away(book: KeyBook) -> None:
    book.learn(DID, NOBODY, 0)
    assert not book.failed(DID, "down", 60)
    assert book.lookup(DID, NOW).reason == "never heard of it"
    book.learn(DID, FOUND, 120)
    for second in range(420, 2000, 100):
        book.lookup(DID, NOW)
        book.failed(DID, "down", second)
    assert book.lookup(DID, NOW).keys[0].key == ALICE.public


def test_without_a_registry_did_aip_is_unavailable() -> None:
    answer = KeyBook().lookup(DID, NOW)
    assert answer.status is Status.UNAVAILABLE
    assert "no registry is configured" in answer.reason


def test_each_identity_is_asked_for_once(book: KeyBook) -> None:
    told: list[int] = []
    book.notify = lambda: told.append(1)
    for _ in range(5):
        assert book.lookup(DID, NOW).status is Status.WAITING
        assert book.lookup(f"{DID}#key-1", NOW).status is Status.WAITING
    assert told == [1]
    assert book.wanted(0) == [DID]
    assert book.wanted(59) == []
    assert book.wanted(60) == [DID]


def test_a_learnt_key_is_refreshed_in_the_background(book: KeyBook) -> None:
    book.learn(DID, FOUND, 0)
    assert book.wanted(1000) == []
    book.lookup(DID, NOW)
    assert book.wanted(299) == []
    assert book.wanted(300) == [DID]
    assert book.lookup(DID, NOW).status is Status.FOUND
    book.failed(DID, "down", 301)
    assert book.lookup(DID, NOW).status is Status.FOUND
    assert book.wanted(600) == []
    assert book.wanted(601) == [DID]


def test_no_such_identity_is_remembered_for_a_minute(book: KeyBook) -> None:
    book.learn(DID, NOBODY, 0)
    assert book.wanted(100) == []
    answer = book.lookup(DID, NOW)
    assert (answer.status, answer.reason, answer.key_state) == (Status.UNKNOWN, "never heard of it", KeyState.UNKNOWN)
    assert book.wanted(59) == []
    assert book.wanted(60) == [DID]


def test_a_failure_is_tried_again_by_itself(book: KeyBook) -> None:
    book.failed(DID, "down", 0)
    assert book.wanted(59) == []
    assert book.wanted(60) == [DID]
    assert book.lookup(DID, NOW).reason == "down"
    book.learn(DID, FOUND, 61)
    assert book.lookup(DID, NOW).status is Status.FOUND


def test_gone_stays_gone(book: KeyBook) -> None:
    book.learn(DID, FOUND, 0)
    book.learn(DID, NOBODY, 1)
    book.learn(DID, NOBODY, 100)
    answer = book.lookup(DID, NOW)
    assert (answer.status, answer.key_state) == (Status.UNKNOWN, KeyState.GONE)


def test_keys_that_may_not_be_used_are_left_out(book: KeyBook) -> None:
    bad = ResolvedKey(b"\x01" + bytes(31))
    book.learn(DID, Resolved(Resolution.REGISTRY, (bad, ResolvedKey(ALICE.public))), 0)
    assert [held.key for held in book.lookup(DID, NOW).keys] == [ALICE.public]
    book.learn(DID, Resolved(Resolution.REGISTRY, (bad,)), 0)
    assert book.lookup(DID, NOW).status is Status.UNKNOWN


def test_everything_is_bounded(book: KeyBook) -> None:
    dids = [ask(book, number) for number in range(5)]
    assert "are waiting" in book.lookup(dids[4], NOW).reason
    assert book.wanted(0) == dids[:3]
    for did in dids:
        book.learn(did, FOUND, 0)
    assert [book.lookup(did, NOW).status is Status.FOUND for did in dids] == [False, False, True, True, True]
    for did in dids:
        book.failed(did + "0", "down", 0)
    assert book.lookup(dids[0] + "0", NOW).reason != "down"
    assert book.lookup(dids[4] + "0", NOW).reason == "down"


def test_refusals_do_not_push_out_what_is_known(book: KeyBook) -> None:
    book.learn(DID, FOUND, 0)
    for number in range(50):
        book.learn(f"did:aip:{number:032x}", NOBODY, 0)
    assert book.lookup(DID, NOW).status is Status.FOUND


def test_what_does_not_fit_is_asked_about_once_a_minute_until_the_answer_is_newer(book: KeyBook) -> None:
    assert not book.doubt(DID, NOW)
    book.learn(DID, FOUND, 0, as_of=NOW)
    assert not book.doubt(DID, NOW + 5)  # nobody takes what is wanted
    book.wanted(10)
    assert not book.doubt(DID, NOW - 1)
    assert book.doubt(f"{DID}#key-1", NOW + 5)
    assert book.wanted(59) == []
    assert book.wanted(60) == [DID]
    assert book.wanted(61) == []
    assert book.doubt(DID, NOW + 5) and book.doubt(DID, NOW + 61)
    book.learn(DID, FOUND, 62, as_of=NOW + 60)
    assert not book.doubt(DID, NOW + 5)
    assert book.doubt(DID, NOW + 61)
    assert book.wanted(121) == []
    assert book.wanted(122) == [DID]


def test_a_failed_question_leaves_what_does_not_fit_in_doubt(book: KeyBook) -> None:
    book.learn(DID, FOUND, 0, as_of=NOW)
    book.wanted(0)
    assert book.doubt(DID, NOW + 5)
    assert book.wanted(60) == [DID]
    book.failed(DID, "down", 61)
    assert book.doubt(DID, NOW + 5)
    assert book.wanted(120) == []
    assert book.wanted(121) == [DID]


def test_nobody_is_asked_again_about_keys_that_were_configured(book: KeyBook) -> None:
    book.pin("did:aip:pinned", ALICE.public)
    book.learn("ci", Resolved(Resolution.JWKS, (ResolvedKey(ALICE.public),)), 0, as_of=NOW)
    book.wanted(100)
    assert not any(book.doubt(id, NOW + 100) for id in ("ci", "did:aip:pinned", ALICE.did_key))


@pytest.mark.parametrize(
    ("at", "state"),
    [(NOW, KeyState.CURRENT), (NOW + 1, KeyState.GRACE), (NOW + 600, KeyState.GRACE), (NOW + 601, KeyState.SUPERSEDED)],
)
def test_a_rotated_key_stands_as_the_requests_time_says(book: KeyBook, at: float, state: KeyState) -> None:
    keys = (ResolvedKey(BOB.public), ResolvedKey(ALICE.public, NOW))
    book.learn(DID, Resolved(Resolution.REGISTRY, keys), 0)
    current, old = book.lookup(DID, at).keys
    assert (current.signer.key_state, old.signer.key_state) == (KeyState.CURRENT, state)


def test_an_operators_name_leads_to_the_keys_it_stands_for() -> None:
    keys = KeyBook()
    keys.pin("agent", ALICE.public)
    keys.name("agent", "Alice")
    keys.name("did:web:nobody.example", "Bob")
    (signer,) = keys.called("aLICE", 0.0)
    assert (signer.id, signer.name) == ("agent", "Alice")
    assert keys.called("Bob", 0.0) == keys.called("Carol", 0.0) == ()
    keys.name("agent", "")
    assert keys.called("Alice", 0.0) == ()
