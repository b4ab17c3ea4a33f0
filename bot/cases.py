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

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Literal

from bot.frozen import frozen
from bot.notices import Notice
from bot.policy import Decision, Route
from bot.tweets import Tweet, order
from bot.verdicts import Verdict

EffectKind = Literal["card", "update", "line", "reply"]
State = Literal["pending", "sending", "sent", "dry-run", "failed", "unknown"]

UNQUEUED_AFTER: Final = timedelta(minutes=3)
"""After this a pending effect is enqueued again, in case its message was lost."""
HANGS_AFTER: Final = timedelta(minutes=2)
"""Longer than any function runs: who is still sending then has crashed."""
LOOK_UP_AFTER: Final = timedelta(minutes=1)
LOOK_UPS: Final = 2
"""How often an unknown outcome is looked up before it counts as absent."""
LONGEST_HISTORY: Final = 200
MOST_LINES: Final = 50
"""Lines that wait for a card's thread, besides those on their way; of more, the last."""
EDITED: Final = "edited the post"
"""What a case's story says of its author then."""
LONGEST_TOKENS: Final = 50_000
"""Characters of a verdict's tokens that are kept: an emoji can become forty, and a DynamoDB item
holds 400 KB."""


@frozen
class Effect:
    """One thing the case does to the world; see the module's picture.

    `withdrawn` is why it is no longer wanted, where it was under way when that became known: it
    is not tried again. `by` is the agent who wrote a reply, None for the bot's own. `cost` is
    what the outside takes for it, in millionths of a dollar. `carries` is how many of the case's
    lines are on their way with it; `begun_at` is when its last call began.
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
    carries: int = 0
    begun_at: datetime | None = None

    @property
    def stuck(self) -> bool:
        """Whether nobody tries it again, or looks it up, before somebody mends why."""
        return self.state in {"pending", "unknown"} and self.due_at is None


@frozen
class Entry:
    """A line of the case's story: when, who (a person's id or the bot), what."""

    at: datetime
    who: str
    what: str


@frozen
class Label:
    """A person's word on whether the post needed a person: who said so, when, of which model."""

    escalate: bool
    who: str
    at: datetime
    model: str | None


@frozen
class Case:
    """One tweet's record, stored under the tweet's root id.

    `thread` is the case whose card's thread this one joins: an earlier one of the same author in
    the same conversation. `incident` is the one whose card's thread collects it. `lines` are what
    the thread has not been told yet. At `remind_at` it is told that nobody has claimed the case,
    and at `snoozed_until` whoever asked for that. `read_cost` is what reading the tweet cost, in
    millionths of a dollar. `deeds` tells the last deeds that were done to it, so that none is done
    again. A case with a `notice` is about no tweet (`bot.notices`). `trace` is by what the log's
    lines about it are found, from when the tweet came in.
    """

    tweet: Tweet
    route: Route | Literal["notice"]
    reasons: tuple[str, ...]
    received_at: datetime
    decided_at: datetime
    verdict: Verdict | None = None
    unsure: bool = False
    effects: tuple[Effect, ...] = ()
    assignee: str | None = None
    resolved: bool = False
    label: Label | None = None
    erased: bool = False
    history: tuple[Entry, ...] = ()
    thread: str | None = None
    read_cost: int = 0
    incident: str | None = None
    lines: tuple[Entry, ...] = ()
    remind_at: datetime | None = None
    snoozed_until: datetime | None = None
    notice: Notice | None = None
    deeds: tuple[str, ...] = ()
    trace: str | None = None

    @property
    def cost(self) -> int:
        """What the outside took for this case, in millionths of a dollar."""
        return self.read_cost + sum(effect.cost for effect in self.effects)

    @property
    def id(self) -> str:
        """The tweet's root id."""
        return self.tweet.root_id

    @property
    def open(self) -> bool:
        """Whether it waits for a person: one that escalated, or whose automatic answer failed."""
        if self.notice or self.resolved or self.erased:
            return False
        card = self.effect("card")
        carded = card is not None and card.state != "failed"
        return self.route == "escalate" or (self.route == "reply" and carded)

    @property
    def due_at(self) -> datetime | None:
        """When housekeeping must look at this case next."""
        moments = (*(e.due_at for e in self.effects), self.remind_at, self.snoozed_until)
        return min((moment for moment in moments if moment), default=None)

    def with_verdict(self, verdict: Verdict) -> "Case":
        """The case under another verdict on the same text."""
        return replace(self, verdict=verdict)

    def effect(self, kind: EffectKind) -> Effect | None:
        """The case's effect of that kind."""
        return next((effect for effect in self.effects if effect.kind == kind), None)

    def last(self, *what: str) -> Entry | None:
        """The last line of its story that says one of these."""
        return next((entry for entry in reversed(self.history) if entry.what in what), None)

    def due(self, now: datetime) -> list[Effect]:
        """The effects housekeeping must look at."""
        return [effect for effect in self.effects if effect.due_at and effect.due_at <= now]


def _never(_now: datetime) -> datetime | None:
    return None


