"""Signatures of X's webhooks, both ways.

X developer documentation, "Webhooks API": "Challenge-Response Checks" and "Signature header
validation".
"""

import base64
import hashlib
import hmac
import re
from typing import Final

from bot.errors import Refused

HEADER: Final = "x-twitter-webhooks-signature"
# Whoever sends an event's body as a token would get its valid signature: no braces, quotes or
# spaces, so nothing that is JSON.
_TOKEN: Final = re.compile(r"[A-Za-z0-9+/=_-]{1,512}")


def sign(consumer_secret: str, content: bytes) -> str:
    """`sha256=` and the base64 HMAC-SHA256 of `content`."""
    digest = hmac.new(consumer_secret.encode(), content, hashlib.sha256).digest()
    return f"sha256={base64.b64encode(digest).decode()}"


def signed(consumer_secret: str, body: bytes, signature: str) -> bool:
    """Whether `signature` is X's for these raw bytes; compared in constant time."""
    return hmac.compare_digest(
        sign(consumer_secret, body).encode(), signature.encode(errors="replace")
    )


def challenge_answer(consumer_secret: str, token: str) -> str:
    """The answer to a challenge-response check. Raises `Refused` for what X would not send."""
    if not _TOKEN.fullmatch(token):
        raise Refused("The crc_token must be 1 to 512 characters of base64 alphabet.")
    return sign(consumer_secret, token.encode())
