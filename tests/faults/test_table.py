"""The table of faults names tests that are there."""

import ast
from pathlib import Path

import pytest
from table import ROWS, Row

TESTS = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.number))
def test_a_row_is_held_by_tests_that_are_there(row: Row) -> None:
    assert row.tests or row.scale
    for each in row.tests:
        file, _, name = each.partition("::")
        found = ast.walk(ast.parse((TESTS / file).read_text()))
        functions = {node.name for node in found if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert not name or name in functions, each


def test_no_row_is_left_out() -> None:
    assert [row.number for row in ROWS] == list(range(1, 36))
