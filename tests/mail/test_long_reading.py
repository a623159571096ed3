"""A mailbox that is read for the first time, or after a long while, from a server and among people that do not wait for it."""

from __future__ import annotations

import contextlib
import dataclasses
import random
import resource
from collections.abc import Callable

import pytest

from assistant.errors import ServerUnreachable
from assistant.mail.imap import ImapConnection
from assistant.mail.oauth import TokenSource
from assistant.mail.reader import MailboxReader
from tests.mail.support import RememberingSink, letter, reading
from tests.mail.test_ledger import quick, remove, rename
from tests.servers.dovecot import Mailbox
from tests.servers.imap_faults import FaultProxy, Plan
from tests.servers.oauth_endpoint import OAuthEndpoint


def fill(mailbox: Mailbox, count: int, folder: str = "INBOX", size: int = 0) -> list[str]:
    names = [f"{folder[:2].lower()}{number:04}" for number in range(count)]
    for name in names:
        mailbox.deliver(letter(name, size=size), folder)
    return names


def after_batches(count: int, what: Callable[[], object]) -> Callable[[], None]:
    """An `on_new` that does something once, while the reader is in the middle of a folder."""
    left = [count]

    def on_new() -> None:
        left[0] -= 1
        if left[0] == 0:
            what()

    return on_new


def until_even(reader: MailboxReader) -> None:
    """Looks until one look goes through, then compares: nothing may be missing."""
    for _ in range(60):
        with contextlib.suppress(ServerUnreachable):
            reader.read_once()
            break
    assert all(account.even and not account.unread for account in reader.reconcile())


# --- a first start --------------------------------------------------------------------------------------------------


