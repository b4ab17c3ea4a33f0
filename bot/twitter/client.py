"""The account on X, through tweepy: reading its mentions and answering them.

X API v2 reference: "User mention timeline by ID", "User Post timeline by ID", "Create Post".
"""

import hashlib
import json
import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import requests
import tweepy
from requests.exceptions import ConnectionError as NotConnected
from requests.exceptions import ConnectTimeout, RequestException
from urllib3.exceptions import NameResolutionError, NewConnectionError

from bot.cases import Case, Effect
from bot.errors import Failure, Permanent, Retryable, Unknown
from bot.ports import Clock
from bot.settings import XKeys
from bot.tweets import Tweet
from bot.wire import api_answer

# tweepy has this address written into it; the session below replaces it.
TWEEPY_BASE: Final = "https://api.twitter.com"
CONNECT_AND_READ: Final = (3.05, 8.0)
"""Seconds; the look-up's four calls stay below a function's 60 s."""
WINDOW: Final = 900.0
"""X counts calls in windows of 15 minutes ("Rate limits")."""
NO_CREDIT: Final = 3600.0
KEYS_WRONG: Final = 300.0
OWN_PAGES: Final = 3
_TWEET_FIELDS: Final = [
    "author_id",
    "conversation_id",
    "created_at",
    "display_text_range",
    "edit_history_tweet_ids",
    "entities",
    "in_reply_to_user_id",
    "lang",
    "note_tweet",
    "possibly_sensitive",
    "referenced_tweets",
]
_USER_FIELDS: Final = ["name", "username", "public_metrics"]
# What tweepy and we raise over an answer whose JSON has not the form X documents.
_UNREADABLE: Final = (ValueError, TypeError, KeyError, AttributeError)

for _name in ("tweepy", "requests_oauthlib", "oauthlib"):
    # At DEBUG these print tokens and secrets.
    logging.getLogger(_name).setLevel(logging.WARNING)


class Session(requests.Session):
    """What tweepy speaks through: it gives up in time, and knows where X is.

    The address is replaced before the request is signed, since OAuth 1.0a signs it too.
    """

    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = base

    def request(self, method: Any, url: Any, *args: Any, **kwargs: Any) -> requests.Response:
        """One request; tweepy trips over error bodies that are no JSON object, so they go."""
        kwargs.setdefault("timeout", CONNECT_AND_READ)
        response = super().request(
            method, str(url).replace(TWEEPY_BASE, self._base, 1), *args, **kwargs
        )
        if not response.ok and not _is_object(response.content):
            response._content = b"{}"  # noqa: SLF001
        return response


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False


def connect(keys: XKeys, base: str) -> tweepy.Client:
    """A client for one account that never sleeps and never tries again by itself."""
    client = tweepy.Client(
        consumer_key=keys.consumer_key,
        consumer_secret=keys.consumer_secret,
        access_token=keys.access_token,
        access_token_secret=keys.access_token_secret,
        return_type=dict,
        wait_on_rate_limit=False,
    )
    client.session = Session(base)
    return client


