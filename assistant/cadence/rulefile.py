"""Every table and key of the rule files, once: the checker, the JSON Schema and the reference page all read from here."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from assistant.cadence import values
from assistant.cadence.values import Fault, did_you_mean
from assistant.calendar.festivals import FESTIVALS
from assistant.model.process import APPROVALS, INTENTS, STAGES, WAITING_ON

SCHEMA_VERSION: Final = 1
LANGUAGES: Final = ("zh-Hans", "zh-Hant", "en", "zh")
STOPS: Final = (
    "reply", "meeting", "staff-wrote", "stage-change", "hand-over", "bounce", "opt-out", "complaint", "project-paused",
)  # fmt: skip
PAUSES: Final = ("absence", "holiday", "complaint", "project-paused")
IGNORABLE: Final = ("meeting", "stage-change", "hand-over")
RELATIONSHIPS: Final = ("prospect", "active", "past")
ABOUTS: Final = (
    "question", "commitment", "stage-over-target", "sign-off-missing", "waiting", "no-contact", "birthday",
)  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """How a value is written. `read` returns the meaning or raises `Fault`; `schema` is the JSON Schema of it."""

    name: str
    read: Callable[[Any], Any]
    schema: dict[str, Any]
    many: bool = False
    """One value or a list of them; the meaning is a tuple."""


@dataclass(frozen=True)
class Key:
    """One key of a table. `default` and `example` are as written in the file."""

    name: str
    kind: Kind | Table
    doc: str
    doc_zh: str
    required: bool = False
    default: str = ""
    example: str = ""
    array: bool = False
    """For tables: `[[name]]`, several."""
    may_be_empty: bool = False


@dataclass(frozen=True)
class Table:
    """A table by its title in the reference."""

    title: str
    doc: str
    doc_zh: str
    keys: tuple[Key, ...] = field(default_factory=tuple)

    def key(self, name: str) -> Key | None:
        return next((key for key in self.keys if key.name == name), None)


def _expect(types: type | tuple[type, ...], words: str, *, code: str = "R006") -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if not isinstance(value, types) or (isinstance(value, bool) and types is not bool):
            raise Fault(code, f"expected {words}, not {type_name(value)}")
        return value

    return read


def type_name(value: object) -> str:
    """What people call the type of a TOML value."""
    names = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", list: "a list"}
    return "a table" if isinstance(value, dict) else names.get(type(value), "a date or time")


def _text(value: Any) -> str:
    _expect(str, "a text in quotes")(value)
    if not value.strip():
        raise Fault("R008", "this text is empty", "Write something, or leave the key out.")
    return str(value)


def _name(value: Any) -> str:
    text = _text(value)
    if text != text.strip() or len(text) > 80 or any(ord(character) < 32 for character in text):
        raise Fault(
            "R011",
            f'"{_printable(text.strip()[:80])}" is not a good name',
            "At most 80 characters, no blanks at its ends, no control characters.",
        )
    return text


def _printable(text: str) -> str:
    """With what would break a line of output written as TOML writes it."""
    return "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in text)


def _choice(words: tuple[str, ...], what: str, code: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        _expect(str, f"{what} in quotes")(value)
        if value not in words:
            raise Fault(code, f'unknown {what} "{value}"', did_you_mean(value, words))
        return str(value)

    return read


def _whole(least: int, most: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        _expect(int, "a whole number")(value)
        if not least <= value <= most:
            raise Fault("R030", f"{value} is out of range", f"Write a whole number from {least} to {most}.")
        return int(value)

    return read


def read_count(value: Any) -> int:
    """A whole number from 0 on."""
    return _whole(0, 10_000)(value)


def read_number(value: Any) -> float:
    """Any number."""
    return float(_expect((int, float), "a number")(value))


def _country(value: Any) -> str:
    from assistant.calendar.published import is_country, supported

    text = _text(value)
    if not is_country(text):
        known = tuple(code for code in supported() if len(code) == 2)
        hint = f'Did you mean "{text.upper()}"?' if is_country(text.upper()) else did_you_mean(text, known)
        raise Fault("R022", f'unknown country "{text}"', hint or 'Two letters of ISO 3166, such as "CN", "HK" or "US".')
    return text


_ADDRESS: Final = re.compile(r"[^\s@<>,;\"]+@[^\s@<>,;.]+(?:\.[^\s@<>,;.]+)+")


def _person(value: Any) -> str:
    text = _text(value)
    if "@" in text and _ADDRESS.fullmatch(text) is None:
        raise Fault("R034", f'"{text}" is not an address', 'Write "owner", a role such as "account", or an address.')
    return text


def _template(value: Any) -> str:
    return _text(value)


def _localized(value: Any) -> dict[str, str]:
    if isinstance(value, str):
        text = _text(value)
        return {"zh-Hans": text, "zh-Hant": text, "en": text}
    _expect(dict, "a text, or a table of texts by language")(value)
    return _by_language(value, _text)


def _localized_lists(value: Any) -> dict[str, tuple[str, ...]]:
    if isinstance(value, list):
        texts = _texts(value)
        return {"zh-Hans": texts, "zh-Hant": texts, "en": texts}
    _expect(dict, "a list of texts, or a table of such lists by language")(value)
    return _by_language(value, _texts)


def _texts(value: Any) -> tuple[str, ...]:
    texts = []
    for number, item in enumerate(_expect(list, "a list of texts")(value)):
        try:
            texts.append(_text(item))
        except Fault as fault:
            raise fault.within(number) from None
    return tuple(texts)


def _by_language(value: dict[str, Any], read: Callable[[Any], Any]) -> dict[str, Any]:
    result = {}
    for language, item in value.items():
        if language not in LANGUAGES:
            hint = did_you_mean(language, LANGUAGES[:3])
            raise Fault("R028", f'unknown language "{language}"', hint, (language,), key=True)
        try:
            result["zh-Hans" if language == "zh" else language] = read(item)
        except Fault as fault:
            raise fault.within(language) from None
    return result


def _language(value: Any) -> str:
    found = _choice(LANGUAGES, "language", "R028")(value)
    return "zh-Hans" if found == "zh" else found


def _enum(words: tuple[str, ...]) -> dict[str, Any]:
    return {"type": "string", "enum": list(words)}


_STRING: Final[dict[str, Any]] = {"type": "string", "minLength": 1}
_DURATION_PATTERN: Final = r"^\s*\d{1,6}\s*\S.*$"
TEXT = Kind("text", _text, _STRING)
NAME = Kind("name", _name, {"type": "string", "minLength": 1, "maxLength": 80})
TEXTS = Kind("text or list of texts", _text, _STRING, many=True)
PERSON = Kind("owner, role or address", _person, _STRING)
PEOPLE = Kind("owner, role or address, or a list", _person, _STRING, many=True)
TEMPLATE = Kind("template", _template, _STRING)
FLAG = Kind("true or false", _expect(bool, "true or false"), {"type": "boolean"})
DURATION = Kind("duration", values.read_duration, {"type": "string", "pattern": _DURATION_PATTERN})
TIME = Kind("time of day", values.read_time, {"type": "string", "pattern": r"^\d{1,2}[:：]\d{2}$"})
SPAN = Kind("span of time", values.read_time_span, _STRING)
RELEASE = Kind("release", values.read_release, {"type": "string", "pattern": r"^(now|approval|draft|veto\s+\S.*)$"})
COMPARISON = Kind("comparison, or a list", values.read_comparison, {"type": ["string", "number"]}, many=True)
DATES = Kind("date, first..last, or a list", values.read_dates, _STRING, many=True)
WEEKDAY = Kind("weekday", values.read_weekday, _STRING)
YEARS = Kind("year, or a list", _whole(2000, 2100), {"type": "integer", "minimum": 2000, "maximum": 2100}, many=True)
IMPORTANCE = Kind("0 to 100", _whole(0, 100), {"type": "integer", "minimum": 0, "maximum": 100})
CAP = Kind("1 to 20", _whole(1, 20), {"type": "integer", "minimum": 1, "maximum": 20})
DAYS_BEFORE = Kind("0 to 60", _whole(0, 60), {"type": "integer", "minimum": 0, "maximum": 60})
STAGE = Kind("stage", _choice(STAGES, "stage", "R013"), _enum(STAGES))
STAGE_MANY = Kind("stage, or a list", STAGE.read, STAGE.schema, many=True)
INTENT = Kind("intent, or a list", _choice(INTENTS, "intent", "R014"), _enum(INTENTS), many=True)
WAITING = Kind(
    "client, us or nobody, or a list", _choice(WAITING_ON, "value of waiting_on", "R026"), _enum(WAITING_ON), many=True
)
COUNTRY = Kind("country", _country, {"type": "string", "pattern": "^[A-Z]{2}$"})
COUNTRY_MANY = Kind("country, or a list", _country, COUNTRY.schema, many=True)
LANGUAGE = Kind("language, or a list", _language, _enum(LANGUAGES), many=True)
RELATIONSHIP = Kind(
    "prospect, active or past, or a list",
    _choice(RELATIONSHIPS, "relationship", "R007"),
    _enum(RELATIONSHIPS),
    many=True,
)
FESTIVAL = Kind("festival", _choice(tuple(FESTIVALS), "festival", "R015"), _enum(tuple(FESTIVALS)))
STOP = Kind("list of events", _choice(STOPS, "event to stop at", "R025"), _enum(STOPS), many=True)
PAUSE = Kind("list of reasons", _choice(PAUSES, "reason to pause", "R025"), _enum(PAUSES), many=True)
IGNORE = Kind("list of events", _choice(IGNORABLE, "event to ignore", "R025"), _enum(IGNORABLE), many=True)
ABOUT = Kind("subject", _choice(ABOUTS, "subject of a reminder", "R007"), _enum(ABOUTS))
APPLY = Kind("new or running", _choice(("new", "running"), 'value of "apply"', "R007"), _enum(("new", "running")))
ANCHOR = Kind(
    "waited or last-contact", _choice(("waited", "last-contact"), "anchor", "R007"), _enum(("waited", "last-contact"))
)
DAYS = Kind("both or client", _choice(("both", "client"), 'value of "days"', "R007"), _enum(("both", "client")))
EMPTY = Kind("skip or short", _choice(("skip", "short"), 'value of "when_empty"', "R007"), _enum(("skip", "short")))
SIGN_OFF = Kind("approval", _choice(APPROVALS, "approval", "R007"), _enum(APPROVALS))
LOCALIZED = Kind("text, or texts by language", _localized, {"type": ["string", "object"]})
LOCALIZED_LISTS = Kind("list of texts, or lists by language", _localized_lists, {"type": ["array", "object"]})
VERSION = Kind("1", _whole(0, 9999), {"const": SCHEMA_VERSION})


def read_value(key: Key, value: Any) -> Any:
    """The meaning of a value of a key that is no table. Raises `Fault`; list items are the caller's to go through."""
    assert isinstance(key.kind, Kind)
    return key.kind.read(value)
