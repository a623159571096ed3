"""OAuth2 for mailboxes: access tokens from a refresh token, and authorisation on another device.

RFC 6749 section 6 (refresh), RFC 8628 (device code). Everything goes over verified TLS; plain http is for loopback only.
"""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.client import HTTPException
from typing import Any

import structlog

from assistant.clock import Clock, SystemClock
from assistant.errors import AssistantError, LoginRefused, ServerUnreachable
from assistant.mail.sentences import quotation
from assistant.mail.settings import OAuthSettings, Secret
from assistant.mail.tls import is_loopback, verified_context

log = structlog.get_logger("assistant.mail")

EARLY = timedelta(minutes=2)
"""A token is renewed this long before it expires, so that it does not expire on the way."""

DEFAULT_LIFETIME_SECONDS = 3600
LARGEST_ANSWER = 1024 * 1024
TIMEOUT_SECONDS = 30.0
DEVICE_CODE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@dataclass(frozen=True, slots=True)
class OAuthProvider:
    """Where a provider authorises and which scope reads IMAP and sends by SMTP."""

    name: str
    token_endpoint: str
    device_endpoint: str
    scope: str


GOOGLE = OAuthProvider(
    name="google",
    token_endpoint="https://oauth2.googleapis.com/token",  # noqa: S106  # an address, not a secret
    device_endpoint="https://oauth2.googleapis.com/device/code",
    scope="https://mail.google.com/",
)
MICROSOFT = OAuthProvider(
    name="microsoft",
    token_endpoint="https://login.microsoftonline.com/common/oauth2/v2.0/token",  # noqa: S106  # an address
    device_endpoint="https://login.microsoftonline.com/common/oauth2/v2.0/devicecode",
    scope="offline_access https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send",
)
OAUTH_PROVIDERS = {provider.name: provider for provider in (GOOGLE, MICROSOFT)}


class TokenSource:
    """Access tokens for one mailbox, kept until shortly before they expire. Safe to use from several threads.

    `on_rotated` gets the new refresh token when the provider replaces it (Microsoft does); whoever keeps the old one
    must store it, or the next start cannot log in. `stored` says what is stored now: another process may have had it
    replaced meanwhile, and to use the old one again may end both (RFC 9700 section 4.14.2).
    """

    def __init__(
        self,
        settings: OAuthSettings,
        *,
        clock: Clock | None = None,
        on_rotated: Callable[[Secret], None] | None = None,
        stored: Callable[[], Secret | None] = lambda: None,
        ca_file: str | None = None,
    ) -> None:
        self._settings = settings
        self._stored = stored
        self._last_stored = settings.refresh_token
        self._clock = clock or SystemClock()
        self._on_rotated = on_rotated
        self._ca_file = ca_file
        self._refresh_token = settings.refresh_token
        self._token = ""
        self._renew_at: datetime | None = None
        self._lock = threading.Lock()

    def token(self) -> str:
        """A token that is good for a while. Raises LoginRefused when a person must authorise again."""
        with self._lock:
            if not self._token or self._renew_at is None or self._clock.now() >= self._renew_at:
                self._refresh()
            return self._token

    def forget(self, token: str) -> None:
        """Says that a server did not accept `token`, so that the next one is new."""
        with self._lock:
            if self._token == token:
                self._token = ""

    def _refresh(self) -> None:
        settings = self._settings
        self._take_stored()
        status, answer = self._ask()
        if answer.get("error") == "invalid_grant" and self._take_stored():
            status, answer = self._ask()
        if status != 200 or not answer.get("access_token"):
            raise _refused(settings.token_endpoint, status, answer)
        self._token = str(answer["access_token"])
        self._renew_at = self._clock.now() + _lifetime(answer)
        rotated = answer.get("refresh_token")
        if rotated and rotated != self._refresh_token.reveal():
            self._refresh_token = Secret(str(rotated))
            log.info("refresh_token_rotated", endpoint=_host(settings.token_endpoint))
            if self._on_rotated is not None:
                self._on_rotated(self._refresh_token)

    def _take_stored(self) -> bool:
        """Goes on with what another process stored since; whether there was something new."""
        stored = self._stored()
        if stored is None or stored.reveal() in {self._last_stored.reveal(), self._refresh_token.reveal()}:
            return False
        self._refresh_token = self._last_stored = stored
        return True

    def _ask(self) -> tuple[int, dict[str, Any]]:
        settings = self._settings
        fields = {
            "grant_type": "refresh_token",
            "refresh_token": self._refresh_token.reveal(),
            "client_id": settings.client_id,
        }
        if settings.client_secret:
            fields["client_secret"] = settings.client_secret.reveal()
        if settings.scope:
            fields["scope"] = settings.scope
        return _post(settings.token_endpoint, fields, self._ca_file)


