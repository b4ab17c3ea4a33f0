"""A batch of tweets becomes verdicts, routes, cases and messages to the workers."""

import json
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from bot import batches, cases, conversations, delivery, envelopes, mutes, telemetry, tweets
from bot.cases import Case, Channels
from bot.delivery import Worker
from bot.errors import Conflict, Failure, Permanent, Refused
from bot.explanation import explained
from bot.frozen import frozen
from bot.incidents import Incidents
from bot.policy import Decision, Rules, decide
from bot.ports import AsksQuiet, CaseStore, Heed, MayReply, Outgoing, Queue, ReadCost, ReplyText
from bot.probes import is_probe
from bot.tweets import Tweet, order
from bot.verdicts import Classifier, Verdict, judge
from bot.wire import Deleted, Ignored, Revoked, Told, activity_event

log = logging.getLogger(__name__)

FEW_WORDS: Final = 5
_EDIT: Final = "edit-"
"""A note by this name and the id of an edit holds the root id."""
REVOKED: Final = "x-revoked"
"""A note of when the account took back its access, and which account that was."""
DELETIONS_TOLD: Final = "x-deletions-told"
"""A note of the hour in which X's webhook last told that a post we have was deleted."""


@frozen
class Arrival:
    """What X told of, as it travels on the tweets queue; `trace`: see `bot.cases.Case`."""

    what: Told
    received_at: datetime
    trace: str | None = None

    @property
    def case_id(self) -> str:
        """The case it concerns; empty where it concerns the account."""
        if isinstance(self.what, Revoked):
            return ""
        return self.what.root_id if isinstance(self.what, Tweet) else self.what.id


@frozen
class Desk:
    """What triage decides by."""

    classifier: Classifier
    threshold: Callable[[], float | None]
    unsure_margin: float
    hold: timedelta
    rules: Rules
    channels: Channels
    incidents: Incidents
    may_reply: MayReply
    reply_text: ReplyText
    heed: Heed
    asks_quiet: AsksQuiet
    read_cost: ReadCost


def message(arrival: Arrival) -> Outgoing:
    """The arrival as a message for the tweets queue."""
    record = _record(arrival.received_at, arrival.trace)
    what = arrival.what
    if isinstance(what, Tweet):
        record["tweet"] = tweets.to_json(what)
    elif isinstance(what, Deleted):
        record |= {"deleted": what.id, "source": what.source}
    else:
        record["revoked"] = what.user_id
    return Outgoing(json.dumps(envelopes.stamped(record), ensure_ascii=False))


def unread(event: Mapping[str, Any], received_at: datetime, trace: str | None = None) -> Outgoing:
    """An event that could not be read, whole, for the tweets queue.

    It ends among the dead letters, from where a release that can read it takes it back. Raises
    `RecursionError` where it is nested too deeply.
    """
    record = {**_record(received_at, trace), "event": event}
    return Outgoing(json.dumps(envelopes.stamped(record)))


def _record(received_at: datetime, trace: str | None) -> dict[str, Any]:
    record = {"received_at": received_at.isoformat()}
    return {**record, "trace": trace} if trace else record


def arrival_of(body: str) -> Arrival:
    """The arrival of a message. Raises `Refused` where it is not one, `Newer` for one to come."""
    record = envelopes.known(body)
    try:
        received_at = datetime.fromisoformat(record["received_at"]).astimezone(UTC)
        return Arrival(_told(record), received_at, _trace(record.get("trace")))
    except (ValueError, TypeError, LookupError, OverflowError, RecursionError) as error:
        raise Refused(f"This message is not a tweet on its way: {error!r:.100}.") from None


def _trace(value: object) -> str | None:
    return value if isinstance(value, str) and tweets.IDENTITY.fullmatch(value) else None


