"""What the template of the weekly summary sees: every text cut, every bar measured, nothing left to decide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from assistant.model.process import STAGES, stage_position
from assistant.rendering.filters import shorten
from assistant.reports.bars import Cell, against_target, columns, share
from assistant.reports.facts import (
    DueCommitment,
    FestivalAhead,
    Happening,
    OpenQuestion,
    PlannedStep,
    ProjectSummary,
    UnsureLabel,
    WeeklySummary,
)
from assistant.reports.mid import mid_url

NAME_LENGTH: Final = 40
LINE_LENGTH: Final = 90
SOON_DAYS: Final = 5
"""Commitments due in so many business days are named among what needs attention."""
COLUMN_PIXELS: Final = 72

View = dict[str, Any]
"""What the template sees: texts, numbers, days, lists and tables of these; "" where something is not there."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many of each are shown; what is left out is counted."""

    happenings: int = 14
    attention: int = 6
    projects: int = 6
    brief_projects: int = 12
    in_project: int = 3
    unsure: int = 4
    candidates: int = 3
    ahead: int = 5


def weekly_view(summary: WeeklySummary, limits: Limits | None = None) -> View:
    """The context of the template `summaries/weekly`."""
    limits = limits or Limits()
    projects = summary.projects
    attention = _attention(summary)
    happened = summary.happened
    festivals, planned = summary.festivals_next[: limits.ahead], summary.greetings_next[: limits.ahead]
    return {
        "today": summary.generated_at.date(),
        "client": _name(summary.client),
        "agency": _name(summary.agency),
        "owner": _name(summary.owner.name),
        "period_from": summary.period_from,
        "period_to": summary.period_to,
        "generated_at": summary.generated_at,
        "quiet": not happened and not any(day.received or day.sent for day in summary.messages_by_day),
        "figures": _figures(summary),
        "attention": attention[: limits.attention],
        "attention_count": len(attention),
        "attention_more": max(len(attention) - limits.attention, 0),
        "happened": [_happening(item, summary) for item in happened[: limits.happenings]],
        "happened_more": max(len(happened) - limits.happenings, 0),
        "projects": [_project(project, limits) for project in projects[: limits.projects]],
        "projects_brief": [_brief(p) for p in projects[limits.projects : limits.projects + limits.brief_projects]],
        "projects_more": max(len(projects) - limits.projects - limits.brief_projects, 0),
        "responses": _responses(projects[: limits.projects + 2], summary.response_times.promised_hours),
        "days": _days(summary),
        "unsure": [_unsure(label, limits) for label in summary.unsure[: limits.unsure]],
        "unsure_more": max(len(summary.unsure) - limits.unsure, 0),
        "festivals": [_festival(festival, limits) for festival in festivals],
        "planned": [_step(step) for step in planned],
    }


def _name(text: str) -> str:
    return shorten(text, NAME_LENGTH)


def _line(text: str) -> str:
    return shorten(text, LINE_LENGTH)


def _cells(cells: Iterable[Cell]) -> list[View]:
    return [{"percent": cell.percent, "tone": cell.tone} for cell in cells]


def _figures(summary: WeeklySummary) -> View:
    times, before = summary.response_times, summary.response_times_before
    on_us = [project.waiting_business_days for project in summary.projects if project.waiting_on == "us"]
    on_client = [project.waiting_business_days for project in summary.projects if project.waiting_on == "client"]
    known = times.us_hours is not None
    comparable = known and before.us_hours is not None
    promised = times.promised_hours
    return {
        "projects": len(summary.projects),
        "projects_new": sum(project.new for project in summary.projects),
        "waiting_us": len(on_us),
        "waiting_us_longest": max(on_us, default=0),
        "waiting_client": len(on_client),
        "waiting_client_longest": max(on_client, default=0),
        "received": sum(day.received for day in summary.messages_by_day),
        "sent": sum(day.sent for day in summary.messages_by_day),
        "response_known": known,
        "response_hours": times.us_hours or 0.0,
        "response_count": times.us_count,
        "response_change": (times.us_hours or 0.0) - (before.us_hours or 0.0) if comparable else 0.0,
        "promised_known": promised is not None,
        "promised_hours": promised or 0.0,
        "response_late": promised is not None and known and (times.us_hours or 0.0) > promised,
    }


