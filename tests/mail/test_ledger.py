"""Whatever people and servers do to a mailbox, every message that was shown is kept, or its absence is accounted for."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from assistant.errors import ServerUnreachable
from assistant.mail.imap import ImapConnection
from assistant.mail.messages import FATAL_PATIENCE
from assistant.mail.oauth import TokenSource
from assistant.mail.reader import MailboxReader
from parsers import parse
from tests.mail.support import RememberingSink, letter, name_of, reading
from tests.servers.authority import new_authority
from tests.servers.dovecot import Mailbox, dovecot_server
from tests.servers.imap_faults import FaultProxy, Plan
from tests.servers.oauth_endpoint import OAuthEndpoint
from tests.servers.processes import wait_until


def quick(stop: threading.Event, seconds: float) -> None:
    stop.wait(min(seconds / 100, 0.05))


def rename(mailbox: Mailbox, old: str, new: str) -> None:
    connection = ImapConnection.connect(mailbox.settings())
    connection._client.rename_folder(old, new)
    connection.close()


def remove(mailbox: Mailbox, folder: str, *uids: int) -> None:
    connection = ImapConnection.connect(mailbox.settings())
    connection.open(folder, writable=True)
    connection._client.delete_messages(uids)
    connection._client.uid_expunge(uids)
    connection.close()


# --- comparing ------------------------------------------------------------------------------------------------------


def test_what_was_read_agrees_with_the_server(mailbox: Mailbox) -> None:
    for number in range(5):
        mailbox.deliver(letter(f"n{number}"))
    sink = RememberingSink()
    [account] = MailboxReader(mailbox.settings(), sink).reconcile()
    assert (account.on_server, account.kept, account.missing, account.even) == (5, 5, 0, True)
    assert sink.accounts == [account]


def test_a_gap_is_found_fetched_and_told(mailbox: Mailbox) -> None:
    for number in range(8):
        mailbox.deliver(letter(f"n{number}"))
    sink = RememberingSink()
    reader = MailboxReader(mailbox.settings(), sink)
    reader.read_once()
    [numbering] = {key[1] for key in sink.messages}
    for uid in (2, 3, 7):
        del sink.messages["INBOX", numbering, uid]
    [account] = reader.reconcile()
    assert (account.missing, account.fetched, account.missing_uids, account.even) == (3, 3, (2, 3, 7), False)
    assert sorted(uid for _, _, uid in sink.messages) == list(range(1, 9))
    [account] = reader.reconcile()
    assert account.even


def test_mail_that_people_removed_after_it_was_read_is_no_gap(mailbox: Mailbox) -> None:
    for number in range(4):
        mailbox.deliver(letter(f"n{number}"))
    reader = MailboxReader(mailbox.settings(), RememberingSink())
    reader.read_once()
    remove(mailbox, "INBOX", 2, 4)
    [account] = reader.reconcile()
    assert (account.on_server, account.kept, account.gone, account.missing) == (2, 2, 2, 0)


def test_a_folder_is_compared_in_windows_however_its_numbers_lie(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.mail.imap.WINDOW", 7)
    monkeypatch.setattr("assistant.mail.imap.UIDS_AT_ONCE", 3)
    for number in range(40):
        mailbox.deliver(letter(f"n{number}"))
    sink = RememberingSink()
    reader = MailboxReader(mailbox.settings(), sink)
    reader.read_once()
    remove(mailbox, "INBOX", *range(9, 24))
    [numbering] = {key[1] for key in sink.messages}
    missing = [1, 7, 8, 24, 25, 26, 39, 40]
    for uid in missing:
        del sink.messages["INBOX", numbering, uid]
    [account] = reader.reconcile()
    assert (list(account.missing_uids), account.fetched, account.gone, account.on_server) == (missing, 8, 15, 25)


def test_the_reading_loop_compares_when_it_is_time_and_goes_on_watching(mailbox: Mailbox) -> None:
    mailbox.deliver(letter("a"))
    mailbox.deliver(letter("s"), "Sent")
    sink = RememberingSink(compare=True)
    with reading(MailboxReader(mailbox.settings(folders=("INBOX", "Sent")), sink)):
        wait_until(lambda: len(sink.accounts) == 2, "both folders are compared")
        sink.wait_for_state("watching")
        mailbox.deliver(letter("b"))
        sink.wait_for(3)
    assert all(account.even for account in sink.accounts)
    assert sink.names() == ["a", "b"]


# --- people and folders ---------------------------------------------------------------------------------------------


def test_a_renamed_folder_is_said_with_its_new_name_and_the_others_are_read(mailbox: Mailbox) -> None:
    mailbox.make_folder("客户")
    mailbox.deliver(letter("before"), "客户")
    sink = RememberingSink()
    reader = MailboxReader(mailbox.settings(folders=("客户", "INBOX")), sink)
    assert reader.read_once() == 1
    rename(mailbox, "客户", "老客户")
    mailbox.deliver(letter("in"))
    with pytest.raises(ServerUnreachable, match=r"no folder 客户.*called 老客户 now"):
        reader.read_once()
    assert sink.names("INBOX") == ["in"]
    accounts = {account.folder: account for account in reader.reconcile()}
    assert "no folder 客户" in accounts["客户"].error
    assert accounts["INBOX"].even


def test_a_folder_that_comes_back_is_read_from_its_beginning_if_it_is_another(mailbox: Mailbox) -> None:
    mailbox.make_folder("Kunden")
    mailbox.deliver(letter("old"), "Kunden")
    sink = RememberingSink()
    reader = MailboxReader(mailbox.settings(folders=("INBOX", "Kunden")), sink)
    reader.read_once()
    rename(mailbox, "Kunden", "Away")
    assert reader.read_once() == 0
    connection = ImapConnection.connect(mailbox.settings())
    connection._client.create_folder("Kunden")
    connection.append("Kunden", letter("new"), [], None)
    connection.close()
    assert reader.read_once() == 1
    assert sink.names("Kunden") == ["old", "new"]


def test_mail_that_vanishes_between_being_shown_and_being_read_is_accounted_for(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [mailbox.deliver(letter(f"n{number}")) for number in range(4)]
    listings = ImapConnection._listings

    def then_people_delete(connection: ImapConnection, last_uid: int) -> Iterator[object]:
        for listed in listings(connection, last_uid):
            remove(mailbox, "INBOX", 2, 4)
            yield listed

    monkeypatch.setattr(ImapConnection, "_listings", then_people_delete)
    sink = RememberingSink()
    assert MailboxReader(mailbox.settings(), sink).read_once() == 2
    assert len(files) == 4
    assert sink.names() == ["n0", "n2"]
    assert sink.gone == [("INBOX", 2), ("INBOX", 4)]
    assert sink.cursors["INBOX"].last_uid == 4


# --- huge mail ------------------------------------------------------------------------------------------------------


def large(parts: int = 1, size: int = 400_000) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"] = "陈静 <chen@mingshan.example>"
    message["To"] = "box@agency.example"
    message["Subject"] = "样片与素材"
    message["Message-ID"] = "<film@mingshan.example>"
    message.set_content("样片见附件，请周五前回复。")
    message.add_alternative("<p>样片见附件，请周五前回复。</p>", subtype="html")
    for number in range(parts):
        message.add_attachment(
            bytes(range(256)) * (size // 256), maintype="video", subtype="mp4", filename=f"样片{number}.mp4"
        )
    return message.as_bytes()


def test_of_a_huge_message_headers_words_and_a_list_of_the_parts_are_kept(mailbox: Mailbox) -> None:
    whole = large(parts=3)
    mailbox.deliver(whole)
    sink = RememberingSink()
    settings = mailbox.settings(max_message_bytes=100_000, beginning_bytes=20_000)
    assert MailboxReader(settings, sink).read_once() == 1
    [kept] = sink.messages.values()
    assert kept.truncated
    assert str(len(whole)) in kept.problem
    assert len(kept.raw) < 5_000
    message, original = parse(kept.raw), parse(whole)
    assert message.message_id == original.message_id
    assert (message.subject, message.reply) == (original.subject, original.reply)
    assert [item.filename for item in message.attachments] == ["样片0.mp4", "样片1.mp4", "样片2.mp4"]
    for listed, real in zip(message.attachments, original.attachments, strict=True):
        assert abs(listed.size - real.size) < real.size * 0.02
        assert listed.content_type == "video/mp4"


def test_a_huge_message_that_is_one_file_is_listed_as_that_file(mailbox: Mailbox) -> None:
    head = (
        "From: lin@buyer.example\r\nTo: box@agency.example\r\nSubject: scan\r\nMessage-ID: <scan@buyer.example>\r\n"
        'MIME-Version: 1.0\r\nContent-Type: application/pdf; name="scan.pdf"\r\n'
        'Content-Disposition: attachment; filename="scan.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    )
    mailbox.deliver(head.encode() + (b"QUJD" * 19 + b"\r\n") * 5_000)
    sink = RememberingSink()
    MailboxReader(mailbox.settings(max_message_bytes=100_000, beginning_bytes=2_000), sink).read_once()
    [kept] = sink.messages.values()
    [attachment] = parse(kept.raw).attachments
    assert (attachment.filename, attachment.content_type) == ("scan.pdf", "application/pdf")
    assert abs(attachment.size - 285_000) < 6_000


def test_a_message_with_a_thousand_parts_is_kept_in_part(mailbox: Mailbox) -> None:
    mailbox.deliver(large(parts=1_000, size=256))
    sink = RememberingSink()
    MailboxReader(mailbox.settings(max_message_bytes=100_000, beginning_bytes=2_000), sink).read_once()
    [kept] = sink.messages.values()
    assert parse(kept.raw).reply.startswith("样片见附件")
    assert 50 < len(parse(kept.raw).attachments) <= 100


@pytest.mark.parametrize("answer", [b'(("text" NIL', b"NIL", b"(1 2 3)", b"((((((", b'"nonsense"'])
def test_a_structure_that_follows_no_rule_leaves_the_beginning(
    mailbox: Mailbox, imap_proxy: FaultProxy, answer: bytes
) -> None:
    mailbox.deliver(letter("huge", size=300_000))
    imap_proxy.plans = [Plan(replace=(b'BODYSTRUCTURE ("text"', b"BODYSTRUCTURE " + answer + b' ("text"'))]
    sink = RememberingSink()
    settings = mailbox.settings(port=imap_proxy.port, max_message_bytes=100_000, beginning_bytes=2_000)
    MailboxReader(settings, sink).read_once()
    [kept] = sink.messages.values()
    assert kept.truncated
    assert name_of(kept.raw) == "huge"


# --- servers that fail ----------------------------------------------------------------------------------------------


def test_a_message_that_breaks_every_connection_does_not_hold_up_the_others(
    mailbox: Mailbox, imap_proxy: FaultProxy
) -> None:
    """Some server processes die of one message; the others of its batch are had one by one."""
    for name in ("a", "poison", "c"):
        mailbox.deliver(letter(name))
    imap_proxy.always = Plan(cut_at=b"Subject: poison", ending="rst")
    sink = RememberingSink()
    reader = MailboxReader(mailbox.settings(port=imap_proxy.port), sink)
    for _ in range(FATAL_PATIENCE + 10):
        try:
            reader.read_once()
            break
        except ServerUnreachable:
            continue
    assert [name for _, name in sink.kept] == ["a", "", "c"]
    [poison] = [message for message in sink.messages.values() if message.truncated]
    assert "breaks whenever" in poison.problem


@pytest.mark.parametrize(
    "fault",
    [
        Plan(cut_at=b"BODY[] {", ending="fin"),
        Plan(cut_at=b"Subject: m", ending="rst"),
        Plan(cut_at=b"Subject: m", ending="half_close"),
        Plan(cut_at=b"Subject: m", ending="stall"),
        Plan(replace=(b"* OK [UIDNEXT", b"* BYE Server shutting down\r\n* OK [UIDNEXT")),
        Plan(replace=(b"BODY[] {", b"BODY[] {9")),
        Plan(replace=(b" FETCH (UID", b" FETCH )UID")),
        Plan(replace=(b"* 2 FETCH", b"\x00\xff\xfe garbage\r\n* 2 FETCH")),
        Plan(
            replace=(b" OK [READ-ONLY]", b" NO [LIMIT] Request is throttled. Suggested Backoff Time: 20 milliseconds")
        ),
        Plan(duplicate=b"* 1 FETCH (UID 1"),
        Plan(reorder=40),
        Plan(pieces=7, piece_pause=0.0002),
        Plan(bytes_per_second=60_000),
    ],
    ids=str,
)
def test_after_any_fault_everything_is_read_once(mailbox: Mailbox, imap_proxy: FaultProxy, fault: Plan) -> None:
    names = [f"m{number}" for number in range(6)]
    for name in names:
        mailbox.deliver(letter(name, size=2_000))
    imap_proxy.plans = [fault]
    sink = RememberingSink()
    settings = mailbox.settings(port=imap_proxy.port, timeout_seconds=0.5)
    with reading(MailboxReader(settings, sink, wait=quick)):
        sink.wait_for(6, 20)
    assert sink.names() == names
    assert not any(message.truncated for message in sink.messages.values())


def test_another_certificate_is_refused_with_a_sentence_and_reading_goes_on_when_it_is_right_again(
    mailbox: Mailbox, tmp_path: Path, imap_tls_proxy: FaultProxy
) -> None:
    mailbox.deliver(letter("before"))
    sink = RememberingSink()
    settings = mailbox.settings("implicit", port=imap_tls_proxy.port)
    with dovecot_server(new_authority(tmp_path)) as stranger:
        right = imap_tls_proxy.upstream
        with reading(MailboxReader(settings, sink, wait=quick)):
            sink.wait_for(1)
            imap_tls_proxy.upstream = stranger.tls_port
            imap_tls_proxy.break_all()
            wait_until(lambda: any("not vouched for" in detail for _, detail in sink.states), "it is refused")
            imap_tls_proxy.upstream = right
            mailbox.deliver(letter("after"))
            sink.wait_for(2)
    assert sink.names() == ["before", "after"]


def test_a_token_that_expires_while_reading_is_renewed_and_nothing_is_missed(
    mailbox: Mailbox, imap_proxy: FaultProxy, oauth_endpoint: OAuthEndpoint
) -> None:
    oauth = oauth_endpoint.settings_for(mailbox.user)
    settings = dataclasses.replace(mailbox.settings(port=imap_proxy.port), auth="oauth2", secret=None, oauth=oauth)
    mailbox.deliver(letter("before"))
    sink = RememberingSink()
    with reading(MailboxReader(settings, sink, token_source=TokenSource(oauth), wait=quick)):
        sink.wait_for(1)
        sink.wait_for_state("watching")
        oauth_endpoint.revoke()
        imap_proxy.break_all()
        mailbox.deliver(letter("after"))
        sink.wait_for(2)
    assert sink.names() == ["before", "after"]
    assert len(oauth_endpoint.asked) == 2