def _told(record: Mapping[str, Any]) -> Told:
    if "deleted" in record:
        return Deleted(str(record["deleted"]), source=record.get("source", "webhook"))
    if "revoked" in record:
        return Revoked(record["revoked"])
    if "event" not in record:
        return tweets.from_json(record["tweet"])
    what = activity_event(record["event"])
    if isinstance(what, Ignored):
        raise Refused(f"The event asks nothing of us: {what.kind}.")
    return what


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
    failed: list[batches.Failed] = []
    for record in batches.messages(event):
        try:
            arrivals.append(arrival_of(record["body"]))
            read.append(record)
        except Refused as refusal:
            failed.append((record, refusal))
    try:
        held = triage(arrivals, desk, store, workers, now)
    except (Failure, Conflict) as failure:
        held = dict.fromkeys(range(len(arrivals)), failure)
    except Refused:  # by a stored case that is damaged or a newer release's: only its tweet waits
        held = _each_alone(arrivals, desk, store, workers, now)
    failed += [(read[place], reason) for place, reason in held.items()]
    return batches.again(failed, tweets_queue)


def _each_alone(
    arrivals: Sequence[Arrival],
    desk: Desk,
    store: CaseStore,
    workers: Mapping[Worker, Queue],
    now: datetime,
) -> dict[int, Exception]:
    held: dict[int, Exception] = {}
    for place, arrival in enumerate(arrivals):
        try:
            for failure in triage([arrival], desk, store, workers, now).values():
                held[place] = failure
        except (Failure, Conflict, Refused) as refusal:
            held[place] = refusal
    return held


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
    known = _known(arrivals, store)
    _note(arrivals, known, store)
    fresh: dict[int, Tweet] = {}
    touched: dict[str, Case] = {}
    for place, arrival in enumerate(arrivals):
        what, before = arrival.what, known.get(arrival.case_id)
        if isinstance(what, Revoked):
            continue
        if isinstance(what, Deleted) or _deleted_before(what, known):
            erased = erase(arrival.case_id, store, now, arrival.trace)
            touched[erased.id] = erased
        elif before is None or cases.supersedes(what, before):
            fresh[place] = what
        else:
            touched.setdefault(before.id, before)
    desk.heed([tweet for tweet in fresh.values() if tweet.answer], now)
    held, verdicts = _verdicts(arrivals, fresh, desk, now)
    noted = _noted(fresh.values(), store)
    latest = _explained(_latest(arrivals, fresh, verdicts, noted, desk, now), desk)
    opened = {
        case_id: _opened(judged, desk, now)
        for case_id, judged in latest.items()
        if case_id not in known
    }
    waiting = [arrivals[place].case_id for place in held]
    answered = any(verdicts.values())
    gathered, incidents = _collected(list(opened.values()), waiting, desk, now, answered=answered)
    opened = {case.id: case for case in gathered}
    new = store.add(gathered)
    added = [case for case_id, case in opened.items() if case_id in new]
    _report(added, now)
    for case_id in latest.keys() - new:
        changed = store.change(case_id, partial(_edited, latest[case_id], desk, now))
        touched |= {case_id: changed} if changed else {}
        _report_edit(changed, latest[case_id].tweet, now)
    conversations.lead(store, [*touched.values(), *added])
    delivery.enqueue([*incidents, *touched.values(), *added], workers)
    return held


def _collected(
    opened: Sequence[Case], waiting: Sequence[str], desk: Desk, now: datetime, *, answered: bool
) -> tuple[list[Case], list[Case]]:
    """The new cases, collected where there are many; the incidents whose cards now differ.

    `answered` is whether the classifier answered for any tweet of the batch.
    """
    late = [case for case in opened if case.verdict is None]
    judged = [case for case in opened if case.verdict]
    outage: list[Case] = []
    if not answered and (waiting or late):
        late, outage = desk.incidents.down(waiting, late, now)
    gathered, incidents = desk.incidents.collect([*judged, *late], now, up=answered)
    return gathered, [*outage, *incidents]


