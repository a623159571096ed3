"""A client that a person names, though the assistant took its mail for an imitation's or has not seen any."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from assistant.errors import WrongUse
from assistant.intake.acquaintance import adopt_mail_of
from assistant.intake.relations import AgencySide
from assistant.model.locality import client_name
from assistant.model.people import client_key
from assistant.store.clients import client_by_key, create_client
from assistant.store.erased import is_erased
from assistant.store.tables import Client


def introduce_client(session: Session, which: str, name: str, agency: AgencySide, now: datetime) -> Client:
    """The new client with this domain, or of free mail this address; mail from there that belonged to nobody is its own.

    `name` "" is guessed from the domain. Raises WrongUse where it cannot be one, or is one already.
    """
    which = which.strip().lower().removeprefix("@")
    person = "@" in which
    address = which if person else f"anybody@{which}"
    if "." not in which or agency.directory.is_ours(address) or is_erased(session, address):
        raise WrongUse(f"{which!r} can be no client: name a domain such as example.com, or an address at free mail.")
    key = client_key(address, agency.free_mail)
    if "@" in key and not person:
        raise WrongUse(f"{which} gives addresses to everybody: name the whole address.")
    owner = client_by_key(session, key)
    if owner is not None:
        raise WrongUse(
            f"{key} is {owner.name} already; `assistant clients set {owner.id}` changes what is known of it."
        )
    place = agency.locality
    client = create_client(
        session,
        key,
        name or client_name(address, "", "", person="@" in key),
        "person" if "@" in key else "company",
        place.language,
        place.country,
        place.timezone,
        agency.default_owner,
        now,
        now,
    )
    client.known_since = None  # a person did
    session.flush()
    adopt_mail_of(session, client, address, key)
    return client
