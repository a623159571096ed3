"""Reminders, digests and notices for colleagues: facts in, finished mails out. Pure.

Each function raises `ProblemsFound` where the agency's own template is broken.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from assistant.rendering import Rendered, Templates
from assistant.rendering.filters import one_line, shorten
from assistant.reports.facts import (
    ApprovalRequest,
    BounceNotice,
    MessageLink,
    MorningReminder,
    OperatorNotice,
    OptOutNotice,
    PendingMail,
    ReminderItem,
    ReminderKind,
    UrgentReminder,
    VetoDigest,
)
from assistant.reports.mid import mid_url

MAX_ITEMS: Final = 15
MAX_MAILS: Final = 12
MAX_PROBLEMS: Final = 30
NAME_LENGTH: Final = 40
LINE_LENGTH: Final = 120
BODY_LENGTH: Final = 1200

SECTIONS: Final[Mapping[str, tuple[ReminderKind, ...]]] = {
    "act": (
        "escalation",
        "unanswered_question",
        "problem_open",
        "commitment_ours",
        "approval_waiting",
        "veto_waiting",
        "draft_waiting",
        "task",
    ),
    "watch": ("sign_off_missing", "stage_over_target", "commitment_theirs"),
    "care": ("birthday", "no_contact"),
}
"""What a morning's mail tells first, and in which order within: to do, to watch, to care for."""

View = dict[str, Any]


def render_morning(reminder: MorningReminder, templates: Templates) -> Rendered:
    """The mail of a morning. The caller sends none when there are no items."""
    return templates.render("reminders/morning", reminder.language, morning_view(reminder))


def render_urgent(reminder: UrgentReminder, templates: Templates) -> Rendered:
    """One matter that cannot wait."""
    return templates.render("reminders/urgent", reminder.language, urgent_view(reminder))


def render_veto_digest(digest: VetoDigest, templates: Templates) -> Rendered:
    """What leaves soon in a colleague's name, and how to stop it."""
    return templates.render("staff/veto-digest", digest.language, pending_view(digest))


def render_approval_request(request: ApprovalRequest, templates: Templates) -> Rendered:
    """What leaves only after a colleague's yes."""
    return templates.render("staff/approval-request", request.language, pending_view(request))


def render_opt_out_notice(notice: OptOutNotice, templates: Templates) -> Rendered:
    """Somebody wants no more automatic mail."""
    return templates.render("staff/opt-out-notice", notice.language, opt_out_view(notice))


def render_bounce_notice(notice: BounceNotice, templates: Templates) -> Rendered:
    """A mail came back."""
    return templates.render("staff/bounce-notice", notice.language, bounce_view(notice))


def render_operator_notice(notice: OperatorNotice, templates: Templates) -> Rendered:
    """Something that the person who runs the assistant must act on."""
    return templates.render("staff/operator-notice", notice.language, operator_view(notice))


def morning_view(reminder: MorningReminder) -> View:
    """The context of `reminders/morning`."""
    sections: list[View] = []
    for name, kinds in SECTIONS.items():
        ordered = sorted((item for item in reminder.items if item.kind in kinds), key=lambda i: kinds.index(i.kind))
        if ordered:
            shown = [_item(item) for item in ordered[:MAX_ITEMS]]
            sections.append({"name": name, "count": len(ordered), "entries": shown, "more": len(ordered) - len(shown)})
    counts = {section["name"]: section["count"] for section in sections}
    return {
        "today": reminder.day,
        "person": _name(reminder.person.name),
        "agency": _name(reminder.agency),
        "sections": sections,
        "act_count": counts.get("act", 0),
        "other_count": counts.get("watch", 0) + counts.get("care", 0),
    }


def urgent_view(reminder: UrgentReminder) -> View:
    """The context of `reminders/urgent`."""
    return {
        "today": reminder.at.date(),
        "person": _name(reminder.person.name),
        "agency": _name(reminder.agency),
        "at": reminder.at,
        "escalated_from": _name(reminder.escalated_from),
        "entry": _item(reminder.item),
    }


def pending_view(digest: VetoDigest | ApprovalRequest) -> View:
    """The context of `staff/veto-digest` and `staff/approval-request`."""
    shown = [_pending(mail) for mail in digest.mails[:MAX_MAILS]]
    return {
        "today": digest.generated_at.date(),
        "person": _name(digest.person.name),
        "agency": _name(digest.agency),
        "generated_at": digest.generated_at,
        "mails": shown,
        "count": len(digest.mails),
        "more": len(digest.mails) - len(shown),
        "by_reply": digest.answers_obeyed,
        "first_leaves_at": min((mail.leaves_at for mail in digest.mails if mail.leaves_at), default=""),
    }


