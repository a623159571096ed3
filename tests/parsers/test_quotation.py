"""Promises of `split_reply` on any text: it never raises, keeps what was written, and takes linear time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.quotation import split_reply
from parsers.quotation_html import read_html

LINES = st.sampled_from(
    [
        "好的",
        "> quoted",
        ">> deeper",
        "",
        "On Mon, 4 Mar 2024 at 9:00 K <k@x.example> wrote:",
        "发件人: 王珂 <w@x.example>",
        "发送时间: 2024年3月5日 9:12",
        "主题: x",
        "-- ",
        "-----Original Message-----",
        "Sent from my iPhone",
        "From: a",
        "&gt; x",
        "| 发件人 | x |",
        "______",
        "wrote:",
        "> wrote:",
    ]
)


@given(st.text())
def test_no_text_makes_it_raise(text: str) -> None:
    split_reply(text)


@given(st.lists(LINES, max_size=25))
def test_every_written_or_quoted_line_is_in_one_of_the_three(rows: list[str]) -> None:
    parted = split_reply("\n".join(rows))
    together = f"{parted.reply}\n{parted.quoted}\n{parted.signature}"
    assert all(row.strip() in together for row in rows)


@given(st.lists(LINES, min_size=1, max_size=12))
def test_quoting_a_text_once_more_leaves_nothing_written(rows: list[str]) -> None:
    marked = "\n".join(f"> {row}" for row in rows)
    assert split_reply(f"收到\n\n在 2024年3月5日 9:12，王珂 <w@x.example> 写道：\n\n{marked}").reply == "收到"


@given(st.text(alphabet="<>/ abdivquoteclass=\"'gmail_-", max_size=200))
def test_no_html_makes_it_raise(html: str) -> None:
    read_html(f'<div class="gmail_quote">{html}<blockquote type="cite">{html}')


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ("one long line", "a " * 50_000),
        ("one line of colons", "主题:" * 30_000),
        ("one line of senders", "From: " * 20_000),
        ("a deep mark", ">" * 100_000),
        ("two megabytes of quotation", "> hello world this is a line\n" * 75_000),
        ("labels without end", "主题: a\n发件人: b\n" * 60_000),
        ("attributions without end", "On x wrote:\n" * 100_000),
        ("markers without end", "原始邮件\n" * 100_000),
        ("delimiters without end", "--\n" * 100_000),
        ("answers without end", "> a\nb\n" * 60_000),
        ("brackets", "<" * 100_000 + " wrote:"),
        ("disclaimers", "this e-mail is confidential " * 40_000),
    ],
)
def test_hostile_shapes_take_linear_time(shape: str, text: str) -> None:
    began = time.process_time()
    split_reply(text)
    assert time.process_time() - began < 2.5, shape


def test_a_hostile_html_takes_linear_time() -> None:
    began = time.process_time()
    read_html('<div class="gmail_quote"><blockquote>' * 3_000 + "x")
    read_html("<div>" * 20_000 + '<hr><div class="quote">x')
    assert time.process_time() - began < 2.5


def test_a_prompt_or_a_comparison_is_no_quotation() -> None:
    for text in (">>> print(1)\n1", "目标：\n>500 万曝光\n以上", "see\n<https://x.example/a\n> for more"):
        assert split_reply(text).reply == text


def test_groupwise_heads_an_unmarked_quotation() -> None:
    assert split_reply("ok\n\n>>> Kay Wong <kay@northlight.example> 03/05/24 9:12 AM >>>\nold text").reply == "ok"


def test_a_help_desks_line_ends_the_reply() -> None:
    assert split_reply("Done.\n\n##- Please type your reply above this line -##\n\nTicket 5").reply == "Done."
