"""A batch of tweets becomes verdicts, routes, cases and messages to the workers."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bot import batches, cases, delivery, tweets
from bot.cases import Case, Channels
from bot.delivery import Worker
from bot.errors import Conflict, Failure, Permanent, Refused
from bot.policy import Decision, Rules, decide
from bot.ports import CaseStore, MayReply, Outgoing, Queue, ReplyText
from bot.tweets import Tweet
from bot.verdicts import Classifier, Verdict, judge
from bot.wire import Deleted

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A post, or the deletion of one, as it travels on the tweets queue."""

    what: Tweet | Deleted
    received_at: datetime

    @property
    def case_id(self) -> str:
        """The case it concerns."""
        return self.what.root_id if isinstance(self.what, Tweet) else self.what.id


@dataclass(frozen=True, slots=True)
class Desk:
    """What triage decides by."""

    classifier: Classifier
    threshold: float | None
    unsure_margin: float
    hold: timedelta
    rules: Rules
    channels: Channels
    may_reply: MayReply
    reply_text: ReplyText


def message(arrival: Arrival) -> Outgoing:
    """The arrival as a message for the tweets queue."""
    record: dict[str, Any] = {"received_at": arrival.received_at.isoformat()}
    if isinstance(arrival.what, Tweet):
        record["tweet"] = tweets.to_json(arrival.what)
    else:
        record["deleted"] = arrival.what.id
    return Outgoing(json.dumps(record, ensure_ascii=False))


def arrival_of(body: str) -> Arrival:
    """The arrival of a message. Raises `Refused` where it is not one."""
    try:
        record = json.loads(body)
        received_at = datetime.fromisoformat(record["received_at"])
        if "deleted" in record:
            return Arrival(Deleted(str(record["deleted"])), received_at)
        return Arrival(tweets.from_json(record["tweet"]), received_at)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise Refused(f"This message is not a tweet on its way: {error!r:.100}.") from None


def triage_batch(
    event: Mapping[str, Any],
    desk: Desk,
    store: CaseStore,
    tweets_queue: Queue,
    workers: Mapping[Worker, Queue],
    now: datetime,
) -> batches.Answer:
    """Decides the tweets of a batch from the tweets queue; what cannot be decided comes again."""
    arrivals: list[Arrival] = []
    read: list[batches.Record] = []
    failed: list[batches.Record] = []
    for record in event["Records"]:
        try:
            arrivals.append(arrival_of(record["body"]))
            read.append(record)
        except Refused as refusal:
            failed.append(record)
            batches.report(record, refusal)
    try:
        held = triage(arrivals, desk, store, workers, now)
    except (Failure, Conflict) as failure:
        held = dict.fromkeys(range(len(arrivals)), failure)
    for place, reason in held.items():
        failed.append(read[place])
        batches.report(read[place], reason)
    return batches.again(failed, tweets_queue)


def triage(
    arrivals: Sequence[Arrival],
    desk: Desk,
    store: CaseStore,
    workers: Mapping[Worker, Queue],
    now: datetime,
) -> dict[int, Exception]:
    """Decides each arrival once; returns those that must come again, by their place in the batch.

    A tweet whose case exists keeps its decision: only what it may have left undone is done
    again. All new ones are judged by one call to the classifier.
    """
    known = store.get([arrival.case_id for arrival in arrivals])
    fresh: dict[int, Tweet] = {}
    touched: dict[str, Case] = {}
    for place, arrival in enumerate(arrivals):
        if isinstance(arrival.what, Deleted):
            touched[arrival.case_id] = _erase(arrival.what, store, now)
        elif _needs_judging(arrival.what, known.get(arrival.case_id)):
            fresh[place] = arrival.what
        else:
            touched[arrival.case_id] = known[arrival.case_id]
    held, verdicts = _verdicts(arrivals, fresh, desk, now)
    opened: dict[str, Case] = {}
    for place, verdict in verdicts.items():
        tweet = fresh[place]
        decision = _decision(tweet, verdict, desk)
        before = known.get(tweet.root_id)
        if before:
            change = partial(
                cases.edited,
                tweet=tweet,
                verdict=verdict,
                decision=decision,
                channels=desk.channels,
                now=now,
            )
            touched[tweet.root_id] = store.change(tweet.root_id, change) or before
        elif tweet.root_id not in opened:
            opened[tweet.root_id] = cases.opened(
                tweet,
                verdict,
                decision,
                desk.channels,
                reply_text=desk.reply_text(tweet),
                received_at=arrivals[place].received_at,
                now=now,
            )
    new = store.add(list(opened.values()))
    known_by_now = store.get([case_id for case_id in opened if case_id not in new])
    delivery.enqueue([*touched.values(), *(known_by_now | opened).values()], workers)
    _report(opened, new, len(arrivals), held)
    return held


def _needs_judging(tweet: Tweet, case: Case | None) -> bool:
    if case is None:
        return True
    # Ids grow with time, so a longer or greater id is the later edit.
    later = (len(tweet.id), tweet.id) > (len(case.tweet.id), case.tweet.id)
    return later and tweet.id != tweet.root_id and not case.erased


def _erase(deleted: Deleted, store: CaseStore, now: datetime) -> Case:
    case = store.change(deleted.id, partial(cases.erased, now=now))
    if case:
        return case
    store.add([cases.tombstone(deleted.id, now)])
    return store.change(deleted.id, partial(cases.erased, now=now)) or cases.tombstone(
        deleted.id, now
    )


def _verdicts(
    arrivals: Sequence[Arrival], fresh: Mapping[int, Tweet], desk: Desk, now: datetime
) -> tuple[dict[int, Exception], dict[int, Verdict | None]]:
    places = list(fresh)
    try:
        judged = judge([fresh[p].text for p in places], desk.classifier, desk.threshold)
        return {}, dict(zip(places, judged, strict=True))
    except Failure as failure:
        if isinstance(failure, Permanent) and len(places) > 1:
            return _one_by_one(arrivals, fresh, desk, now)
        late = {p for p in places if arrivals[p].received_at + desk.hold <= now}
        log.warning(
            "The classifier did not answer for %d tweets, %d of them held long enough: %s",
            len(places),
            len(late),
            failure,
        )
        return {p: failure for p in places if p not in late}, dict.fromkeys(late)


def _one_by_one(
    arrivals: Sequence[Arrival], fresh: Mapping[int, Tweet], desk: Desk, now: datetime
) -> tuple[dict[int, Exception], dict[int, Verdict | None]]:
    """One text the model refuses must not hold up the others of its batch."""
    held: dict[int, Exception] = {}
    verdicts: dict[int, Verdict | None] = {}
    for place, tweet in fresh.items():
        failures, judged = _verdicts(arrivals, {place: tweet}, desk, now)
        held |= failures
        verdicts |= judged
    return held, verdicts


def _decision(tweet: Tweet, verdict: Verdict | None, desk: Desk) -> Decision:
    refusal = "Automatic replies are off." if desk.channels.replies == "off" else None
    return decide(
        tweet,
        verdict,
        desk.rules,
        unsure_margin=desk.unsure_margin,
        refusal=refusal or (desk.may_reply(tweet) if tweet.answer else None),
    )


def _report(
    opened: Mapping[str, Case], new: set[str], received: int, held: Mapping[int, Exception]
) -> None:
    routes = [case.route for case_id, case in opened.items() if case_id in new]
    log.info(
        "Decided %d of %d tweets: %d escalate, %d reply, %d skip; %d held, the rest known before.",
        len(routes),
        received,
        routes.count("escalate"),
        routes.count("reply"),
        routes.count("skip"),
        len(held),
    )
