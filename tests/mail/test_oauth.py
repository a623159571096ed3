"""Access tokens: kept while they are good, renewed before they are not, and what a person must do when it fails."""

from __future__ import annotations

import dataclasses
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from assistant.clock import FrozenClock
from assistant.errors import AssistantError, LoginRefused, ServerUnreachable
from assistant.mail.oauth import OAUTH_PROVIDERS, DeviceCode, OAuthProvider, TokenSource, authorise_by_device_code
from assistant.mail.settings import OAuthSettings, Secret
from tests.servers.oauth_endpoint import OAuthEndpoint
from tests.servers.processes import free_port

NOW = datetime(2026, 2, 24, 10, 0, tzinfo=UTC)
USER = "box@agency.example"


def test_a_token_is_kept_until_shortly_before_it_expires(oauth_endpoint: OAuthEndpoint) -> None:
    clock = FrozenClock(NOW)
    source = TokenSource(oauth_endpoint.settings_for(USER), clock=clock)
    first = source.token()
    clock.advance(timedelta(minutes=57))
    assert source.token() == first
    clock.advance(timedelta(minutes=2))
    assert source.token() != first
    assert len(oauth_endpoint.asked) == 2


def test_what_is_asked_is_what_rfc_6749_says(oauth_endpoint: OAuthEndpoint) -> None:
    settings = oauth_endpoint.settings_for(USER)
    TokenSource(settings).token()
    assert oauth_endpoint.asked == [
        {
            "grant_type": "refresh_token",
            "refresh_token": settings.refresh_token.reveal(),
            "client_id": "client-1",
            "client_secret": "client-secret",
            "scope": "mail",
        }
    ]


