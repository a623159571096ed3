"""Reading folders of a real server by UID."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from assistant.errors import AssistantError, ServerUnreachable
from assistant.mail.imap import Fetched, FolderMissing, ImapConnection, Stumbles
from assistant.mail.settings import MailboxSettings
from tests.mail.support import letter, name_of
from tests.servers.dovecot import Mailbox
from tests.servers.imap_faults import FaultProxy, Plan


def everything(settings: MailboxSettings, folder: str = "INBOX", after: int = 0) -> list[Fetched]:
    connection = ImapConnection.connect(settings)
    try:
        connection.open(folder)
        return [message for batch in connection.fetch_after(after) for message in batch]
    finally:
        connection.close()


def test_messages_come_whole_in_order_and_are_not_flagged_as_seen(mailbox: Mailbox) -> None:
    letters = [letter(f"n{number}") for number in range(5)]
    for raw in letters:
        mailbox.deliver(raw)
    fetched = everything(mailbox.settings())
    assert [message.raw for message in fetched] == letters
    assert [message.uid for message in fetched] == [1, 2, 3, 4, 5]
    assert all(abs(message.internal_date - datetime.now(UTC)) < timedelta(minutes=1) for message in fetched)
    assert mailbox.seen() == []


def test_the_server_is_told_who_we_are_and_asked_only_what_changes_nothing(
    mailbox: Mailbox, imap_proxy: FaultProxy
) -> None:
    mailbox.deliver(letter("read"))
    everything(mailbox.settings(port=imap_proxy.port))
    said = bytes(imap_proxy.said)
    assert b'ID ("name" "cc-assistant"' in said
    assert b"EXAMINE" in said
    assert b"BODY.PEEK[]" in said
    for word in (b"SELECT", b"STORE", b"RFC822)", b"BODY[]", b"EXPUNGE"):
        assert word not in said


def test_past_the_end_nothing_comes_although_the_server_gives_the_last_message(mailbox: Mailbox) -> None:
    mailbox.deliver(letter("only"))
    assert everything(mailbox.settings(), after=1) == []
    assert everything(mailbox.settings(), after=4_000_000_000) == []


def test_batches_are_limited_by_count_and_by_bytes(mailbox: Mailbox) -> None:
    for number in range(7):
        mailbox.deliver(letter(f"n{number}", size=10_000))
    connection = ImapConnection.connect(mailbox.settings(batch_messages=3))
    connection.open("INBOX")
    assert [len(batch) for batch in connection.fetch_after(0)] == [3, 3, 1]
    connection.close()
    connection = ImapConnection.connect(mailbox.settings(batch_bytes=25_000))
    connection.open("INBOX")
    assert [len(batch) for batch in connection.fetch_after(0)] == [2, 2, 2, 1]
    connection.close()


def test_of_a_huge_message_only_the_beginning_is_fetched_and_the_others_are_whole(mailbox: Mailbox) -> None:
    mailbox.deliver(letter("before"))
    huge = letter("huge", size=3_000_000)
    mailbox.deliver(huge)
    mailbox.deliver(letter("after"))
    before, cut, after = everything(mailbox.settings(max_message_bytes=100_000, beginning_bytes=5_000))
    assert (before.truncated, cut.truncated, after.truncated) == (False, True, False)
    head, _, text = huge.partition(b"\r\n\r\n")
    assert cut.raw == head + b"\r\n\r\n" + text[:5_000]
    assert cut.size == len(huge)
    assert "max_message_size" in cut.problem


def test_a_server_that_announces_less_than_it_sends_cannot_fill_the_memory(
    mailbox: Mailbox, imap_proxy: FaultProxy
) -> None:
    huge = letter("liar", size=3_000_000)
    mailbox.deliver(huge)
    mailbox.deliver(letter("after"))
    size = b"RFC822.SIZE %d" % len(huge)
    imap_proxy.plans = [Plan(replace=(size, b"RFC822.SIZE 100"))]
    settings = mailbox.settings(port=imap_proxy.port, max_message_bytes=100_000, beginning_bytes=5_000)
    liar, after = everything(settings)
    assert liar.truncated
    assert liar.raw == huge[:5_000]
    assert after.raw == letter("after")


def test_an_empty_message_is_a_message(mailbox: Mailbox) -> None:
    mailbox.deliver(b"")
    [message] = everything(mailbox.settings())
    assert message.raw.strip() == b""


def test_bytes_that_are_not_text_survive(mailbox: Mailbox) -> None:
    raw = b"Subject: " + "报价".encode("gb18030") + b"\r\n\r\n" + bytes(range(1, 256)).replace(b"\n", b"\r\n") + b"\r\n"
    raw = raw.replace(b"\r\r\n", b"\r\n").replace(b"\r", b"").replace(b"\n", b"\r\n")
    mailbox.deliver(raw)
    [message] = everything(mailbox.settings())
    assert message.raw == raw


def test_folders_with_chinese_names_open(mailbox: Mailbox) -> None:
    mailbox.make_folder("客户来信 & 报价")
    mailbox.deliver(letter("chinese"), "客户来信 & 报价")
    [message] = everything(mailbox.settings(), "客户来信 & 报价")
    assert name_of(message.raw) == "chinese"
    connection = ImapConnection.connect(mailbox.settings())
    assert "客户来信 & 报价" in connection.folders()
    connection.close()


def test_a_missing_folder_is_said_with_the_names_of_those_there_are(mailbox: Mailbox) -> None:
    connection = ImapConnection.connect(mailbox.settings())
    with pytest.raises(FolderMissing, match=r"no folder 客户.*INBOX"):
        connection.open("客户")
    assert connection.open("INBOX").exists == 0  # the connection is still good
    connection.close()


def test_a_large_folder_with_gaps_is_listed_in_windows(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.mail.imap.WINDOW", 10)
    for number in range(60):
        mailbox.deliver(letter(f"n{number}"))
    connection = ImapConnection.connect(mailbox.settings())
    connection.open("INBOX", writable=True)
    for uid in [*range(5, 18), *range(22, 48)]:
        connection._client.add_flags([uid], [b"\\Deleted"], silent=True)
    connection._client.expunge()
    connection.open("INBOX")
    uids = [message.uid for batch in connection.fetch_after(0) for message in batch]
    assert uids == [1, 2, 3, 4, 18, 19, 20, 21, *range(48, 61)]
    connection.close()


def test_a_message_can_be_appended_found_by_its_id_and_deleted(mailbox: Mailbox) -> None:
    connection = ImapConnection.connect(mailbox.settings())
    sent = connection.special_folder("sent")
    assert sent == "Sent"
    at = datetime(2026, 2, 24, 10, 0, tzinfo=UTC)
    uid = connection.append(sent, letter("follow-up"), ["\\Seen"], at)
    connection.append(sent, letter("follow-up-2"), ["\\Seen"], at)
    assert connection.find_message_id(sent, "follow-up@buyer.example") == [uid]
    assert connection.find_message_id(sent, "up@buyer.example") == []
    connection.open(sent)
    [[first, _]] = list(connection.fetch_after(0))
    assert first.internal_date == at
    assert uid is not None
    connection.delete_uid(sent, uid)
    assert connection.find_message_id(sent, "follow-up@buyer.example") == []
    assert len(connection.find_message_id(sent, "follow-up-2@buyer.example")) == 1
    connection.close()


def test_appending_to_a_folder_that_is_not_there_makes_it(mailbox: Mailbox) -> None:
    connection = ImapConnection.connect(mailbox.settings())
    connection.append("归档2026", letter("kept"), [], None)
    assert len(connection.find_message_id("归档2026", "kept@buyer.example")) == 1
    connection.close()


def test_a_broken_message_is_tried_thrice_and_then_kept_as_far_as_it_can_be_had(
    mailbox: Mailbox, imap_proxy: FaultProxy
) -> None:
    """The server answers NIL for one message of three."""
    for name in ("a", "broken", "c"):
        mailbox.deliver(letter(name))
    real = letter("broken")
    settings = mailbox.settings(port=imap_proxy.port)
    stumbles = Stumbles()
    nil = (b"BODY[] {%d}\r\n%b" % (len(real), real), b"BODY[] NIL")
    for _ in range(2):
        imap_proxy.plans = [Plan(replace=nil)]
        connection = ImapConnection.connect(settings, stumbles=stumbles)
        connection.open("INBOX")
        with pytest.raises(ServerUnreachable, match="NIL"):
            list(connection.fetch_after(0))
        connection.close()
    imap_proxy.plans = [Plan(replace=nil)]
    connection = ImapConnection.connect(settings, stumbles=stumbles)
    connection.open("INBOX")
    [[first, broken, last]] = list(connection.fetch_after(0))
    connection.close()
    assert (name_of(first.raw), name_of(last.raw)) == ("a", "c")
    assert broken.truncated
    assert "cannot give" in broken.problem


@pytest.mark.parametrize("step", range(24))
def test_a_garbled_byte_is_an_error_with_a_sentence_or_no_harm(
    mailbox: Mailbox, imap_proxy: FaultProxy, step: int
) -> None:
    for name in ("a", "b"):
        mailbox.deliver(letter(name))
    imap_proxy.plans = [Plan(corrupt_at=step * 61 + 7)]
    said = ["."]
    try:
        everything(mailbox.settings(port=imap_proxy.port, timeout_seconds=0.2))
    except AssistantError as error:
        said.append(str(error))
    assert said[-1].endswith(".")


def test_a_message_that_is_left_out_of_answers_is_not_taken_for_deleted(
    mailbox: Mailbox, imap_proxy: FaultProxy
) -> None:
    for name in ("a", "b"):
        mailbox.deliver(letter(name))
    imap_proxy.plans = [Plan(replace=(b"1 FETCH (UID 1 BODY[]", b"1 FETCH (XID 1 BODY[]"))]
    connection = ImapConnection.connect(mailbox.settings(port=imap_proxy.port))
    connection.open("INBOX")
    with pytest.raises(ServerUnreachable, match="leaves it out"):
        list(connection.fetch_after(0))
    connection.close()


def test_waiting_ends_at_once_when_mail_came_before_it_began(mailbox: Mailbox) -> None:
    connection = ImapConnection.connect(mailbox.settings())
    connection.open("INBOX")
    list(connection.fetch_after(0))
    mailbox.deliver(letter("just before"))
    connection._client.noop()  # the server says EXISTS now, before anybody waits
    assert connection.wait(5, threading.Event()) is True
    connection.close()


def test_exists_that_comes_in_one_packet_with_the_continuation_is_heard(
    mailbox: Mailbox, imap_proxy: FaultProxy
) -> None:
    imap_proxy.plans = [Plan(replace=(b"+ idling\r\n", b"+ idling\r\n* 1 EXISTS\r\n"))]
    connection = ImapConnection.connect(mailbox.settings(port=imap_proxy.port))
    connection.open("INBOX")
    assert connection.wait(5, threading.Event()) is True
    connection.close()


def test_a_server_that_repeats_exists_at_every_idle_is_no_reason_to_look_again(
    mailbox: Mailbox, imap_proxy: FaultProxy
) -> None:
    mailbox.deliver(letter("old"))
    imap_proxy.plans = [Plan(replace=(b"+ idling\r\n", b"+ idling\r\n* 1 EXISTS\r\n* 0 RECENT\r\n"))]
    connection = ImapConnection.connect(mailbox.settings(port=imap_proxy.port))
    connection.open("INBOX")
    assert connection.wait(0.3, threading.Event()) is False
    connection.close()


def test_a_push_split_into_single_bytes_is_heard(mailbox: Mailbox, imap_proxy: FaultProxy) -> None:
    imap_proxy.plans = [Plan(pieces=1, piece_pause=0.0005)]
    connection = ImapConnection.connect(mailbox.settings(port=imap_proxy.port))
    connection.open("INBOX")
    timer = threading.Timer(0.3, mailbox.deliver, [letter("split")])
    timer.start()
    assert connection.wait(5, threading.Event()) is True
    [[message]] = list(connection.fetch_after(0))
    assert name_of(message.raw) == "split"
    timer.join()
    connection.close()


@pytest.mark.parametrize("ending", ["fin", "rst", "half_close"])
def test_a_connection_lost_while_waiting_is_noticed_at_once(
    mailbox: Mailbox, imap_proxy: FaultProxy, ending: str
) -> None:
    imap_proxy.plans = [Plan(cut_at=b"+ idling\r\n", ending=ending)]  # type: ignore[arg-type]  # from the list above
    connection = ImapConnection.connect(mailbox.settings(port=imap_proxy.port))
    connection.open("INBOX")
    with pytest.raises(ServerUnreachable, match="closed the connection"):
        connection.wait(30, threading.Event())
    connection.close()


def test_a_server_that_falls_silent_is_noticed_when_the_wait_ends(mailbox: Mailbox, imap_proxy: FaultProxy) -> None:
    imap_proxy.plans = [Plan(cut_at=b"+ idling\r\n", ending="stall")]
    connection = ImapConnection.connect(mailbox.settings(port=imap_proxy.port, timeout_seconds=0.3))
    connection.open("INBOX")
    with pytest.raises(ServerUnreachable, match=r"did not answer within 0\.3 seconds"):
        connection.wait(0.2, threading.Event())
    connection.close()


def test_a_goodbye_while_waiting_is_passed_on(mailbox: Mailbox, imap_proxy: FaultProxy) -> None:
    imap_proxy.plans = [Plan(replace=(b"+ idling\r\n", b"+ idling\r\n* BYE Server shutting down.\r\n"))]
    connection = ImapConnection.connect(mailbox.settings(port=imap_proxy.port))
    connection.open("INBOX")
    with pytest.raises(ServerUnreachable, match="Server shutting down"):
        connection.wait(30, threading.Event())
    connection.close()


def test_waiting_can_be_cut_short_from_another_thread_and_by_stop(mailbox: Mailbox) -> None:
    connection = ImapConnection.connect(mailbox.settings())
    connection.open("INBOX")
    timer = threading.Timer(0.1, connection.interrupt)
    timer.start()
    assert connection.wait(30, threading.Event()) is True
    timer.join()
    stop = threading.Event()
    timer = threading.Timer(0.1, stop.set)
    timer.start()
    assert connection.wait(30, stop) is False
    timer.join()
    connection.close()


def test_without_idle_the_folder_is_asked_about(mailbox: Mailbox, imap_proxy: FaultProxy) -> None:
    imap_proxy.plans = [Plan(replace=(b" IDLE", b" NOPE"))]
    connection = ImapConnection.connect(mailbox.settings(port=imap_proxy.port))
    assert not connection.idles
    connection.open("INBOX")
    assert connection.wait(0.1, threading.Event()) is False
    mailbox.deliver(letter("polled"))
    assert connection.wait(0.1, threading.Event()) is True
    [[message]] = list(connection.fetch_after(0))
    assert name_of(message.raw) == "polled"
    connection.close()


def test_a_server_without_idle_is_asked_as_often_as_wanted(mailbox: Mailbox, imap_proxy: FaultProxy) -> None:
    imap_proxy.plans = [Plan(replace=(b" IDLE", b" NOPE"))]
    connection = ImapConnection.connect(mailbox.settings(port=imap_proxy.port, poll_seconds=0.05))
    connection.open("INBOX")
    mailbox.deliver(letter("polled"))
    assert connection.wait(60, threading.Event()) is True  # one poll long, not a minute
    connection.close()


def test_a_server_that_advertises_idle_and_refuses_it_is_polled(mailbox: Mailbox, imap_proxy: FaultProxy) -> None:
    imap_proxy.plans = [Plan(replace=(b"+ idling\r\n", b"W1 BAD not today\r\n"))]
    connection = ImapConnection.connect(mailbox.settings(port=imap_proxy.port, timeout_seconds=1))
    connection.open("INBOX")
    stop = threading.Event()
    stop.set()  # the refused IDLE is over at once; polling would wait
    assert connection.wait(5, stop) is False
    assert not connection.idles
    connection.close()
