"""How mail programs lay out a letter: the words, the signature under them, and the answered mail below, plain and HTML.

Each program quotes all it was shown, so that a long thread carries its whole past, in the manner of each of its writers.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Final

from assistant.demo.letters import Letter, Person
from assistant.demo.quote_labels import (
    ALIYUN,
    FOXMAIL,
    LARK,
    MAIL_MASTER,
    OUTLOOK_EN,
    OUTLOOK_US,
    OUTLOOK_ZH,
    OUTLOOK_ZH_HANT,
    QQ_PHONE,
    TENCENT,
    Labels,
    html_rows,
    plain_rows,
    rows_of,
    twelve,
    weekday,
    zh_date,
    zh_half,
)

_GMAIL_WIDTH: Final = 74


@dataclass(frozen=True, slots=True)
class Layout:
    """The plain text and the HTML (without html and body tags) of one letter as its program sends it."""

    plain: str
    html: str


def shown_in(letter: Letter) -> Letter | None:
    """The mail that stands below this one's words."""
    return letter.forwards or letter.answers


def own_words(letter: Letter, *, delimiter: str = "") -> str:
    """The text, the signature and the disclaimer, one blank line between them."""
    pieces = [letter.text.strip("\n")]
    if letter.signature:
        pieces.append(delimiter + letter.signature.strip("\n"))
        if letter.writer.disclaimer:
            pieces.append(letter.writer.disclaimer.strip("\n"))
    return "\n\n".join(pieces)


def _paragraphs(text: str, line: str, blank: str) -> str:
    return "\n".join(line.format(escape(row, quote=False)) if row.strip() else blank for row in text.split("\n"))


def _marked(text: str) -> str:
    return "\n".join(f"> {row}".rstrip() if not row.startswith(">") else f">{row}" for row in text.split("\n"))


# --- Outlook ------------------------------------------------------------------------------------------------------------

_MSO_LINE: Final = "<p class=MsoNormal><span style='font-size:10.5pt;font-family:\"Microsoft YaHei\",sans-serif'>{}<o:p></o:p></span></p>"
_MSO_BLANK: Final = "<p class=MsoNormal><span lang=EN-US><o:p>&nbsp;</o:p></span></p>"


def outlook(labels: Labels) -> Callable[[Letter], Layout]:
    """Outlook for Windows: rows under a thin grey border, nothing marked."""

    def lay_out(letter: Letter) -> Layout:
        words = own_words(letter)
        html = _paragraphs(words, _MSO_LINE, _MSO_BLANK)
        shown = shown_in(letter)
        if shown is None:
            return Layout(words, html)
        below = lay_out_letter(shown)
        border = (
            f"<div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'><p class=MsoNormal>"
            f"{html_rows(letter, shown, labels, '<b>{label}{colon}</b> {value}<br>')}</p></div>"
        )
        return Layout(
            f"{words}\n\n{plain_rows(letter, shown, labels)}\n\n{below.plain}",
            f"{html}\n{_MSO_BLANK}\n{border}\n{_MSO_BLANK}\n{below.html}",
        )

    return lay_out


def outlook_mobile(labels: Labels, sent_from: str) -> Callable[[Letter], Layout]:
    """Outlook on a phone or the web: a ruler, then the rows in `divRplyFwdMsg`."""

    def lay_out(letter: Letter) -> Layout:
        words = letter.text.strip("\n")
        html = _paragraphs(words, '<div dir="ltr">{}</div>', "<div><br></div>")
        plain = f"{words}\n\n{sent_from}"
        html += f'<div id="ms-outlook-mobile-signature"><div><br></div>{sent_from}</div>'
        shown = shown_in(letter)
        if shown is None:
            return Layout(plain, html)
        below = lay_out_letter(shown)
        header = html_rows(letter, shown, labels, "<b>{label}{colon}</b> {value}<br>")
        return Layout(
            f"{plain}\n{'_' * 32}\n{plain_rows(letter, shown, labels)}\n\n{below.plain}",
            f'{html}<div id="appendonsend"></div><hr style="display:inline-block;width:98%" tabindex="-1">'
            f'<div id="divRplyFwdMsg" dir="ltr"><font face="Calibri, sans-serif" style="font-size:11pt" color="#000000">'
            f"{header}</font><div>&nbsp;</div></div>{below.html}",
        )

    return lay_out


