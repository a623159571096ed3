"""`assistant init`: a new installation in a few questions, tried at once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from assistant.cli.output import say

if TYPE_CHECKING:
    from assistant.mail.providers import Provider
    from assistant.setup import ServerAnswer

_LANGUAGES = ("zh", "zh-Hans", "zh-Hant", "en")


def register(app: typer.Typer) -> None:
    app.command("init")(init)


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="Where config.toml, rules/ and templates/ go.")
    ] = Path(),
    address: Annotated[Optional[str], typer.Option(help="The assistant's own address; asked for when missing.")] = None,
    agency: Annotated[Optional[str], typer.Option(help="The agency's name.")] = None,
    staff: Annotated[Optional[str], typer.Option(help="The first colleague: name <address>.")] = None,
    language: Annotated[Optional[str], typer.Option(help="zh, zh-Hant or en.")] = None,
    password: Annotated[
        Optional[str],
        typer.Option(
            metavar="REFERENCE",
            help="env:NAME, file:PATH or keyring:NAME; else asked for and kept in a file only you can read.",
        ),
    ] = None,
    imap: Annotated[
        Optional[str], typer.Option(metavar="HOST:PORT", help="Mailbox server, where it is not known from the address.")
    ] = None,
    smtp: Annotated[Optional[str], typer.Option(metavar="HOST:PORT", help="Submission server, likewise.")] = None,
    timezone: Annotated[Optional[str], typer.Option(metavar="NAME", help="The agency's, as Europe/London.")] = None,
    country: Annotated[
        Optional[str], typer.Option(metavar="CODE", help="Whose working days the agency keeps: CN, HK, GB-ENG …")
    ] = None,
    test: Annotated[bool, typer.Option("--test/--no-test", help="Try login and submission at once.")] = True,
) -> None:
    """Ask a few questions, write config.toml, rules and templates, and try the mailbox.

    Further mailboxes are tables [[mailbox]] in config.toml.
    """
    from assistant.errors import WrongUse
    from assistant.mail.providers import provider_for
    from assistant.setup import Answers, keep_secret, write_installation

    if (folder / "config.toml").exists():
        raise WrongUse(f"{folder / 'config.toml'} is there already: edit it, or name another folder.")
    _check(language, password, timezone)
    address = (address or _ask("The assistant's mail address (staff put it in Cc)", "--address")).strip().lower()
    if "@" not in address:
        raise WrongUse(f"{address!r} is not a mail address.")
    provider = provider_for(address)
    language = language or _ask("Language of the agency (zh, zh-Hant, en)", "--language", default="zh")
    _check(language, password, timezone)
    if provider is not None:
        say(f"{provider.name}: {provider.hint.in_language(language)}")
    agency = agency or _ask("Name of the agency", "--agency")
    name, staff_address = _person(staff or _ask("Your name and address, as 李雷 <lilei@agency.example>", "--staff"))
    servers = _servers(provider, imap, smtp)
    oauth = _oauth(provider) if provider and provider.auth == ("oauth2",) else ""
    if not oauth and password is None:
        secret = _ask("Password or authorisation code (not shown)", "--password env:NAME", hidden=True)
        password = keep_secret(folder, secret)
        say(f"kept in {folder / 'secrets'}, readable by you alone; config.toml only points to it")
    zone, country = _place(language, timezone, country)
    answers = Answers(
        agency,
        staff_address.rpartition("@")[2],
        language,
        zone,
        country,
        address,
        name,
        staff_address,
        servers[0],
        servers[1],
        password or "",
        oauth,
    )
    for path in write_installation(folder, answers):
        say(f"wrote {path}")
    ok = _try(folder) if test else True
    where = f"cd {folder} && " if folder != Path() else ""
    first = "" if ok else f"set right {folder / 'config.toml'} or the password, then "
    say(f"\nNext: {first}{where}assistant doctor; when it finds nothing more: assistant run")
    if not ok:
        raise typer.Exit(3)


def _person(text: str) -> tuple[str, str]:
    from email.utils import parseaddr

    from assistant.errors import WrongUse

    name, address = parseaddr(text)
    if "@" not in address:
        raise WrongUse(f"{text!r}: write a name and an address, as 李雷 <lilei@agency.example>.")
    return name or address.partition("@")[0], address.lower()


def _servers(provider: Provider | None, imap: str | None, smtp: str | None) -> tuple[ServerAnswer, ServerAnswer]:
    from assistant.setup import ServerAnswer

    if provider is not None and not imap and not smtp:
        return (
            ServerAnswer(provider.imap.host, provider.imap.port, provider.imap.tls),
            ServerAnswer(provider.smtp.host, provider.smtp.port, provider.smtp.tls),
        )
    return (
        _server(imap or _ask("Mailbox server (IMAP), host:port", "--imap"), 993),
        _server(smtp or _ask("Submission server (SMTP), host:port", "--smtp"), 465),
    )


def _server(text: str, default_port: int) -> ServerAnswer:
    from assistant.errors import WrongUse
    from assistant.mail.tls import is_loopback
    from assistant.setup import ServerAnswer

    host, _, port = text.strip().partition(":")
    if port and not port.isdigit():
        raise WrongUse(f"{text!r}: write host:port, as imap.agency.example:993.")
    number = int(port) if port else default_port
    tls = "starttls" if number in {143, 587, 25} else "implicit"
    if is_loopback(host) and number not in {993, 465}:
        tls = "none"
    return ServerAnswer(host, number, tls)


def _place(language: str, zone: str | None, country: str | None) -> tuple[str, str]:
    """Time zone and country: as given, else by the language where that says it, else asked for."""
    usual = {"zh": ("Asia/Shanghai", "CN"), "zh-Hans": ("Asia/Shanghai", "CN"), "zh-Hant": ("Asia/Taipei", "TW")}
    if language in usual:
        return zone or usual[language][0], (country or usual[language][1]).upper()
    zone = zone or _ask("Time zone", "--timezone", default="Europe/London")
    country = country or _ask("Country (two letters, with its part where that matters)", "--country", default="GB-ENG")
    _check(None, None, zone)
    return zone, country.upper()


def _ask(question: str, option: str, *, default: str | None = None, hidden: bool = False) -> str:
    """The answer of the person at the terminal. Raises WrongUse where nobody is there: then the option is needed."""
    from assistant.errors import WrongUse

    try:
        return str(typer.prompt(question, default=default, hide_input=hidden, err=True))
    except typer.Abort:
        if sys.stdin.isatty():
            raise
        say("")
        raise WrongUse(f"there is no terminal to ask at: give {option}.") from None


def _check(language: str | None, password: str | None, zone: str | None) -> None:
    """Says at once what is wrong with an answer, before anything more is asked or written. Raises WrongUse."""
    from zoneinfo import available_timezones

    from assistant.errors import WrongUse

    if language is not None and language not in _LANGUAGES:
        raise WrongUse(f"{language!r} is no language of the agency: {', '.join(_LANGUAGES)}.")
    if password is not None and not password.startswith(("env:", "file:", "keyring:")):
        raise WrongUse(
            "--password says where the password is, env:NAME, file:PATH or keyring:NAME; without it you are asked."
        )
    if zone is not None and zone not in available_timezones():
        raise WrongUse(f"{zone!r} is no time zone; write it as Asia/Shanghai or Europe/London.")


def _oauth(provider: Provider) -> str:
    """Gmail and Microsoft 365 by OAuth2: the person brings a client id and authorises in any browser."""
    say(f"{provider.name} wants OAuth2. See docs/running.md for how to get a client id and a refresh token.")
    client_id = _ask(
        "OAuth2 client id", "--password env:NAME (an app password) with --imap and --smtp, or run it at a terminal"
    )
    refresh = _ask(
        "Where the refresh token is kept (file:PATH or env:NAME)",
        "it at a terminal",
        default="file:secrets/refresh-token",
    )
    from assistant.mail.oauth import OAUTH_PROVIDERS

    known = OAUTH_PROVIDERS[provider.oauth]
    return (
        f'token_endpoint = "{known.token_endpoint}"\nclient_id      = "{client_id}"\n'
        f'refresh_token  = "{refresh}"\nscope          = "{known.scope}"'
    )


def _try(folder: Path) -> bool:
    from assistant.config import load_config
    from assistant.setup import try_mailbox, try_submission

    config = load_config(folder / "config.toml")
    good = True
    for trial in (try_mailbox(config, folder.resolve()), try_submission(config, folder.resolve())):
        say(f"{'ok  ' if trial.ok else 'FAIL'} {trial.name}: {trial.sentence}")
        good = good and trial.ok
    return good
