"""A random week of mail of some clients, each with marks that nobody else's mail may ever carry."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.offices import ASSISTANT, HAN, LILEI, MONDAY, absence, bounce, id_of, mail

MONDAY_PASS = MONDAY + timedelta(hours=2)
"""When Monday's mail is read: noon in Shanghai."""
THURSDAY_PASS = MONDAY + timedelta(days=3, minutes=1)
"""One minute after ten on Thursday: every first follow-up on a proposal has just fallen due."""
BEFORE_DUE = MONDAY + timedelta(days=3, minutes=-40)

_LETTERS = "BCDFGHJKLMNPQRSTVWXZ23456789"
_SUBJECTS = ("新茶上市", "年度推广", "Launch campaign", "Spring film", "展会搭建")
_LARGE = 160_000


@dataclass(frozen=True)
class Client:
    """`mark` is in everything that is written to or by them; so are their domain and their people's addresses."""

    number: int
    mark: str
    domain: str
    subject: str

    @property
    def buyer(self) -> str:
        return f"buyer@{self.domain}"

    @property
    def marks(self) -> tuple[str, ...]:
        return self.mark, self.domain


@dataclass(frozen=True)
class Letter:
    """One mail, as the copies that are delivered: (folder, bytes). All of them are one record."""

    copies: tuple[tuple[str, bytes], ...]
    removed: bool = False
    """Somebody deletes it before it is read: it may be a record or not."""
    extract_of: str = ""
    """The Message-ID of a mail so large that only an extract is kept."""


@dataclass
class Week:
    """All mail of a round. `silent` are the clients to whom exactly one follow-up is due on Thursday; `stopping` is the
    mail of Thursday after which a client gets none: an answer, an absence, a refusal, a bounce."""

    clients: list[Client] = field(default_factory=list)
    monday: list[Letter] = field(default_factory=list)
    thursday: list[Letter] = field(default_factory=list)
    silent: set[int] = field(default_factory=set)
    stopping: dict[int, Letter] = field(default_factory=dict)

    @property
    def letters(self) -> list[Letter]:
        return [*self.monday, *self.thursday]


def random_week(chance: random.Random) -> Week:
    """Two to five clients; the same `chance` gives the same week."""
    week = Week()
    for number in range(chance.randint(2, 5)):
        mark = "".join(chance.choices(_LETTERS, k=10))
        client = Client(number, mark, f"{mark.lower()}.example", chance.choice(_SUBJECTS))
        week.clients.append(client)
        _negotiate(week, client, chance)
    week.monday += list(_noise(chance))
    for letters in (week.monday, week.thursday):
        chance.shuffle(letters)
    return week


def _negotiate(week: Week, client: Client, chance: random.Random) -> None:
    """An enquiry and a proposal on Monday; an answer, an absence, a refusal or silence until Thursday."""
    ask, offer = f"ask{client.number}@{client.domain}", f"offer{client.number}.{client.mark}@lanhai.example"
    asked = MONDAY + timedelta(minutes=chance.randint(1, 50))
    week.monday.append(
        _letter(
            chance,
            _dressed(chance, client, "请发一份方案。#discovery", originator=client.buyer, at=asked, message_id=ask),
        )
    )
    week.monday.append(
        _letter(
            chance,
            _dressed(
                chance,
                client,
                "方案请见附件，期待您的意见。#proposal",
                originator=chance.choice((LILEI, HAN)),
                to=(client.buyer,),
                cc=(ASSISTANT,),
                at=asked + timedelta(hours=1),
                message_id=offer,
                answers=(ask,),
            ),
        )
    )
    for number in range(chance.choice((0, 0, 1, 2))):
        week.monday.append(_remark(chance, client, number, (ask,), asked + timedelta(minutes=number + 1)))
    fates = ("silence", "silence", "answer", "absence", "opt-out", "bounce", "late mail")
    fate = "silence" if client.number < 2 and chance.random() < 0.7 else chance.choice(fates)
    if fate == "silence":
        week.silent.add(client.number)
    elif fate == "absence":
        away = _named(absence(client.buyer, at=BEFORE_DUE, answers=(offer,)), f"away@{client.domain}")
        week.thursday.append(_letter(chance, away))
    elif fate == "bounce":
        returned = bounce(client.buyer, at=BEFORE_DUE, original=offer)
        week.thursday.append(_letter(chance, _named(returned, f"returned{client.mark}@mx.lanhai.example")))
    elif fate != "late mail":
        text = "收到，我们看一下。#proposal" if fate == "answer" else "请不要再给我发邮件。"
        week.thursday.append(
            _letter(
                chance, _dressed(chance, client, text, originator=client.buyer, at=BEFORE_DUE, answers=(ask, offer))
            )
        )
    else:
        at = MONDAY + timedelta(days=3, minutes=2)
        week.thursday.append(
            _letter(chance, _dressed(chance, client, "还有一个问题。", originator=client.buyer, at=at))
        )
    if fate in ("answer", "absence", "opt-out", "bounce"):
        week.stopping[client.number] = week.thursday[-1]