def preview(tweet: Tweet, desk: Desk, now: datetime) -> Case:
    """The case that the tweet would make, with the words that move it; nothing is stored or sent.

    Raises the classifier's failures.
    """
    [verdict] = judge([tweet.text], desk.classifier, desk.threshold())
    [verdict] = explained([verdict], desk.classifier)
    decision = _decision(tweet, verdict, _Before(), desk, now, now)
    return _opened(_Judged(tweet, verdict, decision, now), desk, now)


def _known(arrivals: Sequence[Arrival], store: CaseStore) -> dict[str, Case]:
    edits: list[str] = []
    # A deletion names the edit that was last, so each leads to its case; noted before anything
    # is read, because the deletion may be at work at this moment (see `erase`).
    for arrival in arrivals:
        what = arrival.what
        if isinstance(what, Tweet) and what.id != what.root_id:
            store.set_note(_EDIT + what.id, what.root_id, arrival.received_at)
            edits.append(what.id)
    return store.get([*(a.case_id for a in arrivals if a.case_id), *edits])


def _note(arrivals: Sequence[Arrival], known: Mapping[str, Case], store: CaseStore) -> None:
    """What these arrivals tell of the account, and of what X tells us."""
    told: list[datetime] = []
    for arrival in arrivals:
        what, before = arrival.what, known.get(arrival.case_id)
        if isinstance(what, Revoked):
            revoked = {"at": arrival.received_at.isoformat(), "user_id": what.user_id}
            store.set_note(REVOKED, revoked)
        if isinstance(what, Deleted) and what.source == "webhook" and before and not before.erased:
            told.append(arrival.received_at)
    if told:
        hour = max(told).replace(minute=0, second=0, microsecond=0).isoformat()
        store.change_note(DELETIONS_TOLD, lambda noted: max(noted or hour, hour))


def _deleted_before(tweet: Tweet, known: Mapping[str, Case]) -> bool:
    own = known.get(tweet.id)
    return tweet.id != tweet.root_id and own is not None and own.erased


def erase(post_id: str, store: CaseStore, now: datetime, trace: str | None = None) -> Case:
    """The case of a post, by the id of any of its edits, with its content gone.

    A post that never came gets a case that keeps it from ever being read; `trace` is that one's.
    """
    root_id = store.note(_EDIT + post_id)
    erased = _erased(root_id or post_id, store, now, trace)
    # The edit may have come while its tombstone was made.
    root_id = root_id or store.note(_EDIT + post_id)
    return erased if root_id in {None, erased.id} else _erased(root_id, store, now, trace)


def _erased(case_id: str, store: CaseStore, now: datetime, trace: str | None) -> Case:
    stone = cases.tombstone(case_id, now, trace)
    if stone.id in store.add([stone]):
        return stone
    for case in store.get([case_id]).values():
        conversations.forget_words(store, case)
    erased = store.change(case_id, partial(cases.erased, now=now)) or stone
    # The cards that quote it: its incident's, and those of what was said later.
    quoting = conversations.shown_by(store, case_id)
    for other in [erased.incident, *quoting] if erased.incident else quoting:
        store.change(other, partial(cases.with_update, now=now))
    return erased


@frozen
class _Judged:
    """A post with what was decided on it; `head` is the open case it goes on with."""

    tweet: Tweet
    verdict: Verdict | None
    decision: Decision
    received_at: datetime
    head: Case | None = None
    trace: str | None = None


@frozen
class _Before:
    """What was said before a post: in which open case, by an agent, by the bot.

    `muted` is whether an agent muted its author, with whom nothing then goes on.
    """

    head: Case | None = None
    agent: bool = False
    bot: bool = False
    muted: bool = False


@frozen
class _Noted:
    """What was said before, by conversation, and the ids of tweets whose author is muted."""

    talks: Mapping[str, _Before]
    muted: frozenset[str]


