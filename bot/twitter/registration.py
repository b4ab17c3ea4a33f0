"""The app's webhooks on X, and the events it is subscribed to.

X API, "V2 Webhooks API" and "X Activity API" (Introduction, Quickstart), and the OpenAPI document
of version 2.167. X's own pages do not agree on the form of the answers, so each form is read.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from datetime import UTC, timedelta
from http import HTTPStatus
from typing import Any, Final, TypeVar

import tweepy
from requests import Response
from requests.exceptions import HTTPError, RequestException

from bot.errors import Permanent, Retryable, Unknown
from bot.frozen import frozen
from bot.ports import Clock
from bot.settings import XKeys
from bot.twitter.client import Session
from bot.twitter.failures import KEYS_WRONG, UNREADABLE, body_of, failure_of, reason_of

PRIVATE_KINDS: Final = ("post.mention.create", "post.reply.create", "post.quote.create")
"""X makes these subscriptions only for the account itself ("Event privacy and authentication")."""
KINDS: Final = (*PRIVATE_KINDS, "post.delete")
"""The events that `bot.wire` reads."""
TAG: Final = "tweet-escalator"
LONGEST_URL: Final = 200
PAGE: Final = 100
MOST_PAGES: Final = 100
REPLAYED_AT_MOST: Final = timedelta(hours=24)
# Account Activity API, "Replay", whose successor is said to work alike: not less than 31 minutes
# ago at the beginning, 10 at the end; both in whole minutes, so a little is left to spare.
_REPLAY_BEGINS: Final = timedelta(minutes=33)
_REPLAY_ENDS: Final = timedelta(minutes=12)
_SPARE: Final = timedelta(minutes=3)
_LIST: Final = "`python -m bot x webhook list`"
_LOOK: Final = (
    f"It may have happened all the same: see {_LIST} and `python -m bot x subscriptions`."
)
_ONLY_ITSELF: Final = (
    "X makes this subscription only for an account that has let the app in: set the keys of that "
    "very account (X_CONSUMER_KEY, X_CONSUMER_SECRET, X_ACCESS_TOKEN, X_ACCESS_TOKEN_SECRET)."
)
_Read = TypeVar("_Read")
_ADVICE: Final[Mapping[str, str]] = {
    "CrcValidationFailed": (
        "X did not get the right answer from the webhook's address: the bot must run there, be "
        "reachable from the internet and have this app's X_CONSUMER_SECRET."
    ),
    "UrlValidationFailed": (
        "X does not take this address: it must begin with https://, name a public host and no "
        f"port, and have at most {LONGEST_URL} characters."
    ),
    "DuplicateUrlFailed": f"The app has a webhook at this address already: see {_LIST}.",
    "WebhookLimitExceeded": (
        "The app has as many webhooks as its plan allows: remove one with "
        f"`python -m bot x webhook remove ID`; {_LIST} shows them."
    ),
    "WebhookIdInvalid": f"The app has no webhook of this id: see {_LIST}.",
    "ReplayConflictError": "Events are being replayed to this webhook already: wait for the end.",
}


@frozen
class Registered:
    """A webhook as X knows it; X delivers only to a valid one."""

    id: str
    url: str
    valid: bool
    created_at: str | None = None


@frozen
class Subscription:
    """One kind of events of one account, delivered to a webhook (None: to a stream only)."""

    id: str
    kind: str
    user_id: str | None = None
    webhook_id: str | None = None


@frozen
class Replay:
    """Events that X delivers again; `since` and `until` in UTC as `yyyymmddhhmm`."""

    job_id: str
    webhook_id: str
    since: str
    until: str


def connect(bearer_token: str, keys: XKeys | None, base: str) -> tweepy.Client:
    """A client for the app; `keys` are those of the account, for what only it may ask."""
    own = asdict(keys) if keys else {}
    client = tweepy.Client(bearer_token, wait_on_rate_limit=False, **own)
    client.session = Session(base)
    return client


class XApp:
    """What the app has registered on X.

    Every method raises `Permanent` where X refuses for good, `Retryable` where it may work later,
    `Unknown` where a change may have happened.
    """

    def __init__(self, client: tweepy.Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    def webhooks(self) -> list[Registered]:
        """All webhooks of the app."""
        return [hook for hook in map(_registered, self._listed("/2/webhooks", {})) if hook]

    def add_webhook(self, url: str) -> Registered:
        """Registers an address; X checks at once that the bot answers there."""
        answer = self._ask("POST", "/2/webhooks", {"url": url})
        return _first(map(_registered, _rows(answer)), "the webhook")

    def check_webhook(self, webhook_id: str) -> Registered:
        """Has X check the address anew, which makes an invalid webhook valid again."""
        self._ask("PUT", f"/2/webhooks/{webhook_id}")
        for hook in self.webhooks():
            if hook.id == webhook_id:
                return hook
        raise Permanent(_ADVICE["WebhookIdInvalid"])

    def remove_webhook(self, webhook_id: str) -> None:
        """Ends a webhook."""
        self._ask("DELETE", f"/2/webhooks/{webhook_id}")

    def replay(self, webhook_id: str, span: timedelta) -> Replay:
        """Has X deliver again what it told, or should have told, during the last `span`.

        X reaches back a day at most, and not into the last ten minutes.
        """
        now = self._clock()
        begins = now - max(min(span, REPLAYED_AT_MOST - _SPARE), _REPLAY_BEGINS)
        since, until = (f"{at.astimezone(UTC):%Y%m%d%H%M}" for at in (begins, now - _REPLAY_ENDS))
        asked = {"webhook_id": webhook_id, "from_date": since, "to_date": until}
        for job in _rows(self._ask("POST", "/2/webhooks/replay", asked)):
            if job.get("job_id"):
                return Replay(str(job["job_id"]), webhook_id, since, until)
        raise Unknown(f"X took the replay without saying its id. {_LOOK}")

    def subscriptions(self) -> list[Subscription]:
        """All subscriptions of the app."""
        rows = self._listed("/2/activity/subscriptions", {"max_results": PAGE})
        return [subscription for subscription in map(_subscription, rows) if subscription]

    def subscribe(self, kind: str, user_id: str, webhook_id: str) -> Subscription:
        """Has events of that kind about an account delivered to a webhook."""
        asked = {
            "event_type": kind,
            "filter": {"user_id": user_id},
            "tag": TAG,
            "webhook_id": webhook_id,
        }
        private = kind in PRIVATE_KINDS
        own = private and self._client.access_token is not None
        answer = self._ask(
            "POST",
            "/2/activity/subscriptions",
            asked,
            user_auth=own,
            forbidden=_ONLY_ITSELF if private else "",
        )
        return _first(map(_subscription, _rows(answer)), "the subscription")

    def redirect(self, subscription: Subscription, webhook_id: str) -> Subscription:
        """Has a subscription's events delivered to another webhook."""
        route = f"/2/activity/subscriptions/{subscription.id}"
        self._ask("PUT", route, {"webhook_id": webhook_id})
        return replace(subscription, webhook_id=webhook_id)

    def unsubscribe(self, subscription_id: str) -> None:
        """Ends a subscription."""
        self._ask("DELETE", f"/2/activity/subscriptions/{subscription_id}")

    def _listed(self, route: str, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        asked = dict(parameters)
        for _ in range(MOST_PAGES):
            answer = self._ask("GET", route, parameters=asked)
            yield from _rows(answer)
            meta = answer.get("meta") if isinstance(answer, Mapping) else None
            token = meta.get("next_token") if isinstance(meta, Mapping) else None
            if not token:
                return
            asked["pagination_token"] = token

    def _ask(
        self,
        method: str,
        route: str,
        body: Mapping[str, Any] | None = None,
        *,
        parameters: Mapping[str, Any] | None = None,
        user_auth: bool = False,
        forbidden: str = "",
    ) -> Any:
        try:
            response: Response = self._client.request(
                method, route, params=parameters, json=body, user_auth=user_auth
            )
            answer = response.json() if response.content else {}
        except (tweepy.TweepyException, RequestException, *UNREADABLE) as error:
            refused = error.response if isinstance(error, HTTPError) else None
            if refused is not None:
                _raise_known(
                    refused, "X_ACCESS_TOKEN" if user_auth else "X_BEARER_TOKEN", forbidden
                )
            failure = failure_of(error, self._clock(), writing=method != "GET")
            raise (
                Unknown(f"{failure} {_LOOK}") if isinstance(failure, Unknown) else failure
            ) from None
        if isinstance(answer, Mapping) and answer.get("errors") and "data" not in answer:
            _raise_known(response, "", "")
            raise Permanent(f"X refuses: {reason_of(response)}")
        return answer


def _raise_known(refused: Response, keys: str, forbidden: str) -> None:
    """Raises what is known of a refusal that only registrations meet."""
    body = body_of(refused)
    for reason, advice in _ADVICE.items():
        if reason.lower() in body:
            raise Permanent(advice)
    if refused.status_code == HTTPStatus.UNAUTHORIZED:
        raise Retryable(
            f"X refuses {keys} (401): copy it anew from X's developer console.", KEYS_WRONG
        )
    if refused.status_code == HTTPStatus.FORBIDDEN and forbidden:
        raise Permanent(f"X refuses (403): {reason_of(refused)} {forbidden}")


def _rows(answer: Any) -> list[Mapping[str, Any]]:
    """The objects of an answer, be they in `data` or bare, one or several."""
    data = answer.get("data", answer) if isinstance(answer, Mapping) else answer
    listed = data if isinstance(data, list) else [data]
    found = [one for one in listed if isinstance(one, Mapping)]
    inner = [one.get("subscription") for one in found]
    return [
        within if isinstance(within, Mapping) else one
        for one, within in zip(found, inner, strict=True)
    ]


def _first(read: Iterable[_Read | None], what: str) -> _Read:
    for one in read:
        if one is not None:
            return one
    raise Unknown(f"X took {what} without saying its id. {_LOOK}")


def _registered(row: Mapping[str, Any]) -> Registered | None:
    if not row.get("id"):
        return None
    created = row.get("created_at")
    return Registered(
        str(row["id"]),
        str(row.get("url") or ""),
        row.get("valid") is True,
        str(created) if created else None,
    )


def _subscription(row: Mapping[str, Any]) -> Subscription | None:
    if not row.get("subscription_id"):
        return None
    about = row.get("filter")
    user_id = about.get("user_id") if isinstance(about, Mapping) else None
    webhook_id = row.get("webhook_id")
    return Subscription(
        str(row["subscription_id"]),
        str(row.get("event_type") or ""),
        str(user_id) if user_id else None,
        str(webhook_id) if webhook_id else None,
    )
