"""A case: what we know, decided and did about one tweet. Frozen data and pure transitions.

An effect is something the case does to the world. Its states:

    pending ── begin ──► sending ── sent ──► sent
       ▲                   │ │ └── failed ──► failed
       │                   │ └─ postponed ──► pending (later)
       └── absent (card) ──┴── lost ────────► unknown ── found ──► sent

and `dry-run` for what is recorded and never sent. `due_at` is when housekeeping must look at the
effect: a pending one is enqueued (again), one that hangs in sending becomes unknown, an unknown
one is looked up. `attempt` grows with each of these, so a message about an earlier one is stale.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from bot.errors import Refused
from bot.policy import Decision, Route
from bot.tweets import Tweet, order
from bot.verdicts import Verdict

EffectKind = Literal["card", "update", "reply"]
State = Literal["pending", "sending", "sent", "dry-run", "failed", "unknown"]

UNQUEUED_AFTER: Final = timedelta(minutes=3)
"""After this a pending effect is enqueued again, in case its message was lost."""
HANGS_AFTER: Final = timedelta(minutes=2)
"""Longer than any function runs: who is still sending then has crashed."""
LOOK_UP_AFTER: Final = timedelta(minutes=1)
LOOK_UPS: Final = 2
"""How often an unknown outcome is looked up before it counts as absent."""
LONGEST_HISTORY: Final = 200
LONGEST_TOKENS: Final = 50_000
"""Characters of a verdict's tokens that are kept: an emoji can become forty, and a DynamoDB item
holds 400 KB."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing the case does to the world; see the module's picture.

    `withdrawn` is why it is no longer wanted, where it was under way when that became known: it
    is not tried again. `by` is the agent who wrote a reply, None for the bot's own. `cost` is
    what the outside takes for it, in millionths of a dollar.
    """

    kind: EffectKind
    state: State
    due_at: datetime | None = None
    attempt: int = 1
    token: str | None = None
    outside_id: str | None = None
    text: str | None = None
    problem: str | None = None
    look_ups: int = 0
    withdrawn: str | None = None
    by: str | None = None
    cost: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the case's story: when, who (a person's id or the bot), what."""

    at: datetime
    who: str
    what: str


@dataclass(frozen=True, slots=True)
class Case:
    """One tweet's record, stored under the tweet's root id.

    `thread` is the case whose card's thread this one joins: an earlier one of the same author in
    the same conversation. `read_cost` is what reading the tweet cost, in millionths of a dollar.
    """

    tweet: Tweet
    route: Route
    reasons: tuple[str, ...]
    received_at: datetime
    decided_at: datetime
    verdict: Verdict | None = None
    unsure: bool = False
    effects: tuple[Effect, ...] = ()
    assignee: str | None = None
    resolved: bool = False
    label: bool | None = None
    erased: bool = False
    history: tuple[Entry, ...] = ()
    thread: str | None = None
    read_cost: int = 0

    @property
    def cost(self) -> int:
        """What the outside took for this case, in millionths of a dollar."""
        return self.read_cost + sum(effect.cost for effect in self.effects)

    @property
    def id(self) -> str:
        """The tweet's root id."""
        return self.tweet.root_id

    @property
    def due_at(self) -> datetime | None:
        """When housekeeping must look at this case next."""
        return min((e.due_at for e in self.effects if e.due_at), default=None)

    def with_verdict(self, verdict: Verdict) -> "Case":
        """The case under another verdict on the same text."""
        return replace(self, verdict=verdict)

    def effect(self, kind: EffectKind) -> Effect | None:
        """The case's effect of that kind."""
        return next((effect for effect in self.effects if effect.kind == kind), None)

    def due(self, now: datetime) -> list[Effect]:
        """The effects housekeeping must look at."""
        return [effect for effect in self.effects if effect.due_at and effect.due_at <= now]


@dataclass(frozen=True, slots=True)
class Channels:
    """How effects of new cases begin.

    `cards_queued` is False where the console is the channel: a card is then sent once stored.
    """

    cards_queued: bool
    replies: Literal["on", "dry-run", "off"]


def opened(
    tweet: Tweet,
    verdict: Verdict | None,
    decision: Decision,
    channels: Channels,
    *,
    reply_text: str,
    received_at: datetime,
    now: datetime,
    head: Case | None = None,
    read_cost: int = 0,
) -> Case:
    """The case of a tweet just decided, with the effects its route asks for.

    `head` is the open case whose conversation it goes on with: its agent has this one too.
    """
    case = Case(
        tweet=tweet,
        route=decision.route,
        reasons=decision.reasons,
        received_at=received_at,
        decided_at=now,
        verdict=_kept(verdict),
        unsure=decision.unsure,
        assignee=head.assignee if head else None,
        thread=head.id if head else None,
        read_cost=read_cost,
    )
    case = _told(case, now, "bot", f"{decision.route}: {' '.join(decision.reasons)}")
    if decision.route == "escalate":
        return with_card(case, channels, now)
    if decision.route == "reply":
        effect = Effect("reply", "pending" if tweet.answer else "dry-run", text=reply_text)
        due_at = now + UNQUEUED_AFTER if tweet.answer else None
        return _put(case, replace(effect, due_at=due_at))
    return case


