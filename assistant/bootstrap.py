"""The only place that builds adapters and wires them: configuration in, a working assistant out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.orm import Session

from assistant.adapters import (
    TokenSources,
    mailbox_settings,
    proof_of_all,
    proofs_of_mailboxes,
    proved_in,
    resolve_url,
    submission_settings,
)
from assistant.clock import Clock, FrozenClock, SystemClock
from assistant.config import Config, full_language, load_config
from assistant.errors import AssistantError, Problem, ProblemsFound
from assistant.heap import collecting_rarely
from assistant.model.cadence import Refusal, StaffFacts
from assistant.model.locality import Locality
from assistant.model.people import Directory
from assistant.model.reading import Follower
from assistant.resources import folder_for, shipped
from assistant.store import Archive, Database, DatabaseArchive, open_database

if TYPE_CHECKING:
    from assistant.cadence.office import CadenceOffice
    from assistant.cadence.planning import PlannedMoments
    from assistant.config import Mailbox
    from assistant.deciding import AllDecided
    from assistant.intake.keep import StoreSink
    from assistant.intake.pipeline import Intake, IntakeCounts
    from assistant.learning import Learning
    from assistant.mail.oauth import TokenSource
    from assistant.mail.readers import MailboxReaders
    from assistant.mail.settings import MailboxSettings, OAuthSettings, SubmissionSettings
    from assistant.mail.signatures import SignatureProof
    from assistant.model.reading import Reader
    from assistant.outbox.deliver import Delivery
    from assistant.outbox.draftbox import ImapDraftBox
    from assistant.outbox.letters import Sender
    from assistant.rendering import Templates
    from assistant.reports.office import ReportOffice
    from assistant.store.tables import OutboxMessage

_log = structlog.get_logger("assistant")

_CALM = 200
"""So many messages at once are the reading of a mailbox, fewer are the day's mail."""


@dataclass(frozen=True, slots=True)
class Options:
    """How this process differs from an ordinary run."""

    now: datetime | None = None
    """A simulated time; None is the machine's."""
    dry_run: bool = False
    pace: bool = True
    """Keep the minimum interval between two mails; a simulation need not."""


