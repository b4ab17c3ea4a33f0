"""Webhook bodies onto the tweets queue: whole, or X is not told that all is well."""

import json
import logging
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from bot import telemetry
from bot.errors import Refused
from bot.ports import Heed, Outgoing, Queue
from bot.triage import Arrival, message, unread
from bot.tweets import Tweet
from bot.twitter.optouts import heed_or_leave
from bot.wire import Ignored, Revoked, Unreadable, activity_event, activity_events

log = logging.getLogger(__name__)

LARGEST_MESSAGE: Final = 1_000_000
"""Bytes of an event that is queued unread: SQS takes 1 MiB (SQS quotas, "Message size")."""
DEEPEST: Final = 100
"""Levels; X's own events have about ten."""
_MOST_DIGITS: Final = 4_000
"""Python reads no longer whole numbers."""
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{\]}]', re.DOTALL)


@dataclass(slots=True)
class Taken:
    """What became of the events of a webhook body.

    `queued` are posts, deletions and revocations; `unreadable` ones are queued too, as they came,
    for a release that can read them. `ignored` counts, by kind, those that ask nothing of us, and
    `refused` those of which not even the kind can be read, or that are too large to queue.
    """

    queued: int = 0
    ignored: Counter[str] = field(default_factory=Counter)
    unreadable: int = 0
    refused: int = 0


def take_events(
    body: bytes, tweets: Queue, heed: Heed, now: datetime, trace: str | None = None
) -> Taken:
    """Queues the events of a webhook body, and returns once all of them are queued.

    Then it heeds those authors who ask to be left alone; where that fails, triage does it. Raises
    `Refused` where the body as a whole is not JSON, and `Retryable` where all comes again.
    """
    taken, outgoing, posts = Taken(), list[Outgoing](), list[Tweet]()
    for number, event in enumerate(_events(body)):
        try:
            what = activity_event(event)
        except Unreadable as problem:
            outgoing += _unread(event, number, problem, taken, now, trace)
        except Refused as refusal:
            taken.refused += 1
            extra = {"trace": trace, **telemetry.failed("message")}
            log.warning("Webhook event %d is left out: %s", number, refusal, extra=extra)
        else:
            if isinstance(what, Ignored):
                taken.ignored[what.kind] += 1
                continue
            taken.queued += 1
            outgoing.append(message(Arrival(what, now, trace)))
            if isinstance(what, Tweet):
                posts.append(what)
            elif isinstance(what, Revoked):
                log.error(_REVOKED, what.user_id or "in use")
    if outgoing:
        _queue(outgoing, tweets, taken)
    _report(posts, trace)
    if taken.ignored:
        log.info("Webhook events that ask nothing of us: %s.", dict(taken.ignored))
    heed_or_leave(heed, posts, now)
    return taken


def _queue(outgoing: Sequence[Outgoing], tweets: Queue, taken: Taken) -> None:
    try:
        tweets.send(outgoing)
    except Refused as refusal:
        # X would only send the whole body again and again.
        taken.refused += 1
        log.error(  # noqa: TRY400
            "Of a webhook body not all is queued: %s", refusal, extra=telemetry.failed("message")
        )


def _report(posts: Sequence[Tweet], trace: str | None) -> None:
    if posts:
        extra = {"trace": trace, "tweets": [post.id for post in posts]}
        metric = telemetry.counted("Received", len(posts))
        log.info("X told of %d posts, which are queued.", len(posts), extra={**extra, **metric})


_REVOKED: Final = (
    "The account %s took back this app's access, so nothing can be read or answered for it: make "
    "new access tokens in X's developer console, and set X_ACCESS_TOKEN and X_ACCESS_TOKEN_SECRET."
)


def _unread(
    event: Mapping[str, Any],
    number: int,
    problem: Unreadable,
    taken: Taken,
    now: datetime,
    trace: str | None,
) -> list[Outgoing]:
    try:
        whole = unread(event, now, trace)
        size = f"{len(whole.body):,} bytes"
        small = len(whole.body) <= LARGEST_MESSAGE
    except RecursionError:
        size, small = "too many levels", False
    if small:
        taken.unreadable += 1
        extra = {"trace": trace}
        log.warning("Webhook event %d is queued as it came: %s", number, problem, extra=extra)
        return [whole]
    taken.refused += 1
    log.error(
        "Webhook event %d cannot be read and, with %s, not be queued: %s",
        number,
        size,
        problem,
        extra={"trace": trace, **telemetry.failed("message")},
    )
    return []


def _events(body: bytes) -> list[Mapping[str, Any]]:
    # What is no UTF-8 spoils the words it stands in, and not the events beside it.
    text = body.decode("utf-8-sig", "replace")
    try:
        return activity_events(_parsed(text))
    except (ValueError, RecursionError) as error:
        log.warning(
            "A webhook body of %d bytes is no JSON object of events.",
            len(body),
            extra=telemetry.failed("message"),
        )
        raise Refused(f"The body is not a JSON object of events: {error!s:.100}") from None


def _parsed(text: str) -> Any:
    """The JSON value; one giant in it costs nothing but itself."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError):  # digits without end, brackets without end
        return json.loads(_pruned(text), parse_int=_whole)


def _whole(digits: str) -> float:
    return int(digits) if len(digits) <= _MOST_DIGITS else float("inf")


def _pruned(text: str) -> str:
    """The JSON text with null for whatever lies deeper than any event of X's."""
    kept: list[str] = []
    depth = begun = 0
    for token in _TOKEN.finditer(text):
        if token[0] in {"{", "["}:
            if depth == DEEPEST:
                kept.append(text[begun : token.start()])
            depth += 1
        elif token[0] in {"}", "]"}:
            depth -= 1
            if depth == DEEPEST:
                kept.append("null")
                begun = token.end()
    return "".join([*kept, text[begun:]])
