"""What is wrong with rules that can be read: names twice, steps out of order, rules that contradict or never match.

`read_file` is the border: text in, meanings and findings out. Errors keep the whole set from being used; warnings do not.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from itertools import pairwise
from pathlib import Path as FilePath
from typing import Any, Final

from assistant.cadence.positions import Path, Position
from assistant.cadence.reading import KnowsTemplates, Report, read_table
from assistant.cadence.rulefile import ABOUTS, SCHEMA_VERSION
from assistant.cadence.rules import DEFAULT_AT, Comparison, Duration, Restraint
from assistant.cadence.tables import FILE
from assistant.cadence.wording import check_line
from assistant.calendar.festivals import FESTIVALS, PERSONAL
from assistant.errors import Problem

_SYNTAX_PLACE: Final = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)")
_FOREIGN_GROUPS: Final = {"step": ("greetings", "reminders", "staff", "summaries"), "greeting": ("followups", "reminders", "staff", "summaries")}  # fmt: skip
_ONLY_FOR: Final = {
    "promise": ("question",),
    "before": ("question",),
    "escalate_after": ("question",),
    "escalate_to": ("question",),
    "after": ("no-contact", "waiting"),
    "days_before": ("commitment", "birthday"),
}

Read = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Site:
    """One rule that is being checked: what was read of it, and what stands in the file."""

    path: Path
    read: Read
    raw: Mapping[str, Any]
    report: Report


def read_text(path: FilePath, shown: str) -> tuple[str, list[Problem]]:
    """The text of a file, or the problem that keeps it from being read."""
    try:
        return path.read_text(encoding="utf-8-sig"), []
    except UnicodeDecodeError as error:
        head = error.object[: error.start]
        line = head.count(b"\n") + 1
        column = len(head.rsplit(b"\n", 1)[-1].decode("utf-8-sig", "replace")) + 1
        return "", [Problem(shown, line, column, "R002", "this is not UTF-8", "Save the file as UTF-8.")]
    except OSError as error:
        return "", [Problem(shown, 0, 0, "R002", f"cannot be read: {error.strerror}")]


def parse_text(text: str, shown: str) -> tuple[dict[str, Any] | None, list[Problem]]:
    """TOML, or where its syntax is broken."""
    try:
        return tomllib.loads(text), []
    except tomllib.TOMLDecodeError as error:
        found = _SYNTAX_PLACE.search(str(error))
        lines = text.split("\n")
        if found is not None and found.group(1):
            line, column = int(found.group(1)), int(found.group(2))
        else:
            line, column = _unclosed_at(lines, str(error))
        message = _SYNTAX_PLACE.sub("", str(error))
        return None, [Problem(shown, line, column, "R001", f"not valid TOML: {message}", _syntax_hint(lines, line))]
    except RecursionError:
        return None, [Problem(shown, 1, 1, "R001", "not valid TOML: nested too deeply")]


def _unclosed_at(lines: list[str], message: str) -> Position:
    """Where the text or list begins that the end of the document cuts off; the parser only knows that it ended."""
    first = len(lines)
    while first > 1 and _says("\n".join(lines[: first - 1]), message):
        first -= 1
    line = lines[first - 1]
    for quotes in ('"""', "'''"):
        if quotes in message or (quotes in line and "Unterminated" in message):
            return first, line.rfind(quotes) + 1
    while not line.strip() and first > 1:
        first -= 1
        line = lines[first - 1]
    return first, len(line.rstrip()) + 1


