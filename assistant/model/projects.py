"""Which of a client's projects a new thread belongs to, how sure that is, and why.

Words and people speak by how much more often they occur in one project than in the client's mail as a whole, so that
what is common to all its threads says nothing. A new project needs a reason; without one the thread joins.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from assistant.model.process import STAGES

JOINED = 0.5
"""From here on a thread is put into a project without asking."""

_ANSWERED_WITHIN = timedelta(days=120)
_REPEATED_WITHIN = timedelta(days=45)
_YOUNG = timedelta(days=60)
_RECENT = timedelta(days=45)
_WORDS_READ = 1500
_GENERIC = re.compile(
    r"(关于|關於|请|請|您好|你好|回复|确认|項目|项目|專案|沟通|合作|咨询|事宜|更新|re|fwd?|about|the|our|your|for|update|project|question|hello|hi)",
    re.IGNORECASE,
)
_NOVELTY = re.compile(
    r"\b(?:an(?:d an)?other (?:thing|project|matter|job|idea|enquiry|inquiry|topic|campaign|brief|request)|separate(?:ly)?|(?:apart|aside) from|"
    r"besides|unrelated to|new (?:project|campaign|brief|enquiry|inquiry|thing|job|venture|assignment|topic)|"
    r"different (?:project|matter|thing|topic|subject)|something (?:else|new|bigger|different)|next project|second (?:project|folder|job))\b"
    r"|另一?[个個件桩樁码碼]|另外(?:一|想|还|還|有)|另(?:有|案|起)|[还還]有一?[个個件][^，。]{0,8}(?:想|事|项目|項目|案)|除了[^。！？]{1,14}[还還也另]"
    r"|[之以]外的|新(?:的)?(?:项目|項目|專案|需求|活动|活動|任务|任務|合作|案子)|[别別]的(?:事|项目|項目|案)|又[来來]了|[这這]次(?:想|要|是|打算|换|換)"
    r"|[单單][独獨](?:立|算|走|开|開|报|報)|分[开開]算|下一?[个個](?:项目|項目|案子|專案)|再[请請来來做找]",
    re.IGNORECASE,
)
_FOLLOWS = {0: 0.55, 1: 0.2, 2: 0.07, -1: 0.08}


@dataclass(frozen=True, slots=True)
class ProjectCandidate:
    """One project of the client: what its threads are called, who took part, and what was written, as far as comparing needs it.

    `words` and `people` count in how many of its `mails` each stands; without them names and participants serve.
    """

    project_id: int
    names: tuple[str, ...]
    participants: frozenset[str]
    stage: str
    state: str
    last_at: datetime
    opened_at: datetime | None = None
    words: Mapping[str, int] = field(default_factory=dict)
    people: Mapping[str, int] = field(default_factory=dict)
    mails: int = 1
    quoted: bool = False
    """Whether the new thread quotes a mail of this project, by its words or its Message-ID."""


@dataclass(frozen=True, slots=True)
class NewThread:
    """The first message of a thread that no reference ties to a project."""

    subject: str
    text: str
    participants: frozenset[str]
    sent_at: datetime
    stage_probabilities: tuple[tuple[str, float], ...]
    inbound: bool
    is_answer: bool = False
    """Whether it calls itself an answer, although nothing says to what."""
    quoted: str = ""
    """The text quoted below."""
    writer: str = ""
    continues: int | None = None
    """The project of the thread that it goes on from by weak evidence (`assistant.model.weak_threads`), and which."""
    continues_evidence: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """`project_id` None means: this begins a project of its own."""

    project_id: int | None
    confidence: float
    evidence: str


def choose_project(thread: NewThread, candidates: Sequence[ProjectCandidate]) -> Choice:
    """The likeliest home of the thread among the client's projects, or a new one for a fresh concrete enquiry."""
    if not candidates:
        return Choice(None, 1.0, "first mail of this client")
    # By what is the same whatever arrived first; the numbers of projects are not.
    candidates = sorted(candidates, key=lambda item: (item.opened_at or item.last_at, item.names, item.project_id))
    quoted = [item for item in candidates if item.quoted]
    if len(quoted) == 1:
        return Choice(quoted[0].project_id, 0.95, f"quotes a mail of {quoted[0].names[0]!r}")
    goes_on = [item for item in candidates if item.project_id == thread.continues]
    if goes_on and not quoted:
        return Choice(goes_on[0].project_id, 0.94, f"{thread.continues_evidence} as in {goes_on[0].names[0]!r}")
    continued = [item for item in candidates if _continues(thread, item)]
    if len(continued) == 1:
        return Choice(
            continued[0].project_id, 0.93 if thread.is_answer else 0.85, f"same subject as in {continued[0].names[0]!r}"
        )
    fresh, reason = newness(thread, candidates)
    if fresh >= 0.5 and not quoted and not continued:
        return Choice(None, fresh, reason)
    likely = continued or quoted or candidates
    shares = _shares([_fit(thread, item, likely) for item in likely])
    share, best = max(zip(shares, likely, strict=True), key=lambda pair: pair[0])
    return Choice(best.project_id, round(min(0.97, (1 - fresh) * share), 4), _why(thread, best, len(likely)))


