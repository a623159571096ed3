"""`config.toml`: what an installation is told. Every problem at once, with its place; secrets only by reference."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from assistant.errors import AssistantError, Problem, ProblemsFound
from assistant.tomlfile import did_you_mean, place_of, read_toml

_ADDRESS = re.compile(r"[^@\s<>,]+@[^@\s<>,]+")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

_OWN_MAILBOXES = frozenset({"outbox", "import"})
"""Under these names the database keeps what was sent, and what was read from files."""

_PERIOD = re.compile(r"([1-9]\d{0,4})\s*(d|days?|w|weeks?|months?|y|years?)")
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}

Language = Literal["zh", "zh-Hans", "zh-Hant", "en"]
TransportSecurity = Literal["implicit", "starttls", "none"]


def _duration(value: Any) -> Any:
    """Seconds as a number, or words such as `500ms`, `30s`, `4h`, `14d`."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return timedelta(seconds=value)
    if isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())):
        return timedelta(seconds=float(match[1]) * _UNITS[match[2]])
    raise ValueError('is not a duration; write seconds as a number, or "30s", "5m", "4h", "14d"')


def _period(value: Any) -> Any:
    """Days, weeks, months of 30 days and years of 365: `90d`, `6 months`, `3y`."""
    if isinstance(value, str) and (match := _PERIOD.fullmatch(value.strip())):
        return timedelta(days=int(match[1]) * _DAYS[match[2][0]])
    raise ValueError('is not a period; write "90d", "6 months" or "3y"')


def _address(value: Any) -> Any:
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value.strip()):
        raise ValueError("is not a mail address such as name@company.example")
    return value.strip().lower()


