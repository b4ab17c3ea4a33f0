"""The account on X, through tweepy: reading its mentions and answering them.

X API v2 reference: "User mention timeline by ID", "User Post timeline by ID", "Create Post",
"Post lookup by Post IDs", "User lookup me".
"""

import hashlib
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, Final

import requests
import tweepy
from requests.adapters import HTTPAdapter
from requests.exceptions import HTTPError, RequestException

from bot.cases import Case, Effect
from bot.errors import Retryable, Unknown
from bot.frozen import frozen
from bot.ports import Clock
from bot.settings import XKeys
from bot.tweets import Tweet
from bot.twitter.failures import UNREADABLE, failure_of
from bot.wire import api_answer

# tweepy has this address written into it; the session below replaces it.
TWEEPY_BASE: Final = "https://api.twitter.com"
CONNECT_AND_READ: Final = (3.05, 8.0)
"""Seconds; the look-up's four calls stay below a function's 60 s."""
SUCCESS: Final = range(200, 300)
OWN_PAGES: Final = 3
PAGE_SIZES: Final = (5, 100)
"""The smallest and the largest page of a timeline that X gives."""
LOOKED_UP_AT_ONCE: Final = 100
_GONE: Final = ("resource-not-found", "not-authorized-for-resource")
_POST_ID: Final = re.compile(r"[0-9]{1,19}")
_TWEET_FIELDS: Final = [
    "attachments",
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
# X names no price for media ("Pricing", August 2026); until June a medium read was $0.005.
_MEDIA_FIELDS: Final = ["type"]

for _name in ("tweepy", "requests_oauthlib", "oauthlib"):
    # At DEBUG these print tokens and secrets.
    logging.getLogger(_name).setLevel(logging.WARNING)


@frozen
class Access:
    """Whose the keys are, and what they allow: `read`, `read-write` or more; None where unsaid."""

    id: str
    handle: str
    level: str | None


class OneCall(HTTPAdapter):
    """A connection of its own for each call.

    One kept over a function's pause may be dead unawares, and a post sent over it counts as lost.
    """

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        """See `HTTPAdapter.send`; the connection ends once the answer is read."""
        with closing(HTTPAdapter()) as fresh:
            return fresh.send(*args, **kwargs)


class Session(requests.Session):
    """What tweepy speaks through: it gives up in time, and knows where X is.

    The address is replaced before the request is signed, since OAuth 1.0a signs it too.
    """

    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = base
        self.headers["Connection"] = "close"
        for scheme in ("https://", "http://"):
            self.mount(scheme, OneCall())

    def request(self, method: Any, url: Any, *args: Any, **kwargs: Any) -> requests.Response:
        """One request. Raises `HTTPError` for any refusal: tweepy would trip over odd ones."""
        kwargs.setdefault("timeout", CONNECT_AND_READ)
        # A redirect would repeat a post as a GET, or show the keys to somebody else.
        kwargs["allow_redirects"] = False
        response = super().request(
            method, str(url).replace(TWEEPY_BASE, self._base, 1), *args, **kwargs
        )
        if response.status_code not in SUCCESS:
            raise HTTPError(response=response)
        return response


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
    """`bot.ports.Mentions`, and `bot.ports.Outlet` for replies.

    `charge` is told how many own posts a look-up read.
    """

    def __init__(
        self,
        client: tweepy.Client,
        user_id: str | None,
        clock: Clock,
        charge: Callable[[int], None] = lambda _posts: None,
    ) -> None:
        self._client = client
        self._user_id = user_id
        self._clock = clock
        self._charge = charge
        told = f"{client.access_token} {user_id}"
        self.fingerprint = hashlib.sha256(told.encode()).hexdigest()[:16]

    def account_id(self) -> str:
        """See `bot.ports.Mentions`; asked once."""
        if self._user_id is None:
            self._user_id = self.access().id
        return self._user_id

    def access(self) -> Access:
        """Whose the keys are and what they allow, asked anew. Raises the client's failures."""
        response = self._reading(
            partial(self._client.request, "GET", "/2/users/me", user_auth=True)
        )
        me = _data(self._reading(response.json))
        if not isinstance(me, Mapping) or not isinstance(me.get("id"), str):
            raise Retryable("X does not say which account the keys are of.").of("x")
        level = response.headers.get("x-access-level")
        return Access(me["id"], str(me.get("username") or ""), level)

    def pages(
        self,
        account_id: str,
        since_id: str | None,
        since: datetime | None,
        until_id: str | None = None,
        page_size: int = PAGE_SIZES[1],
    ) -> Iterator[tuple[list[Tweet], list[str]]]:
        """See `bot.ports.Mentions`; a size that X does not give becomes the nearest it does."""
        answers = self._timeline(
            "get_users_mentions",
            account_id,
            max_results=min(max(page_size, PAGE_SIZES[0]), PAGE_SIZES[1]),
            tweet_fields=_TWEET_FIELDS,
            user_fields=_USER_FIELDS,
            media_fields=_MEDIA_FIELDS,
            expansions=["author_id", "attachments.media_keys"],
            since_id=since_id,
            until_id=until_id,
            start_time=since,
        )
        for answer in answers:
            yield api_answer(answer, "poll")

    def gone(self, ids: Sequence[str]) -> set[str]:
        """Which of at most 100 posts X says are deleted or not visible to the account any more.

        Of the others X shows them or does not say. Raises the client's failures.
        """
        asked = {one for one in ids if _POST_ID.fullmatch(one)}  # another id would spoil the call
        if not asked:
            return set()
        answer = self._read("get_tweets", sorted(asked))
        there = {post.get("id") for post in _objects(answer.get("data"))}
        missing = {
            str(error.get("resource_id") or error.get("value"))
            for error in _objects(answer.get("errors"))
            if str(error.get("type")).endswith(_GONE)
        }
        return (asked & missing) - there

    def send(self, case: Case, effect: Effect) -> str:
        """See `bot.ports.Outlet`: answers the case's post."""
        try:
            answer = self._client.create_tweet(
                text=effect.text, in_reply_to_tweet_id=case.tweet.id, user_auth=True
            )
        except (tweepy.TweepyException, RequestException, *UNREADABLE) as error:
            raise failure_of(error, self._clock(), writing=True) from None
        post = _data(answer)
        if not isinstance(post, Mapping) or not _POST_ID.fullmatch(str(post.get("id"))):
            raise Unknown("X took a reply without saying which post it became.").of("x")
        return str(post["id"])

    def find(self, case: Case, effect: Effect) -> str | None:  # noqa: ARG002
        """See `bot.ports.Outlet`: looks for the answer among the account's newest posts."""
        answers = self._timeline(
            "get_users_tweets",
            self.account_id(),
            max_results=PAGE_SIZES[1],
            tweet_fields=["referenced_tweets"],
            since_id=case.id,
        )
        for answer in islice(answers, OWN_PAGES):
            tweets, problems = api_answer(answer, "poll")
            self._charge(len(tweets) + len(problems))
            for tweet in tweets:
                # Sent before or after its author edited the post.
                if tweet.in_reply_to in {case.id, case.tweet.id}:
                    return tweet.id
        return None

    def _timeline(
        self, method: str, account_id: str, **parameters: Any
    ) -> Iterator[dict[str, Any]]:
        token: str | None = None
        while True:
            answer = self._read(method, account_id, pagination_token=token, **parameters)
            if "data" not in answer and "meta" not in answer:
                # An empty page has `meta`; this one says nothing of what is there.
                said = "X shows no posts, and does not say that there are none."
                raise Retryable(said).of("x")
            yield answer
            meta = answer.get("meta")
            token = meta.get("next_token") if isinstance(meta, Mapping) else None
            if not token:
                return

    def _read(self, method: str, *arguments: Any, **parameters: Any) -> dict[str, Any]:
        given = {name: value for name, value in parameters.items() if value is not None}
        call = getattr(self._client, method)
        answer = self._reading(partial(call, *arguments, user_auth=True, **given))
        if not isinstance(answer, dict):
            raise Retryable("X answered with something that is no JSON object.").of("x")
        return answer

    def _reading(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except (tweepy.TweepyException, RequestException, *UNREADABLE) as error:
            raise failure_of(error, self._clock(), writing=False) from None


def _data(answer: Any) -> Any:
    return answer.get("data") if isinstance(answer, Mapping) else None


def _objects(value: Any) -> list[Mapping[str, Any]]:
    listed = value if isinstance(value, list) else []
    return [one for one in listed if isinstance(one, Mapping)]
