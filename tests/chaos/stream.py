"""A stream of mail as varied as an agency's: new clients, names and words all the time, answers, attachments, strays, late mail.

The same seed gives the same mail but for its dates, which are those at which it is asked for.
"""

from __future__ import annotations

import base64
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.header import Header

_AT_FIRST = 60
"""So many clients there are before the first mail."""
_NEW_CLIENT, _NEW_THREAD = 0.03, 0.09
_OPEN_THREADS = 300
_LONGEST_THREAD = 24
_REFERENCES = 12
_SYLLABLES = [
    "ba",
    "be",
    "bra",
    "cal",
    "con",
    "dar",
    "del",
    "dra",
    "el",
    "fen",
    "fra",
    "gal",
    "gor",
    "hal",
    "hem",
    "in",
    "ka",
    "kel",
    "la",
    "lin",
    "lo",
    "lu",
    "mar",
    "mel",
    "mi",
    "na",
    "nor",
    "o",
    "pal",
    "pe",
    "ra",
    "ren",
    "ri",
    "ro",
    "sa",
    "sel",
    "so",
    "ta",
    "tel",
    "tor",
    "u",
    "val",
    "ve",
    "vi",
    "wen",
    "wor",
    "ya",
    "zen",
]
_HAN = "".join(chr(code) for code in range(0x4E00, 0x4E00 + 6000, 3))
_FAMILY = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_ZH = (
    "我们想做{word}的线上推广，请先发一份资料。", "方案收到了，整体方向可以，{word}部分的预算还要再压一压。", "合同已经盖章，{date}寄出，请查收。",
    "请把{word}的投放时间改到{date}，另外logo要放大一些。", "报价{money}元是否含税？我们这边要走审批。", "第二稿可以，就按这个做吧，{name}会跟进。",
    "首付款{money}元今天已经转过去了，请财务确认。", "{name}这周出差，{word}的事情下周再定。", "这次的{word}效果很好，谢谢大家。",
    "暂时没有预算了，{word}这个项目先放一放。", "会议定在{date}上午十点，在{word}二楼。", "素材里的{word}和{word}颜色不一致，麻烦再看一下。",
)  # fmt: skip
_EN = (
    "Could you send the revised estimate for {word} by {date}?", "The second draft of {word} looks good, please go ahead with the shooting.",
    "{name} will discuss {word} with the board and come back to you.", "The contract is signed, the original leaves on {date}.",
    "Is the fee of {money} net or gross?", "We would like {word} and {word} in the headline, otherwise approved.",
    "The deposit of {money} was transferred this morning.", "I am not happy with {word}: the colours are wrong again.",
    "Can we move the launch of {word} to {date}?", "Thanks for the call, {name} enjoyed it.", "We have decided to stop {word} for this year.",
    "Please find the notes on {word} below.",
)  # fmt: skip


@dataclass(frozen=True)
class Person:
    name: str
    address: str


@dataclass(frozen=True)
class Client:
    chinese: bool
    people: tuple[Person, ...]


@dataclass
class Thread:
    """A conversation under way: who, about what, the ids so far, and what was said last."""

    client: Client
    subject: str
    left: int
    ids: list[str] = field(default_factory=list)
    last: tuple[Person, str] | None = None