def _attention(summary: WeeklySummary) -> list[View]:
    """What the reader must act on, the gravest first; each matter once."""
    rows: list[tuple[int, View]] = []

    def add(rank: int, kind: str, project: str, text: str, who: str, day: date | None, days: int, link: str) -> None:
        shown = {"kind": kind, "project": _name(project), "text": _line(text), "who": _name(who), "days": days}
        rows.append((rank, {**shown, "day": day or "", "href": mid_url(link)}))

    for project in summary.projects:
        named = project.name
        for problem in project.problems:
            add(
                0,
                "problem",
                named,
                problem.text,
                problem.owner,
                problem.opened_on,
                problem.business_days,
                problem.message_id,
            )
        for promise in project.commitments:
            if promise.by == "us" and promise.days_left <= SOON_DAYS:
                late = promise.days_left < 0
                kind, rank = ("overdue", 1) if late else ("due", 3)
                add(
                    rank,
                    kind,
                    named,
                    promise.text,
                    promise.who,
                    promise.due,
                    abs(promise.days_left),
                    promise.message_id,
                )
        if project.waiting_on == "us":
            message = project.waiting_message
            text = project.waiting_for or (message.subject if message else "")
            link = message.message_id if message else ""
            add(
                2,
                "waiting_us",
                named,
                text,
                project.waiting_who,
                project.waiting_since,
                project.waiting_business_days,
                link,
            )
    ordered = sorted(enumerate(rows), key=lambda row: (row[1][0], row[0]))
    seen: set[tuple[str, str]] = set()
    kept = []
    for _, (_, row) in ordered:
        key = (row["project"], row["text"])
        if key not in seen:
            seen.add(key)
            kept.append(row)
    return kept


def _happening(item: Happening, summary: WeeklySummary) -> View:
    alone = len(summary.projects) == 1
    return {
        "kind": item.kind,
        "day": item.at.date(),
        "who": _name(item.who or summary.client),
        "what": _line(item.what),
        "before": _name(item.before),
        "project": "" if alone else _name(item.project),
        "href": mid_url(item.message_id),
    }


def _pace(project: ProjectSummary) -> str:
    if project.paused:
        return "paused"
    if project.target_days is None:
        return "open"
    over = project.business_days_in_stage - project.target_days
    if over <= 0:
        return "on_time"
    return "buffer" if over <= project.buffer_days else "late"


def _brief(project: ProjectSummary) -> View:
    return {
        "name": _name(project.name),
        "stage_name": _name(project.stage_name),
        "days": project.business_days_in_stage,
        "target": project.target_days or 0,
        "pace": _pace(project),
        "waiting_on": project.waiting_on,
    }


def _project(project: ProjectSummary, limits: Limits) -> View:
    message, position = project.waiting_message, stage_position(project.stage)
    target = project.target_days
    # What the project waits for is already said; the same sentence again as a question would be noise.
    questions = [question for question in project.open_questions if question.text != project.waiting_for]
    return {
        **_brief(project),
        "new": project.new,
        "position": position + 1,
        "of": len(STAGES),
        "steps": ["done" if n < position else "now" if n == position else "next" for n in range(len(STAGES))],
        "cells": _cells(against_target(project.business_days_in_stage, target, project.buffer_days)) if target else [],
        "stage_since": project.stage_since or "",
        "over": max(project.business_days_in_stage - (target or 0), 0) if target else 0,
        "waiting_who": _name(project.waiting_who),
        "waiting_for": _line(project.waiting_for),
        "waiting_since": project.waiting_since or "",
        "waiting_days": project.waiting_business_days,
        "waiting_subject": _line(message.subject) if message else "",
        "waiting_href": mid_url(message.message_id) if message else "",
        "received": project.messages_received,
        "sent": project.messages_sent,
        "questions": [_question(question) for question in questions[: limits.in_project]],
        "questions_more": max(len(questions) - limits.in_project, 0),
        "commitments": [_commitment(promise) for promise in project.commitments[: limits.in_project]],
        "commitments_more": max(len(project.commitments) - limits.in_project, 0),
        "next": [_step(step) for step in project.next_steps[: limits.in_project]],
        "problems": len(project.problems),
    }


