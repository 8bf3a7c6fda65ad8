"""A spreadsheet that opens an export sees text, one record a line, and takes none of it for a formula."""

import csv
import io
import re
from pathlib import Path

import pytest
from exported import HOSTILE, SignedLog, exported, hostile_log
from hypothesis import example, given
from hypothesis import strategies as st
from piped import story

from mcpwatch.export.csv import COLUMNS, PROVEN, cell, remark

FORMULA = re.compile(r"[\s\xa0]*[=+\-@\t\r\n＝＋－＠]")


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def records(text: str) -> tuple[list[str], list[dict[str, str]]]:
    """The remarks and the records by column."""
    lines = text.split("\r\n")
    remarks = [line for line in lines if line.startswith("#")]
    names, *rows = read("\r\n".join(lines[len(remarks) :]))
    return remarks, [dict(zip(names, row, strict=True)) for row in rows]


@given(st.lists(st.text(), min_size=1, max_size=6))
@example(list(HOSTILE))
def test_any_text_is_one_cell_that_no_spreadsheet_computes(texts: list[str]) -> None:
    line = ",".join(map(cell, texts))
    assert len(line.splitlines()) <= 1
    (row,) = read(line)
    assert len(row) == len(texts)
    for text, read_back in zip(texts, row, strict=True):
        assert not FORMULA.match(read_back)
        assert read_back.isprintable()
        if text.isascii() and text.isprintable() and ";" not in text:
            assert read_back == (f"'{text}" if FORMULA.match(text) else text)


@given(st.text())
def test_any_remark_is_one_cell_that_begins_with_its_sign(text: str) -> None:
    for delimiter in ",;\t|":
        (row,) = csv.reader(io.StringIO(remark(text), newline=""), delimiter=delimiter)
        assert len(row) == 1 and row[0].startswith("# ")


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", " =1", "＝1"])
def test_what_begins_as_a_formula_is_told_from_what_does_not(text: str) -> None:
    assert cell(text) == f'"\'{text}"'
    assert cell(f"x{text}") == f'"x{text}"'


@given(st.text(st.sampled_from("a;;='\" -@,"), max_size=12))
@example(";=1+1;")
@example('x;"=1+1;')
def test_no_formula_begins_where_semicolons_part_cells(text: str) -> None:
    parts = f'"entry",{cell(text)},{cell(text)}\r\n'.split(";")
    assert not [part for part in parts[1:] if part.lstrip("\"' ")[:1] in set("=+-@")]
    assert cell("one; two - three") == '"one; two - three"'


async def test_the_columns_are_fixed_and_the_head_says_what_it_is(state_folder: Path) -> None:
    source = SignedLog(story())
    remarks, rows = records(await exported(state_folder, source, "csv"))
    assert [list(row) for row in rows] == [[*(column.name for column in COLUMNS), PROVEN]] * len(source.entries)
    assert [row["index"] for row in rows] == [str(entry.index) for entry in source.entries]
    assert {row["proven"] for row in rows} == {"yes"}
    assert {"VERIFIED", "BAD SIG", "REPLAY"} <= {row["verdict"] for row in rows}
    assert source.status.checkpoint is not None
    for line in source.status.checkpoint.note.decode().split("\n"):
        assert f"#   {line}".rstrip() in [each.rstrip() for each in remarks] or not line
    assert f"# entries: {len(rows)} from 0 to {len(rows) - 1}" in remarks
    assert any(line.startswith("# proven by the checkpoint of 2026-") for line in remarks)


async def test_what_no_checkpoint_covers_is_told(state_folder: Path) -> None:
    remarks, rows = records(await exported(state_folder, SignedLog(story(), sizes=[2], step=2), "csv"))
    assert [row["proven"] for row in rows] == ["yes", "yes", *["no"] * (len(rows) - 2)]
    assert any("NOT PROVEN" in line for line in remarks)


async def test_a_hostile_log_makes_a_table_of_text(state_folder: Path) -> None:
    source = SignedLog(hostile_log())
    text = await exported(state_folder, source, "csv")
    assert all(char.isprintable() or char in "\r\n" for char in text)
    _, rows = records(text)
    assert len(rows) == len(source.entries)
    for row in rows:
        assert not [value for value in row.values() if FORMULA.match(value)]