@dataclass
class Stream:
    """`letter(now)` gives the next mail to `assistant`, which serves the people of `agency`."""

    agency: str
    assistant: str
    staff: str
    seed: int = 5

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._number = 0
        self._staff = Person("Li Lei", self.staff)
        self._clients = [self._client() for _ in range(_AT_FIRST)]
        self._threads: list[Thread] = []
        self._recent: deque[bytes] = deque(maxlen=50)

    def letter(self, now: datetime) -> bytes:
        self._number += 1
        raw = self._kind()(self._written(now))
        self._recent.append(raw)
        return raw

    def _kind(self) -> Callable[[datetime], bytes]:
        strange: Sequence[tuple[float, Callable[[datetime], bytes]]] = (
            (0.02, self._newsletter),
            (0.02, self._absence),
            (0.01, self._bounce),
            (0.03, self._internal),
            (0.02, self._stranger),
            (0.01, self._again),
            (0.004, self._damaged),
        )
        drawn = self._chance.random()
        for share, kind in strange:
            if drawn < share:
                return kind
            drawn -= share
        return self._project_mail

    def _written(self, now: datetime) -> datetime:
        """Most mail comes in the order in which it was written; some is minutes late, a little hours or days."""
        drawn = self._chance.random()
        most = 4.0 if drawn < 0.9 else 120.0 if drawn < 0.98 else 21_600.0 if drawn < 0.998 else 259_200.0
        return now - timedelta(seconds=self._chance.uniform(0, most))

    # --- words ------------------------------------------------------------------------------------------------------

    def _word(self, chinese: bool) -> str:
        if chinese:
            return "".join(self._chance.choices(_HAN, k=self._chance.randint(2, 4)))
        return "".join(self._chance.choices(_SYLLABLES, k=self._chance.randint(2, 4)))

    def _name(self, chinese: bool) -> str:
        if chinese:
            return self._chance.choice(_FAMILY) + "".join(self._chance.choices(_HAN, k=2))
        return f"{self._word(False).title()} {self._word(False).title()}"

    def _text(self, chinese: bool) -> str:
        chance = self._chance
        lines = []
        for template in chance.choices(_ZH if chinese else _EN, k=chance.randint(1, 7)):
            text = template
            while "{word}" in text:
                text = text.replace("{word}", self._word(chinese), 1)
            month, day = chance.randint(1, 12), chance.randint(1, 28)
            lines.append(
                text.replace("{name}", self._name(chinese))
                .replace("{money}", f"{chance.randint(1, 900) * 500:,}")
                .replace("{date}", f"{month}月{day}日" if chinese else f"2027-{month:02}-{day:02}")
            )
        return "\r\n".join(lines)

    # --- people -----------------------------------------------------------------------------------------------------

    def _client(self) -> Client:
        chinese = self._chance.random() < 0.5
        number = self._chance.randrange(10**9)
        domain = f"{self._word(False)}{number}.example"
        if self._chance.random() < 0.1:
            domain = "163.com" if chinese else "gmail.com"
        people = []
        for _ in range(self._chance.randint(1, 4)):
            local = f"{self._word(False)}{number if domain in {'163.com', 'gmail.com'} else ''}"
            people.append(Person(self._name(chinese), f"{local}@{domain}"))
        return Client(chinese, tuple(people))

    def _thread(self) -> Thread:
        """One that is under way, or a new one; of a new client now and then."""
        chance = self._chance
        if self._threads and chance.random() > _NEW_THREAD:
            place = chance.randrange(len(self._threads))
            thread = self._threads[place]
            thread.left -= 1
            if thread.left <= 0:
                self._threads[place] = self._threads[-1]
                self._threads.pop()
            return thread
        if chance.random() < _NEW_CLIENT / _NEW_THREAD:
            self._clients.append(self._client())
        client = chance.choice(self._clients)
        thread = Thread(
            client, f"{self._word(client.chinese)} {self._word(client.chinese)}", chance.randint(1, _LONGEST_THREAD)
        )
        self._threads.append(thread)
        if len(self._threads) > _OPEN_THREADS:
            self._threads.pop(0)
        return thread

    # --- kinds of mail ----------------------------------------------------------------------------------------------

    def _project_mail(self, at: datetime) -> bytes:
        thread = self._thread()
        person = self._chance.choice(thread.client.people)
        inbound = not thread.ids or self._chance.random() < 0.6
        writer, reader = (person, self._staff) if inbound else (self._staff, person)
        others = [one for one in thread.client.people if one is not person and self._chance.random() < 0.2]
        text = self._text(thread.client.chinese)
        raw = self._mail(
            writer,
            reader,
            [*others, Person("", self.assistant)],
            f"Re: {thread.subject}" if thread.ids else thread.subject,
            f"{text}\r\n\r\n{writer.name}{self._quoted(thread)}",
            at,
            thread,
        )
        thread.last = (writer, text)
        return raw

    def _quoted(self, thread: Thread) -> str:
        if thread.last is None or self._chance.random() < 0.2:
            return ""
        writer, text = thread.last
        lines = "\r\n".join(f"> {line}" for line in text.split("\r\n"))
        return f"\r\n\r\nOn Mon, {writer.name} <{writer.address}> wrote:\r\n{lines}"

    def _newsletter(self, at: datetime) -> bytes:
        word = self._word(False)
        sender = Person(word.title(), f"news@{word}{self._number}.example")
        more = f"List-Id: <news.{word}.example>\r\nPrecedence: bulk\r\n"
        return self._mail(
            sender, Person("", self.assistant), (), f"News of {word}", self._text(False) * 5, at, more=more
        )

    def _absence(self, at: datetime) -> bytes:
        thread = self._thread()
        person = self._chance.choice(thread.client.people)
        text = "我在休假，下周一回来。" if thread.client.chinese else "I am out of the office until Monday."
        more = "Auto-Submitted: auto-replied\r\n"
        return self._mail(person, Person("", self.assistant), (), f"Auto: {thread.subject}", text, at, thread, more)

    def _bounce(self, at: datetime) -> bytes:
        failed = f"{self._word(False)}{self._number}@gone{self._number}.example"
        return (
            f"From: MAILER-DAEMON@mx.{self.agency}\r\nTo: {self.assistant}\r\nSubject: Undelivered Mail\r\n"
            f"Date: {at:%a, %d %b %Y %H:%M:%S +0000}\r\nMessage-ID: <b{self._number}@mx.{self.agency}>\r\n"
            "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
            "--b\r\nContent-Type: text/plain\r\n\r\nNobody of that name.\r\n"
            "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
            f"Final-Recipient: rfc822; {failed}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n"
        ).encode()

    def _internal(self, at: datetime) -> bytes:
        colleague = Person(self._name(True), f"{self._word(False)}@{self.agency}")
        thread = self._thread() if self._chance.random() < 0.5 else None
        subject = f"Fwd: {thread.subject}" if thread else self._word(True)
        return self._mail(self._staff, colleague, (Person("", self.assistant),), subject, self._text(True), at, thread)

    def _stranger(self, at: datetime) -> bytes:
        chinese = self._chance.random() < 0.5
        address = f"{self._word(False)}{self._number}@{'qq.com' if chinese else 'outlook.com'}"
        sender = Person(self._name(chinese), address)
        return self._mail(sender, Person("", self.assistant), (), self._word(chinese), self._text(chinese), at)

    def _again(self, at: datetime) -> bytes:
        """What was delivered before, once more."""
        return self._chance.choice(self._recent) if self._recent else self._project_mail(at)

    def _damaged(self, at: datetime) -> bytes:
        raw = self._project_mail(at)
        place = self._chance.randrange(len(raw))
        return raw[:place] + bytes(set(self._chance.randbytes(30)) - set(b"\0\r\n")) + raw[place:]

    # --- bytes ------------------------------------------------------------------------------------------------------

    def _mail(
        self,
        writer: Person,
        reader: Person,
        copies: Sequence[Person],
        subject: str,
        text: str,
        at: datetime,
        thread: Thread | None = None,
        more: str = "",
    ) -> bytes:
        chance = self._chance
        identifier = f"{self._number}.{chance.randrange(10**9)}@{writer.address.partition('@')[2]}"
        known = thread.ids[-_REFERENCES:] if thread else []
        if thread is not None:
            thread.ids = [*known, identifier]
        lines = [
            f"From: {_shown(writer)}",
            f"To: {_shown(reader)}",
            *([f"Cc: {', '.join(map(_shown, copies))}"] if copies else []),
            f"Subject: {_encoded(subject)}",
            f"Date: {at:%a, %d %b %Y %H:%M:%S +0000}",
            *([f"Message-ID: <{identifier}>"] if chance.random() > 0.005 else []),
            *([f"In-Reply-To: <{known[-1]}>"] if known else []),
            *(["References: " + "\r\n ".join(f"<{one}>" for one in known)] if known else []),
            "MIME-Version: 1.0",
        ]
        head = ("\r\n".join(lines) + "\r\n" + more).encode()
        plain = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + text.encode()
        if chance.random() < 0.35:
            rows = "".join(f"<p style='margin:0'>{line}</p>\r\n" for line in text.split("\r\n"))
            html = f"Content-Type: text/html; charset=utf-8\r\n\r\n<html><body>{rows}</body></html>".encode()
            plain = _multipart("alternative", (plain, html))
        drawn = chance.random()
        if drawn > 0.07:
            return head + plain + b"\r\n"
        size = chance.randint(1_100_000, 2_000_000) if drawn < 0.002 else chance.randint(2_000, 120_000)
        return head + _multipart("mixed", (plain, _file(chance.randbytes(size), f"{self._word(True)}.pdf"))) + b"\r\n"


def _encoded(text: str) -> str:
    return text if text.isascii() else Header(text, "utf-8").encode(linesep="\r\n")


def _shown(person: Person) -> str:
    return f"{_encoded(person.name)} <{person.address}>" if person.name else person.address


def _multipart(subtype: str, parts: Sequence[bytes]) -> bytes:
    boundary = f"part-{subtype}"
    head = f'Content-Type: multipart/{subtype}; boundary="{boundary}"\r\n\r\n'.encode()
    body = b"".join(b"--" + boundary.encode() + b"\r\n" + part + b"\r\n" for part in parts)
    return head + body + b"--" + boundary.encode() + b"--\r\n"


def _file(content: bytes, name: str) -> bytes:
    head = (
        f"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
        f'Content-Disposition: attachment; filename="{_encoded(name)}"\r\n\r\n'
    )
    return head.encode() + base64.encodebytes(content).replace(b"\n", b"\r\n")