def _noted(fresh: Collection[Tweet], store: CaseStore) -> _Noted:
    """What the notes tell of these posts."""
    going_on = [tweet for tweet in fresh if conversations.goes_on(tweet)]
    names = [name for tweet in going_on if (name := conversations.name(tweet))]
    names_of_mutes = mutes.names_of(tweet.author for tweet in fresh)
    noted = store.notes([*names, *names_of_mutes]) if names or names_of_mutes else {}
    talks = {name: conversations.from_json(noted[name]) for name in names if name in noted}
    heads = [talk.head for talk in talks.values() if talk.head]
    found = store.get(heads) if heads else {}
    before = {
        name: _Before(_open(found.get(talk.head or "")), talk.agent, talk.answered is not None)
        for name, talk in talks.items()
    }
    muted = frozenset(tweet.id for tweet in fresh if mutes.is_muted(tweet.author, noted))
    return _Noted(before, muted)


def _open(case: Case | None) -> Case | None:
    return case if case and not case.resolved else None


def _latest(
    arrivals: Sequence[Arrival],
    fresh: Mapping[int, Tweet],
    verdicts: Mapping[int, Verdict | None],
    noted: _Noted,
    desk: Desk,
    now: datetime,
) -> dict[str, _Judged]:
    """The last edit of each post that was judged."""
    found: dict[str, _Judged] = {}
    talks = dict(noted.talks)
    for place in sorted(verdicts, key=lambda place: order(fresh[place].id)):
        tweet, verdict, arrival = fresh[place], verdicts[place], arrivals[place]
        name = conversations.name(tweet)
        said = talks.get(name, _Before()) if name and conversations.goes_on(tweet) else _Before()
        if said.head and said.head.id == tweet.root_id:  # it is edited, and goes on with nothing
            said = replace(said, head=None)
        if tweet.id in noted.muted:
            said = _Before(muted=True)
        decision = _decision(tweet, verdict, said, desk, arrival.received_at, now)
        judged = _Judged(tweet, verdict, decision, arrival.received_at, said.head, arrival.trace)
        found[tweet.root_id] = judged
        if name and said.head is None and decision.route == "escalate":
            talks[name] = replace(said, head=_opened(judged, desk, now))
    return found


def _explained(judged: Mapping[str, _Judged], desk: Desk) -> dict[str, _Judged]:
    """With the words that moved them, for those that a person will see."""
    shown = {
        case_id: one.verdict
        for case_id, one in judged.items()
        if one.decision.route == "escalate" and one.verdict and one.verdict.known
    }
    try:
        verdicts = explained(list(shown.values()), desk.classifier)
    except Failure as failure:
        log.warning(
            "%d escalations stay without their words: %s",
            len(shown),
            failure,
            extra=telemetry.failed("classifier"),
        )
        return dict(judged)
    told = dict(zip(shown, verdicts, strict=True))
    return {
        case_id: replace(one, verdict=told.get(case_id, one.verdict))
        for case_id, one in judged.items()
    }


def _opened(judged: _Judged, desk: Desk, now: datetime) -> Case:
    answered = judged.decision.route == "reply"
    return cases.opened(
        judged.tweet,
        judged.verdict,
        judged.decision,
        desk.channels,
        reply_text=desk.reply_text(judged.tweet, now) if answered else "",
        received_at=judged.received_at,
        now=now,
        head=judged.head,
        read_cost=desk.read_cost(judged.tweet),
        trace=judged.trace,
    )


def _edited(judged: _Judged, desk: Desk, now: datetime, case: Case) -> Case:
    return cases.edited(case, judged.tweet, judged.verdict, judged.decision, desk.channels, now)