def test_two_full_folders_are_read_over_a_network_that_keeps_breaking(
    mailbox: Mailbox, imap_proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.mail.imap.WINDOW", 40)
    inbox, sent = fill(mailbox, 220), fill(mailbox, 90, "Sent")
    remove(mailbox, "INBOX", *range(60, 140))  # a hole wider than a window
    chance = random.Random(5)
    endings = ("rst", "fin", "half_close", "stall")
    imap_proxy.plans = [
        Plan(cut_after=chance.randrange(500, 12_000), ending=chance.choice(endings))  # type: ignore[arg-type]  # of the list above
        for _ in range(10)
    ]
    sink = RememberingSink()
    settings = mailbox.settings(port=imap_proxy.port, folders=("INBOX", "Sent"), batch_messages=15, timeout_seconds=0.3)
    until_even(MailboxReader(settings, sink))
    assert sink.names() == inbox[:59] + inbox[139:]
    assert sink.names("Sent") == sent
    assert max(sink.batches) <= 15
    assert imap_proxy.plans == []


def test_a_reader_that_was_stopped_in_the_middle_goes_on_there(mailbox: Mailbox) -> None:
    names = fill(mailbox, 120)
    sink = RememberingSink()
    settings = mailbox.settings(batch_messages=10)
    with reading(MailboxReader(settings, sink)) as stop:
        sink.wait_for(30)
        stop.set()
    assert 30 <= len(sink.kept) < 120
    MailboxReader(settings, sink).read_once()
    assert sink.names() == names


def test_of_150_megabytes_only_what_is_kept_is_fetched(mailbox: Mailbox, imap_proxy: FaultProxy) -> None:
    head, _, text = letter("film").partition(b"\r\n\r\n")
    mailbox.deliver(head + b"\r\n\r\n" + text + (b"x" * 76 + b"\r\n") * (150_000_000 // 78))
    mailbox.deliver(letter("after"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sink = RememberingSink()
    MailboxReader(mailbox.settings(port=imap_proxy.port, timeout_seconds=30), sink).read_once()
    assert sink.names() == ["film", "after"]
    film, after = sink.messages.values()
    assert (film.truncated, film.again, after.truncated) == (True, False, False)
    assert (film.size > 149_000_000, len(film.raw) < 300_000) == (True, True)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000  # kB


# --- servers in the middle of it ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        Plan(replace=(b"* 8 FETCH (UID 8 BODY[]", b"* BYE Server shutting down\r\n"), cut_at=b"down\r\n", ending="fin"),
        Plan(
            replace=(b"* 8 FETCH (UID 8 BODY[]", b"* BYE [UNAVAILABLE] Too many connections\r\n* 8 FETCH (UID 8 BODY[]")
        ),
        Plan(replace=(b"* 8 FETCH (UID 8 BODY[]", b"* 8 FETCH (FLAGS (\\Seen))\r\n* 8 FETCH (UID 8 BODY[]")),
        Plan(
            replace=(b"OK Fetch completed", b"NO [LIMIT] Request is throttled. Suggested Backoff Time: 20 milliseconds")
        ),
        Plan(replace=(b"OK Fetch completed", b"BAD Internal error")),
        Plan(replace=(b"* 8 FETCH (UID 8 BODY[]", b"* 8 FETCH (UID 9 BODY[]")),
        Plan(replace=(b"* 8 FETCH (UID 8 BODY[]", b"* 99999999999999999999 FETCH (UID 8 BODY[]")),
        Plan(replace=(b"BODY[] {", b"BODY[] {99999999999999999999")),
        Plan(cut_at=b"Subject: in0007", ending="stall"),
    ],
    ids=str,
)
def test_what_a_server_says_in_the_middle_of_a_batch_costs_no_message(
    mailbox: Mailbox, imap_proxy: FaultProxy, fault: Plan
) -> None:
    names = fill(mailbox, 24, size=1_000)
    imap_proxy.plans = [dataclasses.replace(fault)]
    sink = RememberingSink()
    settings = mailbox.settings(port=imap_proxy.port, batch_messages=6, timeout_seconds=0.5)
    with reading(MailboxReader(settings, sink, wait=quick)):
        sink.wait_for(24, 20)
        sink.wait_for_state("watching")
    assert sink.names() == names
    assert [message.raw for message in sink.messages.values()] == [letter(name, size=1_000) for name in names]


def test_a_token_that_ends_in_the_middle_of_a_long_first_reading_is_renewed(
    mailbox: Mailbox, imap_proxy: FaultProxy, oauth_endpoint: OAuthEndpoint
) -> None:
    """Providers hang up when the hour is over, whatever is being fetched, and take the old token no more."""
    names = fill(mailbox, 60, size=500)
    oauth = oauth_endpoint.settings_for(mailbox.user)
    settings = dataclasses.replace(
        mailbox.settings(port=imap_proxy.port, batch_messages=10), auth="oauth2", secret=None, oauth=oauth
    )

    def expire() -> None:
        oauth_endpoint.revoke()
        imap_proxy.break_all("fin")

    sink = RememberingSink()
    reader = MailboxReader(settings, sink, token_source=TokenSource(oauth), on_new=after_batches(2, expire), wait=quick)
    with reading(reader):
        sink.wait_for(60, 20)
        sink.wait_for_state("watching")
    assert sink.names() == names
    assert len(oauth_endpoint.asked) == 2
    assert not any(state == "refused" for state, _ in sink.states)


def test_a_server_that_slows_down_and_throttles_logins_is_read_to_the_end(
    mailbox: Mailbox, imap_proxy: FaultProxy
) -> None:
    names = fill(mailbox, 30, size=1_000)
    busy = b"NO [UNAVAILABLE] Too many simultaneous connections. Suggested Backoff Time: 30 milliseconds"
    imap_proxy.plans = [
        Plan(bytes_per_second=40_000, cut_after=9_000, ending="fin"),
        Plan(replace=(b" OK [CAPABILITY", b" " + busy + b"\r\n* OK [CAPABILITY")),
        Plan(replace=(b"OK [READ-ONLY]", busy)),
    ]
    sink = RememberingSink()
    settings = mailbox.settings(port=imap_proxy.port, batch_messages=5, timeout_seconds=1)
    with reading(MailboxReader(settings, sink, wait=quick)):
        sink.wait_for(30, 20)
        sink.wait_for_state("watching")
    assert sink.names() == names
    assert any(state == "throttled" for state, _ in sink.states)


# --- people in the middle of it -------------------------------------------------------------------------------------


def test_a_folder_that_is_renamed_while_it_is_read_loses_nothing(mailbox: Mailbox) -> None:
    mailbox.make_folder("客户")
    names = fill(mailbox, 40, "客户")
    sink = RememberingSink()
    settings = mailbox.settings(folders=("INBOX", "客户"), batch_messages=5)
    reader = MailboxReader(settings, sink, on_new=after_batches(3, lambda: rename(mailbox, "客户", "老客户")))
    with contextlib.suppress(ServerUnreachable):
        reader.read_once()
    with contextlib.suppress(ServerUnreachable):
        reader.read_once()
    accounts = {account.folder: account for account in reader.reconcile()}
    assert "no folder 客户" in accounts["客户"].error
    fill(mailbox, 2, "老客户")
    moved = MailboxReader(dataclasses.replace(settings, folders=("INBOX", "老客户")), sink)
    until_even(moved)
    assert set(sink.names("客户")) | set(sink.names("老客户")) >= set(names)


def test_mail_that_is_moved_into_another_folder_while_that_is_read_is_had_from_there(mailbox: Mailbox) -> None:
    names = fill(mailbox, 30)

    def tidy_up() -> None:
        connection = ImapConnection.connect(mailbox.settings())
        connection.open("INBOX", writable=True)
        connection._client.move([26, 27, 28], "Sent")
        connection.close()

    sink = RememberingSink()
    settings = mailbox.settings(folders=("INBOX", "Sent"), batch_messages=5)
    until_even(MailboxReader(settings, sink, on_new=after_batches(2, tidy_up)))
    assert sink.names() == names[:25] + names[28:]
    assert sink.names("Sent") == names[25:28]
    assert sink.gone == [("INBOX", 26), ("INBOX", 27), ("INBOX", 28)]


def test_a_folder_is_numbered_anew_in_the_middle_of_its_reading(mailbox: Mailbox, imap_proxy: FaultProxy) -> None:
    names = fill(mailbox, 40)

    def renumber() -> None:
        mailbox.renumber()
        imap_proxy.break_all()

    sink = RememberingSink()
    settings = mailbox.settings(port=imap_proxy.port, batch_messages=5, timeout_seconds=1)
    with reading(MailboxReader(settings, sink, on_new=after_batches(3, renumber), wait=quick)):
        sink.wait_for(55, 20)  # fifteen by their old numbers, then all by new ones
        sink.wait_for_state("watching")
    assert sink.names() == names[:15] + names
    [account] = MailboxReader(settings, sink).reconcile()
    assert (account.on_server, account.kept, account.even) == (40, 40, True)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_was_passed_over_is_found_whatever_holes_the_numbers_have(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    monkeypatch.setattr("assistant.mail.imap.WINDOW", chance.choice([1, 3, 10, 60]))
    monkeypatch.setattr("assistant.mail.imap.UIDS_AT_ONCE", chance.choice([1, 4, 50]))
    fill(mailbox, 50)
    remove(mailbox, "INBOX", *chance.sample(range(1, 51), chance.randrange(5, 30)))
    sink = RememberingSink()
    reader = MailboxReader(mailbox.settings(), sink)
    reader.read_once()
    there = sorted(uid for _, _, uid in sink.messages)
    removed = chance.sample(there, 3)
    remove(mailbox, "INBOX", *removed)
    passed_over = sorted(chance.sample([uid for uid in there if uid not in removed], 6))
    for key in [key for key in sink.messages if key[2] in passed_over]:
        del sink.messages[key]
    fill(mailbox, 2)
    [account] = reader.reconcile()
    assert list(account.missing_uids) == passed_over
    assert (account.fetched, account.gone, account.unread) == (6, 3, 0)
    assert account.on_server == len(there) - 3 + 2
    assert reader.reconcile()[0].even
