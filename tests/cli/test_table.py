"""Listings fit the terminal: what is worth nothing when cut stays whole, texts are cut, extras are left out first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.cli.output import listing
from assistant.cli.table import SEPARATOR, layout

COLUMNS = ("id", "sent_at", "client", "project", "stage", "stage_confidence", "intents", "summary")
ROW = {
    "id": 17,
    "sent_at": "2026-02-24 10:00",
    "client": "杭州云岫茶业有限公司",
    "project": "China launch campaign: adjusted proposal and estimate",
    "stage": "relationship",
    "stage_confidence": 0.93,
    "intents": ["question", "change_request"],
    "summary": "第一行\n第二行 with more than anybody can read in a listing of one line",
}


@pytest.mark.parametrize("width", [80, 100, 200])
def test_a_row_is_one_line_that_fits(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rich.cells import cell_len

    monkeypatch.setenv("COLUMNS", str(width))
    listing([ROW, ROW], COLUMNS, as_json=False, empty="")
    out, err = capsys.readouterr()
    lines = out.rstrip().splitlines()
    assert all(cell_len(line.rstrip()) <= width for line in lines)
    assert sum("2026-02-24 10:00" in line and "relationship" in line for line in lines) == 2
    assert ("No room for: stage confidence" in err) == (width <= 100)


def test_on_a_pipe_nothing_need_be_left_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    listing([ROW], COLUMNS, as_json=False, empty="")
    out, err = capsys.readouterr()
    assert str(ROW["project"]) in out
    assert "question, change_request" in out
    assert err == ""


@given(
    st.lists(st.tuples(st.text(max_size=80), st.text(max_size=80), st.sampled_from(("–", "queued", "17"))), min_size=1),
    st.integers(min_value=70, max_value=200),
)
def test_whatever_the_cells_hold_the_layout_fits(rows: list[tuple[str, str, str]], width: int) -> None:
    cells = [[one.replace("\n", " "), two.replace("\r", " "), three] for one, two, three in rows]
    laid = layout(("subject", "client", "state"), cells, width)
    assert sum(laid.widths) + SEPARATOR * len(laid.widths) <= width
    assert laid.left_out == ()
    assert laid.widths[2] >= max(len(row[2]) for row in cells)
