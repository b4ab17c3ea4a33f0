"""OAuth 1.0a as a server checks it, written from RFC 5849 and no client library's code."""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote

from tests.standins.server import Request


@dataclass(frozen=True)
class Keys:
    """An app's keys and those of the account that lets the app act for it."""

    consumer_key: str
    consumer_secret: str
    access_token: str
    access_token_secret: str


def problem(request: Request, keys: Keys) -> str | None:
    """What is wrong with the request's signature, or None."""
    sent = _parameters(request.headers.get("Authorization", ""))
    if not sent:
        return "no OAuth 1.0a Authorization header"
    if sent.get("oauth_consumer_key") != keys.consumer_key:
        return "unknown consumer key"
    if sent.get("oauth_token") != keys.access_token:
        return "unknown access token"
    if sent.get("oauth_signature_method") != "HMAC-SHA1":
        return "signature method is not HMAC-SHA1"
    if not hmac.compare_digest(sent.pop("oauth_signature", ""), signature(request, sent, keys)):
        return "wrong signature"
    return None


def nonce(request: Request) -> str:
    """The value that makes a signed request good for one call."""
    return _parameters(request.headers.get("Authorization", "")).get("oauth_nonce", "")


def signature(request: Request, oauth: dict[str, str], keys: Keys) -> str:
    """RFC 5849, section 3.4: the HMAC-SHA1 of method, base address and sorted parameters."""
    pairs = [*oauth.items(), *parse_qsl(request.query, keep_blank_values=True)]
    if "x-www-form-urlencoded" in request.headers.get("Content-Type", ""):
        pairs += parse_qsl(request.body.decode(), keep_blank_values=True)
    encoded = sorted((_escape(name), _escape(value)) for name, value in pairs)
    address = f"http://{request.headers['Host'].lower()}{request.path}"
    parameters = "&".join(f"{name}={value}" for name, value in encoded)
    text = "&".join(_escape(part) for part in (request.method, address, parameters))
    key = f"{_escape(keys.consumer_secret)}&{_escape(keys.access_token_secret)}"
    return base64.b64encode(hmac.digest(key.encode(), text.encode(), hashlib.sha1)).decode()


def _parameters(header: str) -> dict[str, str]:
    if not header.startswith("OAuth "):
        return {}
    return {name: unquote(value) for name, value in re.findall(r'(\w+)="([^"]*)"', header)}


def _escape(text: str) -> str:
    return quote(text, safe="~")
