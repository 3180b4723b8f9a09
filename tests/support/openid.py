"""An OpenID Connect provider for tests, on this machine: it signs in whoever comes, as the person it was told."""

import base64
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

CLIENT = {"client_id": "mnist-dash", "client_secret": "not a secret"}


class Provider:
    """What the provider knows.

    Attributes:
        url: Its address, which is its issuer too.
        email: Who signs in next.
    """

    def __init__(self) -> None:
        self.email = "ann@example.org"
        self.url = ""
        self._key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        self._nonces: dict[str, tuple[str, str]] = {}

    def answer(self, path: str, given: dict[str, str]) -> dict[str, object] | str:
        """Returns JSON, or where to go instead."""
        if path == "/.well-known/openid-configuration":
            ways = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
            kinds = {"response_types_supported": ["code"], "subject_types_supported": ["public"]}
            kinds |= {"id_token_signing_alg_values_supported": ["RS256"]}
            return {"issuer": self.url, **{name: f"{self.url}/{way}" for name, way in ways.items()}, **kinds}
        if path == "/authorize":
            code = secrets.token_urlsafe(8)
            self._nonces[code] = given.get("nonce", ""), self.email
            return f"{given['redirect_uri']}?{urlencode({'code': code, 'state': given['state']})}"
        if path == "/token":
            tokens = {"id_token": self._id_token(*self._nonces.pop(given["code"])), "access_token": "none"}
            return {**tokens, "token_type": "Bearer", "expires_in": 3_600}
        numbers = self._key.public_key().public_numbers()
        parts = {name: _base64(number.to_bytes((number.bit_length() + 7) // 8)) for name, number in _parts(numbers)}
        return {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1", **parts}]}

    def _id_token(self, nonce: str, email: str) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "sub": email, "aud": CLIENT["client_id"], "iat": now, "exp": now + 3_600}
        parts = ({"alg": "RS256", "typ": "JWT", "kid": "1"}, {**claims, "nonce": nonce, "email": email})
        signed = ".".join(_base64(json.dumps(part).encode()) for part in parts)
        return f"{signed}.{_base64(self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def _parts(numbers: rsa.RSAPublicNumbers) -> tuple[tuple[str, int], ...]:
    return ("n", numbers.n), ("e", numbers.e)


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@contextmanager
def openid_provider() -> Iterator[Provider]:
    """Runs a provider on a free port of this machine."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            self._answer(url.path, url.query)

        def do_POST(self) -> None:
            self._answer(self.path, self.rfile.read(int(self.headers["Content-Length"])).decode())

        def _answer(self, path: str, query: str) -> None:
            answer = provider.answer(path, {name: values[0] for name, values in parse_qs(query).items()})
            self.send_response(302 if isinstance(answer, str) else 200)
            if isinstance(answer, str):
                self.send_header("Location", answer)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b"" if isinstance(answer, str) else json.dumps(answer).encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        provider.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, name="OpenID provider", daemon=True).start()
        yield provider
        server.shutdown()
