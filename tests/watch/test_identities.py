"""Identities gather what was proven under them, and forgeries add nothing but their count."""

from msgspec import structs
from verdicts import judged, signer, verified
from watched import Stage

from mcpwatch.model.identity import KeyState, Resolution, ServerProof, SignatureState, Word
from mcpwatch.watch.identities import Identities
from mcpwatch.watch.identity import Kind


def test_a_signer_gathers_sessions_tools_servers_and_claimed_names() -> None:
    stage = Stage()
    for key, client, tool in (("s1", "one 1.0", "read"), ("s2", "two 1.0", "read"), ("s2", "two 1.0", "write")):
        stage.request(tool, verdict=verified("alice"), session=stage.session(key, client=client))
    alice = stage.state.identities[signer("alice").id]
    assert list(alice.keys) == [signer("alice").fingerprint]
    assert alice.sessions == {("", "s1"), ("", "s2")}
    assert alice.tools == {"read": 2, "write": 1}
    assert alice.upstreams == {"files"}
    assert alice.claimed_names == {"one 1.0", "two 1.0"}
    assert (alice.first_index, alice.last_index, alice.proven) == (0, 2, 3)


def test_a_forged_signature_shows_as_a_word_and_as_nothing_else() -> None:
    stage = Stage()
    stage.request("steal", verdict=judged(Word.BAD_SIG, "alice"), session=stage.session("s1"))
    alice = stage.state.identities[signer("alice").id]
    assert alice.words == {Word.BAD_SIG: 1}
    assert (alice.proven, alice.fingerprint, alice.sessions, alice.tools) == (0, "", set(), {})


def test_a_new_key_is_kept_beside_the_old_ones() -> None:
    stage = Stage()
    times = []
    for name in ("a", "b", "a"):
        rotated = structs.replace(signer("alice"), fingerprint=name)
        times.append(stage.request(verdict=structs.replace(verified("alice"), signer=rotated)).time)
        stage.wait(10)
    alice = stage.state.identities[signer("alice").id]
    assert (list(alice.keys), alice.fingerprint) == (["a", "b"], "a")
    assert alice.key is alice.keys["a"]
    first, second = alice.keys.values()
    assert (first.first_index, first.first_time, first.last_time) == (0, times[0], times[2])
    assert (second.first_index, second.first_time, second.last_time) == (1, times[1], times[1])


def test_a_key_has_been_in_use_since_the_request_that_was_judged_late() -> None:
    stage = Stage()
    waited = stage.request(verdict=judged(Word.NO_CHECK, "alice", SignatureState.UNRESOLVABLE))
    stage.wait(10)
    stage.request(verdict=verified("alice"))
    stage.state.rejudge(structs.replace(waited.seen, verdict=verified("alice")))
    key = stage.state.identities[signer("alice").id].key
    assert key is not None and (key.first_index, key.first_time) == (0, waited.time)


def test_a_server_is_another_party_than_the_agent_even_under_one_id() -> None:
    stage = Stage()
    asked = stage.request(verdict=verified("alice"), session=stage.session("s1"))
    answer = stage.response(asked)
    proof = ServerProof(Word.VERIFIED, "mcp-i", signer("alice"))
    waiting = ServerProof(Word.NO_CHECK, "mcp-i", signer("alice"), "its key is being fetched", True)
    stage.state.prove(answer.index, "", waiting)
    server, agent = stage.state.servers[signer("alice").id], stage.state.identities[signer("alice").id]
    assert (server.kind, server.proven, server.upstreams) == (Kind.SERVER, 0, set())
    stage.state.prove(answer.index, "", proof)
    assert (server.proven, server.upstreams, +server.words) == (1, {"files"}, {Word.VERIFIED: 1})
    assert (agent.kind, agent.proven, agent.first_index) == (Kind.AGENT, 1, 0)


def test_an_alert_is_about_who_signed_what_it_rests_on() -> None:
    stage = Stage()
    row = stage.request(verdict=judged(Word.BAD_SIG, "alice"))
    stage.request(verdict=verified("bob"))
    alert = stage.alert(row.index)
    assert list(stage.state.identities[signer("alice").id].alerts) == [alert.id]
    assert not stage.state.identities[signer("bob").id].alerts


def test_a_name_that_the_operator_gave_belongs_to_one_whatever_others_claim() -> None:
    stage = Stage()
    ledger = structs.replace(verified("alice"), signer=structs.replace(signer("alice"), name="Ledger"))
    stage.request(verdict=ledger, session=stage.session("s1", client="Ledger 1.0"))
    stage.request(verdict=verified("mallory"), session=stage.session("s2", client="ledger 2.1"))
    names = stage.state.names
    assert names.owner("LEDGER v3") == signer("alice").id
    assert names.claimants("ledger") == 2
    renamed = structs.replace(verified("alice"), signer=structs.replace(signer("alice"), name="books"))
    stage.request(verdict=renamed)
    assert (names.owner("ledger"), names.owner("books")) == ("", signer("alice").id)


