"""Who gets in: everybody on this machine, and off it whoever knows the password."""

import base64
import hmac
import ipaddress
import re

from bot.web.messages import Answer, Request, refused

USER = "triage"
_FORWARDED = ("forwarded", "via", "x-forwarded-", "x-real-ip", "cf-connecting-ip")
_SIX = re.compile(r"\[([^\]]*)\](?::\d*)?")


def turned_away(request: Request, password: str | None) -> Answer | None:
    """The answer to a request that does not get in, None for one that does."""
    if _local(request):
        return None
    if password is None:
        return refused(
            403, "This address is closed: set API_PASSWORD to open it beyond this machine."
        )
    if _knows(request.headers.get("authorization", ""), password):
        return None
    return refused(
        401,
        f"Sign in with HTTP Basic as user {USER} and the API_PASSWORD of this bot.",
        {"www-authenticate": 'Basic realm="Tweet Escalator", charset="UTF-8"'},
    )


def _local(request: Request) -> bool:
    # A proxy on this machine may call us by a loopback name on behalf of anyone.
    if any(name.startswith(_FORWARDED) for name in request.headers):
        return False
    return loopback(request.host) and loopback(request.source)


def loopback(host: str) -> bool:
    """Whether a Host header or an address is this machine's own."""
    bracketed = _SIX.fullmatch(host)
    name = bracketed[1] if bracketed else host
    if name.count(":") == 1:
        name = name.split(":")[0]
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _knows(authorization: str, password: str) -> bool:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        given = base64.b64decode(encoded, validate=True)
    except ValueError:
        return False
    return hmac.compare_digest(given, f"{USER}:{password}".encode())
