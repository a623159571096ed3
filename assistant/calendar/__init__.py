"""Business time of agency and client, and festivals: which days people work, and which they celebrate."""

from __future__ import annotations

from assistant.calendar.business import BusinessCalendar, Calendars, Day, Hours
from assistant.calendar.festivals import FESTIVALS, Festival, festival_date, festivals_of_year
from assistant.calendar.localtime import local_date, local_moment
from assistant.calendar.overrides import CalendarRule, Overrides

__all__ = [
    "FESTIVALS",
    "BusinessCalendar",
    "CalendarRule",
    "Calendars",
    "Day",
    "Festival",
    "Hours",
    "Overrides",
    "festival_date",
    "festivals_of_year",
    "local_date",
    "local_moment",
]
