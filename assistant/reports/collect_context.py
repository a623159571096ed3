"""What every collector is given beside the session: the agency, its people and calendars, and who reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from assistant.calendar.business import BusinessCalendar, Calendars
from assistant.calendar.localtime import local_date, zone
from assistant.model.people import Directory
from assistant.reports.collect_words import ROLES, word
from assistant.reports.facts import Person
from assistant.store.tables import Client

StageName = Callable[[str, str], str]
"""(stage id, language) → what people call it."""
StageTarget = Callable[[str], tuple[int | None, int]]
"""stage id → business days that it should take (None: no target), and its buffer."""


@dataclass(frozen=True, slots=True)
class Colleague:
    """A colleague who reads, and in which language."""

    person: Person
    language: str
    timezone: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The agency as reports see it. All days and times in reports are those of `timezone`."""

    agency_name: str
    timezone: str
    directory: Directory
    calendars: Calendars
    stage_name: StageName
    stage_target: StageTarget
    language: str = "zh-Hans"
    """Of readers who are not among the staff."""
    promised_hours: float | None = None
    """Business hours within which the agency promises to answer, if it does."""

    def colleague(self, address: str) -> Colleague:
        """The colleague with this address; a stranger is called by it and reads the agency's language."""
        staff = self.directory.person(address)
        if staff is None:
            return Colleague(Person(address.partition("@")[0], address), self.language, self.timezone)
        language = staff.language or self.language
        role = word(ROLES, staff.roles[0], language) if staff.roles and staff.roles[0] in ROLES else ""
        return Colleague(Person(staff.name, staff.address, role), language, staff.timezone or self.timezone)

    def name_of(self, address: str) -> str:
        """A colleague's name; the address of somebody unknown."""
        staff = self.directory.person(address) if address else None
        return staff.name if staff is not None else address

    def local(self, moment: datetime) -> datetime:
        """The same moment on the agency's clock."""
        return moment.astimezone(zone(self.timezone))

    def day(self, moment: datetime) -> date:
        """The agency's date at this moment."""
        return local_date(moment, self.timezone)

    def agency_days(self, since: date, until: date) -> int:
        """Business days of the agency after `since` up to and including `until`, never negative."""
        return max(0, self.calendars.agency.business_days_between(since, until))

    def client_calendar(self, client: Client) -> BusinessCalendar:
        """The working days of a client by its country and name."""
        country, _, subdivision = client.country.partition("-")
        return self.calendars.client(country or self.calendars.agency_country, subdivision, client.name)

    def client_zone(self, client: Client) -> str:
        """The client's zone, or the agency's where it is not known."""
        return client.timezone or self.timezone

    def owner_of(self, *addresses: str) -> str:
        """The first of these that is somebody on the staff; else the first that is not empty; else the first colleague."""
        given = [address for address in addresses if address]
        known = next((address for address in given if self.directory.person(address)), "")
        first = self.directory.staff[0].address if self.directory.staff else ""
        return known or (given[0] if given else first)