# --- Tencent ------------------------------------------------------------------------------------------------------------


def tencent(letter: Letter) -> Layout:
    """QQ Mail and Tencent Exmail on the web: a dashed mark, rows on grey; its plain form keeps `&nbsp;` as it is."""
    words = own_words(letter)
    html = _paragraphs(letter.text.strip("\n"), "<div>{}</div>", "<div><br></div>")
    if letter.signature:
        sign = _paragraphs(letter.signature.strip("\n"), "<div>{}</div>", "<div><br></div>")
        html += (
            f'<div><br></div><div class="xm_write_sign"><div style="color:#909090">------------------</div>{sign}</div>'
        )
        words = f"{letter.text.strip(chr(10))}\n\n\n------------------\n{letter.signature.strip(chr(10))}"
    shown = shown_in(letter)
    if shown is None:
        return Layout(words, html)
    below = lay_out_letter(shown)
    mark = "------------------ 原始邮件 ------------------".replace(" ", "&nbsp;")
    rows = (
        plain_rows(letter, shown, TENCENT)
        .replace("发件人: ", f"发件人:{' ' * 60}", 1)
        .replace("时间: ", "时间:&nbsp;", 1)
    )
    return Layout(
        f"{words}\n\n\n\n{mark}\n{rows}\n\n{below.plain}",
        f'{html}<div><br></div><div><!--emptysign--></div><div style="font-size: 12px;font-family: Arial Narrow;padding:2px 0 2px 0;">'
        f'{mark}</div><div style="font-size: 12px;background:#efefef;padding:8px;">'
        f"{html_rows(letter, shown, TENCENT, '<div><b>{label}{colon}</b>&nbsp;{value}</div>')}</div>"
        f"<div><br></div>{below.html}",
    )


def qq_phone(letter: Letter) -> Layout:
    """The QQ Mail app: one short line of its own, then its mark for the original."""
    words = f"{letter.text.strip(chr(10))}\n\n发自我的iPhone"
    html = (
        _paragraphs(letter.text.strip("\n"), "<div>{}</div>", "<div><br></div>")
        + "<div><br></div><div>发自我的iPhone</div>"
    )
    shown = shown_in(letter)
    if shown is None:
        return Layout(words, html)
    below = lay_out_letter(shown)
    return Layout(
        f"{words}\n\n\n------------------ Original ------------------\n{plain_rows(letter, shown, QQ_PHONE)}\n\n{below.plain}",
        f'{html}<div><br></div><div id="original-content"><div>------------------&nbsp;Original&nbsp;------------------</div>'
        f"{html_rows(letter, shown, QQ_PHONE, '<div><b>{label}{colon}</b>&nbsp;{value}</div>')}<div><br></div>{below.html}</div>",
    )


# --- Foxmail, NetEase ---------------------------------------------------------------------------------------------------


def foxmail(letter: Letter) -> Layout:
    """Foxmail: signature above, full-width colons, names without addresses."""
    words = own_words(letter)
    html = _paragraphs(letter.text.strip("\n"), "<div>{}</div>", "<div><br></div>")
    if letter.signature:
        sign = _paragraphs(letter.signature.strip("\n"), "<div>{}</div>", "<div>&nbsp;</div>")
        html += (
            '<div><br></div><hr style="width: 210px; height: 1px;" color="#b5c4df" size="1" align="left">'
            f'<div><span><div style="MARGIN: 10px; FONT-FAMILY: verdana; FONT-SIZE: 10pt">{sign}</div></span></div>'
        )
    shown = shown_in(letter)
    if shown is None:
        return Layout(words, html)
    below = lay_out_letter(shown)
    rows = html_rows(letter, shown, FOXMAIL, "<div><b>{label}{colon}</b>&nbsp;{value}</div>")
    return Layout(
        f"{words}\n\n \n{plain_rows(letter, shown, FOXMAIL)}\n{below.plain}",
        f'{html}\n<blockquote style="margin-Top: 0px; margin-Bottom: 0px; margin-Left: 0.5em"><div>&nbsp;</div>'
        f'<div style="border:none;border-top:solid #B5C4DF 1.0pt;padding:3.0pt 0cm 0cm 0cm">'
        f'<div style="PADDING: 8px;FONT-SIZE: 12px;FONT-FAMILY:tahoma;COLOR:#000000;BACKGROUND: #efefef">{rows}</div></div>'
        f"<div>{below.html}</div></blockquote>",
    )


