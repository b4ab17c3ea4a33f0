"""What a refusal or a silence of X means for trying again.

Statuses and problem types: X API, "Response codes and errors", "Rate limits". X documents no
texts of its refusals: those below are what its answers carried from 2023 to 2026.
"""

import ssl
from collections.abc import Iterator, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from requests import Response
from requests.exceptions import ConnectionError as NotConnected
from requests.exceptions import ConnectTimeout, HTTPError, ProxyError, RequestException
from urllib3.exceptions import NameResolutionError, NewConnectionError, SSLError

from bot.errors import Failure, Permanent, Retryable, Unknown

WINDOW: Final = 900.0
"""X counts calls in windows of 15 minutes, some also in days ("Rate limits")."""
DAY: Final = 86_400.0
NO_CREDIT: Final = 3600.0
KEYS_WRONG: Final = 300.0
MENDED_BY_PEOPLE: Final = 3600.0
LONGEST_REASON: Final = 300
"""Characters kept of what X says."""

MAY_ONLY_READ: Final = (
    "The app may only read: set its permissions to «Read and write» in X's developer console, then "
    "make new access tokens there and set them here."
)

UNREADABLE: Final = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""What is raised over an answer whose JSON has not the form that X documents."""

# All of these are looked for in the whole body, in lower case.
_UNPAID: Final = ("creditsdepleted", "spendcapreached", "usagecapexceeded", "usage-capped")
_NOBODY_CAN_HELP: Final = (
    "deleted or not visible",
    "reply to this conversation is not allowed",
    "mentioned or otherwise engaged",
    "only reply to or quote",
    "restricted who can reply",
    "blocked from",
    "blocked by",
)
_MENDABLE: Final[Mapping[str, tuple[str, ...]]] = {
    MAY_ONLY_READ: (
        "oauth1-permissions",
        "oauth1 app permissions",
        "cannot perform write actions",
    ),
    "X gives the app no access to this part of its API: check its project and plan in X's "
    "developer console.": (
        "client-forbidden",
        "client-not-enrolled",
        "attached to a project",
        "different access level",
        "not permitted to access this feature",
    ),
    "X does not take this kind of keys here: check which tokens are set.": (
        "unsupported-authentication",
        "unsupported authentication",
        "is forbidden for this endpoint",
    ),
    "X has locked, restricted or suspended the account or the app: log in to X with the account "
    "and do what it asks.": (
        "temporarily locked",
        "temporarily restricted",
        "is suspended",
        "might be automated",
        "rules and policies",
    ),
}


def failure_of(error: Exception, now: datetime, *, writing: bool) -> Failure:
    """What a call that failed at `now` means for trying again.

    A lost answer matters only when writing.
    """
    return _failure_of(error, now, writing=writing).of("x")


def _failure_of(error: Exception, now: datetime, *, writing: bool) -> Failure:
    if isinstance(error, HTTPError) and error.response is not None:
        return _refused(error.response, now, writing=writing)
    if isinstance(error, NotConnected) and _never_left(error):
        return Retryable("X cannot be reached.")
    kind = Unknown if writing else Retryable
    return kind(f"X's answer was lost or cannot be read ({type(error).__name__}).")


def body_of(response: Response) -> str:
    """What X answered, in lower case, for looking for words."""
    return response.content.decode(errors="replace").lower()


def reason_of(response: Response) -> str:
    """What X says for people in an answer, on one line; its status where it says nothing."""
    try:
        said = dict.fromkeys(_sentences(response.json()))
    except UNREADABLE:
        said = {}
    return " ".join(": ".join(said).split())[:LONGEST_REASON] or str(response.reason or "no reason")


def _sentences(body: Any) -> Iterator[str]:
    if not isinstance(body, Mapping):
        return
    for name in ("title", "reason", "detail", "message", "error"):
        if isinstance(body.get(name), str):
            yield body[name]
    errors = body.get("errors")
    for error in errors if isinstance(errors, list) else ():
        yield from [error] if isinstance(error, str) else _sentences(error)


def _refused(response: Response, now: datetime, *, writing: bool) -> Failure:
    status, body = response.status_code, body_of(response)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _broken(status, writing=writing)
    if body.lstrip().startswith("<"):
        return Retryable(
            f"A page answered in place of X's API ({status}): check X_API_URL and any proxy.",
            KEYS_WRONG,
        )
    hopeless = _holds(body, _NOBODY_CAN_HELP)
    later = None if hopeless else _lifted_later(response, body, now)
    return later or Permanent(f"X refuses ({status}): {reason_of(response)}", person=not hopeless)


def _lifted_later(response: Response, body: str, now: datetime) -> Retryable | None:
    """What is wrong with the app, its account or its pace rather than with the call itself."""
    status = response.status_code
    if status == HTTPStatus.PAYMENT_REQUIRED or _holds(body, _UNPAID):
        return Retryable(
            f"X has no credit left for this app ({status}): add credit or raise the spending limit "
            "in X's developer console.",
            NO_CREDIT,
            shared=True,
        )
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        waits = _wait(response, now)
        return Retryable("X's rate limit or spend cap is reached (429).", waits, shared=True)
    if status == HTTPStatus.UNAUTHORIZED:
        advice = "X refuses the keys (401): check X_CONSUMER_KEY, X_ACCESS_TOKEN and both secrets."
        return Retryable(advice, KEYS_WRONG, shared=True)
    if status < HTTPStatus.BAD_REQUEST:
        return Retryable(f"X leads elsewhere ({status}): check X_API_URL.", KEYS_WRONG)
    if status == HTTPStatus.FORBIDDEN:
        for advice, words in _MENDABLE.items():
            if _holds(body, words):
                # A locked account cannot be told from a text that X takes offence at.
                return Retryable(advice, MENDED_BY_PEOPLE, shared=advice == MAY_ONLY_READ)
    return None


def _broken(status: int, *, writing: bool) -> Failure:
    # X says 503 before it begins; behind any other a post may stand.
    if status == HTTPStatus.SERVICE_UNAVAILABLE or not writing:
        return Retryable(f"X is not answering now ({status}).")
    return Unknown(f"X failed while it took what was sent ({status}).")


def _wait(response: Response, now: datetime) -> float:
    """Seconds until the last of the limits that are used up is lifted.

    The daily limits' headers are not in the documentation; X has sent them since 2023.
    """
    told = response.headers
    daily = ("x-app-limit-24hour", "x-user-limit-24hour")
    used_up = [limit for limit in daily if told.get(f"{limit}-remaining") == "0"]
    resets = [told.get(f"{limit}-reset") for limit in ("x-rate-limit", *used_up)]
    waits = [float(reset) - now.timestamp() for reset in resets if reset and reset.isdecimal()]
    # What lies further ahead than a day is no time that X means.
    sensible = [max(wait, 1.0) for wait in waits if wait <= DAY + WINDOW]
    return max(sensible, default=WINDOW)


def _holds(body: str, words: tuple[str, ...]) -> bool:
    return any(word in body for word in words)


def _never_left(error: RequestException) -> bool:
    if isinstance(error, ConnectTimeout | ProxyError):
        return True
    inner = error.args[0] if error.args else None
    reason = getattr(inner, "reason", None)
    if isinstance(reason, SSLError):
        # Told before anything is sent; other failures of TLS may come later.
        return isinstance(reason.args[0], ssl.SSLCertVerificationError)
    return isinstance(reason, NewConnectionError | NameResolutionError)
