"""The service: what is asked, when, and where trust stands after honest, lying, stalling and hostile answers."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import httpx
import pytest
from signed import ALICE, BOB, NOW
from small_registry import ADDRESS, SmallRegistry
from vouching import agent, checked, vouch

from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.resolvers.trust import MAX_IDENTITIES, RETRY_S, Trust
from mcpwatch.identity.resolvers.vouching import BURST, MAX_CHECKED, MAX_TARGETS, REFRESH_S
from mcpwatch.model.trust import Asserted, Standing

ROOT, SYSTEM, CAROL = agent("root"), agent("system"), agent("carol")
DID = BOB.did_aip


class Rig:
    """A service with a registry, and a clock that moves only by hand or while the service pauses."""

    def __init__(self, *roots: str) -> None:
        self.registry = SmallRegistry()
        self.registry.register(ROOT, SYSTEM, ALICE, BOB, CAROL)
        self.registry.system = SYSTEM.did_aip
        for welcomed in (ROOT, ALICE, BOB, CAROL):
            self.registry.add(vouch(SYSTEM, welcomed.did_aip, statement="Welcome"))
        self.keys = KeyBook()
        self.now = 0.0
        self.seen = [DID]
        self.after_pause: Callable[[], None] = lambda: None
        self.trust = Trust(
            self.keys,
            ADDRESS,
            roots or (ROOT.did_aip,),
            self.registry.fetcher(self.time),
            seen=lambda: self.seen,
            clock=self.time,
            wall=lambda: NOW + self.now,
            pause=self.pause,
        )

    def time(self) -> float:
        return self.now

    async def pause(self, seconds: float) -> None:
        self.now += seconds
        self.after_pause()
        await asyncio.sleep(0)

    async def look(self, id: str = DID) -> Standing:
        await self.trust.look(id)
        return self.trust.standing(id)

    async def serve(self, seconds: float) -> None:
        """Let the service run for so long by its own clock."""
        end = self.now + seconds

        def stop() -> None:
            if self.now >= end:
                raise asyncio.CancelledError

        self.after_pause = stop
        with suppress(asyncio.CancelledError):
            await self.trust.run()
        self.after_pause = lambda: None


async def test_a_path_of_two_steps() -> None:
    rig = Rig()
    rig.registry.add(vouch(ROOT, ALICE.did_aip, "IDENTITY"), vouch(ALICE, DID, "CODE_SIGNING", statement="my builder"))
    standing = await rig.look()
    assert [(step.voucher, step.scopes, step.fault) for step in standing.path] == [
        (ROOT.did_aip, ("IDENTITY",), ""),
        (ALICE.did_aip, ("CODE_SIGNING",), ""),
    ]
    assert standing.path[1].statement == "my builder"
    assert standing.asserted == Asserted(True, 2, ("CODE_SIGNING", "GENERAL"))
    assert (standing.asked, standing.failure, standing.reason) == (NOW, "", "")


async def test_the_welcome_counts_for_nothing() -> None:
    for roots in ((ROOT.did_aip,), (SYSTEM.did_aip,)):
        standing = await Rig(*roots).look()
        assert standing.path == standing.vouches == ()
        assert standing.asserted == Asserted(True, 1, ("GENERAL",))
        assert "from a root" in standing.reason


async def test_a_root_needs_no_path() -> None:
    standing = await Rig().look(ROOT.did_aip)
    assert standing.is_root and not standing.path and not standing.reason


async def test_whom_nobody_asked_about() -> None:
    rig = Rig()
    assert "seen signing" in rig.trust.standing(CAROL.did_aip).reason
    assert "did:aip" in rig.trust.standing(BOB.did_key).reason
    assert rig.registry.asked == []


async def test_a_vouch_by_a_key_that_was_replaced_since_holds() -> None:
    rig = Rig()
    rig.registry.add(vouch(ROOT, DID))
    rig.registry.rotate(ROOT.did_aip, agent("root, later"), NOW - 60)
    (step,) = (await rig.look()).path
    assert not step.key_asserted


async def test_a_vouch_by_a_later_key_rests_on_the_registrys_word() -> None:
    rig = Rig()
    later = agent("root, later")
    rig.registry.rotate(ROOT.did_aip, later, NOW - 7_200)
    rig.registry.add(vouch(later, DID, name=ROOT.did_aip))
    (step,) = (await rig.look()).path
    assert step.key_asserted


async def test_a_pinned_key_is_the_only_one_that_counts() -> None:
    rig = Rig()
    rig.keys.pin(ROOT.did_aip, CAROL.public)
    rig.registry.add(vouch(ROOT, DID))
    standing = await rig.look()
    assert standing.path == ()
    assert "does not verify" in standing.vouches[0].fault
    assert rig.registry.count("/verify") == 0


async def test_a_key_pinned_since_is_the_only_one_that_counts_at_the_next_look() -> None:
    rig = Rig()
    rig.registry.add(vouch(ROOT, DID))
    assert (await rig.look()).path
    rig.keys.pin(ROOT.did_aip, CAROL.public)
    rig.now += REFRESH_S
    standing = await rig.look()
    assert standing.path == ()
    assert "does not verify" in standing.vouches[0].fault


async def test_a_vouchers_keys_are_asked_for_once_however_many_of_its_vouches_do_not_hold() -> None:
    rig = Rig()
    forged = [vouch(CAROL, DID, name=ALICE.did_aip, statement=str(number)) for number in range(MAX_CHECKED)]
    rig.registry.add(*forged)
    assert len((await rig.look()).vouches) == MAX_CHECKED
    assert rig.registry.count("/verify") == 1
    rig.now += REFRESH_S
    await rig.look()
    assert rig.registry.count("/verify") == 2


async def test_a_rotation_that_was_missed_is_asked_for() -> None:
    rig = Rig()
    rig.registry.add(vouch(ROOT, DID, id="first"))
    assert len((await rig.look()).path) == 1
    later = agent("root, later")
    rig.registry.rotate(ROOT.did_aip, later, NOW + 10)
    rig.registry.vouches.pop("first")
    rig.now = REFRESH_S
    rig.registry.add(vouch(later, DID, name=ROOT.did_aip, created=NOW + 20))
    assert [step.fault for step in (await rig.look()).path] == [""]


async def test_a_forged_vouch_is_shown_with_its_fault() -> None:
    rig = Rig()
    rig.registry.add(vouch(CAROL, DID, name=ROOT.did_aip))
    standing = await rig.look()
    assert standing.path == ()
    assert [(step.voucher, "does not verify" in step.fault) for step in standing.vouches] == [(ROOT.did_aip, True)]


async def test_a_revocation_anywhere_on_the_path_is_seen_at_the_next_look() -> None:
    for revoked in ("first", "second"):
        rig = Rig()
        rig.registry.add(vouch(ROOT, ALICE.did_aip, id="first"), vouch(ALICE, DID, id="second"))
        assert len((await rig.look()).path) == 2
        del rig.registry.vouches[revoked]
        rig.now += REFRESH_S
        assert (await rig.look()).path == ()


async def test_a_vouch_runs_out_between_two_looks() -> None:
    rig = Rig()
    rig.registry.add(vouch(ROOT, DID, expires=NOW + 30))
    assert len((await rig.look()).path) == 1
    rig.now = 31.0
    standing = rig.trust.standing(DID)
    assert standing.path == () and "run out" in standing.vouches[0].fault


async def test_a_registry_that_is_down_evicts_nothing() -> None:
    rig = Rig()
    rig.registry.add(vouch(ROOT, DID))
    rig.registry.is_down = True
    standing = await rig.look()
    assert (standing.path, standing.asked) == ((), None)
    assert "cannot be reached" in standing.failure and "not answered" in standing.reason
    rig.registry.is_down = False
    assert len((await rig.look()).path) == 1
    rig.registry.is_down, rig.now = True, REFRESH_S
    standing = await rig.look()
    assert (len(standing.path), standing.asked) == (1, NOW)
    assert "cannot be reached" in standing.failure


async def test_a_registry_that_wants_to_be_left_alone_is() -> None:
    rig = Rig()
    rig.registry.answers["/"] = httpx.Response(429, headers={"retry-after": "300"})
    await rig.serve(250.0)
    assert len(rig.registry.asked) == 1
    rig.registry.answers.clear()
    await rig.serve(100.0)
    assert rig.trust.standing(DID).asked is not None


async def test_everybody_is_looked_at_once_in_a_period_and_never_because_of_a_reader() -> None:
    rig = Rig()
    rig.seen = [DID, ALICE.did_aip, CAROL.did_aip, BOB.did_key, "did:aip:../../x"]
    await rig.serve(REFRESH_S - 60)
    for _ in range(100):
        rig.trust.standing(DID)
    assert rig.registry.count("/trust/") == 3
    assert len(rig.registry.asked) == 1 + 1 + 3 + 3
    assert not rig.registry.count("/trust-graph?did=did%3Akey")


async def test_the_one_on_the_screen_comes_first() -> None:
    rig = Rig()
    rig.seen = [f"did:aip:{number:032x}" for number in range(20)] + [DID]
    rig.trust.standing(DID)
    await rig.serve(2.0)
    asked = [path for path in rig.registry.asked if path.startswith("/trust/")]
    assert asked[0].endswith(DID.rpartition(":")[2])


async def test_questions_are_spaced() -> None:
    rig = Rig()
    rig.seen = [f"did:aip:{number:032x}" for number in range(500)]
    await rig.serve(100.0)
    assert BURST <= len(rig.registry.asked) <= BURST + 51


async def test_identities_are_bounded() -> None:
    rig = Rig()
    rig.seen = [f"did:aip:{number:032x}" for number in range(MAX_IDENTITIES + 5)]
    await rig.serve(4.0)
    assert "seen signing" in rig.trust.standing(rig.seen[-1]).reason
    assert "not answered" in rig.trust.standing(rig.seen[-6]).reason


async def test_a_crowd_of_vouchers_does_not_hide_the_root() -> None:
    rig = Rig()
    crowd = [agent(f"crowd {number}") for number in range(200)]
    rig.registry.register(*crowd)
    rig.registry.add(*(vouch(one, DID) for one in crowd))
    rig.registry.add(vouch(ROOT, ALICE.did_aip), vouch(ALICE, DID))
    standing = await rig.look()
    assert [step.voucher for step in standing.path] == [ROOT.did_aip, ALICE.did_aip]
    assert rig.registry.count("/vouch/") <= 2 * MAX_CHECKED
    assert any("too many" in step.fault for step in standing.vouches)


async def test_a_web_of_vouchers_without_a_root_ends() -> None:
    rig = Rig()
    crowd = [agent(f"crowd {number}") for number in range(60)]
    rig.registry.register(*crowd)
    for number, one in enumerate(crowd):
        rig.registry.add(vouch(one, DID), *(vouch(one, crowd[(number + step) % 60].did_aip) for step in range(1, 5)))
    standing = await rig.look()
    assert standing.path == () and "from a root" in standing.reason
    assert rig.registry.count("/trust-graph") <= MAX_TARGETS + 1


@pytest.mark.parametrize("path", ["/health", "/trust-graph", "/vouch/", "/trust/", "/verify"])
async def test_an_answer_that_makes_no_sense_is_a_reason(path: str) -> None:
    rig = Rig()
    rig.registry.add(vouch(ROOT, DID))
    rig.registry.answers[path] = httpx.Response(200, content=b"nonsense")
    standing = await rig.look()
    assert standing.failure == "the registry's answer makes no sense"
    assert standing.asked is None
    assert bool(standing.path) is (path == "/trust/")


async def test_a_failed_look_is_tried_again() -> None:
    rig = Rig()
    rig.registry.answers["/health"] = httpx.Response(500)
    await rig.serve(RETRY_S - 1)
    assert rig.registry.count("/health") == 1
    rig.registry.answers.clear()
    await rig.serve(10.0)
    assert rig.trust.standing(DID).asked is not None


def test_the_helper_signs_what_verifies() -> None:
    assert checked(vouch(ROOT, DID), ROOT).fault == ""
