"""Which week a summary is about, in the agency's zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

NOON = time(12)


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` up to but without `end`, both in UTC; `first_day` and `last_day` are the local days it shows."""

    start: datetime
    end: datetime
    first_day: date
    last_day: date

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment < self.end


def week_before(moment: datetime, zone: str) -> Period:
    """The week that a summary made at `moment` tells of.

    In the morning the seven whole days that ended at midnight; from noon on the seven days up to this minute, so that
    a summary on Friday evening has Friday in it. Summaries made at the same hour each week join without a gap or an
    overlap, also where the clocks change in between. `moment` must be aware.
    """
    local = moment.astimezone(ZoneInfo(zone))
    if local.time() < NOON:
        end_wall, last_day = datetime.combine(local.date(), time()), local.date() - timedelta(days=1)
    else:
        end_wall, last_day = local.replace(tzinfo=None), local.date()
    start_wall = end_wall - timedelta(days=7)
    return Period(
        start=_instant(start_wall, zone),
        end=_instant(end_wall, zone),
        first_day=last_day - timedelta(days=6),
        last_day=last_day,
    )


def _instant(wall: datetime, zone: str) -> datetime:
    """The UTC time of a wall clock; the earlier one where the clock shows it twice."""
    return wall.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)