def netease_web(letter: Letter) -> Layout:
    """163 on the web: many blank lines, an attribution with seconds, every quoted line marked."""
    words = own_words(letter, delimiter="--\n\n" if letter.signature else "")
    html = _paragraphs(words, '<div style="margin: 0;">{}</div>', '<div style="margin: 0;"><br></div>')
    shown = shown_in(letter)
    if shown is None:
        return Layout(words, html)
    below = lay_out_letter(shown)
    at = shown.at.astimezone(letter.at.tzinfo)
    said = f'在 {at:%Y-%m-%d %H:%M}:{int(shown.chance("second", 2), 16) % 60:02d}，"{shown.writer.name}" <{shown.writer.address}> 写道：'
    marked = "\n".join(f">{row}" for row in below.plain.split("\n"))
    return Layout(
        f"{words}\n\n\n\n\n\n\n\n\n{said}\n{marked}",
        f'<div style="line-height:1.7;color:#000000;font-size:14px;font-family:Arial">{html}</div><br><br>'
        f'<div style="position:relative;zoom:1"></div><div id="divNeteaseMailCard"></div>'
        f'<p style="margin: 0;"><br></p><pre>{escape(said)}</pre><blockquote id="isReplyContent" '
        f'style="PADDING-LEFT: 1ex; MARGIN: 0px 0px 0px 0.8ex; BORDER-LEFT: #ccc 1px solid">{below.html}</blockquote>',
    )


def mail_master(letter: Letter) -> Layout:
    """NetEase Mail Master: a card as signature, a table of rows as quote header."""
    card_lines = (letter.signature or f"{letter.writer.name}\n{letter.writer.address}").strip("\n").split("\n")
    card = "\n|\n|\n".join(card_lines)
    words = f"{letter.text.strip(chr(10))}\n\n\n| |\n{card}\n|\n"
    html = _paragraphs(letter.text.strip("\n"), "<div>{}</div>", "<div><br></div>")
    html += (
        '<div><br></div><div class="ntes-mailmaster-signature"><table>'
        f"{''.join(f'<tr><td>{escape(line)}</td></tr>' for line in card_lines)}</table></div>"
    )
    shown = shown_in(letter)
    if shown is None:
        return Layout(words, html)
    below = lay_out_letter(shown)
    table = "\n".join(f"| {label} | {value} |" for label, value in rows_of(letter, shown, MAIL_MASTER))
    rows = html_rows(letter, shown, MAIL_MASTER, "<tr><td>{label}</td><td>{value}</td></tr>")
    return Layout(
        f"{words}---- 回复的原邮件 ----\n{table}\n{below.plain}",
        f'{html}<div class="J-reply" style="background-color:#f2f2f2"><div style="font-size:12px">---- 回复的原邮件 ----</div>'
        f'<table>{rows}</table></div><blockquote id="ntes-pcmac-quote" class="ntes-mailmaster-quote">{below.html}</blockquote>',
    )


# --- DingTalk and Lark --------------------------------------------------------------------------------------------------


