"""The graph: the shortest way over good vouches, and no other."""

from collections.abc import Callable, Iterable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from signed import NOW
from vouching import agent, checked, vouch

from mcpwatch.identity.trust import MAX_EACH, MAX_HOPS, TrustGraph
from mcpwatch.identity.vouches import Checked, Vouch

KEYS = [agent(f"agent {number}") for number in range(8)]
IDS = [key.did_aip for key in KEYS]
ROOTS = {IDS[0]}
edges = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7), st.sampled_from(["ok", "forged", "old"])), max_size=24)


def said(voucher: int, target: int, expires: float | None = None) -> Checked:
    return checked(vouch(KEYS[voucher], IDS[target], expires=expires), KEYS[voucher])


def graph(*vouches: Checked) -> TrustGraph:
    made = TrustGraph()
    for target in dict.fromkeys(one.vouch.target for one in vouches):
        made.put(target, [one for one in vouches if one.vouch.target == target])
    return made


def way(made: TrustGraph, id: int, roots: Iterable[str] = ROOTS, **more: set[str]) -> list[str]:
    """The identities on the path, from the root on."""
    path = made.path(set(roots), IDS[id], NOW, **more)
    assert all(before.target == after.voucher for before, after in pairwise(path))
    assert not path or path[-1].target == IDS[id]
    return [step.voucher for step in path]


def test_the_shortest_way_is_taken() -> None:
    made = graph(said(0, 1), said(1, 2), said(2, 3), said(1, 3))
    assert way(made, 3) == [IDS[0], IDS[1]]
    assert way(made, 1) == [IDS[0]]
    assert way(made, 0) == []


def test_no_way_leads_from_nobody() -> None:
    made = graph(said(0, 1), said(1, 2))
    assert way(made, 2, roots=()) == way(made, 2, roots=[IDS[5]]) == []


def test_a_step_bears_every_scope_that_counts() -> None:
    key = KEYS[0]
    expired = vouch(key, IDS[1], "FINANCIAL", expires=NOW - 1)
    scopes = [checked(one, key) for one in (vouch(key, IDS[1]), vouch(key, IDS[1], "CODE_SIGNING"), expired)]
    (step,) = graph(*scopes).path(ROOTS, IDS[1], NOW)
    assert step.scopes == ("GENERAL", "CODE_SIGNING")


def test_the_registrys_welcome_leads_nowhere() -> None:
    made = graph(said(0, 1), said(1, 2))
    assert way(made, 2, ignored={IDS[1]}) == way(made, 2, ignored={IDS[0]}) == []
    assert made.steps(IDS[1], NOW, {IDS[0]}) == ()


def test_what_is_listed_no_longer_is_revoked() -> None:
    made = graph(said(0, 1), said(2, 1))
    made.put(IDS[1], [said(2, 1)])
    assert way(made, 1) == []
    faults = {step.voucher: step.fault for step in made.steps(IDS[1], NOW)}
    assert faults[IDS[2]] == "" and "revoked" in faults[IDS[0]]


def test_what_ran_out_since_leads_nowhere() -> None:
    made = graph(said(0, 1, expires=NOW + 5))
    assert made.path(ROOTS, IDS[1], NOW) and not made.path(ROOTS, IDS[1], NOW + 5)
    assert "run out" in made.steps(IDS[1], NOW + 5)[0].fault


def test_a_vouch_filed_under_somebody_else_leads_nowhere() -> None:
    made = TrustGraph()
    made.put(IDS[2], [said(0, 1)])
    assert way(made, 2) == way(made, 1) == []


def test_a_ring_ends() -> None:
    made = graph(*(said(number, (number + 1) % 7 + 1) for number in range(1, 8)))
    assert all(way(made, number) == [] for number in range(1, 8))


def test_a_way_has_an_end() -> None:
    chain = [agent(f"link {number}") for number in range(MAX_HOPS + 2)]
    made = TrustGraph()
    for voucher, target in pairwise(chain):
        made.put(target.did_aip, [checked(vouch(voucher, target.did_aip), voucher)])
    roots = {chain[0].did_aip}
    assert len(made.path(roots, chain[MAX_HOPS].did_aip, NOW)) == MAX_HOPS
    assert made.path(roots, chain[MAX_HOPS + 1].did_aip, NOW) == ()


@given(edges)
def test_a_path_has_good_vouches_only_and_is_found_when_there_is_one(drawn: list[tuple[int, int, str]]) -> None:
    make: dict[str, Callable[[int, int], Checked]] = {
        "ok": said,
        "forged": lambda voucher, target: checked(vouch(KEYS[voucher], IDS[target]), KEYS[(voucher + 1) % 8]),
        "old": lambda voucher, target: said(voucher, target, expires=NOW - 1),
    }
    made = graph(*(make[kind](voucher, target) for voucher, target, kind in drawn))
    good = {(voucher, target) for voucher, target, kind in drawn if kind == "ok" and voucher != target}
    distance, frontier = {0: 0}, [0]
    for here in frontier:
        for voucher, target in sorted(good):
            if voucher == here and target not in distance:
                distance[target] = distance[here] + 1
                frontier.append(target)
    for id in range(1, 8):
        path = way(made, id)
        length = distance.get(id, 99)
        assert len(path) == (length if length <= MAX_HOPS else 0)
        assert all((IDS.index(a), IDS.index(b)) in good for a, b in pairwise([*path, IDS[id]] if path else []))


@given(edges, st.integers(0, 23))
def test_a_path_does_not_survive_the_loss_of_all_its_steps(drawn: list[tuple[int, int, str]], which: int) -> None:
    made = graph(*(said(voucher, target) for voucher, target, _ in drawn))
    id = which % 8
    path = made.path(ROOTS, IDS[id], NOW)
    for step in path:
        made.put(step.target, [])
    assert not path or way(made, id) == []


def hostile(number: int) -> Checked:
    """A vouch in a crowd where everybody vouches for everybody; what its signature is worth was settled before."""
    voucher, target = f"did:aip:{number % 150:032x}", f"did:aip:{number * 7 % 151:032x}"
    return Checked(Vouch(str(number), voucher, target, "GENERAL", "", NOW, None, b""), key=KEYS[0].public)


def test_a_hostile_crowd_of_ten_thousand_costs_one_look_each() -> None:
    made, looked = TrustGraph(), 0
    for target in {hostile(number).vouch.target for number in range(151)}:
        made.put(target, [one for number in range(10_000) if (one := hostile(number)).vouch.target == target])
    assert 150 * MAX_EACH <= len(made) <= 10_000

    class Counting(set[str]):
        def __contains__(self, item: object) -> bool:
            nonlocal looked
            looked += 1
            return super().__contains__(item)

    assert made.path(Counting({IDS[0]}), f"did:aip:{5:032x}", NOW) == ()
    assert 0 < looked <= 151


def test_memory_is_bounded() -> None:
    made = TrustGraph(limit=100)
    for number in range(300):
        target = f"did:aip:{number:032x}"
        made.put(
            target, [replace(hostile(each), vouch=replace(hostile(each).vouch, id=str(each))) for each in range(90)]
        )
    assert len(made) <= 100
    for number in range(300):
        made.put(f"did:aip:{number:032x}", [])
    assert len(made) == 0