def _question(question: OpenQuestion) -> View:
    return {
        "text": _line(question.text),
        "by": question.asked_by,
        "who": _name(question.who),
        "day": question.asked_on,
        "days": question.business_days,
        "href": mid_url(question.message_id),
    }


def _commitment(promise: DueCommitment) -> View:
    return {
        "text": _line(promise.text),
        "by": promise.by,
        "who": _name(promise.who),
        "due": promise.due,
        "days_left": promise.days_left,
        "href": mid_url(promise.message_id),
    }


def _step(step: PlannedStep) -> View:
    return {
        "at": step.at,
        "kind": step.kind,
        "what": _line(step.what),
        "to": _name(step.to),
        "release": step.release,
    }


def _responses(projects: Sequence[ProjectSummary], promised: float | None) -> View:
    """Bars of one scale over all projects, so that they may be compared."""
    hours = [h for p in projects for h in (p.response_times.us_hours, p.response_times.client_hours) if h is not None]
    most = max([*hours, promised or 0.0], default=0.0)
    rows = []
    for project in projects:
        times = project.response_times
        sides = (("us", times.us_hours, times.us_count), ("client", times.client_hours, times.client_count))
        bars = [_bar(side, value, count, most, promised) for side, value, count in sides if value is not None]
        if bars:
            rows.append({"name": _name(project.name), "bars": bars})
    return {"rows": rows, "promised_known": promised is not None, "promised_hours": promised or 0.0}


def _bar(side: str, hours: float, count: int, most: float, promised: float | None) -> View:
    late = side == "us" and promised is not None and hours > promised
    cells = share(hours, most, "second" if side == "client" else "over" if late else "normal")
    return {"side": side, "hours": hours, "count": count, "late": late, "cells": _cells(cells)}


def _days(summary: WeeklySummary) -> list[View]:
    counts = summary.messages_by_day
    if not any(day.received or day.sent for day in counts):
        return []
    heights = columns([n for day in counts for n in (day.received, day.sent)], COLUMN_PIXELS)
    return [
        {
            "day": count.day,
            "received": count.received,
            "sent": count.sent,
            "received_pixels": heights[2 * n],
            "sent_pixels": heights[2 * n + 1],
        }
        for n, count in enumerate(counts)
    ]


def _unsure(label: UnsureLabel, limits: Limits) -> View:
    return {
        "subject": _line(label.message.subject),
        "day": label.message.sent_on or "",
        "who": _name(label.who),
        "about": label.about,
        "href": mid_url(label.message.message_id),
        "correct_with": label.correct_with,
        "candidates": [
            {"value": c.value, "name": _name(c.name), "percent": round(100 * c.confidence)}
            for c in label.candidates[: limits.candidates]
        ],
    }


def _festival(festival: FestivalAhead, limits: Limits) -> View:
    return {
        "name": _name(festival.name),
        "day": festival.day,
        "greeted": [_name(name) for name in festival.greeted[: limits.ahead]],
        "greeted_more": max(len(festival.greeted) - limits.ahead, 0),
        "greeting_at": festival.greeting_at or "",
        "closed_from": festival.closed_from or "",
        "closed_to": festival.closed_to or "",
        "provisional": festival.provisional,
    }