def aliyun(letter: Letter) -> Layout:
    """DingTalk's and Aliyun's mail: a long ruler and labels padded with ideographic spaces."""
    words = own_words(letter)
    html = _paragraphs(
        letter.text.strip("\n"), '<div style="clear: both;">{}</div>', '<div style="clear: both;"><br></div>'
    )
    if letter.signature:
        sign = _paragraphs(letter.signature.strip("\n"), "<div>{}</div>", "<div><br></div>")
        html += f'<div><br></div><div class="__aliyun_signature_wrap">{sign}</div>'
    shown = shown_in(letter)
    if shown is None:
        return Layout(words, f'<div class="__aliyun_email_body_block">{html}</div>')
    below = lay_out_letter(shown)
    rows = html_rows(letter, shown, ALIYUN, "{label}{colon}{value}<br>")
    return Layout(
        f"{words}\n{'-' * 66}\n{plain_rows(letter, shown, ALIYUN)}\n\n{below.plain}",
        f'<div class="__aliyun_email_body_block">{html}<div><br></div>'
        f'<blockquote class="__aliyun_previous_body_div" style="margin-right:0;margin-top:0;margin-bottom:0;">'
        f"<div>{'-' * 66}<br>{rows}</div><div><br></div>{below.html}</blockquote></div>",
    )


def lark(letter: Letter) -> Layout:
    """Lark's mail: the quotation wrapped twice, rows in grey."""
    words = own_words(letter)
    html = _paragraphs(letter.text.strip("\n"), "<div>{}</div>", "<div><br></div>")
    if letter.signature:
        sign = _paragraphs(letter.signature.strip("\n"), "<div>{}</div>", "<div><br></div>")
        html += f'<div><br></div><div id="lark-mail-signature" class="lark-mail-signature">{sign}</div>'
    shown = shown_in(letter)
    if shown is None:
        return Layout(words, html)
    below = lay_out_letter(shown)
    rows = html_rows(
        letter, shown, LARK, '<div style="word-break: break-word;"><span>{label}{colon} </span>{value}</div>'
    )
    return Layout(
        f"{words}\n\n{plain_rows(letter, shown, LARK)}\n\n{below.plain}",
        f'{html}<div class="history-quote-wrapper" id="lark-mail-quote-{letter.chance("lark", 9)}">'
        f'<div data-html-block="quote"><div style="border-left: none; padding-left: 0px;"><div class="adit-html-block '
        f'adit-html-block--collapsed"><div class="lark-mail-quote-meta" style="padding: 12px; background: rgb(245, 246, 247);">'
        f"{rows}</div></div><div>{below.html}</div></div></div></div>",
    )


# --- Gmail, Apple, Thunderbird ------------------------------------------------------------------------------------------


def _wrapped(text: str, width: int = _GMAIL_WIDTH) -> str:
    """Lines with spaces broken at the width, as programs that send short plain lines do."""
    return "\n".join(
        "\n".join(textwrap.wrap(row, width, break_long_words=False, break_on_hyphens=False))
        if len(row) > width
        else row
        for row in text.split("\n")
    )


def gmail(said: Callable[[Person, datetime], str]) -> Callable[[Letter], Layout]:
    """Gmail: lines of 74 characters, `-- ` above the signature, marked quotation in `gmail_quote`."""

    def lay_out(letter: Letter) -> Layout:
        words = _wrapped(own_words(letter, delimiter="-- \n"))
        html = _paragraphs(letter.text.strip("\n"), "<div>{}</div>", "<div><br></div>")
        if letter.signature:
            sign = _paragraphs(letter.signature.strip("\n"), "<div>{}</div>", "<div><br></div>")
            html += f'<div><br></div><span class="gmail_signature_prefix">-- </span><br><div dir="ltr" class="gmail_signature">{sign}</div>'
        html = f'<div dir="ltr">{html}</div>'
        shown = shown_in(letter)
        if shown is None:
            return Layout(words, html)
        below = lay_out_letter(shown)
        line = said(shown.writer, shown.at.astimezone(letter.at.tzinfo))
        return Layout(
            f"{words}\n\n{_wrapped(line)}\n\n{_marked(_wrapped(below.plain))}",
            f'{html}<br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">{escape(line)}<br></div>'
            f'<blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex">'
            f"{below.html}</blockquote></div>",
        )

    return lay_out