def _verdicts(
    arrivals: Sequence[Arrival], fresh: Mapping[int, Tweet], desk: Desk, now: datetime
) -> tuple[dict[int, Exception], dict[int, Verdict | None]]:
    places = list(fresh)
    threshold = desk.threshold()
    try:
        judged = judge([fresh[p].text for p in places], desk.classifier, threshold)
        return {}, dict(zip(places, judged, strict=True))
    except Failure as failure:
        # Where the endpoint itself is at fault, each text alone would find it so too.
        if isinstance(failure, Permanent) and not failure.mendable and len(places) > 1:
            return _one_by_one(arrivals, fresh, desk, now)
        late = {p for p in places if arrivals[p].received_at + desk.hold <= now}
        log.warning(
            "The classifier did not answer for %d tweets, %d of them held long enough: %s",
            len(places),
            len(late),
            failure,
            extra=telemetry.failed("classifier"),
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


def _decision(
    tweet: Tweet,
    verdict: Verdict | None,
    before: _Before,
    desk: Desk,
    received_at: datetime,
    now: datetime,
) -> Decision:
    refusal = "Automatic replies are off." if desk.channels.replies == "off" else None
    if tweet.answer and not refusal:
        refusal = desk.may_reply(tweet, received_at, now)
    decision = decide(
        tweet,
        verdict,
        desk.rules,
        unsure_margin=desk.unsure_margin,
        refusal=refusal,
        muted=before.muted,
    )
    if tweet.answer and desk.asks_quiet(tweet.text):
        return _heeded(decision, before)
    continued = _continued(tweet, before, decision)
    if continued is None:
        return decision
    return replace(decision, route="escalate", reasons=(*decision.reasons, continued))


def _heeded(decision: Decision, before: _Before) -> Decision:
    """The decision about a post whose author asks the bot to be quiet; no card for that alone."""
    if decision.route == "escalate":
        told = "Its author asked the bot to be quiet."
        return replace(decision, reasons=(*decision.reasons, told))
    if before.head or before.agent:
        told = "It goes on with a conversation that a person has."
        return replace(decision, route="escalate", reasons=(*decision.reasons, told))
    return decision


def _continued(tweet: Tweet, before: _Before, decision: Decision) -> str | None:
    """Why what was said before makes the post a person's; None where it does not."""
    if before.head:
        whose = "that an agent has" if before.head.assignee else "that waits for an agent"
        return f"It goes on with a conversation {whose}."
    if before.agent:
        return "It goes on with a conversation in which an agent has answered."
    if before.bot and decision.route != "escalate":
        words = [word for word in tweet.text.split() if not word.startswith("@")]
        # «Yes please» takes the bot at its word; and what it may not answer nobody else would see.
        if decision.route == "skip" or len(words) <= FEW_WORDS:
            return "It answers the bot, which offers a person to whoever asks."
    return None


_COUNTED: Final[Mapping[str, telemetry.Counted]] = {"escalate": "Escalated", "skip": "Skipped"}


def _report(added: Sequence[Case], now: datetime) -> None:
    """A line a decision, without its reasons: a rule's may name an author."""
    for case in added:
        counted = _COUNTED.get(case.route)
        metric = telemetry.counted(counted) if counted and not is_probe(case.tweet) else {}
        log.info("Decided: %s.", case.route, extra={**_decided(case, now), **metric})


def _report_edit(case: Case | None, edit: Tweet, now: datetime) -> None:
    # A post that two batches brought at once is no edit of itself.
    if case and case.tweet.id == edit.id != edit.root_id:
        log.info("Decided anew after an edit: %s.", case.route, extra=_decided(case, now))


def _decided(case: Case, now: datetime) -> telemetry.Extra:
    verdict = case.verdict
    judged = verdict and {
        "probability": round(verdict.probability, 4),
        "threshold": verdict.threshold,
        "model": verdict.model,
    }
    waited = round((now - case.received_at) / timedelta(milliseconds=1))
    fields = {"tweet": case.tweet.id, "route": case.route, "waited_ms": waited}
    return {**telemetry.about(case), **fields, **(judged or {})}
