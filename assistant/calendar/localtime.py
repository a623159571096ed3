"""Wall time in a zone and the moment it stands for.

A wall time that does not exist (clocks go forward) becomes the moment as far after the gap as it was into it; one that
exists twice (clocks go back) means the first of the two. Moments are aware and in UTC.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """The zone of an IANA name. Raises ValueError when there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f'no time zone is named "{name}"') from error


def is_zone(name: str) -> bool:
    try:
        zone(name)
    except ValueError:
        return False
    return True


def local_moment(day: date, at: time, zone_name: str) -> datetime:
    """The moment (UTC) at which a clock on the wall in that zone shows `at` on `day`."""
    return datetime.combine(day, at, tzinfo=zone(zone_name)).replace(fold=0).astimezone(UTC)


def local_date(moment: datetime, zone_name: str) -> date:
    """The date that people in that zone have at this moment."""
    return moment.astimezone(zone(zone_name)).date()


def local_time(moment: datetime, zone_name: str) -> time:
    """The wall time, without seconds' fractions, that people in that zone have at this moment."""
    return moment.astimezone(zone(zone_name)).time().replace(microsecond=0)


def midnight(day: date, zone_name: str) -> datetime:
    """The first moment of a local day; where clocks skip midnight, the first moment that exists."""
    return local_moment(day, time(0, 0), zone_name)


def next_midnight(moment: datetime, zone_name: str) -> datetime:
    """The first moment of the local day after the one that holds this moment."""
    return midnight(local_date(moment, zone_name) + timedelta(days=1), zone_name)
