"""What becomes of a message in every phase of a submission, at servers that fail as told and at a real Postfix."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import idna
import pytest

from assistant.errors import LoginRefused, ServerUnreachable, StoreUnavailable
from assistant.mail.oauth import TokenSource
from assistant.mail.settings import Secret, SubmissionSettings
from assistant.mail.submission import Submission, SubmissionResult
from tests.mail.support import letter
from tests.servers.authority import Authority, new_authority
from tests.servers.dovecot import Mailbox
from tests.servers.oauth_endpoint import OAuthEndpoint
from tests.servers.postfix import Postfix
from tests.servers.processes import free_port, wait_until
from tests.servers.smtp_sink import Phase, SmtpSink

SENDER = "assistant@agency.example"
LIN, WANG = "lin@buyer.example", "wang@buyer.example"


def settings_for(port: int, **changes: object) -> SubmissionSettings:
    values: dict[str, object] = {
        "host": "127.0.0.1",
        "port": port,
        "tls": "none",
        "timeout_seconds": 2.0,
        "data_timeout_seconds": 2.0,
        "local_hostname": "agency.example",
        **changes,
    }
    return SubmissionSettings(**values)  # type: ignore[arg-type]  # the tests' own keywords


def with_submission(
    settings: SubmissionSettings,
    what: Callable[[Submission], Awaitable[SubmissionResult]],
    token_source: TokenSource | None = None,
) -> SubmissionResult:
    async def go() -> SubmissionResult:
        submission = Submission(settings, token_source)
        try:
            return await what(submission)
        finally:
            await submission.close()

    return asyncio.run(go())


def send(
    sink: SmtpSink, *recipients: str, message: bytes | None = None, sender: str = SENDER, **changes: object
) -> SubmissionResult:
    raw = letter("hello") if message is None else message
    return with_submission(
        settings_for(sink.port, **changes), lambda submission: submission.submit(raw, sender, recipients or (LIN,))
    )


def test_a_message_arrives_byte_for_byte_with_its_envelope(smtp_sink: SmtpSink) -> None:
    raw = b"Subject: dots\r\n\r\n.\r\n..two\r\n.three\r\nend without line end"
    result = send(smtp_sink, LIN, WANG, message=raw)
    assert (result.state, result.code, result.phase) == ("sent", 250, "done")
    assert [(each.addr_spec, each.accepted, each.code) for each in result.recipients] == [
        (LIN, True, 250),
        (WANG, True, 250),
    ]
    [received] = smtp_sink.received
    assert received.content == raw + b"\r\n"
    assert (received.sender, received.recipients) == (SENDER, (LIN, WANG))


def test_bare_line_feeds_become_crlf_so_that_nobody_can_smuggle_a_second_message(smtp_sink: SmtpSink) -> None:
    raw = b"Subject: x\n\nfirst\n.\nMAIL FROM:<evil@buyer.example>\n\r.\r\nrest\r"
    assert send(smtp_sink, message=raw).state == "sent"
    [received] = smtp_sink.received
    assert received.content == b"Subject: x\r\n\r\nfirst\r\n.\r\nMAIL FROM:<evil@buyer.example>\r\n\r\n.\r\nrest\r\n"


def test_a_recipient_that_is_refused_does_not_keep_the_message_from_the_others(smtp_sink: SmtpSink) -> None:
    smtp_sink.faults.recipients = {LIN: "550 5.1.1 no such user"}
    result = send(smtp_sink, LIN, WANG)
    assert result.state == "sent"
    refused, accepted = result.recipients
    assert (refused.accepted, refused.code, refused.permanent) == (False, 550, True)
    assert "no such user" in refused.text
    assert accepted.accepted
    assert smtp_sink.received[0].recipients == (WANG,)


def test_when_every_recipient_is_refused_for_good_the_message_is_refused(smtp_sink: SmtpSink) -> None:
    smtp_sink.faults.recipients = {LIN: "550 5.1.1 no such user", WANG: "553 5.1.3 bad address"}
    result = send(smtp_sink, LIN, WANG)
    assert (result.state, result.code, result.phase) == ("refused", 550, "rcpt")
    assert [each.permanent for each in result.recipients] == [True, True]


def test_when_one_of_the_refused_may_come_back_the_message_is_deferred(smtp_sink: SmtpSink) -> None:
    smtp_sink.faults.recipients = {LIN: "550 5.1.1 no such user", WANG: "452 4.2.2 mailbox full"}
    result = send(smtp_sink, LIN, WANG)
    assert result.state == "deferred"
    assert [each.permanent for each in result.recipients] == [True, False]


def test_greylisting_defers_and_the_next_attempt_goes_through(smtp_sink: SmtpSink) -> None:
    smtp_sink.faults.greylist = True
    first = send(smtp_sink)
    assert (first.state, first.code, first.phase) == ("deferred", 451, "rcpt")
    assert "Greylisted" in first.text
    assert send(smtp_sink).state == "sent"
    assert len(smtp_sink.received) == 1


@pytest.mark.parametrize(
    ("phase", "reply", "state"),
    [
        ("mail", "550 5.7.1 sender not allowed", "refused"),
        ("mail", "451 4.3.0 try later", "deferred"),
        ("mail", "421 4.3.2 shutting down", "deferred"),
        ("rcpt", "421 4.3.2 shutting down", "deferred"),
        ("data", "554 5.5.1 no valid recipients", "refused"),
        ("data", "451 4.3.0 try later", "deferred"),
        ("data", "421 4.3.2 shutting down", "deferred"),
        ("body", "554 5.6.0 looks like spam", "refused"),
        ("body", "452 4.3.1 no room", "deferred"),
        ("body", "421 4.3.2 shutting down", "deferred"),
    ],
)
def test_a_reply_decides_in_every_phase(smtp_sink: SmtpSink, phase: Phase, reply: str, state: str) -> None:
    smtp_sink.faults.replies = {phase: reply}
    result = send(smtp_sink)
    assert (result.state, result.code, result.phase) == (state, int(reply[:3]), phase)
    assert reply.split(" ", 2)[2] in result.text
    assert not any(each.accepted for each in result.recipients)
    assert smtp_sink.received == []


@pytest.mark.parametrize("phase", ["connect", "mail", "rcpt", "data"])
def test_a_connection_lost_before_the_text_is_safe_to_try_again(smtp_sink: SmtpSink, phase: Phase) -> None:
    smtp_sink.faults.drop = phase
    result = send(smtp_sink)
    assert (result.state, result.code, result.phase) == ("deferred", None, phase)
    assert smtp_sink.received == []


@pytest.mark.parametrize(("phase", "kept"), [("body", 0), ("accepted", 1)])
def test_a_connection_lost_after_the_text_began_leaves_it_uncertain(
    smtp_sink: SmtpSink, phase: Phase, kept: int
) -> None:
    smtp_sink.faults.drop = phase
    result = send(smtp_sink, LIN, message=letter("large", size=300_000))
    assert (result.state, result.code, result.phase) == ("uncertain", None, "body")
    assert "not known" in result.recipients[0].text
    assert len(smtp_sink.received) == kept  # which is exactly what nobody on this side can tell


def test_a_server_that_thinks_too_long_about_the_text_leaves_it_uncertain(smtp_sink: SmtpSink) -> None:
    smtp_sink.faults.delay = {"body": 1.0}
    result = send(smtp_sink, data_timeout_seconds=0.1)
    assert result.state == "uncertain"


def test_a_server_that_thinks_too_long_before_the_text_is_tried_again_later(smtp_sink: SmtpSink) -> None:
    smtp_sink.faults.delay = {"rcpt": 1.0}
    result = send(smtp_sink, timeout_seconds=0.1)
    assert (result.state, result.phase) == ("deferred", "rcpt")


def test_the_connection_is_kept_for_the_next_message_and_closed_when_unused(smtp_sink: SmtpSink) -> None:
    async def go() -> None:
        submission = Submission(settings_for(smtp_sink.port, idle_seconds=0.3))
        results = await asyncio.gather(*(submission.submit(letter(f"n{n}"), SENDER, [LIN]) for n in range(5)))
        assert [result.state for result in results] == ["sent"] * 5
        assert smtp_sink.connections == 1
        await asyncio.sleep(0.5)
        assert (await submission.submit(letter("late"), SENDER, [LIN])).state == "sent"
        assert smtp_sink.connections == 2
        await submission.close()

    asyncio.run(go())
    assert len(smtp_sink.received) == 6


def test_a_kept_connection_that_died_is_replaced_without_anybody_noticing(smtp_sink: SmtpSink) -> None:
    async def go() -> list[str]:
        submission = Submission(settings_for(smtp_sink.port))
        smtp_sink.faults.limit = 2
        results = [await submission.submit(letter(f"n{n}"), SENDER, [LIN]) for n in range(5)]
        await submission.close()
        return [result.state for result in results]

    assert asyncio.run(go()) == ["sent"] * 5
    assert smtp_sink.connections == 3
    assert len(smtp_sink.received) == 5


def test_a_trouble_right_before_the_text_leaves_nothing_behind_for_the_next_message(smtp_sink: SmtpSink) -> None:
    def trouble() -> bool:
        raise StoreUnavailable("the database is locked")

    async def try_both(submission: Submission) -> SubmissionResult:
        with pytest.raises(StoreUnavailable):
            await submission.submit_marked(letter("first"), SENDER, [LIN], trouble)
        return await submission.submit(letter("second"), SENDER, [WANG])

    assert with_submission(settings_for(smtp_sink.port), try_both).state == "sent"
    assert [item.recipients for item in smtp_sink.received] == [(WANG,)]


def test_after_a_refusal_the_same_connection_carries_the_next_message(smtp_sink: SmtpSink) -> None:
    async def go() -> list[str]:
        submission = Submission(settings_for(smtp_sink.port))
        smtp_sink.faults.recipients = {WANG: "550 5.1.1 no such user"}
        results = [await submission.submit(letter("x"), SENDER, [to]) for to in (WANG, LIN, WANG, LIN)]
        await submission.close()
        return [result.state for result in results]

    assert asyncio.run(go()) == ["refused", "sent", "refused", "sent"]
    assert smtp_sink.connections == 1


def test_addresses_of_every_language(smtp_sink: SmtpSink) -> None:
    result = send(smtp_sink, "lin@买家.example", "王芳@buyer.example")
    assert result.state == "sent"
    assert all(each.accepted for each in result.recipients)
    [received] = smtp_sink.received
    assert received.recipients == (f"lin@{idna.encode('买家.example').decode()}", "王芳@buyer.example")
    assert "SMTPUTF8" in received.mail_options


def test_nonsense_addresses_are_refused_before_anything_is_said(smtp_sink: SmtpSink) -> None:
    result = send(smtp_sink, "lin@buyer.example>\r\nRCPT TO:<evil@buyer.example", "no-at-sign")
    assert result.state == "refused"
    assert all(each.permanent for each in result.recipients)
    assert smtp_sink.received == []


def test_a_message_larger_than_the_server_takes_is_refused_with_both_sizes(smtp_sink: SmtpSink) -> None:
    result = send(smtp_sink, message=letter("huge", size=33_600_000))
    assert (result.state, result.code) == ("refused", 552)
    assert "at most 33554432" in result.text


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_tls_is_verified(
    make_smtp_sink: Callable[[str], SmtpSink], authority: Authority, tmp_path: Path, tls: str
) -> None:
    sink = make_smtp_sink(tls)
    assert send(sink, tls=tls, ca_file=str(authority.ca_file)).state == "sent"
    assert sink.received[0].tls
    stranger = str(new_authority(tmp_path).ca_file)
    for ca_file in (stranger, None):
        result = send(sink, tls=tls, ca_file=ca_file)
        assert (result.state, result.phase) == ("deferred", "connect")
        assert "not vouched for" in result.text
    assert len(sink.received) == 1


def test_a_server_without_starttls_gets_nothing(smtp_sink: SmtpSink, authority: Authority) -> None:
    result = send(smtp_sink, tls="starttls", ca_file=str(authority.ca_file))
    assert result.state == "deferred"
    assert "offers no STARTTLS" in result.text


def test_tls_at_a_port_that_speaks_in_clear_says_which_ports_are_usual(
    smtp_sink: SmtpSink, authority: Authority
) -> None:
    result = send(smtp_sink, tls="implicit", ca_file=str(authority.ca_file))
    assert '587 with tls = "starttls"' in result.text


def test_logging_in(smtp_sink: SmtpSink) -> None:
    smtp_sink.users = {"assistant": "geheim 密码"}
    assert send(smtp_sink, user="assistant", secret=Secret("geheim 密码")).state == "sent"
    assert smtp_sink.received[0].user == "assistant"


def test_a_wrong_password_defers_the_message_because_it_is_not_its_fault(smtp_sink: SmtpSink) -> None:
    smtp_sink.users = {"assistant": "right"}
    result = send(smtp_sink, user="assistant", secret=Secret("wrong-one"))
    assert (result.state, result.phase) == ("deferred", "login")
    assert "does not accept the login of assistant" in result.text
    assert "wrong-one" not in result.text


def test_a_server_that_wants_a_login_nobody_configured_says_so(smtp_sink: SmtpSink) -> None:
    smtp_sink.users = {"assistant": "right"}
    result = send(smtp_sink)
    assert (result.state, result.phase, result.code) == ("deferred", "login", 530)
    assert "set user and password in [submission]" in result.text


def test_nobody_listening_defers_with_a_sentence() -> None:
    port = free_port()
    result = with_submission(settings_for(port), lambda submission: submission.submit(letter("x"), SENDER, [LIN]))
    assert (result.state, result.phase) == ("deferred", "connect")
    assert f"Nothing listens at 127.0.0.1:{port}" in result.text


def test_checking_says_whether_sending_would_work(smtp_sink: SmtpSink) -> None:
    smtp_sink.users = {"assistant": "right"}

    async def check(password: str, port: int) -> str:
        return await Submission(settings_for(port, user="assistant", secret=Secret(password))).check()

    assert "sink.example" in asyncio.run(check("right", smtp_sink.port))
    with pytest.raises(LoginRefused, match="does not accept the login"):
        asyncio.run(check("wrong", smtp_sink.port))
    with pytest.raises(ServerUnreachable, match="Nothing listens"):
        asyncio.run(check("right", free_port()))
    assert smtp_sink.received == []


def test_oauth2_logs_in_and_replaces_a_revoked_token(smtp_sink: SmtpSink, oauth_endpoint: OAuthEndpoint) -> None:
    source = TokenSource(oauth_endpoint.settings_for("assistant"))
    first = source.token()
    smtp_sink.tokens = oauth_endpoint.access_tokens  # what the endpoint gives out from now on is valid here
    oauth_endpoint.revoke()
    result = with_submission(
        settings_for(smtp_sink.port, user="assistant", auth="oauth2"),
        lambda submission: submission.submit(letter("x"), SENDER, [LIN]),
        source,
    )
    assert result.state == "sent"
    assert smtp_sink.logins == ["assistant", "assistant"]
    assert source.token() != first


def test_a_real_postfix_takes_it_and_a_real_dovecot_has_it(postfix: Postfix, mailbox: Mailbox) -> None:
    settings = settings_for(postfix.port, tls="starttls", ca_file=str(postfix.ca_file))
    result = with_submission(settings, lambda submission: submission.submit(letter("real"), SENDER, [mailbox.user]))
    assert (result.state, result.code) == ("sent", 250)
    wait_until(lambda: len(mailbox.files()) == 1, "the message arrives")
    assert b"Subject: real" in mailbox.files()[0].read_bytes()