def _secret_reference(value: Any) -> Any:
    if not isinstance(value, str) or not value.startswith(("env:", "file:", "keyring:")):
        raise ValueError(
            "must not stand in the file: write env:NAME, file:PATH or keyring:NAME and keep the secret there"
        )
    return value


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Period = Annotated[timedelta, BeforeValidator(_period)]
MailAddress = Annotated[str, BeforeValidator(_address)]
SecretReference = Annotated[str, BeforeValidator(_secret_reference)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Agency(_Table):
    name: str
    domains: tuple[str, ...] = Field(min_length=1)
    language: Language = "zh"
    timezone: str = "Asia/Shanghai"
    country: str = "CN"

    @field_validator("domains")
    @classmethod
    def _domains(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(domain.lower().lstrip("@") for domain in value)

    @field_validator("timezone")
    @classmethod
    def _timezone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(
                'is not a time zone; write an IANA name such as "Asia/Shanghai" or "Europe/London"'
            ) from error
        return value

    @field_validator("country")
    @classmethod
    def _country(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Z]{2}(-[A-Z0-9]{1,3})?", value):
            raise ValueError('is not a country code; write two capital letters such as "CN" or "GB-ENG"')
        return value


class Assistant(_Table):
    address: MailAddress
    name: str = ""
    operator: MailAddress | None = None
    """Who is told when something is wrong with the assistant itself; default: the first of the staff."""
    aliases: tuple[MailAddress, ...] = ()
    """Other addresses that reach the shared inbox, for example hello@ or business@."""


class Store(_Table):
    url: str = "sqlite:///assistant.db"


class Staff(_Table):
    name: str
    address: MailAddress
    roles: tuple[str, ...] = ()
    language: Language | None = None
    timezone: str | None = None
    aliases: tuple[MailAddress, ...] = ()


class OAuth(_Table):
    token_endpoint: str
    client_id: str
    refresh_token: SecretReference
    client_secret: SecretReference | None = None
    scope: str = ""


class _Server(_Table):
    host: str
    port: int = Field(ge=1, le=65535)
    tls: TransportSecurity = "implicit"
    password: SecretReference | None = None
    auth: Literal["password", "oauth2"] = "password"
    oauth: OAuth | None = None
    ca_file: str | None = None
    timeout: Duration = timedelta(seconds=30)

    @model_validator(mode="after")
    def _oauth_settings(self) -> _Server:
        if self.auth == "oauth2" and self.oauth is None:
            raise ValueError('auth = "oauth2" needs a table "oauth" with token_endpoint, client_id and refresh_token')
        return self


def _as_array(value: Any) -> Any:
    """`[mailbox]` is the only one of `[[mailbox]]`."""
    return value if isinstance(value, (list, tuple)) else (value,)


class Mailbox(_Server):
    user: str
    name: str = Field(
        default_factory=lambda given: str(given.get("user") or "?"), min_length=1, max_length=150, validate_default=True
    )
    """What the ledger and every message call it; by another name its mail is read again, and recognised."""
    address: MailAddress | None = None
    """Where to write so that it arrives here; only where `user` is no address, or another one."""
    folders: tuple[str, ...] = Field(default=("INBOX",), min_length=1)
    authserv_id: str = ""
    """Whose Authentication-Results are believed (RFC 8601): the name your own mail server signs them with."""
    verify_dkim: bool = False
    """Whether a colleague's mail without such a verdict is proved by its DKIM signature (RFC 6376)."""
    max_message_size: int = Field(default=50_000_000, ge=100_000)

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        if value in _OWN_MAILBOXES or not value.isprintable():
            raise ValueError(f"cannot be {value!r}; write another name, in letters that can be printed")
        return value

    @property
    def arrives_at(self) -> str:
        """The address under which mail comes here; empty where nobody said it."""
        return self.address or (self.user.lower() if _ADDRESS.fullmatch(self.user) else "")


class Submission(_Server):
    user: str | None = None
    mailbox: str = ""
    """In whose Sent folder what was submitted appears; default: the mailbox with the same user."""
    daily_limit: int = Field(default=200, ge=0)
    per_minute_limit: int = Field(default=0, ge=0)
    """0 is no cap beside `min_interval`."""
    min_interval: Duration = timedelta(seconds=2)
    hourly_limit: int = Field(default=200, ge=0)
    """More automatic mails to clients than this in an hour stop sending until a person says go on."""
    client_hourly_limit: int = Field(default=6, ge=1)
    bounce_limit: float = Field(default=0.05, gt=0, le=1)


class Intake(_Table):
    cutoff: Duration = timedelta(days=14)
    """Mail older than this when first read never starts a cadence."""
    default_owner: MailAddress | None = None


class Retention(_Table):
    """How long things are kept; what is not said here is kept for ever."""

    raw_mail: Period | None = None
    unrelated_mail: Period | None = None
    our_mail: Period | None = None
    notes: Period | None = None


class Folders(_Table):
    rules: str = "rules"
    templates: str = "templates"


class Understanding(_Table):
    encoder: Literal["auto", "on", "off"] = "auto"
    model: str = ""
    learn: bool = True
    """Whether the daemon makes a new model of people's corrections by itself."""


class Log(_Table):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"
    show_addresses: bool = False


class Daemon(_Table):
    tick: Duration = timedelta(seconds=15)
    health_file: str = ""
    poll: Duration = timedelta(seconds=55)
    reconcile: Duration = timedelta(days=1)
    """How often the ledger is compared with the server; 0 is never."""
    canary: Duration = timedelta(0)
    """How often a mail to itself must come back as a record; 0 is never."""
    canary_within: Duration = timedelta(minutes=30)


class Summary(_Table):
    recipients: tuple[MailAddress, ...] = ()
    """Beside the client's owner, everybody here gets every weekly summary."""


class Console(_Table):
    host: str = "127.0.0.1"
    port: int = 8025


class Config(_Table):
    agency: Agency
    assistant: Assistant
    store: Store = Store()
    staff: tuple[Staff, ...] = ()
    mailbox: Annotated[tuple[Mailbox, ...], BeforeValidator(_as_array)] = ()
    submission: Submission | None = None
    intake: Intake = Intake()
    retention: Retention = Retention()
    folders: Folders = Folders()
    understanding: Understanding = Understanding()
    log: Log = Log()
    daemon: Daemon = Daemon()
    summary: Summary = Summary()
    console: Console = Console()

    @model_validator(mode="after")
    def _cross_checks(self) -> Config:
        seen: set[str] = set()
        for person in self.staff:
            if person.address in seen:
                raise ValueError(f"staff: {person.address} stands there twice")
            seen.add(person.address)
        _check_mailboxes(self)
        return self

    @property
    def servers(self) -> tuple[Mailbox | Submission, ...]:
        """Every server that is named."""
        return (*self.mailbox, *((self.submission,) if self.submission else ()))

    @property
    def oauth_tables(self) -> tuple[OAuth, ...]:
        return tuple(server.oauth for server in self.servers if server.oauth)

    @property
    def sent_mailboxes(self) -> tuple[Mailbox, ...]:
        """Where the provider keeps a copy of what is submitted, and drafts belong: the one that `submission.mailbox`
        names, else that of the user who submits, else the assistant's own; all of them where none is known."""
        wanted = self.submission.mailbox if self.submission else ""
        user = self.submission.user if self.submission else None
        return (
            tuple(box for box in self.mailbox if box.name == wanted)
            or tuple(box for box in self.mailbox if user and box.user == user)[:1]
            or tuple(box for box in self.mailbox if box.arrives_at == self.assistant.address)[:1]
            or self.mailbox
        )

    def language_of(self, address: str) -> str:
        """zh-Hans, zh-Hant or en for one of the staff; the agency's language for anyone else."""
        for person in self.staff:
            if person.address == address and person.language:
                return full_language(person.language)
        return full_language(self.agency.language)


def _check_mailboxes(config: Config) -> None:
    """Raises ValueError: names and logins of mailboxes are each one's own, and what is named is there."""
    names = [box.name for box in config.mailbox]
    if double := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f'mailbox: two are called "{double}"; give each [[mailbox]] a name of its own')
    logins = [(box.host.lower(), box.port, box.user) for box in config.mailbox]
    if any(logins.count(login) > 1 for login in logins):
        raise ValueError("mailbox: one user of one server stands there twice; name all its folders in one table")
    if config.submission and config.submission.mailbox and config.submission.mailbox not in names:
        hint = did_you_mean(config.submission.mailbox, names)
        raise ValueError(f'submission.mailbox: there is no mailbox "{config.submission.mailbox}". {hint}'.strip())
    nowhere = [box.name for box in config.mailbox if not box.arrives_at]
    if config.daemon.canary and len(names) > 1 and nowhere:
        raise ValueError(
            f'mailbox: daemon.canary writes to each mailbox, but the address of "{nowhere[0]}" is not known; add address'
        )


def full_language(language: str) -> str:
    return "zh-Hans" if language == "zh" else language


def load_config(path: Path) -> Config:
    """Reads and checks `path`. Raises ProblemsFound with every problem, or AssistantError when there is no file."""
    if not path.exists():
        raise AssistantError(
            f"there is no {path}. Create one with `assistant init`, or name another with `assistant --config FILE …`."
        )
    tree, text, problems = read_toml(path, str(path), "C001")
    if tree is None:
        raise ProblemsFound(tuple(problems))
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        raise ProblemsFound(
            tuple(_problem(path, text, tree, details) for details in error.errors(include_url=False))
        ) from None


def _problem(path: Path, text: str, tree: dict[str, Any], details: Any) -> Problem:
    location = tuple(part for part in details["loc"] if isinstance(part, (str, int)))
    if location[:1] == ("mailbox",) and isinstance(tree.get("mailbox"), dict):
        location = tuple(part for part in location if not isinstance(part, int))
    name = ".".join(str(part) for part in location if isinstance(part, str)) or "the file"
    kind = details["type"]
    line, column = place_of(text, location, value=kind not in {"extra_forbidden", "missing"})
    if kind == "extra_forbidden":
        hint = did_you_mean(str(location[-1]), _keys_at(location[:-1]))
        return Problem(str(path), line, column, "C002", f'unknown key "{location[-1]}"', hint)
    if kind == "missing":
        where = ".".join(str(part) for part in location[:-1])
        return Problem(
            str(path), line, column, "C003", f'{f"[{where}]" if where else "the file"} lacks "{location[-1]}"'
        )
    if kind == "value_error":
        return Problem(str(path), line, column, "C004", f"{name} {details['ctx']['error']}")
    return Problem(str(path), line, column, "C004", f"{name}: {details['msg'][0].lower()}{details['msg'][1:]}")


def _keys_at(location: tuple[str | int, ...]) -> list[str]:
    model: type[BaseModel] = Config
    for part in location:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part)
        inner = _model_in(field.annotation) if field else None
        if inner is None:
            return []
        model = inner
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        if found := _model_in(inner):
            return found
    return None