def opt_out_view(notice: OptOutNotice) -> View:
    """The context of `staff/opt-out-notice`."""
    return {
        "today": notice.at.date(),
        "person": _name(notice.person.name),
        "agency": _name(notice.agency),
        "at": notice.at,
        "contact": _name(notice.contact_name or notice.contact_address),
        "address": shorten(notice.contact_address, 80),
        "client": _name(notice.client),
        "project": _name(notice.project),
        "scope": notice.scope,
        "said": _line(notice.said),
        "cancelled": notice.cancelled,
        **_message(notice.message),
    }


def bounce_view(notice: BounceNotice) -> View:
    """The context of `staff/bounce-notice`."""
    return {
        "today": notice.at.date(),
        "person": _name(notice.person.name),
        "agency": _name(notice.agency),
        "at": notice.at,
        "contact": _name(notice.contact_name or notice.address),
        "address": shorten(notice.address, 80),
        "client": _name(notice.client),
        "project": _name(notice.project),
        "permanent": notice.permanent,
        # Most servers repeat the code in what they say.
        "status": "" if notice.status in notice.reason else shorten(notice.status, 20),
        "reason": shorten(notice.reason, 240),
        "subject": _line(notice.subject),
        "suppressed_until": notice.suppressed_until or "",
        "command": shorten(notice.command, LINE_LENGTH),
        "href": mid_url(notice.message.message_id) if notice.message else "",
    }


def operator_view(notice: OperatorNotice) -> View:
    """The context of `staff/operator-notice`."""
    problems = [
        {
            "place": shorten(problem.place, LINE_LENGTH),
            "code": problem.code,
            "message": shorten(problem.message, 240),
            "hint": shorten(problem.hint, 240),
            "warning": problem.warning,
            "apart": problem.apart,
        }
        for problem in notice.problems[:MAX_PROBLEMS]
    ]
    return {
        "today": notice.at.date(),
        "person": _name(notice.person.name),
        "agency": _name(notice.agency),
        "at": notice.at,
        "kind": notice.kind,
        "text": shorten(notice.text, 400),
        "problems": problems,
        "count": len(notice.problems),
        "more": len(notice.problems) - len(problems),
        "last_good": notice.last_good,
    }


def _name(text: str) -> str:
    return shorten(text, NAME_LENGTH)


def _line(text: str) -> str:
    return shorten(text, LINE_LENGTH)


def _body(text: str) -> str:
    """Several lines, without control characters, cut where they get long."""
    lines = (one_line(line) for line in text.replace("\r\n", "\n").split("\n"))
    tidy = "\n".join(lines).strip("\n")
    return tidy if len(tidy) <= BODY_LENGTH else tidy[: BODY_LENGTH - 1].rstrip() + "…"


def _message(message: MessageLink | None) -> View:
    return {
        "subject": _line(message.subject) if message else "",
        "sent_on": (message.sent_on or "") if message else "",
        "href": mid_url(message.message_id) if message else "",
    }


def _item(item: ReminderItem) -> View:
    due = item.due
    return {
        "kind": item.kind,
        "client": _name(item.client),
        "project": _name(item.project),
        "text": _line(item.text),
        "who": _name(item.who),
        "since": item.since or "",
        "days": item.business_days,
        "due": due or "",
        "due_has_time": isinstance(due, datetime),
        "stage_name": _name(item.stage_name),
        "command": shorten(item.command, LINE_LENGTH),
        **_message(item.message),
    }


def _pending(mail: PendingMail) -> View:
    message = _message(mail.message)
    return {
        "number": mail.number,
        "leaves_at": mail.leaves_at or "",
        "to_name": _name(mail.to_name),
        "to_address": shorten(mail.to_address, 80),
        "client": _name(mail.client),
        "project": _name(mail.project),
        "rule": _name(mail.rule),
        "step": mail.step,
        "why": _line(mail.why),
        "subject": _line(mail.subject),
        "body": _body(mail.text),
        "waited_subject": message["subject"],
        "waited_on": message["sent_on"],
        "href": message["href"],
    }
