"""Which messages belong together: by every id they mention, never by subject, whatever the order of arrival."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from hypothesis import given
from hypothesis import strategies as st

from assistant.model.threading import MAXIMUM_IDS, Placement, ThreadTable, ids_of, place
from parsers import parse
from tests.offices import mail

Ids = tuple[str, ...]
"""The ids of one message: its own, then those it mentions."""


@st.composite
def conversations(draw: st.DrawFn) -> list[Ids]:
    """Messages that mention earlier ones, ghosts that nobody has, and now and then two conversations at once."""
    mails: list[Ids] = []
    for number in range(draw(st.integers(1, 9))):
        pool = [ids[0] for ids in mails] + ["ghost1@x", "ghost2@x"]
        mentioned = draw(st.lists(st.sampled_from(pool), max_size=3, unique=True))
        mails.append((f"m{number}@x", *mentioned))
    return mails


def partition(table: ThreadTable, own: Iterable[str]) -> set[frozenset[str]]:
    groups: defaultdict[str, set[str]] = defaultdict(set)
    for identifier in own:
        groups[table.thread_of(identifier)].add(identifier)
    return {frozenset(group) for group in groups.values()}


def threads(mails: Sequence[Ids]) -> set[frozenset[str]]:
    table = ThreadTable()
    for ids in mails:
        table.add(ids)
    return partition(table, [ids[0] for ids in mails])


@given(mails=conversations(), data=st.data())
def test_the_order_of_arrival_does_not_matter(mails: list[Ids], data: st.DataObject) -> None:
    assert threads(data.draw(st.permutations(mails))) == threads(mails)


@given(mails=conversations())
def test_hearing_a_message_twice_does_not_matter(mails: list[Ids]) -> None:
    assert threads([*mails, *mails]) == threads(mails)


@given(mails=conversations())
def test_whoever_mentions_a_message_is_in_its_thread_and_nobody_else(mails: list[Ids]) -> None:
    groups = threads(mails)
    home = {identifier: group for group in groups for identifier in group}
    for ids in mails:
        for identifier in ids[1:]:
            if identifier in home:
                assert home[identifier] == home[ids[0]]
    for group in groups:
        if len(group) > 1:
            members = [set(ids) for ids in mails if ids[0] in group]
            assert all(any(one & other for other in members if other is not one) for one in members)


def test_two_answers_to_a_message_nobody_has_are_one_thread() -> None:
    assert threads([("b@x", "ghost@x"), ("c@x", "ghost@x")]) == {frozenset({"b@x", "c@x"})}


def test_a_thread_is_named_alike_in_every_order() -> None:
    names = set()
    for mails in ([("b@x", "a@x"), ("c@x", "b@x")], [("c@x", "b@x"), ("b@x", "a@x")]):
        table = ThreadTable()
        for ids in mails:
            table.add(ids)
        names.add(table.thread_of("c@x"))
    assert names == {"a@x"}


def test_a_message_goes_into_the_oldest_of_its_threads_and_merges_the_others() -> None:
    assert place([("m", "a", "b", "n")], {"a": 7, "b": 3}) == (Placement((0,), 3, (7,), ("m", "n")),)
    assert place([("m", "n")], {}) == (Placement((0,), None, (), ("m", "n")),)


def test_a_batch_is_placed_at_once_and_what_shares_nothing_stays_apart() -> None:
    batch = [("m", "a"), ("n", "b"), ("o",), ("p", "m", "n")]
    assert place(batch, {"a": 7, "b": 3}) == (
        Placement((0, 1, 3), 3, (7,), ("m", "n", "p")),
        Placement((2,), None, (), ("o",)),
    )


def test_a_monstrous_id_is_known_by_its_digest() -> None:
    long = "x" * 900 + "@mingshan.example"
    answer = ids_of("b@x", parse(b"In-Reply-To: <" + long.encode() + b">\r\n\r\nx"))
    assert max(map(len, answer)) < 100
    assert ids_of(long, parse(mail("x")))[0] in answer


def test_the_same_subject_is_no_evidence_and_another_subject_no_objection() -> None:
    first, second = parse(mail("x", subject="报价")), parse(mail("x", subject="报价"))
    assert not set(ids_of("a@x", first)) & set(ids_of("b@x", second))
    answer = parse(mail("x", subject="另一件事", answers=("a@x",)))
    assert ids_of("c@x", answer) == ("c@x", "a@x")


def test_of_a_message_that_mentions_thousands_both_ends_are_kept() -> None:
    raw = mail("x", answers=[f"{number}@mingshan.example" for number in range(900)])
    ids = ids_of("own@x", parse(raw))
    assert len(ids) <= MAXIMUM_IDS + 1
    assert ids[0] == "own@x"
    assert {"0@mingshan.example", "899@mingshan.example"} <= set(ids)