def _says(text: str, message: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return str(error) == message
    return False


def _syntax_hint(lines: list[str], line: int) -> str:
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    if any(mark in text for mark in "“”‘’＝［］｛｝，"):
        return 'Quotes, brackets, commas and = must be the plain ones: "…" not “…”.'
    return "Texts need quotes, and a key and its value stand on one line."


def read_file(text: str, shown: str, templates: KnowsTemplates | None) -> tuple[Report, Read]:
    """Report and meanings of one rule file whose syntax is right."""
    data = tomllib.loads(text)
    report = Report(shown, text, data)
    read = read_table(FILE, data, (), report, templates)
    if data.get("schema") not in (None, SCHEMA_VERSION) and "schema" in read:
        report.add(("schema",), "R003", f"schema {data['schema']} is not known", f"Write schema = {SCHEMA_VERSION}.")
    for kind, check in _CHECKS.items():
        for number, item in enumerate(read.get(kind, ())):
            raw = data[kind][number]
            check(Site((kind, number), item, raw, report))
    if "restraint" in read:
        _check_restraint(("restraint",), read["restraint"], report)
    return report, read


# ── One rule by itself ───────────────────────────────────────────────────────────────────────────────────────────────


def _check_cadence(site: Site) -> None:
    path, read, report = site.path, site.read, site.report
    steps = read.get("step", [])
    for number, step in enumerate(steps):
        raw_step = site.raw["step"][number]
        _check_step((*path, "step", number), step, raw_step, report)
        if number:
            _check_order((*path, "step", number), steps[number - 1], step, report)
    both = sorted(set(read.get("ignore", ())) & set(read.get("stop", ()))) if "stop" in site.raw else []
    if both:
        report.add((*path, "ignore"), "R041", f'"{both[0]}" is both in stop and in ignore', "Name it in one of them.")
    sends = sum("send" in step for step in site.raw.get("step", []) if isinstance(step, dict))
    if "cap" in read and read["cap"] < sends:
        message = f"cap {read['cap']} is less than the {sends} mails of its steps"
        report.warn((*path, "cap"), "R052", message, "The last ones will never be sent.")
    anchor = read.get("anchor", "waited")
    waiting = read.get("when", {}).get("waiting_on", ())
    if anchor == "waited" and waiting and "client" not in waiting:
        report.warn(
            (*path, "when", "waiting_on"),
            "R050",
            "this never matches: a message is waited on only while the client is expected to act",
            'Write waiting_on = "client", or anchor = "last-contact".',
        )
    _check_contradiction(path, read, report)


def _check_step(path: Path, step: Read, raw: Mapping[str, Any], report: Report) -> None:
    given = [key for key in ("send", "task") if key in raw]
    if len(given) != 1:
        message = "a step needs either send or task" if not given else "a step cannot have both send and task"
        hint = "Make it two steps." if given else 'Write send = "followups/…" or task = "…".'
        report.add((*path, "task") if given else path, "R019", message, hint, where="key" if given else "table")
        return
    foreign = ("cc", "release", "days") if given == ["task"] else ("to",)
    for key in foreign:
        if key in raw:
            what = "a task" if given == ["task"] else "a mail: it goes to the contact who is waited on"
            report.add((*path, key), "R033", f'"{key}" is not for {what}', "Leave it out.", where="key")
    if "at" in raw and "after" in step and not step["after"].is_days:
        hint = "Count the step in days, or leave out at."
        report.add((*path, "at"), "R033", f'"at" does not go with a step after {step["after"]}', hint, where="key")
    if "send" in step:
        _check_group((*path, "send"), step["send"], "step", report)
    if "task" in step:
        for message, hint in check_line(step["task"]):
            report.add((*path, "task"), "R031", message, hint)


def _check_group(path: Path, template: str, use: str, report: Report) -> None:
    group = template.partition("/")[0]
    if "/" in template and group in _FOREIGN_GROUPS[use]:
        what = "follow-up" if use == "step" else "greeting"
        report.add(path, "R035", f'the template "{template}" is not made for a {what}')


def comes_before(earlier: Read, later: Read) -> bool | None:
    """Whether `later` is due before `earlier`; None when they are due together."""
    first, second = earlier["after"], later["after"]
    if first.unit == second.unit:
        a, b = float(first.amount), float(second.amount)
    else:
        # Business hours may pass within one morning or take a weekend: only what is certainly out of order is wrong.
        a = first.amount * 3600.0 if first.unit == "business hours" else first.elapsed().total_seconds()
        b = second.elapsed().total_seconds()
    if a != b:
        return b < a
    if first.is_days and second.is_days:
        at = earlier.get("at", DEFAULT_AT), later.get("at", DEFAULT_AT)
        return None if at[0] == at[1] else at[1] < at[0]
    return None


def _check_order(path: Path, earlier: Read, later: Read, report: Report) -> None:
    if "after" not in earlier or "after" not in later:
        return
    if comes_before(earlier, later):
        key = "at" if str(earlier["after"]) == str(later["after"]) else "after"
        message = f"this step is due before the one above it ({later['after']} after {earlier['after']})"
        report.add((*path, key), "R020", message, "Put the steps in the order of time.")


def _check_contradiction(path: Path, read: Read, report: Report) -> None:
    when, unless = read.get("when", {}), read.get("unless", {})
    if unless and all(_covers(when.get(key), values) for key, values in unless.items()):
        hint = '"unless" excludes everything that "when" asks for.'
        report.warn((*path, "unless"), "R050", "this never matches", hint, where="key")
    if "value" in when and not _possible(when["value"]):
        report.warn((*path, "when", "value"), "R050", "this never matches: no value is all of these")


def _covers(wanted: Sequence[Any] | None, excluded: Sequence[Any]) -> bool:
    return bool(wanted) and set(wanted or ()) <= set(excluded)


def _possible(comparisons: Sequence[Comparison]) -> bool:
    numbers = sorted({comparison.number for comparison in comparisons})
    tries = [numbers[0] - 1, *numbers, numbers[-1] + 1]
    tries += [(a + b) / 2 for a, b in pairwise(numbers)]
    return any(all(comparison.holds(value) for comparison in comparisons) for value in tries)


def _check_greeting(site: Site) -> None:
    path, read, report = site.path, site.read, site.report
    if "send" in read:
        _check_group((*path, "send"), read["send"], "greeting", report)
    _check_for_clients(site, "greetings")
    festival = read.get("festival")
    countries = read.get("when", {}).get("country", ())
    if festival in FESTIVALS and festival not in PERSONAL:
        strange = [code for code in countries if not FESTIVALS[festival].is_kept_in(code)]
        if strange:
            message = f"{FESTIVALS[festival].en} is not usually kept in {', '.join(strange)}"
            report.warn((*path, "when", "country"), "R054", message, "It will be sent if there is a date for it.")
    _check_contradiction(path, read, report)


def _check_reminder(site: Site) -> None:
    path, read, report = site.path, site.read, site.report
    about = read.get("about")
    for key, subjects in _ONLY_FOR.items():
        if key in site.raw and about in ABOUTS and about not in subjects:
            message = f'"{key}" has no effect on a reminder about {about}'
            report.warn((*path, key), "R059", message, f"It is for {' and '.join(subjects)}.", where="key")
    if "escalate_after" in site.raw and "escalate_to" not in site.raw:
        report.add((*path, "escalate_after"), "R005", '"escalate_to" is missing', "Say who is told.", where="key")
    _check_contradiction(path, read, report)


def _check_for_clients(site: Site, rules: str) -> None:
    """Greetings and summaries are about a client: what only a project has cannot be asked for."""
    for table in ("when", "unless"):
        for key in ("waiting_on", "intent", "value"):
            if key in site.read.get(table, {}):
                message = f'"{key}" is not for {rules}'
                hint = "They are for a client, not for a project."
                site.report.add((*site.path, table, key), "R033", message, hint, where="key")


def _check_summary(site: Site) -> None:
    _check_for_clients(site, "summaries")
    _check_contradiction(site.path, site.read, site.report)


def _check_stage(site: Site) -> None:
    path, read, report = site.path, site.read, site.report
    for key in ("target", "buffer"):
        if key in read and read[key].unit != "business days":
            hint = 'Write it like "10 business days".'
            report.add((*path, key), "R016", f"{key} is counted in business days", hint)


def _check_restraint(path: Path, read: Read, report: Report) -> None:
    for key in ("per_contact", "late", "absence", "after_lost_pitch"):
        if key in read and not read[key].is_days:
            hint = 'Write it like "2 business days".'
            report.add((*path, key), "R016", f"{key} is counted in days, business days or weeks", hint)


def _check_calendar(site: Site) -> None:
    path, read, report = site.path, site.read, site.report
    given = [key for key in ("country", "client", "agency") if key in site.raw]
    if len(given) != 1 or site.raw.get("agency") is False:
        message = 'exactly one of "country", "client" and "agency" is needed'
        report.add(
            (*path, given[min(1, len(given) - 1)]) if given else path,
            "R038",
            message,
            where="key" if given else "table",
        )
    on = {day for days in read.get("on", ()) for day in days}
    for number, days in enumerate(read.get("off", ())):
        if days & on:
            where: Path = (*path, "off", number) if isinstance(site.raw["off"], list) else (*path, "off")
            report.add(where, "R039", f"{min(days & on)} is both on and off", "Name it in one of them.")
    for key in ("hours", "lunch"):
        if key in read and read[key][0] >= read[key][1]:
            report.add((*path, key), "R017", f"{key} ends before it begins", 'Write it like "09:00-18:00".')
    if "lunch" in read and "hours" in read and not _within(read["lunch"], read["hours"]):
        report.add((*path, "lunch"), "R033", "lunch lies outside the office hours", "Move one of them.")


def _within(inner: tuple[time, time], outer: tuple[time, time]) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


_CHECKS: Final[dict[str, Callable[[Site], None]]] = {
    "cadence": _check_cadence,
    "greeting": _check_greeting,
    "reminder": _check_reminder,
    "summary": _check_summary,
    "stage": _check_stage,
    "calendar": _check_calendar,
}


# ── All files together ───────────────────────────────────────────────────────────────────────────────────────────────


def check_together(files: Sequence[tuple[Report, Read]], restraint: Restraint) -> None:
    """Names twice, one rule in the way of another, and steps that the restraint keeps from leaving on time."""
    _check_names(files)
    _check_single(files)
    _check_doubles(files)
    for report, read in files:
        for number, cadence in enumerate(read.get("cadence", ())):
            _check_against_restraint(("cadence", number), cadence, report, restraint)
        for number, greeting in enumerate(read.get("greeting", ())):
            _check_quiet(("greeting", number, "at"), greeting.get("at"), report, restraint)


def _check_names(files: Sequence[tuple[Report, Read]]) -> None:
    """A rule's name stands for it in the database, so it is unique over all kinds and files; a stage's id, too."""
    seen: dict[str, str] = {}
    for report, read in files:
        for kind in ("cadence", "greeting", "reminder", "summary", "stage"):
            for number, item in enumerate(read.get(kind, ())):
                key = "id" if kind == "stage" else "name"
                name = item.get(key)
                if not isinstance(name, str):
                    continue
                scope = f"{'stage' if kind == 'stage' else 'rule'}:{name}"
                if scope in seen:
                    hint = f"The first one is in {seen[scope]}."
                    report.add((kind, number, key), "R010", f'the {key} "{name}" is used twice', hint)
                else:
                    seen[scope] = report.shown


def _check_single(files: Sequence[tuple[Report, Read]]) -> None:
    having = [report for report, read in files if "restraint" in read]
    for report in having[1:]:
        hint = f"The first one is in {having[0].shown}."
        report.add(("restraint",), "R036", "[restraint] stands in two files", hint)


def _check_doubles(files: Sequence[tuple[Report, Read]]) -> None:
    """Two cadences for exactly the same projects both start on every message."""
    seen: dict[tuple[Any, ...], str] = {}
    for report, read in files:
        for kind in ("cadence", "greeting"):
            for number, item in enumerate(read.get(kind, ())):
                name = item.get("name")
                if not name:
                    continue
                extra = item.get("festival") if kind == "greeting" else item.get("anchor", "waited")
                signature = (kind, extra, _frozen(item.get("when", {})), _frozen(item.get("unless", {})))
                if signature in seen and seen[signature] != name:
                    hint = "Make one of them stricter, or join them."
                    message = f'is for exactly the same as {kind} "{seen[signature]}"'
                    report.warn((kind, number, "name"), "R051", message, hint)
                seen.setdefault(signature, name)


def _frozen(match: Read) -> frozenset[tuple[str, frozenset[Any]]]:
    return frozenset((key, frozenset(values)) for key, values in match.items())


def _check_against_restraint(path: Path, cadence: Read, report: Report, restraint: Restraint) -> None:
    last: Duration | None = None
    for number, step in enumerate(cadence.get("step", ())):
        where = (*path, "step", number)
        _check_quiet((*where, "at"), step.get("at"), report, restraint)
        if "send" not in step or "after" not in step:
            continue
        after: Duration = step["after"]
        if last is not None and not _far_enough(last, after, restraint.per_contact):
            message = f"this mail is less than {restraint.per_contact} after the one before and will be put off"
            hint = "See per_contact under [restraint]."
            report.warn((*where, "after"), "R056", message, hint)
        last = after


def _far_enough(first: Duration, second: Duration, least: Duration) -> bool:
    if first.unit == second.unit == least.unit:
        return second.amount - first.amount >= least.amount
    return second.elapsed() - first.elapsed() >= least.elapsed() * 0.7


def _check_quiet(path: Path, at: time | None, report: Report, restraint: Restraint) -> None:
    if at is not None and restraint.is_quiet(at):
        message = f"{at:%H:%M} is within the quiet hours"
        hint = f"Nothing leaves from {restraint.quiet_from:%H:%M} to {restraint.quiet_until:%H:%M}."
        report.warn(path, "R057", message, hint)
