"""An OAuth2 endpoint on loopback: refresh tokens, device codes, and whose an access token is."""

from __future__ import annotations

import json
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from assistant.mail.settings import OAuthSettings, Secret


@dataclass
class OAuthEndpoint:
    """What a provider knows. Tests change it while it runs.

    `refresh_tokens` maps to users; `access_tokens` that were given out and not `revoke`d map to users; `asked` are the
    forms that came in; `next_answers` are (status, JSON) to give instead of the right answer, first come first served.
    """

    port: int = 0
    refresh_tokens: dict[str, str] = field(default_factory=dict)
    access_tokens: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    next_answers: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    lifetime_seconds: int = 3600
    rotate: bool = False
    approved: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def token_endpoint(self) -> str:
        return f"{self.url}/token"

    @property
    def device_endpoint(self) -> str:
        return f"{self.url}/device"

    @property
    def tokeninfo(self) -> str:
        return f"{self.url}/tokeninfo"

    def settings_for(self, user: str) -> OAuthSettings:
        """Authorises `user` and returns what the config would hold."""
        with self.lock:
            token = f"refresh-{len(self.refresh_tokens)}-{user}"
            self.refresh_tokens[token] = user
        return OAuthSettings(self.token_endpoint, "client-1", Secret(token), Secret("client-secret"), "mail")

    def revoke(self) -> None:
        """Makes every access token void before its time."""
        with self.lock:
            self.access_tokens.clear()

    def answer(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        with self.lock:
            self.asked.append(form)
            if self.next_answers:
                return self.next_answers.pop(0)
            if form.get("grant_type") == "refresh_token":
                return self._refresh(form.get("refresh_token", ""))
            if form.get("device_code") == "device-1" and self.approved:
                self.refresh_tokens["refresh-device"] = "device@agency.example"
                return 200, {"refresh_token": "refresh-device", "access_token": "unused", "expires_in": 3600}
            return 400, {"error": "authorization_pending"}

    def _refresh(self, refresh_token: str) -> tuple[int, dict[str, Any]]:
        user = self.refresh_tokens.get(refresh_token)
        if user is None:
            return 400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
        token = f"access-{len(self.asked)}-{len(self.refresh_tokens)}"
        self.access_tokens[token] = user
        answer: dict[str, Any] = {"access_token": token, "expires_in": self.lifetime_seconds, "token_type": "Bearer"}
        if self.rotate:
            del self.refresh_tokens[refresh_token]
            answer["refresh_token"] = f"{refresh_token}+"
            self.refresh_tokens[answer["refresh_token"]] = user
        return 200, answer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    endpoint: OAuthEndpoint

    def do_POST(self) -> None:  # http.server's name
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode("ascii")
        form = dict(urllib.parse.parse_qsl(body))
        if self.path == "/device":
            self._reply(
                200,
                {
                    "device_code": "device-1",
                    "user_code": "WXYZ-1234",
                    "verification_uri": "https://device.example/",
                    "interval": 1,
                    "expires_in": 60,
                },
            )
        elif self.path == "/moved":
            self.send_response(307)
            self.send_header("Location", self.endpoint.token_endpoint)
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._reply(*self.endpoint.answer(form))

    def do_GET(self) -> None:  # http.server's name
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        with self.endpoint.lock:
            user = self.endpoint.access_tokens.get(query.get("token", ""))
        if user is None:
            self._reply(200, {"active": "false"})
        else:
            self._reply(200, {"active": "true", "username": user})

    def _reply(self, status: int, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode("ascii")
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing on the terminal."""


@contextmanager
def oauth_server() -> Iterator[OAuthEndpoint]:
    """Runs an endpoint in a thread."""
    endpoint = OAuthEndpoint()
    handler = type("Handler", (_Handler,), {"endpoint": endpoint})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    endpoint.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
