"""An OpenID provider of its own on a free loopback port: it signs in whoever picks one of its accounts."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "decam", "of the provider's test"


@dataclass
class Provider:
    """OpenID Connect's code flow with PKCE: discovery, authorization, token, keys and, if it `ends`, sign-out.

    What a client sends is checked as RFC 6749, RFC 7636 and OpenID Connect Core 1.0 ask for; `refusals` holds what
    was wrong. `accounts` are the addresses that its page offers.
    """

    accounts: tuple[str, ...]
    ends: bool = False
    refusals: list[str] = field(default_factory=list)
    signed_out: int = 0

    def __enter__(self) -> Self:
        self._key = RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True)
        self._codes: dict[str, dict[str, str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def issuer(self) -> str:
        """Its address, without a slash behind it."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def discovery(self) -> dict[str, object]:
        """What OpenID Connect Discovery 1.0 asks for."""
        found: dict[str, object] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }
        return found | ({"end_session_endpoint": f"{self.issuer}/end"} if self.ends else {})

    def keys(self) -> dict[str, object]:
        """The public key of its signatures."""
        return {"keys": [self._key.as_dict(private=False)]}

    def page(self, asked: Mapping[str, str]) -> str:
        """Where somebody picks an account."""
        wrong = [
            *(() if asked.get("client_id") == CLIENT else ("client_id",)),
            *(() if asked.get("response_type") == "code" else ("response_type",)),
            *(() if "openid" in asked.get("scope", "").split() else ("scope",)),
            *(() if asked.get("code_challenge_method") == "S256" else ("code_challenge_method",)),
            *(name for name in ("state", "nonce", "redirect_uri", "code_challenge") if not asked.get(name)),
        ]
        self.refusals += [f"authorize: {name}" for name in wrong]
        links = (f'<a href="/pick?{escape(urlencode({**asked, "account": one}))}">{one}</a>' for one in self.accounts)
        return f"<!doctype html><title>Provider</title><h1>Who are you?</h1>{'<br>'.join(links)}"

    def picked(self, asked: Mapping[str, str]) -> str:
        """Where the browser goes with the code of the picked account."""
        code = secrets.token_urlsafe()
        self._codes[code] = dict(asked)
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, sent: Mapping[str, str], authorization: str) -> dict[str, object]:
        """The signed tokens for a code, which serves once; a mistake of the client's is an OAuth error."""
        asked = self._codes.pop(sent.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(sent.get("code_verifier", "").encode()).digest())
        basic = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        posted = sent.get("client_id") == CLIENT and sent.get("client_secret") == SECRET
        wrong = (
            "grant_type" if sent.get("grant_type") != "authorization_code"
            else "code" if asked is None
            else "redirect_uri" if sent.get("redirect_uri") != asked["redirect_uri"]
            else "code_verifier" if challenge.decode().rstrip("=") != asked["code_challenge"]
            else "client" if authorization != basic and not posted
            else ""
        )  # fmt: skip
        if wrong or asked is None:
            self.refusals.append(f"token: {wrong}")
            return {"error": "invalid_grant", "error_description": wrong}
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            "sub": asked["account"],
            "email": asked["account"],
            "email_verified": True,
        }
        signed = jwt.encode({"alg": "RS256", "kid": self._key.kid}, claims, self._key)
        access = secrets.token_urlsafe()
        return {"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": signed}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                asked = dict(parse_qsl(parts.query))
                match parts.path:
                    case "/.well-known/openid-configuration":
                        self._json(provider.discovery())
                    case "/keys":
                        self._json(provider.keys())
                    case "/authorize":
                        self._send(HTTPStatus.OK, "text/html", provider.page(asked).encode())
                    case "/pick":
                        self._to(provider.picked(asked))
                    case "/end":
                        provider.signed_out += 1
                        self._to(asked["post_logout_redirect_uri"])
                    case _:
                        self._send(HTTPStatus.NO_CONTENT, "text/plain", b"")

            def do_POST(self) -> None:
                sent = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                answer = provider.token(sent, self.headers.get("Authorization", ""))
                self._json(answer, HTTPStatus.BAD_REQUEST if "error" in answer else HTTPStatus.OK)

            def _json(self, content: dict[str, object], status: HTTPStatus = HTTPStatus.OK) -> None:
                self._send(status, "application/json", json.dumps(content).encode())

            def _to(self, place: str) -> None:
                self._send(HTTPStatus.FOUND, "text/plain", b"", place)

            def _send(self, status: HTTPStatus, kind: str, content: bytes, place: str = "") -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                if place:
                    self.send_header("Location", place)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *parts: object) -> None:
                """Write nothing: a test shows what went wrong by itself."""

        return Handler
