"""What the agency knows better than any published table: `[[calendar]]` of `rules/calendar.toml`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time

AGENCY = "agency"


@dataclass(frozen=True, slots=True)
class CalendarRule:
    """Days on and off, and hours, of everybody in a country, of one client (by name), or of the agency itself."""

    country: str = ""
    client: str = ""
    agency: bool = False
    off: frozenset[date] = frozenset()
    on: frozenset[date] = frozenset()
    years: frozenset[int] = frozenset()
    """Years whose arrangement these dates complete: no longer provisional."""
    opens: time | None = None
    closes: time | None = None
    lunch: tuple[time, time] | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Overrides:
    """All rules; the more specific (client, agency) are looked at before those of a country."""

    rules: tuple[CalendarRule, ...] = ()

    def for_country(self, country: str) -> tuple[CalendarRule, ...]:
        return tuple(rule for rule in self.rules if rule.country == country and country)

    def for_client(self, name: str) -> tuple[CalendarRule, ...]:
        return tuple(rule for rule in self.rules if rule.client == name and name)

    def for_agency(self) -> tuple[CalendarRule, ...]:
        return tuple(rule for rule in self.rules if rule.agency)