def tombstone(tweet_id: str, now: datetime) -> Case:
    """The case of a tweet whose deletion came before the tweet itself."""
    reasons = ("It was deleted, or its erasure asked for, before it was read.",)
    case = Case(Tweet(tweet_id, "", tweet_id), "skip", reasons, now, now, erased=True)
    return _told(case, now, "bot", f"skip: {reasons[0]}")


def with_card(case: Case, channels: Channels, now: datetime) -> Case:
    """The case with a card asked for, if it has none."""
    if case.effect("card"):
        return case
    if not channels.cards_queued:
        return _put(case, Effect("card", "sent"))
    return _put(case, Effect("card", "pending", due_at=now + UNQUEUED_AFTER))


def with_update(case: Case, now: datetime) -> Case:
    """The case with its card, if one is or may be out in Slack, to be drawn anew.

    A card still pending needs none: it is drawn from the case when it is sent.
    """
    card = case.effect("card")
    if card is None or card.state in {"pending", "failed"}:
        return case
    if card.state == "sent" and not card.outside_id:  # the console draws it anew by itself
        return case
    before = case.effect("update") or Effect("update", "pending", attempt=0)
    return _put(
        case,
        Effect("update", "pending", due_at=now + UNQUEUED_AFTER, attempt=before.attempt + 1),
    )


def begun(
    case: Case, kind: EffectKind, token: str, now: datetime, text: str | None = None, cost: int = 0
) -> Case:
    """The effect is being sent by whoever holds `token`: with that text, where it has one."""
    effect = replace(_need(case, kind), token=token, due_at=now + HANGS_AFTER, look_ups=0)
    return _put(case, replace(effect, state="sending", text=text or effect.text, cost=cost))


def sent(case: Case, kind: EffectKind, token: str, outside_id: str, now: datetime) -> Case:
    """The effect reached the world; a stale token changes nothing."""
    effect = _need(case, kind)
    if effect.token != token:
        return case
    done = replace(effect, state="sent", outside_id=outside_id, due_at=None, problem=None)
    case = _told(_put(case, done), now, "bot", f"{kind} sent ({outside_id})")
    return with_update(case, now) if kind == "reply" else case


def postponed(
    case: Case,
    kind: EffectKind,
    token: str | None,
    problem: str,
    due_at: datetime,
    attempt: int | None = None,
) -> Case:
    """The effect surely did not happen and is tried again at `due_at`, if it is still wanted.

    `token` is None where it was not begun, at that `attempt`; a stale one changes nothing.
    """
    effect = _need(case, kind)
    if attempt not in {None, effect.attempt}:
        return case
    if effect.token != token or effect.state not in {"pending", "sending", "unknown"}:
        return case
    waits = replace(effect, problem=problem, due_at=due_at, attempt=effect.attempt + 1, cost=0)
    return _pending_again(case, waits)


def failed(
    case: Case,
    kind: EffectKind,
    token: str,
    problem: str,
    channels: Channels,
    now: datetime,
    *,
    person: bool = True,
) -> Case:
    """The effect will never happen; where that is a reply, an agent gets the case.

    But not where no `person` could do anything about it: such a post is skipped. A stale token
    changes nothing.
    """
    effect = _need(case, kind)
    if effect.token != token or effect.state not in {"sending", "unknown"}:
        return case
    if kind == "reply" and not person and not effect.by:
        return _forgone(case, effect, problem, now)
    return _failed(case, effect, problem, channels, now)


def forgone(case: Case, attempt: int, reason: str, now: datetime) -> Case:
    """A bot's reply that waited must not be sent: its post is skipped. A stale attempt: nothing."""
    effect = _need(case, "reply")
    if effect.state != "pending" or effect.by or effect.attempt != attempt:
        return case
    return _forgone(case, effect, reason, now)


def handed_over(
    case: Case,
    attempt: int,
    reason: str,
    head: Case | None,
    channels: Channels,
    now: datetime,
) -> Case:
    """A bot's reply that waited must not be sent: a person sees the post instead.

    In the thread of `head`, the open case whose conversation it goes on with, if there is one. A
    stale attempt changes nothing.
    """
    after = forgone(case, attempt, reason, now)
    if after is case or case.erased:
        return after
    reasons = (*case.reasons, reason)
    after = replace(after, route="escalate", reasons=reasons)
    if head and not after.effect("card"):
        after = replace(after, thread=head.id, assignee=after.assignee or head.assignee)
    return with_card(after, channels, now)