def test_many_threads_ask_once(oauth_endpoint: OAuthEndpoint) -> None:
    source = TokenSource(oauth_endpoint.settings_for(USER))
    tokens: list[str] = []
    threads = [threading.Thread(target=lambda: tokens.append(source.token())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(tokens)) == 1
    assert len(tokens) == 8
    assert len(oauth_endpoint.asked) == 1


def test_a_replaced_refresh_token_is_used_and_handed_over(oauth_endpoint: OAuthEndpoint) -> None:
    oauth_endpoint.rotate = True
    settings = oauth_endpoint.settings_for(USER)
    kept: list[Secret] = []
    clock = FrozenClock(NOW)
    source = TokenSource(settings, clock=clock, on_rotated=kept.append)
    source.token()
    clock.advance(timedelta(hours=2))
    source.token()
    old = settings.refresh_token.reveal()
    assert [secret.reveal() for secret in kept] == [f"{old}+", f"{old}++"]


def test_two_processes_with_one_refresh_token_go_on_with_what_the_other_stored(oauth_endpoint: OAuthEndpoint) -> None:
    oauth_endpoint.rotate = True
    settings = oauth_endpoint.settings_for(USER)
    stored = [settings.refresh_token]
    clock = FrozenClock(NOW)
    both = [
        TokenSource(settings, clock=clock, on_rotated=stored.append, stored=lambda: stored[-1])
        for _ in ("one", "other")
    ]
    for source in (*both, *both, both[0]):
        clock.advance(timedelta(hours=2))
        assert oauth_endpoint.access_tokens[source.token()] == USER
    assert len(oauth_endpoint.asked) == 5, "none was asked for in vain"


def test_a_refresh_token_that_was_replaced_while_we_asked_is_looked_up_once_more(oauth_endpoint: OAuthEndpoint) -> None:
    oauth_endpoint.rotate = True
    settings = oauth_endpoint.settings_for(USER)
    answers = [settings.refresh_token]
    TokenSource(settings, clock=FrozenClock(NOW), on_rotated=answers.append).token()
    source = TokenSource(settings, clock=FrozenClock(NOW), stored=lambda: answers.pop(0))
    assert oauth_endpoint.access_tokens[source.token()] == USER


@pytest.mark.parametrize(
    ("status", "answer", "error", "said"),
    [
        (400, {"error": "invalid_grant"}, LoginRefused, "authorise again with assistant init"),
        (401, {"error": "invalid_client"}, LoginRefused, "check client_id and client_secret"),
        (400, {"error": "invalid_scope"}, LoginRefused, "check scope"),
        (403, {}, LoginRefused, "HTTP status 403"),
        (200, {"unexpected": True}, LoginRefused, "HTTP status 200"),
        (503, {}, ServerUnreachable, "at the moment"),
        (429, {"error": "rate_limit"}, ServerUnreachable, "at the moment"),
    ],
)
def test_every_refusal_says_what_to_do(
    oauth_endpoint: OAuthEndpoint, status: int, answer: dict[str, Any], error: type[AssistantError], said: str
) -> None:
    oauth_endpoint.next_answers = [(status, answer)]
    with pytest.raises(error, match=said) as raised:
        TokenSource(oauth_endpoint.settings_for(USER)).token()
    assert "refresh-" not in str(raised.value)


def test_after_a_failure_the_next_attempt_may_succeed(oauth_endpoint: OAuthEndpoint) -> None:
    oauth_endpoint.next_answers = [(503, {})]
    source = TokenSource(oauth_endpoint.settings_for(USER))
    with pytest.raises(ServerUnreachable):
        source.token()
    assert source.token()


@pytest.mark.parametrize("lifetime", ["soon", None, -5, 0, 1, 1e300])
def test_nonsense_about_the_lifetime_is_survived(oauth_endpoint: OAuthEndpoint, lifetime: object) -> None:
    oauth_endpoint.next_answers = [(200, {"access_token": "a", "expires_in": lifetime})]
    assert TokenSource(oauth_endpoint.settings_for(USER), clock=FrozenClock(NOW)).token() == "a"


def test_an_endpoint_that_is_not_there_is_unreachable() -> None:
    settings = OAuthSettings(f"http://127.0.0.1:{free_port()}/token", "c", Secret("r"))
    with pytest.raises(ServerUnreachable, match="cannot be reached"):
        TokenSource(settings).token()


@pytest.mark.parametrize(
    "endpoint", ["http://login.provider.example/token", "ftp://127.0.0.1/token", "file:///etc/passwd"]
)
def test_secrets_do_not_travel_in_clear(endpoint: str) -> None:
    with pytest.raises(AssistantError, match="must begin with https://"):
        TokenSource(OAuthSettings(endpoint, "c", Secret("r"))).token()


def test_a_redirect_does_not_take_the_secrets_elsewhere(oauth_endpoint: OAuthEndpoint) -> None:
    settings = dataclasses.replace(oauth_endpoint.settings_for(USER), token_endpoint=f"{oauth_endpoint.url}/moved")
    with pytest.raises(LoginRefused, match="HTTP status 307"):
        TokenSource(settings).token()
    assert oauth_endpoint.asked == []


class TestDeviceCode:
    def provider(self, endpoint: OAuthEndpoint) -> OAuthProvider:
        return OAuthProvider("local", endpoint.token_endpoint, endpoint.device_endpoint, "mail")

    def test_a_person_types_the_code_and_the_refresh_token_works(self, oauth_endpoint: OAuthEndpoint) -> None:
        shown: list[DeviceCode] = []
        waits: list[float] = []

        def wait(seconds: float) -> None:
            waits.append(seconds)
            oauth_endpoint.approved = len(waits) == 3

        settings = authorise_by_device_code(self.provider(oauth_endpoint), "client-1", show=shown.append, wait=wait)
        assert shown == [DeviceCode("WXYZ-1234", "https://device.example/", 60.0)]
        assert waits == [1.0, 1.0, 1.0]
        assert TokenSource(settings).token()

    def test_slow_down_is_obeyed(self, oauth_endpoint: OAuthEndpoint) -> None:
        oauth_endpoint.next_answers = [(400, {"error": "slow_down"})]
        oauth_endpoint.approved = True
        waits: list[float] = []
        authorise_by_device_code(self.provider(oauth_endpoint), "c", show=lambda _: None, wait=waits.append)
        assert waits == [1.0, 6.0]

    def test_declining_and_being_late_are_said(self, oauth_endpoint: OAuthEndpoint) -> None:
        oauth_endpoint.next_answers = [(400, {"error": "access_denied"})]
        with pytest.raises(LoginRefused, match="declined"):
            authorise_by_device_code(self.provider(oauth_endpoint), "c", show=lambda _: None, wait=lambda _: None)
        with pytest.raises(LoginRefused, match="in time"):
            authorise_by_device_code(self.provider(oauth_endpoint), "c", show=lambda _: None, wait=lambda _: None)


def test_the_known_providers_are_reached_over_tls_only() -> None:
    assert set(OAUTH_PROVIDERS) == {"google", "microsoft"}
    for provider in OAUTH_PROVIDERS.values():
        assert provider.token_endpoint.startswith("https://")
        assert provider.device_endpoint.startswith("https://")