def resolve_secret(reference: str, base: Path) -> str:
    """The secret that `env:NAME`, `file:PATH` or `keyring:NAME` points to. Raises AssistantError saying how to set it."""
    scheme, _, name = reference.partition(":")
    if scheme == "env":
        value = os.environ.get(name)
        if not value:
            raise AssistantError(
                f"the secret {reference} is not set: export {name}=… before starting, or use file:PATH."
            )
        return value
    if scheme == "file":
        path = Path(name).expanduser()
        path = path if path.is_absolute() else base / path
        try:
            return path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise AssistantError(
                f"the secret file {path} cannot be read: {error.strerror}. Create it with mode 0600."
            ) from error
    return _from_keyring(name)


def keep_secret(reference: str, base: Path, value: str) -> bool:
    """Replaces the secret that a `file:PATH` reference points to; False for references that cannot be written to."""
    scheme, _, name = reference.partition(":")
    if scheme != "file":
        return False
    path = Path(name).expanduser()
    path = path if path.is_absolute() else base / path
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
        stream.write(value + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
    return True


def _from_keyring(name: str) -> str:
    try:
        import keyring
    except ModuleNotFoundError as error:
        raise AssistantError("keyring: secrets need an extra: install cc-assistant[keyring]") from error
    value = keyring.get_password("cc-assistant", name)
    if not value:
        raise AssistantError(f"the keyring holds no secret {name!r}: run `keyring set cc-assistant {name}`.")
    return str(value)