def recorded(case: Case, attempt: int, text: str) -> Case:
    """A bot's reply that waited would have been sent so, but replies are a dry run."""
    effect = _need(case, "reply")
    if effect.state != "pending" or effect.by or effect.attempt != attempt:
        return case
    return _put(case, replace(effect, state="dry-run", due_at=None, problem=None, text=text))


def lost(case: Case, kind: EffectKind, token: str | None, problem: str, now: datetime) -> Case:
    """It is not known whether the effect happened: it is looked up a minute later.

    A stale token changes nothing.
    """
    effect = _need(case, kind)
    if effect.token != token or effect.state != "sending":
        return case
    unknown = replace(
        effect,
        state="unknown",
        problem=problem,
        due_at=now + LOOK_UP_AFTER,
        attempt=effect.attempt + 1,
    )
    return _told(_put(case, unknown), now, "bot", f"{kind}: outcome unknown, {problem}")


def absent(case: Case, kind: EffectKind, attempt: int, channels: Channels, now: datetime) -> Case:
    """A look-up did not find the effect: another follows, or its absence is believed.

    A card is then posted again; a reply is never repeated but given to an agent. A look-up at a
    stale attempt changes nothing.
    """
    effect = _need(case, kind)
    if effect.state != "unknown" or effect.attempt != attempt:
        return case
    looked = replace(effect, look_ups=effect.look_ups + 1, attempt=effect.attempt + 1)
    if looked.look_ups < LOOK_UPS:
        return _put(case, replace(looked, due_at=now + LOOK_UP_AFTER))
    if kind != "reply":
        return _pending_again(case, replace(looked, due_at=now))
    problem = "it is not certain that it was sent, please look before you answer."
    return _failed(case, looked, problem, channels, now)


def not_looked_up(
    case: Case, kind: EffectKind, attempt: int, problem: str, due_at: datetime
) -> Case:
    """The look-up itself failed and is repeated at `due_at`; a stale attempt changes nothing."""
    effect = _need(case, kind)
    if effect.state != "unknown" or effect.attempt != attempt:
        return case
    return _put(case, replace(effect, problem=problem, due_at=due_at, attempt=attempt + 1))


def enqueued(case: Case, kind: EffectKind, now: datetime) -> Case:
    """Housekeeping hands the effect to its worker; one that hangs in sending becomes unknown."""
    effect = _need(case, kind)
    if effect.state == "sending":
        case = lost(case, kind, effect.token, "the worker stopped while sending.", now)
    return _put(case, replace(_need(case, kind), due_at=now + UNQUEUED_AFTER))


def supersedes(tweet: Tweet, case: Case) -> bool:
    """Whether `tweet` is a later edit of the case's post, of which we may still keep a copy."""
    later = order(tweet.id) > order(case.tweet.id)
    return later and tweet.id != tweet.root_id and not case.erased


def edited(
    case: Case,
    tweet: Tweet,
    verdict: Verdict | None,
    decision: Decision,
    channels: Channels,
    now: datetime,
) -> Case:
    """The author edited the post: agents see the new text, and it is escalated if it now asks so.

    A reply not yet sent is withdrawn where the new text needs a person. What does not supersede
    the case's post changes nothing.
    """
    if not supersedes(tweet, case):
        return case
    before = case
    if tweet.source == "file":  # a file's copy of a post that X gave us is still X's
        tweet = replace(tweet, source=case.tweet.source, answer=case.tweet.answer)
    case = replace(case, tweet=tweet, verdict=_kept(verdict), unsure=decision.unsure)
    case = _told(case, now, "author", "edited the post")
    if decision.route == "escalate":
        case = replace(case, route="escalate", reasons=decision.reasons)
        if before.route != "escalate":
            case = _withdrawn(case, "The post was edited and now needs a person.", "reply")
        case = with_card(case, channels, now)
    return with_update(case, now)


def erased(case: Case, now: datetime) -> Case:
    """The post was deleted or its erasure asked for: our copy of its content goes."""
    if case.erased:
        return case
    blank = Tweet(case.tweet.id, "", case.tweet.root_id, source=case.tweet.source)
    verdict = case.verdict and replace(case.verdict, tokens="", words=())
    case = replace(case, tweet=blank, verdict=verdict, erased=True, resolved=True)
    reasons = ("Its author deleted it, or its erasure was asked for.",)
    case = _withdrawn(replace(case, reasons=reasons), reasons[0], "reply", "card")
    # An answer names its author.
    effects = tuple(replace(effect, text=None) for effect in case.effects)
    story = tuple(replace(e, what=e.what.split(":", 1)[0]) for e in case.history)
    case = replace(case, effects=effects, history=story)
    return with_update(_told(case, now, "bot", "content erased"), now)