class XAccount:
    """`bot.ports.Mentions`, and `bot.ports.Outlet` for replies."""

    def __init__(self, client: tweepy.Client, user_id: str | None, clock: Clock) -> None:
        self._client = client
        self._user_id = user_id
        self._clock = clock
        told = f"{client.access_token} {user_id}"
        self.fingerprint = hashlib.sha256(told.encode()).hexdigest()[:16]

    def account_id(self) -> str:
        """See `bot.ports.Mentions`; asked once."""
        if self._user_id is None:
            answer = self._read("get_me")
            try:
                self._user_id = str(answer["data"]["id"])
            except (TypeError, KeyError):
                raise Retryable("X does not say which account the keys are of.") from None
        return self._user_id

    def pages(
        self, account_id: str, since_id: str | None, since: datetime | None
    ) -> Iterator[tuple[list[Tweet], list[str]]]:
        """See `bot.ports.Mentions`."""
        token: str | None = None
        while True:
            answer = self._read(
                "get_users_mentions",
                account_id,
                max_results=100,
                tweet_fields=_TWEET_FIELDS,
                user_fields=_USER_FIELDS,
                expansions=["author_id"],
                since_id=since_id,
                start_time=since,
                pagination_token=token,
            )
            yield api_answer(answer, "poll")
            token = _meta(answer).get("next_token")
            if not token:
                return

    def send(self, case: Case, effect: Effect) -> str:
        """See `bot.ports.Outlet`: answers the case's post."""
        try:
            answer: Any = self._client.create_tweet(
                text=effect.text, in_reply_to_tweet_id=case.tweet.id, user_auth=True
            )
            return str(answer["data"]["id"])
        except (tweepy.TweepyException, RequestException) as error:
            raise failure_of(error, self._clock(), writing=True) from None
        except _UNREADABLE as error:
            raise Unknown(f"X's answer to a reply could not be read: {error!r:.100}.") from None

    def find(self, case: Case, effect: Effect) -> str | None:  # noqa: ARG002
        """See `bot.ports.Outlet`: looks for the answer among the account's newest posts."""
        token: str | None = None
        for _ in range(OWN_PAGES):
            answer = self._read(
                "get_users_tweets",
                self.account_id(),
                max_results=100,
                tweet_fields=["referenced_tweets"],
                since_id=case.tweet.id,
                pagination_token=token,
            )
            tweets, _problems = api_answer(answer, "poll")
            for tweet in tweets:
                if tweet.in_reply_to == case.tweet.id:
                    return tweet.id
            token = _meta(answer).get("next_token")
            if not token:
                break
        return None

    def _read(self, method: str, *arguments: Any, **parameters: Any) -> dict[str, Any]:
        given = {name: value for name, value in parameters.items() if value is not None}
        try:
            answer = getattr(self._client, method)(*arguments, user_auth=True, **given)
        except (tweepy.TweepyException, RequestException, *_UNREADABLE) as error:
            raise failure_of(error, self._clock(), writing=False) from None
        if not isinstance(answer, dict):
            raise Retryable("X answered with something that is no JSON object.")
        return answer


def failure_of(error: Exception, now: datetime, *, writing: bool) -> Failure:  # noqa: PLR0911
    """What a call that failed at `now` means for trying again.

    A lost answer matters only when writing.
    """
    if isinstance(error, tweepy.TooManyRequests):
        reset = getattr(error, "reset_time", None)
        wait = max(reset - now.timestamp(), 1.0) if isinstance(reset, int) else WINDOW
        return Retryable("X's rate limit or spend cap is reached.", wait)
    if isinstance(error, tweepy.Unauthorized):
        return Retryable("X refuses the keys (401): check X_ACCESS_TOKEN and its kin.", KEYS_WRONG)
    if isinstance(error, tweepy.TwitterServerError):
        status = error.response.status_code
        if status == requests.codes.unavailable or not writing:
            return Retryable(f"X is not answering now ({status}).")
        return Unknown(f"X failed while it took our reply ({status}).")
    if isinstance(error, tweepy.HTTPException):
        if error.response.status_code == requests.codes.payment_required:
            return Retryable("X has no credit left for this app (402).", NO_CREDIT)
        return Permanent(f"X refuses: {' '.join(str(error).split())[:300]}")
    if isinstance(error, NotConnected) and _never_left(error):
        return Retryable("X cannot be reached.")
    if writing:
        return Unknown(f"X's answer to a reply was lost ({type(error).__name__}).")
    return Retryable(f"X's answer was lost ({type(error).__name__}).")


def _never_left(error: RequestException) -> bool:
    if isinstance(error, ConnectTimeout):
        return True
    inner = error.args[0] if error.args else None
    reason = getattr(inner, "reason", None)
    return isinstance(reason, NewConnectionError | NameResolutionError)


def _meta(answer: dict[str, Any]) -> dict[str, Any]:
    meta = answer.get("meta")
    return meta if isinstance(meta, dict) else {}
