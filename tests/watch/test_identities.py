"""Identities gather what was proven under them, and forgeries add nothing but their count."""

from msgspec import structs
from verdicts import judged, signer, verified
from watched import Stage

from mcpwatch.model.identity import Word
from mcpwatch.watch.identities import Identities


def test_a_signer_gathers_sessions_tools_servers_and_claimed_names() -> None:
    stage = Stage()
    for key, client, tool in (("s1", "one 1.0", "read"), ("s2", "two 1.0", "read"), ("s2", "two 1.0", "write")):
        stage.request(tool, verdict=verified("alice"), session=stage.session(key, client=client))
    alice = stage.state.identities[signer("alice").id]
    assert alice.fingerprints == [signer("alice").fingerprint]
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
    for name in ("a", "b", "a"):
        rotated = structs.replace(signer("alice"), fingerprint=name)
        stage.request(verdict=structs.replace(verified("alice"), signer=rotated))
    alice = stage.state.identities[signer("alice").id]
    assert (alice.fingerprints, alice.fingerprint) == (["a", "b"], "a")


def test_a_flood_of_made_up_ids_drops_none_that_was_proven() -> None:
    stage = Stage()
    identities = Identities(limit=20)
    identities.observe(stage.request(verdict=verified("alice")))
    for number in range(100):
        identities.observe(stage.request(verdict=judged(Word.UNKNOWN_KEY, f"made up {number}")))
    assert len(identities.all) <= 20
    assert signer("alice").id in identities.all
    assert signer("made up 99").id in identities.all