@frozen
class Channels:
    """How effects of new cases begin.

    `cards_queued` is False where the console is the channel: a card is then sent once stored.
    `remind` tells when the thread of a card posted now is told that nobody has claimed it.
    """

    cards_queued: bool
    replies: Literal["on", "dry-run", "off"]
    remind: Callable[[datetime], datetime | None] = _never


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
    trace: str | None = None,
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
        trace=trace,
    )
    case = told(case, now, "bot", f"{decision.route}: {' '.join(decision.reasons)}")
    if decision.route == "escalate":
        return with_card(case, channels, now)
    if decision.route == "reply":
        effect = Effect("reply", "pending" if tweet.answer else "dry-run", text=reply_text)
        due_at = now + UNQUEUED_AFTER if tweet.answer else None
        return put(case, replace(effect, due_at=due_at))
    return case


def tombstone(tweet_id: str, now: datetime, trace: str | None = None) -> Case:
    """The case of a tweet whose deletion came before the tweet itself."""
    reasons = ("It was deleted, or its erasure asked for, before it was read.",)
    case = Case(Tweet(tweet_id, "", tweet_id), "skip", reasons, now, now, erased=True, trace=trace)
    return told(case, now, "bot", f"skip: {reasons[0]}")


def with_card(case: Case, channels: Channels, now: datetime) -> Case:
    """The case with a card asked for, if it has none."""
    if case.effect("card"):
        return case
    if not channels.cards_queued:
        return put(case, Effect("card", "sent"))
    if not (case.assignee or case.thread or case.incident or case.notice):
        case = replace(case, remind_at=channels.remind(now))
    return put(case, Effect("card", "pending", due_at=now + UNQUEUED_AFTER))


def with_update(case: Case, now: datetime) -> Case:
    """The case with its card, if one is or may be out in Slack, to be drawn anew.

    A card still pending needs none: it is drawn from the case when it is sent.
    """
    if not _in_slack(case):
        return case
    effect = case.effect("update")
    # One that was never tried will draw what there is by then; a later one would only be later.
    waits = effect and effect.state == "pending" and effect.problem is None
    return case if waits else _anew(case, "update", now)


def with_line(case: Case, who: str, what: str, now: datetime) -> Case:
    """The case with a line for its card's thread, if the card is or may be out in Slack.

    Lines that wait go together, in order. `what` is a sentence that begins with `who`, or stands
    for itself where that is the bot.
    """
    if not _in_slack(case):
        return case
    effect = case.effect("line")
    # Those that are on their way are counted from the front (`_further`).
    carried = effect.carries if effect and effect.state in {"sending", "unknown"} else 0
    waiting = (*case.lines[carried:], Entry(now, who, what))[-MOST_LINES:]
    case = replace(case, lines=(*case.lines[:carried], *waiting))
    waits = effect and effect.state in {"pending", "sending", "unknown"} and not effect.stuck
    return case if waits else _anew(case, "line", now)


def _in_slack(case: Case) -> bool:
    card = case.effect("card")
    if card is None or card.state in {"pending", "failed"}:
        return False
    return card.state != "sent" or card.outside_id is not None  # the console draws by itself


def _anew(case: Case, kind: EffectKind, now: datetime) -> Case:
    before = case.effect(kind)
    attempt = before.attempt + 1 if before else 1
    return put(case, Effect(kind, "pending", due_at=now + UNQUEUED_AFTER, attempt=attempt))


def begun(
    case: Case, kind: EffectKind, token: str, now: datetime, text: str | None = None, cost: int = 0
) -> Case:
    """The effect is being sent by whoever holds `token`: with that text, where it has one."""
    effect = replace(_need(case, kind), token=token, due_at=now + HANGS_AFTER, look_ups=0)
    carries = len(case.lines) if kind == "line" else 0
    sending = replace(effect, text=text or effect.text, cost=cost, carries=carries)
    return put(case, replace(sending, state="sending", begun_at=now))


def sent(case: Case, kind: EffectKind, token: str, outside_id: str, now: datetime) -> Case:
    """The effect reached the world; a stale token changes nothing."""
    effect = _need(case, kind)
    if effect.token != token:
        return case
    done = replace(effect, state="sent", outside_id=outside_id, due_at=None, problem=None)
    case = put(case, done)
    if kind == "line":
        return _further(case, now)
    case = told(case, now, "bot", f"{kind} sent ({outside_id})")
    if kind == "reply":
        return with_line(with_update(case, now), "bot", "The answer is public.", now)
    return case


def _further(case: Case, now: datetime) -> Case:
    """Without the lines that were carried; what came meanwhile follows."""
    effect = _need(case, "line")
    case = replace(case, lines=case.lines[effect.carries :])
    return _anew(case, "line", now) if case.lines else case


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