def newness(thread: NewThread, candidates: Sequence[ProjectCandidate]) -> tuple[float, str]:
    """How likely the thread begins a project of its own (0 to 1), and the reason that speaks most for it."""
    stages = dict(thread.stage_probabilities)
    running = [item for item in candidates if _is_running(item, thread.sent_at)]
    novel = bool(_NOVELTY.search(thread.text[:400])) * 1.5 + bool(_NOVELTY.search(thread.subject)) * 2.0
    known = any(thread.writer in item.people or thread.writer in item.participants for item in candidates)
    young = any(_is_young(item, thread.sent_at) for item in running)
    likeness = max(_likeness(thread.subject, item.names) for item in candidates)
    beyond = all(item.stage in STAGES[3:] for item in running)
    early = stages.get("discovery", 0.0) + (0.8 * stages.get("proposal", 0.0) if beyond else 0.0)
    strange = _strangers(thread, candidates)
    alone = strange > 0.6 and not known
    weight = -3.8 + (4.0 if thread.inbound or beyond else 2.0) * early + novel - 2.0 * likeness
    weight += 3.0 * early * strange
    weight += 1.2 * early if running and beyond else 0.0
    weight += 0.0 if running else 2.5
    weight += 0.8 if thread.writer and not known else 0.0
    weight += 2.0 if alone else 0.0
    weight -= 2.0 if young and not novel else 0.0
    weight -= 3.0 if thread.is_answer else 0.0
    weight -= 0.0 if thread.inbound or alone else 1.0 if beyond else 2.0
    reason = "a new concrete enquiry" if running else "a new concrete enquiry after the last project ended"
    return 1 / (1 + math.exp(-weight)), reason


def _is_young(candidate: ProjectCandidate, at: datetime) -> bool:
    """Whether an enquiry at this time is probably still the one that the project began with."""
    since = at - (candidate.opened_at or candidate.last_at)
    return (candidate.stage in STAGES[:2] and since < _YOUNG) or -2 * _YOUNG < since < timedelta(0)


def _strangers(thread: NewThread, candidates: Sequence[ProjectCandidate]) -> float:
    """Which part of those on the mail beside its writer was never on this client's mail before, 0 to 1."""
    mails = sum(item.mails for item in candidates)
    seen: Counter[str] = Counter()
    for item in candidates:
        seen.update(_people(item))
    # Whoever is on nearly all mail, as the assistant itself, tells nothing.
    others = [person for person in thread.participants if person != thread.writer and seen[person] < 0.9 * mails]
    unseen = sum(not seen[person] for person in others) / len(others) if others else 0.0
    # After a few mails anybody is new.
    return unseen * mails / (mails + 3)


def _is_running(candidate: ProjectCandidate, at: datetime) -> bool:
    if at < candidate.last_at:
        return True  # mail that arrives late: the project was not over yet when it was written
    if candidate.stage in {"closing", "relationship"} or candidate.state in {"over", "lost"}:
        return False
    return abs(at - candidate.last_at) < timedelta(days=150)


def _continues(thread: NewThread, candidate: ProjectCandidate) -> bool:
    """Same subject, soon after: an answer whose references got lost, or the next mail of a series."""
    subject = _folded(thread.subject)
    if not subject or abs(thread.sent_at - candidate.last_at) > (
        _ANSWERED_WITHIN if thread.is_answer else _REPEATED_WITHIN
    ):
        return False
    if not thread.is_answer and not words_of(_GENERIC.sub(" ", subject)):
        return False
    return any(_folded(name) == subject for name in candidate.names)


