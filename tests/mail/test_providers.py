"""What is known about providers, and what follows from it."""

from __future__ import annotations

import copy
import pickle
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.mail.backoff import Backoff, ByteBudget
from assistant.mail.folders import find_special
from assistant.mail.login import server_of
from assistant.mail.providers import FREE_MAIL_DOMAINS, PROVIDERS, provider_at, provider_for
from assistant.mail.sentences import login_refused, quotation, suggested_backoff, throttled
from assistant.mail.settings import MailboxSettings, Secret


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("li.lei@gmail.com", "Gmail"),
        ("li@QQ.com", "QQ Mail"),
        ("li@foxmail.com", "QQ Mail"),
        ("li@163.com", "NetEase 163.com"),
        ("li@vip.163.com", "NetEase vip.163.com"),
        ("li@qiye.163.com", "NetEase Qiye"),
        ("li@hotmail.com", "Microsoft 365"),
        ("li@lanhai.onmicrosoft.com", "Microsoft 365"),
        ("li@icloud.com", "iCloud Mail"),
        ("li@aliyun.com", "Aliyun Mail"),
    ],
)
def test_an_address_tells_its_provider(address: str, name: str) -> None:
    provider = provider_for(address)
    assert provider is not None
    assert provider.name == name


def test_an_own_domain_tells_nothing_but_its_host_does() -> None:
    assert provider_for("assistant@lanhai-ad.example") is None
    assert provider_for("nonsense") is None
    assert provider_for("") is None
    exmail = provider_at("imap.exmail.qq.com")
    assert exmail is not None
    assert exmail.name == "Tencent Exmail"
    assert provider_at("127.0.0.1") is None


def test_the_table_is_whole() -> None:
    for provider in PROVIDERS:
        assert provider.hint.zh
        assert provider.hint.en
        assert provider.hint.in_language("zh-Hans") == provider.hint.zh
        assert provider.auth
        assert "oauth2" not in provider.auth or provider.oauth
        for endpoint in (provider.imap, provider.smtp):
            assert endpoint.tls in {"implicit", "starttls"}
        assert (provider.smtp.port == 587) == (provider.smtp.tls == "starttls") or provider.smtp.host == "127.0.0.1"
    domains = [domain for provider in PROVIDERS for domain in provider.domains]
    assert len(domains) == len(set(domains))
    assert all(domain == domain.lower() for domain in domains)


def test_netease_is_told_who_we_are_and_is_polled() -> None:
    for address in ("a@163.com", "a@126.com", "a@yeah.net"):
        provider = provider_for(address)
        assert provider is not None
        assert provider.quirks.needs_id
        assert not provider.quirks.idle
        assert provider.quirks.poll_seconds == 55.0


def test_free_mail_is_where_anybody_may_have_an_address() -> None:
    for domain in (
        "gmail.com",
        "qq.com",
        "163.com",
        "126.com",
        "foxmail.com",
        "sina.com",
        "hotmail.com",
        "icloud.com",
        "139.com",
    ):
        assert domain in FREE_MAIL_DOMAINS
    assert "lanhai-ad.example" not in FREE_MAIL_DOMAINS
    assert "exmail.qq.com" not in FREE_MAIL_DOMAINS
    assert all(domain == domain.lower() and "." in domain for domain in FREE_MAIL_DOMAINS)
    assert len(FREE_MAIL_DOMAINS) > 300


def test_a_refused_login_says_in_both_languages_what_the_provider_wants() -> None:
    settings = MailboxSettings("box", "imap.163.com", 993, "implicit", "lanhai@163.com", Secret("x"))
    sentence = str(login_refused(server_of(settings), "lanhai@163.com", "LOGIN Login error or password error"))
    assert "授权码" in sentence
    assert "authorisation code" in sentence


def test_microsofts_backoff_is_milliseconds() -> None:
    assert suggested_backoff("Request is throttled. Suggested Backoff Time: 299961 milliseconds") == pytest.approx(
        299.961
    )
    assert suggested_backoff("Suggested Backoff Time: 5 seconds") == 5
    assert suggested_backoff("nothing of the kind") is None
    assert throttled("Login frequency limited")
    assert not throttled("Authentication failed")


@given(st.text(max_size=2000) | st.binary(max_size=2000))
def test_a_quotation_is_one_short_line(text: str | bytes) -> None:
    quoted = quotation(text)
    assert len(quoted) <= 300
    assert "\n" not in quoted
    assert "\r" not in quoted


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret("geheim-1234")
    settings = MailboxSettings("box", "imap.agency.example", 993, "implicit", "u", secret)
    for shown in (
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret!r:>40}",
        repr(settings),
        repr([secret]),
        "{}".format(secret),  # noqa: UP032  # every way of formatting
    ):
        assert "geheim" not in shown
    assert secret.reveal() == "geheim-1234"
    assert secret == Secret("geheim-1234") != Secret("other")
    assert not Secret("")
    for write in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="not written anywhere"):
            write(secret)


class TestFolders:
    def test_the_servers_own_word_counts_first(self) -> None:
        listed = [((b"\\HasNoChildren",), b"/", "Sent"), ((b"\\HasNoChildren", b"\\Sent"), b"/", "[Gmail]/已发邮件")]
        assert find_special(listed, "sent") == "[Gmail]/已发邮件"

    @pytest.mark.parametrize(
        ("name", "use"),
        [
            ("Sent Messages", "sent"),
            ("已发送", "sent"),
            ("INBOX.Sent", "sent"),
            ("草稿箱", "drafts"),
            ("寄件備份", "sent"),
        ],
    )
    def test_else_names_are_known(self, name: str, use: str) -> None:
        listed = [((), b".", "INBOX"), ((), b".", name)]
        assert find_special(listed, use) == name  # type: ignore[arg-type]  # from the list above

    def test_nothing_is_invented(self) -> None:
        assert find_special([((), b"/", "INBOX"), ((b"\\Noselect",), b"/", "Sent")], "sent") is None


class TestBackoff:
    @given(st.integers(0, 2**32), st.integers(1, 60))
    def test_pauses_grow_and_stay_below_the_longest(self, seed: int, failures: int) -> None:
        backoff = Backoff(random.Random(seed), first=1, longest=300)
        for number in range(failures):
            ceiling = min(300, 2**number)
            assert ceiling / 2 <= backoff.next_pause() <= ceiling

    def test_only_a_connection_that_lived_starts_again_from_the_beginning(self) -> None:
        backoff = Backoff(random.Random(1), first=1, longest=300, proven=60)
        for _ in range(5):
            backoff.next_pause()
        backoff.lived(3)
        assert backoff.next_pause() > 8
        backoff.lived(61)
        assert backoff.next_pause() <= 1

    def test_what_the_server_asks_for_is_respected(self) -> None:
        assert Backoff(random.Random(1)).next_pause(at_least=299.9) >= 299.9


class TestByteBudget:
    def test_a_days_bytes_last_the_day(self) -> None:
        now = [0.0]
        budget = ByteBudget(86_400, lambda: now[0])
        budget.spend(86_400)
        assert budget.pause() == 0
        budget.spend(1_000)
        assert budget.pause() == pytest.approx(1_000)
        now[0] += 1_000
        assert budget.pause() == pytest.approx(0)

    def test_without_a_limit_there_is_no_pause(self) -> None:
        budget = ByteBudget(0, lambda: 0.0)
        budget.spend(10**12)
        assert budget.pause() == 0
