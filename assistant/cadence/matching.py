"""Does a rule's `when` and `unless` fit? The answer names the first key that does not."""

from __future__ import annotations

from collections.abc import Iterable

from assistant.cadence.rules import Match
from assistant.model.cadence import ClientFacts, ContactFacts, ProjectFacts, StaffFacts

_LANGUAGE_FAMILY = {"zh": "zh-Hans"}


def contact_of(client: ClientFacts, contact_id: int) -> ContactFacts | None:
    return next((contact for contact in client.contacts if contact.contact_id == contact_id), None)


def country_of(client: ClientFacts, contact: ContactFacts | None) -> tuple[str, str]:
    """Country and subdivision: the contact's own, else the client's."""
    if contact is not None and contact.country:
        return contact.country, contact.subdivision
    return client.country, client.subdivision


def language_of(client: ClientFacts, contact: ContactFacts | None) -> str:
    language = (contact.language if contact is not None else "") or client.language
    return _LANGUAGE_FAMILY.get(language, language)


def zone_of(client: ClientFacts, contact: ContactFacts | None) -> str:
    return (contact.timezone if contact is not None else "") or client.timezone


def owner_of(facts: ProjectFacts) -> StaffFacts | None:
    return facts.owner or facts.client.owner


def relationships_of(client: ClientFacts) -> frozenset[str]:
    """prospect, active, past, from the stages its projects are in; nothing known counts as prospect."""
    found = set()
    for stage in client.stages:
        if stage in ("execution", "closing"):
            found.add("active")
        elif stage == "relationship":
            found.add("past")
        else:
            found.add("prospect")
    return frozenset(found or {"prospect"})


def mismatch(match: Match, facts: ProjectFacts, contact: ContactFacts | None, *, with_intent: bool = True) -> str:
    """The first key of `match` that the project does not fit, as "key is …", or the empty string."""
    if match.stage and facts.stage not in match.stage:
        return f"stage is {facts.stage}"
    if match.waiting_on and facts.waiting_on not in match.waiting_on:
        return f"waiting_on is {facts.waiting_on}"
    if with_intent and match.intent:
        intents = facts.waited.intents if facts.waited is not None else ()
        if not match.intent.intersection(intents):
            return f"intent is {_listed(intents)}"
    if match.value:
        if facts.value is None:
            return "value is not known"
        if not all(comparison.holds(facts.value) for comparison in match.value):
            return f"value is {facts.value:g}"
    return client_mismatch(match, facts.client, contact, tags=facts.tags, owner=owner_of(facts))


def client_mismatch(
    match: Match,
    client: ClientFacts,
    contact: ContactFacts | None,
    *,
    tags: Iterable[str] = (),
    owner: StaffFacts | None = None,
) -> str:
    """As `mismatch`, for the keys that ask for the client and the contact only."""
    if match.client and client.name not in match.client:
        return f"client is {client.name}"
    if match.tag:
        known = {*tags, *client.tags, *(contact.tags if contact is not None else ())}
        if not match.tag & known:
            return f"tag is {_listed(known)}"
    if match.country and country_of(client, contact)[0] not in match.country:
        return f"country is {country_of(client, contact)[0]}"
    if match.language and language_of(client, contact) not in match.language:
        return f"language is {language_of(client, contact)}"
    if match.owner:
        owner = owner or client.owner
        if owner is None or not {owner.address, owner.name} & match.owner:
            return f"owner is {owner.address if owner is not None else 'nobody'}"
    if match.relationship and not match.relationship & relationships_of(client):
        return f"relationship is {_listed(relationships_of(client))}"
    return ""


def project_misses(when: Match, unless: Match, facts: ProjectFacts, contact: ContactFacts | None) -> str:
    """Why a rule is not for this project, or the empty string."""
    reason = mismatch(when, facts, contact)
    if reason:
        return reason
    if not unless.is_empty and not mismatch(unless, facts, contact):
        return "unless matches"
    return ""


def client_misses(when: Match, unless: Match, client: ClientFacts, contact: ContactFacts | None) -> str:
    """Why a rule is not for this client and contact, or the empty string. `stage` is that of any of its projects."""
    if when.stage and not when.stage.intersection(client.stages):
        return f"stage is {_listed(client.stages)}"
    reason = client_mismatch(when, client, contact)
    if reason:
        return reason
    excluded = not unless.is_empty and not client_mismatch(unless, client, contact)
    if excluded and (not unless.stage or unless.stage.intersection(client.stages)):
        return "unless matches"
    return ""


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words)) or "nothing"