def _fit(thread: NewThread, candidate: ProjectCandidate, candidates: Sequence[ProjectCandidate]) -> float:
    """How well the thread fits, in natural logarithms of odds; only differences between candidates mean something."""
    said = words_of(f"{thread.subject}\n{thread.text[:_WORDS_READ]}")
    named = words_of(thread.subject)
    content = 0.5 * (_evidence(said, candidate, candidates, _words) + _evidence(named, candidate, candidates, _words))
    people = 0.6 * _evidence(thread.participants, candidate, candidates, _people)
    gap = abs(thread.sent_at - candidate.last_at) / _RECENT
    named_whole = any(len(name) >= 4 and name.casefold() in thread.text.casefold() for name in candidate.names)
    ended = candidate.state in {"over", "lost"}
    return (
        _within(content, 6.0)
        + _within(people, 4.0)
        - min(gap, 4.0)
        + 0.7 * _stage_fit(thread, candidate)
        + (1.0 if named_whole else 0.0)
        - (1.0 if ended else 0.0)
    )


def _words(candidate: ProjectCandidate) -> Mapping[str, int]:
    return candidate.words or dict.fromkeys(words_of(" \n ".join(candidate.names)), 1)


def _people(candidate: ProjectCandidate) -> Mapping[str, int]:
    return candidate.people or dict.fromkeys(candidate.participants, 1)


def _evidence(
    signs: frozenset[str],
    candidate: ProjectCandidate,
    candidates: Sequence[ProjectCandidate],
    counts_of: object,
) -> float:
    """Sum over the signs of log(share of this project's mails / share of all mails), Dirichlet-smoothed, rare signs in full."""
    assert callable(counts_of)
    mails = sum(item.mails for item in candidates)
    here = counts_of(candidate)
    everywhere = [counts_of(item) for item in candidates]
    total = 0.0
    for sign in sorted(signs):
        seen = sum(counts.get(sign, 0) for counts in everywhere)
        if not seen:
            continue
        base = (seen + 0.1) / (mails + 1)
        rarity = min(1.0, math.log((1 + mails) / (0.5 + seen)) / math.log(1 + mails))
        share = (here.get(sign, 0) + 3 * base) / (candidate.mails + 3)
        total += max(0.0, rarity) * _weight(sign) * _within(math.log(share / base), 2.0)
    return total


def _weight(sign: str) -> float:
    """Short words are common words (Zipf); what has digits is a name, a size or a number of something."""
    if any(character.isdigit() for character in sign):
        return 1.5
    return 0.8 if sign[0] >= "\u3400" else min(1.0, len(sign) / 6)


def _stage_fit(thread: NewThread, candidate: ProjectCandidate) -> float:
    if candidate.stage not in STAGES or not thread.stage_probabilities:
        return 0.0
    at = STAGES.index(candidate.stage)
    steps = ((share, STAGES.index(stage) - at) for stage, share in thread.stage_probabilities if stage in STAGES)
    return math.log(0.02 + sum(share * _FOLLOWS.get(step, 0.03) for share, step in steps))


def _shares(weights: Sequence[float]) -> list[float]:
    highest = max(weights)
    odds = [math.exp(weight - highest) for weight in weights]
    return [item / sum(odds) for item in odds]


def _why(thread: NewThread, best: ProjectCandidate, candidates: int) -> str:
    name = best.names[0]
    if candidates == 1:
        return f"nothing speaks for a new project beside {name!r}"
    common = sorted(words_of(thread.subject) & frozenset(_words(best)))[:4]
    if common:
        return f"words and people as in {name!r}: {', '.join(common)}"
    return f"same people and time as {name!r}"


def _within(value: float, limit: float) -> float:
    return max(-limit, min(limit, value))


def _likeness(subject: str, names: Sequence[str]) -> float:
    """How much of the subject stands in the likest of the names, 0 to 1."""
    said = words_of(_GENERIC.sub(" ", subject))
    if not said:
        return 0.0
    return max((len(said & words_of(name)) / len(said) for name in names), default=0.0)


def _folded(subject: str) -> str:
    return "".join(subject.casefold().split())


@lru_cache(maxsize=512)
def words_of(text: str) -> frozenset[str]:
    """Latin words and Chinese character pairs."""
    text = text.casefold()
    latin = re.findall(r"[a-z0-9\u00c0-\u024f][a-z0-9\u00c0-\u024f'&-]+", text)
    han = [run[i : i + 2] for run in re.findall(r"[\u3400-\u9fff]{2,}", text) for i in range(len(run) - 1)]
    return frozenset([*latin, *han])