def test_who_is_dropped_leaves_no_name_behind() -> None:
    stage = Stage()
    identities = Identities(limit=1)
    identities.observe(stage.request(verdict=verified("alice"), session=stage.session("s1", client="one")))
    identities.observe(stage.request(verdict=verified("bob"), session=stage.session("s1", client="two")))
    assert (identities.names.claimants("one"), identities.names.claimants("two")) == (0, 1)


def test_a_flood_of_made_up_ids_drops_none_that_was_proven() -> None:
    stage = Stage()
    identities = Identities(limit=20)
    identities.observe(stage.request(verdict=verified("alice")))
    for number in range(100):
        identities.observe(stage.request(verdict=judged(Word.UNKNOWN_KEY, f"made up {number}")))
    assert len(identities.all) <= 20
    assert signer("alice").id in identities.all
    assert signer("made up 99").id in identities.all


def test_an_identity_goes_when_its_last_request_turns_out_to_be_anothers() -> None:
    stage = Stage()
    bare = signer("bare")
    rows = []
    for _ in range(2):
        rows.append(stage.request("read", verdict=judged(Word.NO_CHECK, "bare", SignatureState.UNRESOLVABLE)))
        stage.wait(10)
    alert = stage.alert(rows[0].index)
    stage.state.rejudge(structs.replace(rows[0].seen, verdict=verified("alice")))
    assert +stage.state.identities[bare.id].words == {Word.NO_CHECK: 1}
    stage.state.rejudge(structs.replace(rows[1].seen, verdict=verified("alice")))
    assert list(stage.state.identities) == [signer("alice").id]
    alice = stage.state.identities[signer("alice").id]
    assert (alice.first_time, alice.last_time, alice.last_index) == (rows[0].time, rows[1].time, rows[1].index)
    assert list(alice.alerts) == [alert.id]


def test_a_server_goes_when_its_only_answer_turns_out_to_be_anothers() -> None:
    stage = Stage()
    answer = stage.response(stage.request())
    stage.state.prove(answer.index, "", ServerProof(Word.NO_CHECK, "mcp-i", signer("bare"), "no key", True))
    stage.state.prove(answer.index, "", ServerProof(Word.VERIFIED, "mcp-i", signer("alice")))
    assert list(stage.state.servers) == [signer("alice").id]


def test_a_request_that_is_judged_again_counts_once() -> None:
    stage = Stage()
    row = stage.request("read", verdict=verified("alice"), session=stage.session("s1"))
    renamed = structs.replace(verified("alice"), signer=structs.replace(signer("alice"), name="Alice"))
    stage.state.rejudge(structs.replace(row.seen, verdict=renamed))
    alice = stage.state.identities[signer("alice").id]
    assert (alice.tools, alice.proven, +alice.words) == ({"read": 1}, 1, {Word.VERIFIED: 1})


def test_an_identity_whose_only_proof_falls_has_no_key_any_more() -> None:
    stage = Stage()
    row = stage.request("read", verdict=verified("alice"), session=stage.session("s1", client="one"))
    unknown = structs.replace(signer("alice"), fingerprint="", resolution=Resolution.NONE, key_state=KeyState.UNKNOWN)
    again = structs.replace(judged(Word.UNKNOWN_KEY, "alice", SignatureState.UNRESOLVABLE), signer=unknown)
    stage.state.rejudge(structs.replace(row.seen, verdict=again))
    alice = stage.state.identities[signer("alice").id]
    assert (alice.proven, alice.fingerprint, alice.resolution, alice.key_state) == (
        0,
        "",
        Resolution.NONE,
        KeyState.UNKNOWN,
    )
    assert not (alice.keys or alice.tools or alice.sessions or alice.upstreams or alice.claimed_names)
    assert stage.state.names.claimants("one") == 0


def test_a_request_that_is_judged_late_does_not_bring_back_an_older_key() -> None:
    stage = Stage()
    waited = stage.request(verdict=judged(Word.NO_CHECK, "alice", SignatureState.UNRESOLVABLE))
    stage.wait(10)
    stage.request(verdict=verified("alice"))
    older = structs.replace(signer("alice"), fingerprint="older", key_state=KeyState.SUPERSEDED)
    stage.state.rejudge(structs.replace(waited.seen, verdict=structs.replace(verified("alice"), signer=older)))
    alice = stage.state.identities[signer("alice").id]
    assert (alice.fingerprint, alice.key_state) == (signer("alice").fingerprint, signer("alice").key_state)
    assert set(alice.keys) == {"older", signer("alice").fingerprint}