def gmail_en(person: Person, at: datetime) -> str:
    return f"On {at:%a}, {at.day} {at:%b %Y} at {at:%H:%M}, {person.name} <{person.address}> wrote:"


def gmail_zh_hant(person: Person, at: datetime) -> str:
    return f"{person.name} <{person.address}> 於 {zh_date(at)}週{weekday(at)} {zh_half(at)}{twelve(at)}寫道："


def apple(said: Callable[[Person, datetime], str], sent_from: str = "") -> Callable[[Letter], Layout]:
    """Apple Mail; with `sent_from` an iPhone, which marks the attribution too and writes no signature of its own."""

    def lay_out(letter: Letter) -> Layout:
        words = f"{letter.text.strip(chr(10))}\n\n{sent_from}" if sent_from else own_words(letter)
        html = _paragraphs(words, '<div dir="auto">{}</div>', '<div dir="auto"><br></div>')
        shown = shown_in(letter)
        if shown is None:
            return Layout(words, html)
        below = lay_out_letter(shown)
        line = said(shown.writer, shown.at.astimezone(letter.at.tzinfo))
        quoted = _marked(f"{line}\n\n\ufeff{below.plain}") if sent_from else f"{line}\n\n{_marked(below.plain)}"
        return Layout(
            f"{words}\n\n{quoted}",
            f'{html}<div dir="ltr"><br><blockquote type="cite">{escape(line)}<br><br></blockquote></div>'
            f'<blockquote type="cite"><div dir="ltr">{below.html}</div></blockquote>',
        )

    return lay_out


def apple_en(person: Person, at: datetime) -> str:
    return f"On {at:%b} {at.day}, {at.year}, at {twelve(at)} {at:%p}, {person.name} <{person.address}> wrote:"


def apple_zh(person: Person, at: datetime) -> str:
    return f"在 {zh_date(at)}，{at:%H:%M}，{person.name} <{person.address}> 写道："


def thunderbird(letter: Letter) -> Layout:
    """Thunderbird, plain text only: quotation marked below a short attribution, signature at the very end."""
    shown = shown_in(letter)
    if shown is None:
        return Layout(own_words(letter, delimiter="-- \n"), "")
    at = shown.at.astimezone(letter.at.tzinfo)
    line = f"在 {at.year}/{at.month}/{at.day} {at.hour}:{at:%M}, {shown.writer.name} 写道:"
    sign = f"\n\n-- \n{letter.signature.strip(chr(10))}" if letter.signature else ""
    return Layout(f"{letter.text.strip(chr(10))}\n\n{line}\n{_marked(lay_out_letter(shown).plain)}{sign}", "")


LAYOUTS: Final[dict[str, Callable[[Letter], Layout]]] = {
    "outlook-zh": outlook(OUTLOOK_ZH),
    "outlook-zh-hant": outlook(OUTLOOK_ZH_HANT),
    "outlook-en": outlook(OUTLOOK_EN),
    "outlook-us": outlook(OUTLOOK_US),
    "outlook-phone": outlook_mobile(OUTLOOK_US, "Get Outlook for iOS"),
    "qq": tencent,
    "exmail": tencent,
    "qq-phone": qq_phone,
    "foxmail": foxmail,
    "163": netease_web,
    "mail-master": mail_master,
    "dingtalk": aliyun,
    "lark": lark,
    "gmail": gmail(gmail_en),
    "gmail-zh-hant": gmail(gmail_zh_hant),
    "apple": apple(apple_en),
    "apple-zh": apple(apple_zh),
    "iphone": apple(apple_en, "Sent from my iPhone"),
    "iphone-zh": apple(apple_zh, "发自我的 iPhone"),
    "thunderbird": thunderbird,
}
"""What each mail program makes of a letter."""


def lay_out_letter(letter: Letter) -> Layout:
    """The letter as its own program lays it out. Raises KeyError for a program that is not in the table."""
    found = LAYOUTS[letter.program](letter)
    if not found.html:
        return Layout(found.plain, f"<pre>{escape(found.plain, quote=False)}</pre>")
    return found
