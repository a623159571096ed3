"""`assistant init`: a new installation in a few questions, tried at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from assistant.cli.output import say

if TYPE_CHECKING:
    from assistant.mail.providers import Provider
    from assistant.setup import ServerAnswer

_Text = Annotated[Optional[str], typer.Option()]


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
    test: Annotated[bool, typer.Option("--test/--no-test", help="Try login and submission at once.")] = True,
) -> None:
    """Ask a few questions, write config.toml, rules and templates, and try the mailbox."""
    from assistant.errors import WrongUse
    from assistant.mail.providers import provider_for
    from assistant.setup import Answers, keep_secret, write_installation

    if (folder / "config.toml").exists():
        raise WrongUse(f"{folder / 'config.toml'} is there already: edit it, or name another folder.")
    address = (address or typer.prompt("The assistant's mail address (staff put it in Cc)", err=True)).strip().lower()
    if "@" not in address:
        raise WrongUse(f"{address!r} is not a mail address.")
    provider = provider_for(address)
    language = language or typer.prompt("Language of the agency (zh, zh-Hant, en)", default="zh", err=True)
    if provider is not None:
        say(f"{provider.name}: {provider.hint.in_language(language)}")
    agency = agency or typer.prompt("Name of the agency", err=True)
    name, staff_address = _person(
        staff or typer.prompt("Your name and address, as 李雷 <lilei@agency.example>", err=True)
    )
    servers = _servers(provider, imap, smtp)
    oauth = _oauth(provider) if provider and provider.auth == ("oauth2",) else ""
    if not oauth and password is None:
        secret = typer.prompt("Password or authorisation code (not shown)", hide_input=True, err=True)
        password = keep_secret(folder, secret)
        say(f"kept in {folder / 'secrets'}, readable by you alone; config.toml only points to it")
    zone, country = (
        ("Asia/Taipei", "TW")
        if language == "zh-Hant"
        else ("Asia/Shanghai", "CN")
        if language.startswith("zh")
        else _place()
    )
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
    say(f"\nNext: {where}assistant doctor, then {where}assistant run")
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
        _server(imap or typer.prompt("Mailbox server (IMAP), host:port", err=True), 993),
        _server(smtp or typer.prompt("Submission server (SMTP), host:port", err=True), 465),
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


def _place() -> tuple[str, str]:
    zone = typer.prompt("Time zone", default="Europe/London", err=True)
    country = typer.prompt("Country (two letters)", default="GB", err=True)
    return zone, country.upper()


def _oauth(provider: Provider) -> str:
    """Gmail and Microsoft 365 by OAuth2: the person brings a client id and authorises in any browser."""
    say(f"{provider.name} wants OAuth2. See docs/running.md for how to get a client id and a refresh token.")
    client_id = typer.prompt("OAuth2 client id", err=True)
    refresh = typer.prompt(
        "Where the refresh token is kept (file:PATH or env:NAME)", default="file:secrets/refresh-token", err=True
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
