"""`owner`, a role or an address → the colleagues meant."""

from __future__ import annotations

from collections.abc import Iterable

from assistant.model.cadence import StaffFacts


def people_of(word: str, owner: StaffFacts | None, staff: Iterable[StaffFacts]) -> tuple[StaffFacts, ...]:
    """The owner, everybody with the role, or the one with the address; an unknown address stands for itself."""
    if word == "owner":
        return (owner,) if owner is not None else ()
    known = tuple(staff)
    if "@" in word:
        return tuple(person for person in known if person.address == word) or (StaffFacts(word, word),)
    return tuple(person for person in known if word in person.roles)


def first_of(word: str, owner: StaffFacts | None, staff: Iterable[StaffFacts]) -> StaffFacts | None:
    """One colleague for a task or reminder: the owner if they have the role, else the first who has, else the owner."""
    found = people_of(word, owner, staff)
    if owner is not None and owner in found:
        return owner
    return found[0] if found else owner


def next_of(
    word: str, told: StaffFacts | None, owner: StaffFacts | None, staff: Iterable[StaffFacts], operator: str = ""
) -> StaffFacts | None:
    """Whom a matter goes to that `told` did not see to: somebody else with the role, else the operator.

    Only where there is nobody else at all it is the same person again.
    """
    known = tuple(staff)
    wanted = (*people_of(word, owner, known), *(person for person in known if person.address == operator))
    return next((person for person in wanted if told is None or person.address != told.address), None) or first_of(
        word, owner, known
    )


def addresses_of(words: Iterable[str], owner: StaffFacts | None, staff: Iterable[StaffFacts]) -> tuple[str, ...]:
    """Addresses of all that are meant, each once, in order."""
    known = tuple(staff)
    return tuple(dict.fromkeys(person.address for word in words for person in people_of(word, owner, known)))