class Workplace:
    """Everything one installation needs, each part built when it is first asked for."""

    def __init__(self, config: Config, base: Path, options: Options | None = None, clock: Clock | None = None) -> None:
        self.config = config
        self.base = base
        self.options = options or Options()
        self.clock: Clock = clock or (FrozenClock(self.options.now) if self.options.now else SystemClock())
        self.simulated = clock is not None or self.options.now is not None
        self._tokens = TokenSources(config, base)

    @classmethod
    def open(cls, config_path: Path, options: Options | None = None) -> Workplace:
        """From a file. Raises ProblemsFound or AssistantError with what to do."""
        return cls(load_config(config_path), config_path.resolve().parent, options)

    # --- people and places ------------------------------------------------------------------------------------------

    @cached_property
    def directory(self) -> Directory:
        config = self.config
        staff = tuple(
            StaffFacts(
                person.address,
                person.name,
                person.roles,
                full_language(person.language or config.agency.language),
                person.timezone or config.agency.timezone,
            )
            for person in config.staff
        )
        aliases = tuple((alias, person.address) for person in config.staff for alias in person.aliases)
        return Directory(
            config.agency.domains,
            staff,
            (config.assistant.address, *config.assistant.aliases),
            aliases,
            *proof_of_all(config),
            self.operator,
            proofs_of_mailboxes(config),
        )

    @property
    def language(self) -> str:
        return full_language(self.config.agency.language)

    @property
    def locality(self) -> Locality:
        agency = self.config.agency
        return Locality(agency.country, agency.timezone, self.language)

    @property
    def default_owner(self) -> str:
        if self.config.intake.default_owner:
            return self.config.intake.default_owner
        accounts = [person.address for person in self.config.staff if "account" in person.roles]
        return accounts[0] if accounts else (self.config.staff[0].address if self.config.staff else "")

    @property
    def operator(self) -> str:
        """Who is told when the assistant itself needs help; empty when nobody is known."""
        if self.config.assistant.operator:
            return self.config.assistant.operator
        return self.config.staff[0].address if self.config.staff else ""

    # --- store ------------------------------------------------------------------------------------------------------

    @cached_property
    def database(self) -> Database:
        """Opened and brought to the newest schema."""
        from assistant.store.migrate import migrate

        database = open_database(resolve_url(self.config.store.url, self.base), self.base)
        migrate(database)
        return database

    @cached_property
    def archive(self) -> Archive:
        return DatabaseArchive()

    # --- rules, templates, understanding ----------------------------------------------------------------------------

    @property
    def rules_folder(self) -> Path:
        return folder_for(self.config.folders.rules, self.base)

    @property
    def templates_folder(self) -> Path:
        return folder_for(self.config.folders.templates, self.base)

    def new_templates(self) -> Templates:
        from assistant.rendering import Templates

        return Templates(self.templates_folder, shipped("templates"), self.language)

    @cached_property
    def reader(self) -> Reader:
        """Reads with the model that is in use, and knows what people set right once `follow_corrections` was called."""
        from assistant.understanding.in_use import ReaderInUse

        return ReaderInUse(self.load_reader, self.models_folder)

    @property
    def models_folder(self) -> Path:
        """Where the agency's own models are, once it has any."""
        return self.base / (self.config.understanding.model or "understanding")

    def load_reader(self) -> Reader:
        return self._reader_maker()()

    def _reader_maker(self) -> Callable[[], Reader]:
        """Builds the reader with the model in use, here or in a process of its own."""
        from assistant.understanding import load_reader

        settings, own = self.config.understanding, self.models_folder
        return partial(load_reader, settings.encoder, own if settings.model or own.is_dir() else None)

    def follow_corrections(self) -> None:
        """Teaches the reader what was set right since the last time, by whichever process, and takes up a newer model."""
        if isinstance(self.reader, Follower):
            with self.database.session() as session:
                self.reader.follow(session)

    @cached_property
    def learning(self) -> Learning:
        """Makes new models of corrections in the background, if the configuration lets it."""
        from assistant.learning import Learning, LearningPlace

        return Learning(LearningPlace.of(self.config, self.base))

    @cached_property
    def cadence(self) -> CadenceOffice:
        from assistant.cadence.office import CadenceOffice, Place

        agency = self.config.agency
        office = CadenceOffice(
            self.rules_folder, self.new_templates, self.directory, Place(agency.country, agency.timezone)
        )
        problems = office.load()
        if office.rulebook is None:
            raise ProblemsFound(tuple(problems))
        return office

    # --- phases -----------------------------------------------------------------------------------------------------

    @cached_property
    def intake(self) -> Intake:
        from assistant.deciding import after_record
        from assistant.intake.careful import CarefulReading
        from assistant.intake.interpretation import IntakeSettings
        from assistant.intake.pipeline import Intake
        from assistant.intake.relations import AgencySide
        from assistant.mail.providers import FREE_MAIL_DOMAINS

        self.follow_corrections()
        return Intake(
            self.database,
            self.archive,
            self.reader,
            AgencySide(
                self.directory,
                self.locality,
                FREE_MAIL_DOMAINS,
                self.default_owner,
                self.signature_proof,
                proved_in(self.config),
            ),
            self.clock,
            IntakeSettings(self.config.intake.cutoff, self.simulated),
            partial(after_record, self),
            self._reader_maker(),
            CarefulReading(self.database.folder or self.base),
        )

    @cached_property
    def signature_proof(self) -> SignatureProof | None:
        """Verifies DKIM where the configuration asks for it. Raises AssistantError where its libraries are missing."""
        from assistant.mail.signatures import SignatureProof

        return SignatureProof() if any(box.verify_dkim for box in self.config.mailbox) else None

    def decide_project(self, session: Session, project_id: int) -> None:
        """Decides one project now and stores the effects in the same transaction."""
        from assistant.outbox.effects import EffectContext, store_decision
        from assistant.store.facts import DatabaseFacts

        now = self.clock.now()
        facts = DatabaseFacts(session, self.directory, now)
        decision = self.cadence.decide_project(session, facts, project_id, now)
        store_decision(session, decision, EffectContext(self.sender, self.cadence.templates, facts, now))

    @property
    def sender(self) -> Sender:
        """Made anew, because an edit of the rules may change calendars and names."""
        from assistant.outbox.letters import Sender

        config = self.config
        return Sender(
            agency_name=config.agency.name,
            agency_timezone=config.agency.timezone,
            address=config.assistant.address,
            name=config.assistant.name or config.agency.name,
            calendars=self.cadence.calendars,
            stage_name=self.cadence.stage_name,
            steps_of=self.cadence.steps_of,
        )

    @property
    def reports(self) -> ReportOffice:
        """Made anew, because an edit of the rules may change calendars and names."""
        from assistant.reports.office import ReportOffice, ReportPlace

        return ReportOffice(
            ReportPlace(
                self.config.agency.name, self.config.agency.timezone, self.operator, self.config.summary.recipients
            ),
            self.directory,
            self.cadence.templates,
            self.cadence.calendars,
            self.cadence.stage_name,
            self.cadence.stage_target,
        )

    # --- mail -------------------------------------------------------------------------------------------------------

    @cached_property
    def sink(self) -> StoreSink:
        from assistant.intake.keep import StoreSink

        return StoreSink(self.database, self.archive, self.clock, self.config.daemon.reconcile or None)

    def mailbox_settings(self, mailbox: Mailbox | None = None) -> MailboxSettings:
        """Of one mailbox, by default the first. Raises AssistantError when there is none or its secret cannot be had."""
        if not self.config.mailbox:
            raise AssistantError("config.toml has no [mailbox]: add host, port, tls, user and password to read mail.")
        return mailbox_settings(mailbox or self.config.mailbox[0], self.base, self.config.daemon.poll)

    def submission_settings(self) -> SubmissionSettings:
        """Raises AssistantError when there is no [submission] or its secret cannot be had."""
        if self.config.submission is None:
            raise AssistantError("config.toml has no [submission]: add host, port and tls to send mail.")
        return submission_settings(self.config.submission, self.base)

    def mailbox_reader(self, on_new: Callable[[], None] | None = None) -> MailboxReaders:
        """Reads every configured mailbox, side by side."""
        from assistant.mail.reader import MailboxReader
        from assistant.mail.readers import MailboxReaders

        every = [self.mailbox_settings(box) for box in self.config.mailbox] or [self.mailbox_settings()]
        return MailboxReaders(
            [
                MailboxReader(settings, self.sink, token_source=self.token_source(settings.oauth), on_new=on_new)
                for settings in every
            ]
        )

    def delivery(self, submitter: object | None = None) -> Delivery:
        from assistant.mail.submission import Submission
        from assistant.outbox.deliver import Delivery, DeliveryLimits
        from assistant.store.breaker import BreakerLimits

        if submitter is None:
            settings = self.submission_settings()
            submitter = Submission(settings, self.token_source(settings.oauth))
        config = self.config.submission
        limits = DeliveryLimits()
        if config is not None:
            breaker = BreakerLimits(config.hourly_limit, config.client_hourly_limit, config.bounce_limit)
            limits = DeliveryLimits(config.daily_limit, config.per_minute_limit, config.min_interval, breaker)
        return Delivery(
            self.database,
            submitter,  # type: ignore[arg-type]  # a Submission, or what a test or a dry run puts in its place
            self.clock,
            guard=self.guard,
            on_sent=self.keep_sent,
            limits=limits,
            pace=self.options.pace and not self.simulated,
        )

    def token_source(self, oauth: OAuthSettings | None) -> TokenSource | None:
        """One source for all servers that authorise alike; replaced refresh tokens are kept."""
        return self._tokens.source(oauth)

    def guard(self, session: Session, row: OutboxMessage) -> Refusal | None:
        """Every stop condition and restraint once more, just before sending."""
        from assistant.outbox.confidence import foreign_words
        from assistant.outbox.ordered import ordered_mail
        from assistant.store.facts import DatabaseFacts

        if row.audience != "client" or row.client_id is None:
            return None
        now = self.clock.now()
        facts = DatabaseFacts(session, self.directory, now)
        project = facts.project(row.project_id) if row.project_id else None
        refusal = self.cadence.recheck(ordered_mail(session, row), facts.client(row.client_id), project, now)
        return refusal or foreign_words(session, self.archive, row)

    def keep_sent(self, session: Session, row: OutboxMessage) -> None:
        """Our own mail becomes a record like any other: kept raw, interpreted by the same phases."""
        from assistant.intake.keep import keep_own

        if row.audience == "client":
            keep_own(session, self.archive, row.raw, row.id, self.clock.now())

    @cached_property
    def all_decided(self) -> AllDecided:
        """How far all projects are decided with the rules and for the day that it is."""
        from assistant.deciding import AllDecided

        return AllDecided()

    @cached_property
    def moments(self) -> PlannedMoments:
        """When each client is worth another look for greetings, reminders and summaries."""
        from assistant.cadence.planning import PlannedMoments

        return PlannedMoments()

    # --- passes -----------------------------------------------------------------------------------------------------

    def interpret(self, stop: Callable[[], bool] = lambda: False, seconds: float | None = None) -> IntakeCounts:
        """Phases 3 to 9 over everything that is kept and pending, or over as much of it as `seconds` allow.

        History that late mail belongs into is thought over when no more than a little mail comes: the first reading of
        a large mailbox, folder after folder, would do it again and again.
        """
        self.follow_corrections()
        counts = self.intake.run(stop=stop, seconds=seconds)
        if counts.total < _CALM and not self.intake.backlog and not stop():
            for client_id in self.intake.look_back(stop, calm=seconds is None or not counts.total):
                self.moments.looked_at(client_id, self.clock.now())
        return counts

    def decide_due(self) -> int:
        """Decides every project in which a step is due or a person changed something; returns how many."""
        from assistant.deciding import decide_due

        return decide_due(self)

    @collecting_rarely()
    def decide_all(self, *, in_turns: bool = False) -> int:
        """Decides every open project once a day and with a set of rules that is new; returns how many had effects."""
        from assistant.deciding import decide_all

        return decide_all(self, in_turns=in_turns)

    @collecting_rarely()
    def plan(self, *, in_turns: bool = False) -> int:
        """Greetings, reminders and summaries that fall due now; returns how many mails were newly stored."""
        from assistant.planned import plan

        return plan(self, in_turns=in_turns)

    def tend_mailbox(self, delivery: Delivery) -> None:
        """Lays drafts down and takes them out again, and looks among sent mail for what is uncertain."""
        from assistant.planned import tend_mailbox

        tend_mailbox(self, delivery)

    def draft_box(self) -> ImapDraftBox:
        """Drafts and sent mail, where the provider keeps them."""
        from assistant.outbox.draftbox import ImapDraftBox

        every = [self.mailbox_settings(box) for box in self.config.sent_mailboxes] or [self.mailbox_settings()]
        return ImapDraftBox([(settings, self.token_source(settings.oauth)) for settings in every])

    def report_problems(self, problems: Sequence[Problem]) -> None:
        """Tells the operator by mail that an edited set of rules was not taken; the last good one goes on."""
        from assistant.outbox.staff_mail import queue_staff_mail

        now = self.clock.now()
        mail = self.reports.operator_notice(problems, now)
        if mail is None:
            return
        with self.database.session() as session:
            queue_staff_mail(session, mail, self.sender, now)
