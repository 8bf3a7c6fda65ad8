"""The tables of columns, and the small clocks beside them."""

from statistics import quantiles
from typing import TypeVar

import pytest
from msgspec import Struct
from verdicts import signer, verified
from watched import START, Stage

from mcpwatch.model.tools import Tool
from mcpwatch.watch.columns import ALERTS, IDENTITIES, LIVE, SESSIONS, TOOLS, Column, percentile
from mcpwatch.watch.rates import Rate
from mcpwatch.watch.times import clock_time, elapsed, rfc3339

T = TypeVar("T")


def test_every_column_has_a_text_for_what_its_table_holds() -> None:
    stage = Stage()
    session = stage.session()
    request = stage.request(verdict=verified(), session=session)
    rows = [request, stage.response(request), stage.answer(request), stage.end(request), stage.gateway()]
    alert = stage.alert(0)
    tool = Tool("files", "read", {}, "ab" * 32, 0, 0, calls=3, errors=1, durations=[0.1, 0.2, 0.3])
    identity = stage.state.identities[signer().id]
    for row in rows:
        assert all(isinstance(column.text(row, stage.state), str) for column in LIVE)
    assert dict(cells(SESSIONS, session, stage))["session"] == "5e551047"
    assert dict(cells(ALERTS, alert, stage))["severity"] == "HIGH"
    assert dict(cells(IDENTITIES, identity, stage))["words"] == "VERIFIED:1"
    told = dict(cells(TOOLS, tool, stage))
    assert (told["median"], told["p99"], told["failed"]) == ("200ms", "298ms", "33.3%")


def cells(table: tuple[Column[T], ...], thing: T, stage: Stage) -> list[tuple[str, str]]:
    return [(column.id, column.text(thing, stage.state)) for column in table]


@pytest.mark.parametrize("table", [LIVE, SESSIONS, ALERTS, IDENTITIES, TOOLS])
def test_ids_are_unique_and_one_column_takes_the_rest(table: tuple[Column[Struct], ...]) -> None:
    ids = [column.id for column in table]
    assert len(set(ids)) == len(ids)
    assert [column.width for column in table].count(0) == 1


def test_percentiles_of_few_values() -> None:
    assert percentile([], 95) is None
    assert percentile([2.0], 95) == 2.0
    assert percentile([1.0, 2.0, 3.0], 50) == 2.0


@pytest.mark.parametrize("number", [2, 3, 101, 200])
def test_percentiles_are_those_of_the_standard_library(number: int) -> None:
    values = [float(value * value % 97) for value in range(number)]
    cuts = quantiles(values, n=100, method="inclusive")
    assert [percentile(values, percent) for percent in range(1, 100)] == pytest.approx(cuts)


def test_times_that_no_calendar_has_are_no_error() -> None:
    for wild in (1e300, -1e300, float("inf"), float("nan")):
        assert (rfc3339(wild), clock_time(wild)) == ("", "?")
    assert rfc3339(START) == "1970-01-12T13:46:40.000000Z"
    assert (elapsed(START, START + 90), elapsed(START, START - 5)) == ("1m30s", "0s")


def test_rates_forget_after_a_minute() -> None:
    rate = Rate()
    for second in (0.2, 0.9, 1.5, 61.0):
        rate.add(100 + second)
    series = rate.series(161.5)
    assert len(series) == 60
    assert (series[-1], sum(series)) == (1, 1)
    rate.add(100.0)
    assert sum(rate.series(161.5)) == 1
    assert sum(rate.series(300)) == 0


def test_a_stretch_of_a_rate_does_not_change_once_it_is_over() -> None:
    rate = Rate()
    for second in range(100, 130):
        rate.add(second)
    over = rate.series(129.0, 5, 4)
    assert over == [5, 5, 5, 5]
    rate.add(131)
    assert rate.series(131.0, 5, 4) == [5, 5, 5, 1]
    assert rate.series(133.9, 5, 4) == [5, 5, 5, 1]
    assert rate.series(135.0, 5, 4) == [5, 5, 1, 0]
    assert sum(rate.series(131.0, 5, 1_000)) == 31


def test_rates_tell_the_mean_of_whole_seconds() -> None:
    rate = Rate()
    for second in range(10):
        rate.add(second, 10)
    assert rate.per_second(9.5) == 10
    assert rate.series(9.5)[-10:] == [10] * 10