def claimed(case: Case, who: str, now: datetime) -> Case:
    """The case is `who`'s to handle; the last one to claim has it."""
    if case.assignee == who:
        return case
    return with_update(_told(replace(case, assignee=who), now, who, "claimed"), now)


def resolved(case: Case, who: str, now: datetime) -> Case:
    """Nothing more is to be done."""
    if case.resolved:
        return case
    return with_update(_told(replace(case, resolved=True), now, who, "resolved"), now)


def answered(case: Case, text: str, who: str, now: datetime) -> Case:
    """An agent's public answer is on its way; the same one asked for again changes nothing.

    A post that may not be answered (`Tweet.answer`) gets a dry run. Raises `Refused` where the
    post is gone, or where another answer is, or may be, public.
    """
    if case.erased:
        raise Refused("The post was deleted or erased, so there is nothing to answer.")
    before = case.effect("reply")
    if before and before.state != "failed":
        if (before.by, before.text) == (who, text):
            return case
        if before.state not in {"pending", "dry-run"}:
            raise Refused("An answer is public or on its way: look at the post on X before more.")
        if before.state == "pending" and before.by not in {None, who}:
            raise Refused("Another agent's answer is on its way: wait for what becomes of it.")
    attempt = before.attempt + 1 if before else 1
    reply = Effect("reply", "dry-run", attempt=attempt, text=text, by=who)
    if case.tweet.answer:
        reply = replace(reply, state="pending", due_at=now + UNQUEUED_AFTER)
    case = _told(replace(case, assignee=case.assignee or who), now, who, f"answered: {text}")
    return with_update(_put(case, reply), now)


def relabelled(case: Case, escalate: bool, who: str, channels: Channels, now: datetime) -> Case:  # noqa: FBT001
    """A person says whether the post needed a person; one that did and had no card gets one."""
    if case.label == escalate:
        return case
    case = replace(case, label=escalate)
    case = _told(case, now, who, f"label: {'escalate' if escalate else 'answer'}")
    if escalate and case.route != "escalate" and not case.erased:
        reasons = (*case.reasons, "An agent says that it needs a person.")
        case = replace(case, route="escalate", reasons=reasons)
        reply = case.effect("reply")
        if reply and not reply.by:  # what an agent wrote stays on its way
            case = _withdrawn(case, reasons[-1], "reply")
        case = with_card(case, channels, now)
    return with_update(case, now)


def _kept(verdict: Verdict | None) -> Verdict | None:
    return verdict and replace(verdict, tokens=verdict.tokens[:LONGEST_TOKENS])


def _withdrawn(case: Case, problem: str, *kinds: EffectKind) -> Case:
    for effect in case.effects:
        if effect.kind not in kinds:
            continue
        if effect.state in {"pending", "dry-run"}:
            gone = replace(effect, state="failed", text=None, problem=problem, due_at=None)
            case = _put(case, gone)
        elif effect.state in {"sending", "unknown"}:
            case = _put(case, replace(effect, withdrawn=problem))
    return case


def _pending_again(case: Case, effect: Effect) -> Case:
    if effect.withdrawn:
        gone = replace(effect, state="failed", problem=effect.withdrawn, due_at=None)
        return _put(case, gone)
    return _put(case, replace(effect, state="pending", token=None))


def _failed(case: Case, effect: Effect, problem: str, channels: Channels, now: datetime) -> Case:
    kind = effect.kind
    # What may have been sent may have been charged for.
    cost = effect.cost if effect.state == "unknown" else 0
    gone = replace(effect, state="failed", problem=problem, due_at=None, cost=cost)
    case = _told(_put(case, gone), now, "bot", f"{kind} failed: {problem}")
    if kind != "reply" or case.erased:
        return case
    whose = "The answer" if effect.by else "The automatic answer"
    case = replace(case, reasons=(*case.reasons, f"{whose} failed: {problem}"))
    return with_update(with_card(case, channels, now), now)


def _forgone(case: Case, effect: Effect, reason: str, now: datetime) -> Case:
    gone = replace(effect, state="failed", problem=reason, due_at=None, cost=0)
    case = _told(_put(case, gone), now, "bot", f"skip: {reason}")
    if case.route != "reply":
        return case
    return replace(case, route="skip", reasons=(*case.reasons, reason))


def _need(case: Case, kind: EffectKind) -> Effect:
    effect = case.effect(kind)
    if effect is None:
        raise LookupError(f"Case {case.id} has no {kind}.")
    return effect


def _put(case: Case, effect: Effect) -> Case:
    others = tuple(e for e in case.effects if e.kind != effect.kind)
    return replace(case, effects=(*others, effect))


def _told(case: Case, at: datetime, who: str, what: str) -> Case:
    return replace(case, history=(*case.history, Entry(at, who, what))[-LONGEST_HISTORY:])