def _remark(chance: random.Random, client: Client, number: int, answers: Sequence[str], at: datetime) -> Letter:
    """Another mail of the client's people, in one of the forms that are awkward to count."""
    writer = chance.choice((client.buyer, f"boss@{client.domain}"))
    form = chance.choice(("plain", "without id", "same id", "broken", "large", "removed", "damaged"))
    text = f"补充第{number}点 #discovery"
    if form == "without id":
        return _letter(chance, _dressed(chance, client, text, originator=writer, at=at, message_id=None))
    if form == "same id":
        return _letter(
            chance, _dressed(chance, client, text + " 更正", originator=writer, at=at, message_id=answers[0])
        )
    if form == "broken":
        return _letter(chance, _dressed(chance, client, text + " #broken", originator=writer, at=at, answers=answers))
    if form == "large":
        large = f"large{number}@{client.domain}"
        long = text + "\n" + "很长。" * (_LARGE // 9)
        raw = _dressed(chance, client, long, originator=writer, at=at, message_id=large)
        return Letter((("INBOX", raw),), extract_of=large)
    raw = _dressed(chance, client, text, originator=writer, at=at, answers=answers)
    if form == "damaged":
        place = chance.randrange(len(raw) // 2, len(raw))
        raw = raw[:place] + _damage(chance) + raw[place:]
    return _letter(chance, raw, removed=form == "removed")


def _named(raw: bytes, message_id: str) -> bytes:
    """With a Message-ID that the seed alone decides."""
    return raw.replace(id_of(raw).encode(), message_id.encode(), 1)


def _damage(chance: random.Random) -> bytes:
    """Bytes that mail must not hold, but for NUL and lone line ends: Dovecot itself changes those."""
    return bytes(byte for byte in chance.randbytes(chance.randint(1, 40)) if byte not in b"\0\r\n")


def _noise(chance: random.Random) -> Iterator[Letter]:
    if chance.random() < 0.3:
        yield _letter(
            chance,
            mail(
                "本周行业新闻",
                subject="Newsletter",
                originator="news@weekly-trade.example",
                headers={"List-Id": "<news.weekly-trade.example>", "Precedence": "bulk"},
                message_id=f"news{chance.random()}@weekly-trade.example",
            ),
        )
    if chance.random() < 0.2:
        yield _letter(chance, b"".join(_damage(chance) for _ in range(60)))
    if chance.random() < 0.3:
        text = mail(
            "内部讨论", originator=LILEI, to=(HAN,), cc=(ASSISTANT,), message_id=f"in{chance.random()}@lanhai.example"
        )
        yield _letter(chance, text)


def _letter(chance: random.Random, raw: bytes, *, removed: bool = False) -> Letter:
    copies = [("Clients" if chance.random() < 0.1 else "INBOX", raw)]
    if not removed and chance.random() < 0.15:
        copies.append((chance.choice(("INBOX", "Sent", "Clients")), raw))
    return Letter(tuple(copies), removed)


def _dressed(
    chance: random.Random,
    client: Client,
    text: str,
    *,
    originator: str,
    to: Sequence[str] = (ASSISTANT,),
    cc: Sequence[str] = (),
    at: datetime,
    message_id: str | None = "",
    answers: Sequence[str] = (),
) -> bytes:
    """A mail with the client's mark in its words, and perhaps in its subject, an attachment and an HTML part."""
    if message_id == "":
        message_id = f"{chance.randrange(10**12)}@{originator.partition('@')[2]}"
    subject = client.subject if chance.random() < 0.3 else f"{client.subject} {client.mark}"
    if answers and chance.random() < 0.8:
        subject = f"Re: {subject}"
    raw = mail(
        f"{text}\n\n编号 {client.mark}",
        subject=subject,
        originator=originator,
        to=to,
        cc=cc,
        at=at,
        message_id=message_id,
        answers=answers,
    )
    return _with_attachment(raw, client) if chance.random() < 0.2 else raw


def _with_attachment(raw: bytes, client: Client) -> bytes:
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    content = [line for line in lines if line.lower().startswith((b"content-", b"mime-"))]
    others = [line for line in lines if line not in content]
    inner = b"\r\n".join(line for line in content if not line.lower().startswith(b"mime-"))
    payload = base64.encodebytes(f"内容 {client.mark}".encode() * 20).replace(b"\n", b"\r\n")
    return b"\r\n".join(
        (
            *others,
            b"MIME-Version: 1.0",
            b'Content-Type: multipart/mixed; boundary="part"',
            b"",
            b"--part",
            inner,
            b"",
            body.rstrip(b"\r\n"),
            b"--part",
            f'Content-Type: application/pdf; name="{client.mark}.pdf"'.encode(),
            b"Content-Transfer-Encoding: base64",
            f'Content-Disposition: attachment; filename="{client.mark}.pdf"'.encode(),
            b"",
            payload + b"--part--",
            b"",
        )
    )
