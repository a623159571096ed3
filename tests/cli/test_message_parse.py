"""`assistant message parse`: a mail as it is read, shown so that nothing in it can play with the terminal."""

from __future__ import annotations

import json
from pathlib import Path

from tests.offices import command

HEAD = "From: =?utf-8?B?546L54+C?= <wangke@client.example>\nTo: lina@agency.example\nDate: Mon, 06 May 2024 14:22:00 +0800\nMessage-ID: <m@client.example>\n"
ANSWER = (
    HEAD
    + "Subject: Re: Dates\nIn-Reply-To: <a@agency.example>\nContent-Type: text/plain; charset=utf-8\n\n"
    + "可以，周三。\n\n发自我的iPhone\n\n发件人: 李娜 <lina@agency.example>\n发送时间: 2024年5月5日 14:22\n收件人: 王珂\n主题: Dates\n\n周三可以吗？\n"
)


def _shown(folder: Path, raw: str, *words: str) -> str:
    path = folder / "mail.eml"
    path.write_bytes(raw.encode("utf-8", "surrogateescape"))
    outcome = command(None, "message", "parse", *words, str(path))
    assert outcome.status == 0
    return outcome.out


def test_it_shows_what_was_kept_and_what_was_cut_and_why(tmp_path: Path) -> None:
    out = _shown(tmp_path, ANSWER)
    kept, _, cut = out.partition("signature (cut)")
    assert "newly written (kept)" in kept
    assert "可以，周三。" in kept
    assert "发自我的iPhone" not in kept
    assert "quoted (cut: a header stands over it)" in cut
    assert "周三可以吗？" in cut
    assert "王珂 <wangke@client.example>" in kept
    assert "Dates (reply)" in kept


def test_it_names_the_client_whose_html_was_cut(tmp_path: Path) -> None:
    html = '<div>Fine.</div><div class="gmail_quote"><blockquote class="gmail_quote">Wednesday?</blockquote></div>'
    out = _shown(tmp_path, f"{HEAD}Subject: x\nContent-Type: text/html\n\n{html}\n")
    assert "quoted (cut: the structure of gmail's HTML)" in out
    assert "Fine." in out
    assert "<div" not in out


def test_it_says_if_nothing_was_newly_written(tmp_path: Path) -> None:
    out = _shown(tmp_path, f"{HEAD}Subject: x\n\n> Wednesday?\n> Tom\n")
    assert "(nothing: all of the text is quoted)" in out


def test_defects_are_listed_with_their_place(tmp_path: Path) -> None:
    raw = HEAD.encode() + b"Subject: x\nContent-Type: text/plain; charset=utf-8\n\n" + "报价已收到".encode("gb18030")
    path = tmp_path / "mail.eml"
    path.write_bytes(raw)
    out = command(None, "message", "parse", str(path)).out
    assert "defect        charset-wrong in body" in out
    assert "报价已收到" in out


def test_a_forward_shows_who_wrote_first(tmp_path: Path) -> None:
    text = "FYI\n\n---------- Forwarded message ---------\nFrom: Tom Reed <tom@client.example>\nDate: Mon, May 6, 2024 at 2:22 PM\nSubject: Dates\nTo: Li Na <lina@agency.example>\n\nWednesday?\n"
    out = _shown(tmp_path, f"{HEAD}Subject: Fwd: Dates\n\n{text}")
    assert "Tom Reed <tom@client.example> 2024-05-06 14:22:00" in out.partition("forwarded")[2]


def test_nothing_in_a_mail_reaches_the_terminal_as_a_command(tmp_path: Path) -> None:
    nasty = "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b2J bell\x07 \u202egpj.exe back\x08\x08"
    out = _shown(
        tmp_path, f"{HEAD}Subject: {nasty}\nContent-Type: text/plain; charset=utf-8\n\n[bold]hello[/bold] {nasty}\n"
    )
    assert "[bold]hello[/bold] red" in out
    assert not set(out) & set("\x1b\x07\x08\x9b\u202e")
    assert "[31m" not in out.partition("newly written")[2]


def test_json_keeps_every_fact_and_escapes_what_a_terminal_obeys(tmp_path: Path) -> None:
    out = _shown(tmp_path, f"{HEAD}Subject: x\nContent-Type: text/plain; charset=utf-8\n\na\u202eb\x85c\n", "--json")
    assert "\u202e" not in out
    message = json.loads(out)
    assert message["text"] == "a\u202eb\x85c"
    assert message["cut_by"] == ""


def test_a_long_quotation_is_shortened_and_says_by_how_much(tmp_path: Path) -> None:
    out = _shown(tmp_path, f"{HEAD}Subject: x\n\nYes.\n\n" + "".join(f"> line {number}\n" for number in range(100)))
    assert "… 60 more lines" in out