def _lifetime(answer: Mapping[str, Any]) -> timedelta:
    try:
        lifetime = timedelta(seconds=float(answer.get("expires_in") or DEFAULT_LIFETIME_SECONDS))
    except (TypeError, ValueError, OverflowError):
        lifetime = timedelta(seconds=DEFAULT_LIFETIME_SECONDS)
    return max(lifetime - EARLY, lifetime / 2)


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """What a person must do: open `verification_uri` anywhere and type `user_code`."""

    user_code: str
    verification_uri: str
    expires_in_seconds: float


def authorise_by_device_code(
    provider: OAuthProvider,
    client_id: str,
    *,
    client_secret: Secret | None = None,
    show: Callable[[DeviceCode], None],
    wait: Callable[[float], object],
    ca_file: str | None = None,
) -> OAuthSettings:
    """Lets a person authorise in any browser (RFC 8628) and returns settings with the refresh token.

    `show` is called once with what to open and type; `wait` sleeps the given seconds between questions.
    Raises LoginRefused when the person says no, takes too long, or the client may not ask.
    """
    status, answer = _post(provider.device_endpoint, {"client_id": client_id, "scope": provider.scope}, ca_file)
    uri = answer.get("verification_uri") or answer.get("verification_url")  # Google's older name
    if status != 200 or not uri or not answer.get("device_code"):
        raise _refused(provider.device_endpoint, status, answer)
    interval, lifetime = float(answer.get("interval") or 5), float(answer.get("expires_in") or 900)
    show(DeviceCode(str(answer.get("user_code", "")), str(uri), lifetime))
    fields = {"grant_type": DEVICE_CODE_GRANT, "device_code": str(answer["device_code"]), "client_id": client_id}
    if client_secret:
        fields["client_secret"] = client_secret.reveal()
    waited = 0.0
    while waited < lifetime:
        wait(interval)
        waited += max(interval, 0.001)
        status, answer = _post(provider.token_endpoint, fields, ca_file)
        if status == 200 and answer.get("refresh_token"):
            refresh_token = Secret(str(answer["refresh_token"]))
            return OAuthSettings(provider.token_endpoint, client_id, refresh_token, client_secret, provider.scope)
        error = answer.get("error")
        if error == "slow_down":
            interval += 5  # RFC 8628 section 3.5
        elif error != "authorization_pending":
            raise _refused(provider.token_endpoint, status, answer)
    raise LoginRefused("Nobody authorised in time: start again and type the code within the time shown.")


def _post(endpoint: str, fields: Mapping[str, str], ca_file: str | None) -> tuple[int, dict[str, Any]]:
    """POSTs a form, returns status and JSON. Redirects are not followed: they would carry the secrets elsewhere."""
    parts = urllib.parse.urlsplit(endpoint)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        raise AssistantError(f"The token endpoint {endpoint} must begin with https://; secrets do not travel in clear.")
    handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
    if parts.scheme == "https":
        handlers.append(urllib.request.HTTPSHandler(context=verified_context(ca_file)))
    request = urllib.request.Request(  # noqa: S310  # the scheme was checked above
        endpoint, urllib.parse.urlencode(fields).encode("ascii"), {"Accept": "application/json"}
    )
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=TIMEOUT_SECONDS) as response:
            return response.status, _json(response.read(LARGEST_ANSWER))
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _json(error.read(LARGEST_ANSWER))
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise ServerUnreachable(
            f"The token endpoint {_host(endpoint)} cannot be reached ({quotation(reason)}): check token_endpoint and the "
            "network."
        ) from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_request: Any, **_more: Any) -> None:
        return None


def _json(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _host(endpoint: str) -> str:
    return urllib.parse.urlsplit(endpoint).hostname or endpoint


def _refused(endpoint: str, status: int, answer: Mapping[str, Any]) -> AssistantError:
    error = str(answer.get("error") or "")
    said = quotation(answer.get("error_description") or error or f"HTTP status {status}")
    host = _host(endpoint)
    if status == 429 or status >= 500 or error == "temporarily_unavailable":
        return ServerUnreachable(f"{host} gives no token at the moment: {said}.")
    if error == "invalid_grant":
        return LoginRefused(
            f"{host} does not accept the refresh token any more ({said}): authorise again with assistant init. It expires "
            "when the password changes, when access is withdrawn, or after months without use."
        )
    if error in {"invalid_client", "unauthorized_client"}:
        return LoginRefused(f"{host} does not know this client ({said}): check client_id and client_secret.")
    if error == "invalid_scope":
        return LoginRefused(
            f"{host} does not grant this scope ({said}): check scope, and what the application may ask for."
        )
    if error in {"access_denied", "authorization_declined"}:
        return LoginRefused(f"The authorisation was declined at {host}: start again and agree.")
    if error in {"expired_token", "expired_code", "bad_verification_code"}:
        return LoginRefused(f"The code for {host} has expired: start again and type it within the time shown.")
    return LoginRefused(f"{host} gives no token: {said}.")
