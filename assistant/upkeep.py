"""What an installation needs for looking after its database: the parts of a workplace that `assistant.keeping` is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.intake.relations import AgencySide
from assistant.keeping.replay import Interpreting
from assistant.keeping.retention import Periods, retire_daily
from assistant.mail.providers import FREE_MAIL_DOMAINS
from assistant.model.reading import Follower

if TYPE_CHECKING:
    from assistant.bootstrap import Workplace


def interpreting(workplace: Workplace) -> Interpreting:
    """For interpreting everything again: a reader that nobody has taught yet."""
    from assistant.understanding.in_use import ReaderInUse

    reader = workplace.reader
    if isinstance(reader, Follower):
        reader = ReaderInUse(workplace.load_reader, workplace.models_folder)
    return Interpreting(
        reader,
        agency_side(workplace),
        workplace.config.intake.cutoff,
        workplace.archive,
    )


def agency_side(workplace: Workplace) -> AgencySide:
    """What relating needs to know of the agency; without the means to prove senders by keys in the DNS."""
    return AgencySide(workplace.directory, workplace.locality, FREE_MAIL_DOMAINS, workplace.default_owner)


def our_addresses(workplace: Workplace) -> tuple[str, ...]:
    """The assistant's and the staff's own."""
    config = workplace.config
    staff = (address for person in config.staff for address in (person.address, *person.aliases))
    return (config.assistant.address, *config.assistant.aliases, *staff)


def periods_of(workplace: Workplace) -> Periods:
    """How long the configuration wants things to be kept."""
    kept = workplace.config.retention
    return Periods(kept.raw_mail, kept.unrelated_mail, kept.our_mail, kept.notes)


def keep_to_periods(workplace: Workplace) -> None:
    """Once a day what is too old goes; a rehearsal in another time takes nothing away."""
    if not workplace.options.dry_run and workplace.options.now is None:
        retire_daily(workplace.database, periods_of(workplace), workplace.clock.now())
