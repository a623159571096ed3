"""Reading what FETCH responses say, one by one, whatever stands between them."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from assistant.mail.fetching import (
    Listed,
    ResponseItem,
    batches,
    has_holes,
    internal_date,
    parse_bodies,
    parse_listing,
    uid_set,
)


def test_a_listing_in_any_order_of_items() -> None:
    rows = parse_listing(
        [
            b'2 (RFC822.SIZE 20 INTERNALDATE "24-Feb-2026 18:00:00 +0800" UID 7)',
            b'1 (UID 5 RFC822.SIZE 10 INTERNALDATE " 4-Feb-2026 10:00:00 +0000")',
        ]
    )
    assert rows == [
        Listed(5, 10, datetime(2026, 2, 4, 10, 0, tzinfo=UTC), 1),
        Listed(7, 20, datetime(2026, 2, 24, 10, 0, tzinfo=UTC), 2),
    ]


def test_unsolicited_flags_neither_hide_nor_double_a_message() -> None:
    rows = parse_listing([b"3 (FLAGS (\\Seen))", b"1 (UID 5 RFC822.SIZE 10)", b"1 (UID 5 FLAGS (\\Seen))", None])
    assert rows == [Listed(5, 10, None, 1)]


def test_a_list_with_a_row_garbled_or_a_number_left_out_has_holes() -> None:
    for data in (
        [b"1 (UID 5 RFC822.SIZE 10)", b"2 (XID 6 RFC822.SIZE 10)"],
        [b"1 (UID 5 RFC822.SIZE 10)", b"3 (UID 7 RFC822.SIZE 10)"],
    ):
        assert has_holes(data, parse_listing(data))
    whole = [b"4 (UID 5 RFC822.SIZE 10)", b"2 (FLAGS ())", b"5 (UID 9 RFC822.SIZE 10)"]
    assert not has_holes(whole, parse_listing(whole))


def test_a_message_whose_size_is_not_said_is_still_there() -> None:
    assert parse_listing([b"1 (UID 5)"]) == [Listed(5, 0, None, 1)]


def test_bodies_come_as_literals_as_quoted_strings_or_as_nil() -> None:
    data: list[ResponseItem] = [
        (b"1 (UID 5 BODY[] {5}", b"hello"),
        b")",
        (b"2 (BODY[]<0> {3}", b"abc"),
        b" UID 6 FLAGS (\\Recent))",
        b'3 (UID 7 BODY[] "a \\"b\\" \\\\")',
        b"4 (UID 8 BODY[] NIL)",
        b"5 (UID 9 FLAGS ())",
    ]
    assert parse_bodies(data) == {5: b"hello", 6: b"abc", 7: b'a "b" \\', 8: None}


def test_what_a_message_says_about_uids_is_not_believed() -> None:
    assert parse_bodies([(b"1 (BODY[] {9}", b" UID 99 )("), b" UID 6)"]) == {6: b" UID 99 )("}


def test_nonsense_dates_are_nobodys_date() -> None:
    for text in (b"", b"yesterday", b"31-Feb-2026 10:00:00 +0000", b"24-Foo-2026 10:00:00 +0000", b"\xff\xfe"):
        assert internal_date(text) is None


@given(
    st.lists(st.one_of(st.binary(max_size=60), st.tuples(st.binary(max_size=40), st.binary(max_size=40)), st.none()))
)
def test_garbage_is_read_without_an_error(data: list[bytes | tuple[bytes, bytes] | None]) -> None:
    parse_listing(data)
    parse_bodies(data)


@given(st.lists(st.integers(0, 5000), max_size=60), st.integers(1, 10), st.integers(1, 8000))
def test_batches_keep_order_and_limits(sizes: list[int], messages: int, size: int) -> None:
    listed = [Listed(uid, octets, None) for uid, octets in enumerate(sizes, 1)]
    made = list(batches(listed, messages, size))
    assert [message for batch in made for message in batch] == listed
    for batch in made:
        assert 1 <= len(batch) <= messages
        assert len(batch) == 1 or sum(message.size for message in batch) <= size


@given(st.sets(st.integers(1, 300), min_size=1))
def test_a_uid_set_names_exactly_its_uids(uids: set[int]) -> None:
    named: set[int] = set()
    for part in uid_set(sorted(uids)).split(","):
        first, _, last = part.partition(":")
        named |= set(range(int(first), int(last or first) + 1))
    assert named == uids