def stuck(case: Case, kind: EffectKind, token: str, problem: str) -> Case:
    """The effect did not happen, or cannot be looked up, until somebody mends why.

    Its message goes to the dead letters, from where it is taken back. A stale token changes
    nothing.
    """
    effect = _need(case, kind)
    if effect.token != token or effect.state not in {"sending", "unknown"}:
        return case
    if effect.state == "unknown":
        return put(case, replace(effect, problem=problem, due_at=None))
    return _pending_again(case, replace(effect, problem=problem, due_at=None, cost=0))


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
    case = _failed(case, effect, problem, channels, now)
    return _further(case, now) if kind == "line" else case


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
    return put(case, replace(effect, state="dry-run", due_at=None, problem=None, text=text))


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
    return told(put(case, unknown), now, "bot", f"{kind}: outcome unknown, {problem}")


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
        return put(case, replace(looked, due_at=now + LOOK_UP_AFTER))
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
    return put(case, replace(effect, problem=problem, due_at=due_at, attempt=attempt + 1))


def enqueued(case: Case, kind: EffectKind, now: datetime) -> Case:
    """Housekeeping hands the effect to its worker; one that hangs in sending becomes unknown."""
    effect = _need(case, kind)
    if effect.state == "sending":
        case = lost(case, kind, effect.token, "the worker stopped while sending.", now)
    return put(case, replace(_need(case, kind), due_at=now + UNQUEUED_AFTER))


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
    case = told(case, now, "author", EDITED)
    if decision.route == "escalate":
        case = replace(case, route="escalate", reasons=decision.reasons)
        if before.route != "escalate":
            case = withdrawn(case, "The post was edited and now needs a person.", "reply")
        case = with_card(case, channels, now)
    return with_line(with_update(case, now), "bot", "Its author edited the post.", now)


def erased(case: Case, now: datetime) -> Case:
    """The post was deleted or its erasure asked for: our copy of its content goes."""
    if case.erased:
        return case
    blank = Tweet(case.tweet.id, "", case.tweet.root_id, source=case.tweet.source)
    verdict = case.verdict and replace(case.verdict, tokens="", words=())
    case = replace(case, tweet=blank, verdict=verdict, erased=True, resolved=True)
    case = replace(case, remind_at=None, snoozed_until=None)
    reasons = ("Its author deleted it, or its erasure was asked for.",)
    case = withdrawn(replace(case, reasons=reasons), reasons[0], "reply", "card")
    # An answer names its author.
    effects = tuple(replace(effect, text=None) for effect in case.effects)
    story = tuple(replace(e, what=e.what.split(":", 1)[0]) for e in case.history)
    case = replace(case, effects=effects, history=story)
    case = with_update(told(case, now, "bot", "content erased"), now)
    return with_line(case, "bot", "The post was deleted, and our copy of it is erased.", now)


def _kept(verdict: Verdict | None) -> Verdict | None:
    return verdict and replace(verdict, tokens=verdict.tokens[:LONGEST_TOKENS])


def withdrawn(case: Case, problem: str, *kinds: EffectKind) -> Case:
    """The case whose effects of these kinds are no longer wanted, for that reason."""
    for effect in case.effects:
        if effect.kind not in kinds:
            continue
        if effect.state in {"pending", "dry-run"}:
            gone = replace(effect, state="failed", text=None, problem=problem, due_at=None)
            case = put(case, gone)
        elif effect.state in {"sending", "unknown"}:
            case = put(case, replace(effect, withdrawn=problem))
    return case


def _pending_again(case: Case, effect: Effect) -> Case:
    if effect.withdrawn:
        gone = replace(effect, state="failed", problem=effect.withdrawn, due_at=None)
        return put(case, gone)
    return put(case, replace(effect, state="pending", token=None))


def _failed(case: Case, effect: Effect, problem: str, channels: Channels, now: datetime) -> Case:
    kind = effect.kind
    # What may have been sent may have been charged for.
    cost = effect.cost if effect.state == "unknown" else 0
    gone = replace(effect, state="failed", problem=problem, due_at=None, cost=cost)
    case = told(put(case, gone), now, "bot", f"{kind} failed: {problem}")
    if kind != "reply" or case.erased:
        return case
    whose = "The answer" if effect.by else "The automatic answer"
    said = f"{whose} failed: {problem}"
    case = with_card(replace(case, reasons=(*case.reasons, said)), channels, now)
    return with_line(with_update(case, now), "bot", said, now)


def _forgone(case: Case, effect: Effect, reason: str, now: datetime) -> Case:
    gone = replace(effect, state="failed", problem=reason, due_at=None, cost=0)
    case = told(put(case, gone), now, "bot", f"skip: {reason}")
    if case.route != "reply":
        return case
    return replace(case, route="skip", reasons=(*case.reasons, reason))


def _need(case: Case, kind: EffectKind) -> Effect:
    effect = case.effect(kind)
    if effect is None:
        raise LookupError(f"Case {case.id} has no {kind}.")
    return effect


def put(case: Case, effect: Effect) -> Case:
    """The case with this effect in place of one of its kind."""
    others = tuple(e for e in case.effects if e.kind != effect.kind)
    return replace(case, effects=(*others, effect))


def told(case: Case, at: datetime, who: str, what: str) -> Case:
    """The case with a further line of its story."""
    return replace(case, history=(*case.history, Entry(at, who, what))[-LONGEST_HISTORY:])
