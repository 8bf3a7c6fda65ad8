"""The budget that all exchanges share."""

from hypothesis import given
from hypothesis import strategies as st

from mcpwatch.gateway.budget import Budget

LIMIT = 100


@given(steps=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2 * LIMIT)), max_size=40))
def test_all_together_hold_no_more_than_the_limit(steps: list[tuple[int, int]]) -> None:
    budget, shares = Budget(LIMIT), dict[int, int]()
    holders = [budget.share() for _ in range(4)]
    for who, octets in steps:
        others = sum(held for holder, held in shares.items() if holder != who)
        fits = holders[who].hold(octets)
        assert fits == (others + octets <= LIMIT)
        shares[who] = octets if fits else 0
        assert budget.held == sum(shares.values()) <= LIMIT
    for holder in holders:
        with holder:
            pass
    assert budget.held == 0
