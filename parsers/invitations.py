"""Calendar objects (RFC 5545, RFC 5546) as far as mail about a meeting needs them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from parsers.limits import Defects
from parsers.types import Invitation

_LONGEST = 200_000
_FOLD = re.compile(r"\r?\n[ \t]")
_PROPERTY = re.compile(r"^([A-Za-z0-9-]{1,60})((?:;[^:\"]*(?:\"[^\"]*\"[^:\"]*)*)?):(.*)$")
_STAMP = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)?(Z)?)?")
_DURATION = re.compile(r"([+-])?P(?:(\d{1,4})W)?(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,5})M)?(?:(\d{1,6})S)?)?$")
_ESCAPED = re.compile(r"\\([nN,;\\:\"])")
_OFFSET = re.compile(r"([+-])(\d\d)(\d\d)")
_STATED_OFFSET = re.compile(r"\((?:UTC|GMT)([+-])([01]\d):([0-5]\d)\)")
"""Outlook names zones as it shows them: `(UTC+08:00) Beijing, Chongqing, Hong Kong, Urumqi`."""
_WINDOWS_ZONES = {
    "china standard time": "Asia/Shanghai", "taipei standard time": "Asia/Taipei", "singapore standard time": "Asia/Singapore",
    "tokyo standard time": "Asia/Tokyo", "korea standard time": "Asia/Seoul", "w. europe standard time": "Europe/Berlin",
    "romance standard time": "Europe/Paris", "central europe standard time": "Europe/Budapest", "gmt standard time": "Europe/London",
    "greenwich standard time": "Atlantic/Reykjavik", "eastern standard time": "America/New_York", "central standard time": "America/Chicago",
    "mountain standard time": "America/Denver", "pacific standard time": "America/Los_Angeles", "aus eastern standard time": "Australia/Sydney",
    "india standard time": "Asia/Kolkata", "russian standard time": "Europe/Moscow", "utc": "UTC", "beijing": "Asia/Shanghai",
    "se asia standard time": "Asia/Bangkok", "arabian standard time": "Asia/Dubai", "new zealand standard time": "Pacific/Auckland",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Property:
    parameters: dict[str, str]
    value: str


def read_invitation(text: str, method: str, defects: Defects) -> Invitation | None:
    """The first event of a calendar object; None if there is none. `method` is the Content-Type's, used if the object has none."""
    if "BEGIN:" not in text[:5000].upper():
        return None
    lines = _FOLD.sub("", text[:_LONGEST]).splitlines()
    calendar, event, offsets = _read_components(lines)
    if not event:
        return None
    zone = offsets
    starts_at = _moment(event.get("DTSTART"), zone, defects)
    ends_at = _moment(event.get("DTEND"), zone, defects)
    if ends_at is None and starts_at is not None and "DURATION" in event:
        ends_at = _add(starts_at, event["DURATION"].value)
    organizer = event.get("ORGANIZER")
    address = re.sub(r"(?i)^mailto:", "", organizer.value.strip()) if organizer else None
    return Invitation(
        method=(calendar["METHOD"].value if "METHOD" in calendar else method).strip().upper(),
        summary=_plain(event.get("SUMMARY")),
        starts_at=starts_at,
        ends_at=ends_at,
        location=_plain(event.get("LOCATION")),
        organizer=address or None,
        uid=_plain(event.get("UID")),
    )


def _read_components(lines: list[str]) -> tuple[dict[str, _Property], dict[str, _Property], dict[str, timezone]]:
    """Properties of the calendar, of its first event or task, and the standard offsets of the zones it defines."""
    calendar: dict[str, _Property] = {}
    event: dict[str, _Property] = {}
    offsets: dict[str, timezone] = {}
    open_components: list[str] = []
    zone_name = ""
    done = False
    for line in lines:
        match = _PROPERTY.match(line) if len(line) < 20_000 else None
        if match is None:
            continue
        name, value = match[1].upper(), match[3]
        if name == "BEGIN":
            open_components.append(value.strip().upper())
            continue
        if name == "END":
            if open_components and open_components[-1] in ("VEVENT", "VTODO"):
                done = True
            open_components = open_components[:-1]
            continue
        inside = open_components[-1] if open_components else ""
        if inside == "VCALENDAR":
            calendar.setdefault(name, _Property({}, value))
        elif inside in ("VEVENT", "VTODO", "VFREEBUSY") and not done:
            event.setdefault(name, _Property(_parameters(match[2]), value))
        elif inside == "VTIMEZONE" and name == "TZID":
            zone_name = value.strip().strip('"')
        elif inside == "STANDARD" and name == "TZOFFSETTO":
            offset = _OFFSET.match(value.strip())
            if offset and zone_name and int(offset[2]) < 24:
                delta = timedelta(hours=int(offset[2]), minutes=int(offset[3]) % 60)
                offsets.setdefault(zone_name, timezone(-delta if offset[1] == "-" else delta))
    return calendar, event, offsets


def _parameters(text: str) -> dict[str, str]:
    pairs = (piece.partition("=") for piece in text.split(";") if "=" in piece)
    return {name.strip().upper(): value.strip().strip('"') for name, _, value in pairs}


def _plain(found: _Property | None) -> str:
    if found is None:
        return ""
    return _ESCAPED.sub(lambda match: "\n" if match[1] in "nN" else match[1], found.value).strip()


def _moment(found: _Property | None, offsets: dict[str, timezone], defects: Defects) -> datetime | None:
    match = _STAMP.match(found.value.strip()) if found else None
    if match is None or found is None:
        return None
    year, month, day, hour, minute, second = (int(group or 0) for group in match.groups()[:6])
    zone: tzinfo | None = UTC if match[7] else _find_zone(found.parameters.get("TZID", ""), offsets)
    if zone is None:
        defects.add("calendar-time-without-zone", "calendar", found.value)
        zone = UTC
    try:
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=zone)
    except ValueError:
        defects.add("calendar-time-unreadable", "calendar", found.value)
        return None


def _find_zone(name: str, offsets: dict[str, timezone]) -> tzinfo | None:
    if not name:
        return None
    key = _WINDOWS_ZONES.get(name.lower(), name).lstrip("/")
    for candidate in (key, "/".join(key.split("/")[-2:])):
        try:
            return ZoneInfo(candidate)
        except (OSError, ValueError):
            continue
        except KeyError:
            continue
    stated = _STATED_OFFSET.match(name)
    if name in offsets or stated is None:
        return offsets.get(name)
    delta = timedelta(hours=int(stated[2]), minutes=int(stated[3]))
    return timezone(-delta if stated[1] == "-" else delta)


def _add(start: datetime, duration: str) -> datetime | None:
    match = _DURATION.match(duration.strip())
    if match is None or match[1] == "-":
        return None
    weeks, days, hours, minutes, seconds = (int(group or 0) for group in match.groups()[1:])
    try:
        return start + timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        return None
