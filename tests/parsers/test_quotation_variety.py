"""Every client's quote header over every sort of text: the rules must not depend on what people write."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest

from parsers.quotation import split_reply

Header = Callable[[str, str, str], str]

NAMES = (
    ("王珂", "wangke@lanhai-ad.example"),
    ("Kay O'Neill-Smith", "kay.oneill@northlight.example"),
    ("李雷（客户部）", "li_lei@lanhai-ad.example"),
)
SUBJECTS = ("报价单 v3", "Re: 回复：Q2 media plan: final", "")


def block(*labels: str, colon: str = ": ", above: str = "", when: str = "2024年3月5日 9:12", bold: str = "") -> Header:
    """A header block with the labels of sender, date, recipient, copy and subject in the order given by `labels`."""

    def render(name: str, address: str, subject: str) -> str:
        values = {
            "from": f"{name} <{address}>",
            "date": when,
            "to": "陈宇 <chenyu@mingshan-tea.example>",
            "cc": "assistant@lanhai-ad.example",
            "subject": subject,
        }
        rows = [f"{bold}{label.partition('=')[2]}{bold}{colon}{values[label.partition('=')[0]]}" for label in labels]
        return "\n".join([*([above] if above else []), *rows])

    return render


BLOCKS: dict[str, Header] = {
    "outlook zh": block("from=发件人", "date=发送时间", "to=收件人", "cc=抄送", "subject=主题"),
    "outlook zh ruled": block("from=发件人", "date=发送时间", "to=收件人", "subject=主题", above="_" * 32),
    "outlook zh-TW": block(
        "from=寄件者", "date=寄件日期", "to=收件者", "cc=副本", "subject=主旨", when="2024年3月5日 上午 09:12"
    ),
    "owa zh-TW": block("from=寄件人", "date=傳送時間", "to=收件人", "subject=主旨", above="_" * 32),
    "foxmail": block("from=发件人", "date=发送时间", "to=收件人", "subject=主题", colon="： ", when="2024-03-05 09:12"),
    "aliyun": block(
        "from=发件人",
        "date=日　期",
        "to=收件人",
        "cc=抄　送",
        "subject=主　题",
        colon="：",
        above="-" * 66,
        when="2024年03月05日 09:12:33",
    ),
    "coremail": block(
        "from=发件人",
        "date=发送时间",
        "to=收件人",
        "subject=主题",
        colon=":",
        above="-----原始邮件-----",
        when="2024-03-05 09:12:33 (星期二)",
    ),
    "qq": block(
        "from=发件人",
        "date=发送时间",
        "to=收件人",
        "subject=主题",
        above="------------------ 原始邮件 ------------------",
    ),
    "qq bare": block("from=发件人", "date=发件时间", "to=收件人", "subject=主题", colon="：", above="原始邮件\n"),
    "mail 139": block(
        "from=发件人", "to=收件人", "date=发送时间", "subject=主题", colon="：", above="----邮件原文----"
    ),
    "welink": block("from=发件人", "to=收件人", "subject=主题", "date=时间", colon="：", bold="**"),
    "bilingual": block("from=发件人/From", "date=日期/Date", "to=收件人/To", "subject=主题/Subject"),
    "lark": block("from=发件人", "date=发送日期", "to=收件人", "subject=主题", when="2024年3月5日 (周二) 09:12"),
    "outlook en": block(
        "from=From", "date=Sent", "to=To", "cc=Cc", "subject=Subject", when="Tuesday, March 5, 2024 9:12 AM"
    ),
    "outlook en bold": block(
        "from=From:", "date=Sent:", "to=To:", "subject=Subject:", colon=" ", bold="*", when="05 March 2024 09:12"
    ),
    "original message": block(
        "from=From",
        "date=Sent",
        "to=To",
        "subject=Subject",
        above="-----Original Message-----",
        when="Tuesday, March 5, 2024 9:12 AM",
    ),
    "apple forward style": block(
        "from=From",
        "subject=Subject",
        "date=Date",
        "to=To",
        above="Begin forwarded message:\n",
        when="5 March 2024 at 09:12:33 GMT+8",
    ),
    "outlook de": block("from=Von", "date=Gesendet", "to=An", "subject=Betreff", when="Dienstag, 5. März 2024 09:12"),
    "outlook fr": block("from=De", "date=Envoyé", "to=À", "subject=Objet", colon=" : ", when="mardi 5 mars 2024 09:12"),
    "outlook es": block(
        "from=De", "date=Enviado el", "to=Para", "subject=Asunto", when="martes, 5 de marzo de 2024 9:12"
    ),
    "outlook it": block("from=Da", "date=Inviato", "to=A", "subject=Oggetto", when="martedì 5 marzo 2024 09:12"),
    "outlook nl": block("from=Van", "date=Verzonden", "to=Aan", "subject=Onderwerp", when="dinsdag 5 maart 2024 09:12"),
    "outlook pt": block(
        "from=De", "date=Enviada em", "to=Para", "subject=Assunto", when="terça-feira, 5 de março de 2024 09:12"
    ),
    "outlook sv": block("from=Från", "date=Skickat", "to=Till", "subject=Ämne", when="den 5 mars 2024 09:12"),
    "outlook da": block("from=Fra", "date=Sendt", "to=Til", "subject=Emne", when="5. marts 2024 09:12"),
    "outlook pl": block("from=Od", "date=Wysłano", "to=Do", "subject=Temat", when="5 marca 2024 09:12"),
    "outlook ru": block("from=От", "date=Отправлено", "to=Кому", "subject=Тема", when="5 марта 2024 г. 9:12"),
    "outlook ja": block("from=差出人", "date=送信日時", "to=宛先", "subject=件名", when="2024年3月5日 9:12"),
    "outlook ko": block(
        "from=보낸 사람", "date=보낸 날짜", "to=받는 사람", "subject=제목", when="2024년 3월 5일 화요일 오전 9:12"
    ),
}

ATTRIBUTIONS = {
    "gmail": "On Tue, Mar 5, 2024 at 9:12 AM {name} <{address}> wrote:",
    "gmail broken": "On Tue, Mar 5, 2024 at 9:12 AM {name} <\n{address}> wrote:",
    "gmail zh": "{name} <{address}> 于2024年3月5日周二 09:12写道：",
    "gmail zh broken": "{name} <{address}> 于2024年3月5日周二\n09:12写道：",
    "gmail zh-TW": "{name} <{address}> 於 2024年3月5日 週二 上午9:12寫道：",
    "apple": "On 5 Mar 2024, at 09:12, {name} <{address}> wrote:",
    "apple zh": "在 2024年3月5日，上午9:12，{name} <{address}> 写道：",
    "thunderbird": "On 05/03/2024 09:12, {name} <{address}> wrote:",
    "thunderbird zh": "在 2024/3/5 9:12, {name} <{address}> 写道:",
    "163": 'At 2024-03-05 09:12:33, "{name}" <{address}> wrote:',
    "163 zh": '在 2024-03-05 09:12:33，"{name}" <{address}> 写道：',
    "mailmaster": "On 03/05/2024 09:12，{name}<{address}> wrote：",
    "mailmaster zh": "在2024年3月5日 09:12，{name}<{address}> 写道：",
    "zoho": "---- On Tue, 05 Mar 2024 09:12:33 +0800 {name} <{address}> wrote ----",
    "plain": "* {name} <{address}> wrote on Tue, 5 Mar 2024 09:12:33 +0800:",
    "fr": "Le mar. 5 mars 2024 à 09:12, {name} <{address}> a écrit :",
    "de": "Am 05.03.2024 um 09:12 schrieb {name} <{address}>:",
    "es": "El 5 mar 2024, a las 9:12, {name} <{address}> escribió:",
    "it": "Il giorno 5 mar 2024, alle ore 09:12, {name} <{address}> ha scritto:",
    "nl": "Op 5 mrt. 2024, om 09:12 heeft {name} <{address}> het volgende geschreven:",
    "pt": "Em 5 de mar. de 2024, à(s) 09:12, {name} <{address}> escreveu:",
    "pl": "W dniu 2024-03-05 o 09:12, {name} <{address}> pisze:",
    "sv": "Den 2024-03-05 kl. 09:12, skrev {name} <{address}>:",
    "da": "Den 5. mar. 2024 kl. 09.12 skrev {name} <{address}>:",
    "no": "Den 05.03.2024 09:12, skrev {name} <{address}>:",
    "fi": "{name} <{address}> kirjoitti 5.3.2024 klo 9.12:",
    "ru": "5 марта 2024 г., в 09:12, {name} <{address}> написал(а):",
    "ja": "2024年3月5日(火) 9:12 {name} <{address}>:",
    "ko": "2024. 3. 5. 오전 9:12, {name} <{address}> 작성:",
    "cs": "út 5. 3. 2024 v 9:12 odesílatel {name} <{address}> napsal:",
    "tr": "{name} <{address}>, 5 Mar 2024 Sal, 09:12 tarihinde şunu yazdı:",
    "vi": "Vào 09:12 5 tháng 3, 2024, {name} <{address}> đã viết:",
    "hu": "{name} <{address}> ezt írta (időpont: 2024. márc. 5., K, 9:12):",
}

WRITTEN = (
    "可以",
    "王经理，您好：\n\n方案我们看过了，有三点意见：\n1. 口号太长；\n2. 预算请控制在 60 万以内；\n3. 时间：4 月 10 日之前。\n\n谢谢！\n陈宇",
    "OK, go ahead",
    "Hi Kay,\n\nTwo things:\n\n - the logo is too small\n - price: 40k is above our limit\n\nOn Monday we decided to move the date.\n\nBest,\nDana",
    "时间：周四下午三点\n地点：我司三楼\n请准时参加。",
    "Date: still open\nBudget: 40k\n\nFrom our side that is all.",
    "👌 按 B 版",
)
QUOTED = (
    "陈总您好，\n\n方案见附件。\n\n王珂",
    "Hi Dana,\n\nWhat do you think?\n\n-- \nKay\nNorthlight",
    "收到。\n\n发件人: 陈宇 <chenyu@mingshan-tea.example>\n发送时间: 2024年3月4日 8:00\n收件人: 王珂\n主题: 初稿\n\n请尽快。",
    "> older words\n> and more\n\nan answer to them",
)


@pytest.mark.parametrize("client", BLOCKS)
def test_a_header_block_ends_what_was_written(client: str) -> None:
    for (name, address), subject, written, quoted in product(NAMES, SUBJECTS, WRITTEN, QUOTED):
        for gap in ("\n\n", "\n", "\n\n\n"):
            header = BLOCKS[client](name, address, subject)
            parted = split_reply(f"{written}{gap}{header}\n\n{quoted}\n")
            assert parted.reply == written, (client, name, subject)
            assert quoted.split("\n")[-1] in parted.quoted


@pytest.mark.parametrize("client", ATTRIBUTIONS)
def test_an_attribution_ends_what_was_written(client: str) -> None:
    for (name, address), written, quoted in product(NAMES, WRITTEN, QUOTED):
        attribution = ATTRIBUTIONS[client].format(name=name, address=address)
        marked = "\n".join(f"> {line}" for line in quoted.split("\n"))
        assert split_reply(f"{written}\n\n{attribution}\n\n{marked}\n").reply == written, (client, name)


@pytest.mark.parametrize("client", ATTRIBUTIONS)
def test_an_attribution_over_unmarked_lines_takes_all_to_the_end(client: str) -> None:
    for (name, address), written, quoted in product(NAMES, WRITTEN, QUOTED[:3]):
        attribution = ATTRIBUTIONS[client].format(name=name, address=address)
        assert split_reply(f"{written}\n\n{attribution}\n\n{quoted}\n").reply == written, (client, name)


@pytest.mark.parametrize("client", ATTRIBUTIONS)
def test_answers_below_and_between_marked_lines_are_kept_in_order(client: str) -> None:
    for (name, address), written in product(NAMES, WRITTEN):
        attribution = ATTRIBUTIONS[client].format(name=name, address=address)
        text = f"{attribution}\n> first question\n\nfirst answer\n\n> second question\n> in two lines\n\n{written}\n"
        assert split_reply(text).reply == f"first answer\n\n{written}", (client, name)


@pytest.mark.parametrize(
    "signature",
    [
        "Sent from my iPhone",
        "发自我的iPhone",
        "发自我的华为手机",
        "Get Outlook for Android",
        "來自我的 iPhone",
        "从我的iPhone发送",
        "Von meinem iPhone gesendet",
        "Envoyé de mon iPhone",
    ],
)
def test_a_phone_signature_over_any_header_is_no_reply(signature: str) -> None:
    for client, written in product(BLOCKS, WRITTEN):
        parted = split_reply(f"{written}\n\n{signature}\n\n{BLOCKS[client](*NAMES[0], '报价')}\n\nquoted\n")
        assert (parted.reply, parted.signature) == (written, signature), client
