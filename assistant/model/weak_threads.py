"""Weak evidence that a conversation goes on from another although no id says so.

A mail program that drops References, or a gateway that rewrites Message-IDs, breaks a conversation in two. What speaks
for joining them is weaker than ids: it is kept apart from the threads, is computed from the set of messages and not from
the order in which they arrived, and is taken back when a message that comes later makes it ambiguous. The same subject
alone is never evidence.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

_KEY_LETTERS = 24
_WITHIN = timedelta(days=30)
_SHARED_PEOPLE = 2
_TOO_COMMON = 2_000
"""A subject that so many mails bear says nothing."""


@dataclass(frozen=True, slots=True)
class ThreadMail:
    """One message as weak evidence sees it. `party`: the client it is with; mail of two clients is never joined."""

    message_id: str
    thread: int
    party: int | None
    subject_key: str
    sent_at: datetime
    answers: bool
    """Whether its subject says that it is an answer."""
    people: frozenset[str]
    """Addresses of writer and recipients, without the assistant."""
    thread_index: str = ""


@dataclass(frozen=True, slots=True)
class WeakEdge:
    """`thread` probably goes on from `continues`."""

    thread: int
    continues: int
    evidence: str
    subject_key: str
    """The subject and the client of the mail that says so: a thread may have mail with several, and an edge for each."""
    party: int | None


def weak_edges(mails: Iterable[ThreadMail]) -> frozenset[WeakEdge]:
    """The edges of a set of messages: the same whatever their order, and none where there is more than one candidate.

    The first message of a thread ties it to an earlier one with the same base subject and client: by Outlook's
    Thread-Index, or, when it calls itself an answer, by at least two people on both within 30 days.
    """
    groups: defaultdict[tuple[str, int | None], list[ThreadMail]] = defaultdict(list)
    for mail in mails:
        if mail.subject_key:
            groups[mail.subject_key, mail.party].append(mail)
    return frozenset(edge for group in groups.values() if len(group) <= _TOO_COMMON for edge in _edges_of(group))


def _edges_of(group: Sequence[ThreadMail]) -> Iterable[WeakEdge]:
    home: dict[int, int] = {}
    earlier: list[ThreadMail] = []
    for mail in sorted(group, key=lambda item: (item.sent_at, item.answers, item.message_id)):
        if mail.thread not in home:
            home[mail.thread] = mail.thread
            for signs, evidence in ((_same_index, "Outlook's Thread-Index"), (_same_people, "same subject and people")):
                found = {home[other.thread] for other in earlier if signs(mail, other)}
                if len(found) == 1:
                    home[mail.thread] = found.pop()
                    yield WeakEdge(mail.thread, home[mail.thread], evidence, mail.subject_key, mail.party)
                    break
        earlier.append(mail)


def _same_index(mail: ThreadMail, other: ThreadMail) -> bool:
    return bool(mail.thread_index) and mail.thread_index == other.thread_index


def _same_people(mail: ThreadMail, other: ThreadMail) -> bool:
    return (
        mail.answers and mail.sent_at - other.sent_at <= _WITHIN and len(mail.people & other.people) >= _SHARED_PEOPLE
    )


def subject_key(base_subject: str) -> str:
    """The same for subjects that differ in case and spaces alone; "" for those that have no letters or digits."""
    folded = "".join(base_subject.casefold().split())
    if not re.search(r"\w", folded):
        return ""
    return hashlib.sha256(folded.encode("utf-8", "replace")).hexdigest()[:_KEY_LETTERS]
