"""Posts from X onto the tweets queue: what the webhook is sent, and what the poller finds."""

import json
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bot.errors import Failure, Refused
from bot.ports import CaseStore, Mentions, Queue
from bot.triage import Arrival, message
from bot.tweets import SNOWFLAKE_EPOCH_MS, Tweet, order
from bot.wire import Ignored, activity_event, activity_events

log = logging.getLogger(__name__)

FIRST_LOOK_BACK: Final = timedelta(hours=1)
OVERLAP: Final = timedelta(minutes=10)
"""Mentions are indexed late; this much is read again each time."""
CURSOR: Final = "x-mentions-cursor"
LEASE: Final = "x-poller"
ACCOUNT: Final = "x-account-id"
ACCOUNT_KEYS: Final = "x-account-keys"
"""Whose keys found that id: other keys are asked anew."""
OLDEST_SINCE_ID: Final = timedelta(days=6, hours=12)
"""X refuses a `since_id` that is older than a week."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the events of a webhook body."""

    queued: int
    ignored: int
    refused: int


def take_events(body: bytes, tweets: Queue, now: datetime) -> Taken:
    """Queues every post and deletion of a webhook body; returns once all of them are queued.

    A malformed event is logged and left out. Raises `Refused` where the body as a whole is not
    JSON, and what `Queue.send` raises.
    """
    try:
        events = activity_events(json.loads(body))
    except (ValueError, RecursionError) as error:
        raise Refused(f"The body is not a JSON object of events: {error!s:.100}") from None
    arrivals: list[Arrival] = []
    ignored = refused = 0
    for number, event in enumerate(events):
        try:
            what = activity_event(event)
        except Refused as refusal:
            refused += 1
            log.warning("Webhook event %d is left out: %s", number, refusal)
            continue
        if isinstance(what, Ignored):
            ignored += 1
            log.info("Webhook event %d asks nothing of us: %s", number, what.kind)
        else:
            arrivals.append(Arrival(what, now))
    if arrivals:
        tweets.send([message(arrival) for arrival in arrivals])
    return Taken(len(arrivals), ignored, refused)


def poll(
    mentions: Mentions,
    store: CaseStore,
    tweets: Queue,
    now: datetime,
    seconds_left: Callable[[], float],
    holder: str,
) -> int:
    """Queues the mentions that are new since the last time; returns how many.

    Only one poller works at a time: `holder`, an id of this run, has the lease for the seconds
    that are left to it. The cursor moves to the newest id seen only when all pages are queued; a
    run that its deadline cuts short leaves it, and the next one reads again. Raises the client's
    failures.
    """
    if not store.lease(LEASE, holder, now, now + timedelta(seconds=seconds_left())):
        log.info("Another poller is reading the mentions, so this one does nothing.")
        return 0
    try:
        return _polled(mentions, store, tweets, now, seconds_left)
    finally:
        with suppress(Failure):  # a lease not given back runs out
            store.lease(LEASE, holder, now, now)


def _polled(
    mentions: Mentions,
    store: CaseStore,
    tweets: Queue,
    now: datetime,
    seconds_left: Callable[[], float],
) -> int:
    account_id = _account(mentions, store)
    noted = store.note(CURSOR)
    cursor = _usable(noted, now)
    since_id = cursor and _minus(cursor, OVERLAP)
    # A cursor too old for X is no first look: all that X still gives is read.
    since = None if cursor else now - (OLDEST_SINCE_ID if noted else FIRST_LOOK_BACK)
    newest, queued = cursor or "0", 0
    for page, problems in mentions.pages(account_id, since_id, since):
        for problem in problems:
            log.warning("A mention is left out: %s", problem)
        queued += _queue_new(page, store, tweets, now)
        newest = max([newest, *(tweet.id for tweet in page)], key=order)
        if seconds_left() < 1:
            log.warning("The poll stops at its deadline and reads again next time.")
            return queued
    if newest != "0":
        store.set_note(CURSOR, newest)
    if queued:
        log.info("Queued %d new mentions.", queued)
    return queued


def _account(mentions: Mentions, store: CaseStore) -> str:
    noted: str | None = store.note(ACCOUNT)
    if noted is not None and store.note(ACCOUNT_KEYS) == mentions.fingerprint:
        return noted
    account_id = mentions.account_id()
    store.set_note(ACCOUNT, account_id)
    store.set_note(ACCOUNT_KEYS, mentions.fingerprint)
    return account_id


def _queue_new(page: Sequence[Tweet], store: CaseStore, tweets: Queue, now: datetime) -> int:
    known = store.get([tweet.root_id for tweet in page])
    # An edit has an id of its own and must be seen again although its case is known.
    fresh = [tweet for tweet in page if not _seen(tweet, known)]
    if fresh:
        tweets.send([message(Arrival(tweet, now)) for tweet in reversed(fresh)])
    return len(fresh)


def _seen(tweet: Tweet, known: dict[str, Any]) -> bool:
    case = known.get(tweet.root_id)
    return case is not None and order(case.tweet.id) >= order(tweet.id)


def _usable(cursor: Any, now: datetime) -> str | None:
    if not isinstance(cursor, str) or not cursor.isdecimal():
        return None
    return cursor if _moment(cursor) > now - OLDEST_SINCE_ID else None


def _moment(tweet_id: str) -> datetime:
    return datetime.fromtimestamp(((int(tweet_id) >> 22) + SNOWFLAKE_EPOCH_MS) / 1000, UTC)


def _minus(tweet_id: str, span: timedelta) -> str:
    # The upper bits of an id are the milliseconds since X's epoch.
    milliseconds = (int(tweet_id) >> 22) - int(span.total_seconds() * 1000)
    return str(max(milliseconds, 0) << 22)
