"""Effects on their way into the world: queued, sent once, looked up when their outcome is lost."""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, Literal, get_args

from bot import cases, conversations, deeds, envelopes, telemetry
from bot.cases import Case, Channels, Effect, EffectKind
from bot.errors import Conflict, Failure, Newer, Permanent, Refused, Retryable, Unknown
from bot.frozen import frozen
from bot.ports import (
    CaseStore,
    Clock,
    Gate,
    Go,
    Identities,
    Outgoing,
    Outlet,
    Queue,
    Stay,
    Wait,
)
from bot.probes import is_probe

log = logging.getLogger(__name__)

Worker = Literal["cards", "replies"]

WORKER_OF: Final[Mapping[EffectKind, Worker]] = {
    "card": "cards",
    "update": "cards",
    "line": "cards",
    "reply": "replies",
}
WAIT_FOR_KEYS: Final = timedelta(minutes=5)
WAIT_AT_MOST: Final = 5.0
"""Seconds a worker waits in place; what must wait longer gets a `due_at` (design: queues)."""
BACK_OFF: Final = (5.0, 30.0, 120.0, 600.0)
MOST_ATTEMPTS: Final = 24
"""After so many an agent learns that an answer cannot be sent; the bot's own become too old."""
SWEEP_AT_ONCE: Final = 500


@frozen
class Task:
    """A message to a worker: the effect of a case, at a certain attempt."""

    case_id: str
    kind: EffectKind
    attempt: int


@frozen
class NewerTask:
    """A message to a worker from a newer release, of which only its case is known."""

    case_id: str


def task_of(body: str) -> Task | NewerTask:
    """The task of a message. Raises `Refused` where it is not one."""
    record = envelopes.record_of(body)
    case_id, attempt = record.get("case"), record.get("attempt")
    kind: Any = record.get("effect")
    if not isinstance(case_id, str):
        raise Refused("This message is not an effect to deliver: it names no case.")
    if envelopes.is_newer(record):
        return NewerTask(case_id)
    if kind not in get_args(EffectKind) or type(attempt) is not int:
        raise Refused(f"This message names no effect that is known: {kind!r:.40}.")
    return Task(case_id, kind, attempt)


def enqueue(opened: Iterable[Case], workers: Mapping[Worker, Queue]) -> None:
    """Hands the effects of these cases that were never tried to those of their workers we have.

    May be repeated: a message already on its way is dropped by the queue's deduplication or,
    later, because its attempt is over. Housekeeping hands over what is left.
    """
    _send(
        (
            (case, effect)
            for case in opened
            for effect in case.effects
            if effect.state == "pending" and effect.problem is None
        ),
        workers,
    )


def sweep(store: CaseStore, workers: Mapping[Worker, Queue], now: datetime) -> int:
    """Housekeeping: hands effects that are due, or hang, to their workers; returns how many."""
    swept: list[tuple[Case, Effect]] = []
    try:
        _sweep(store, swept, now)
    finally:  # a table that is throttled half way must not keep back those that are marked as sent
        _send(swept, workers)
    return len(swept)


def _sweep(store: CaseStore, swept: list[tuple[Case, Effect]], now: datetime) -> None:
    newer = 0
    for case_id in store.due(now, SWEEP_AT_ONCE):
        try:
            case = store.change(case_id, partial(_handed_over, now=now))
        except Newer:
            newer += 1
            continue
        except (TypeError, KeyError, ValueError, LookupError, Conflict) as error:
            # One record nobody can read must not stop the others.
            log.error(  # noqa: TRY400
                "Case %s cannot be handed over: %r", case_id, type(error), extra={"case": case_id}
            )
            continue
        if case:
            handed = (e for e in case.effects if e.due_at == now + cases.UNQUEUED_AFTER)
            swept.extend((case, effect) for effect in handed)
    if newer:
        log.warning("%d cases that are due wait for the newer release that wrote them.", newer)


def _handed_over(case: Case, now: datetime) -> Case:
    case = deeds.due(case, now)
    for effect in case.due(now):
        case = cases.enqueued(case, effect.kind, now)
    return case


def _send(effects: Iterable[tuple[Case, Effect]], workers: Mapping[Worker, Queue]) -> None:
    outgoing: dict[Worker, list[Outgoing]] = {"cards": [], "replies": []}
    for case, effect in effects:
        worker = WORKER_OF[effect.kind]
        body = envelopes.stamped(
            {"case": case.id, "effect": effect.kind, "attempt": effect.attempt}
        )
        deduplication = f"{case.id}-{effect.kind}-{effect.attempt}"
        outgoing[worker].append(Outgoing(json.dumps(body), worker, deduplication))
    for worker, messages in outgoing.items():
        if messages and worker in workers:
            workers[worker].send(messages)


@frozen
class Courier:
    """Delivers effects: one at most, whatever is delivered twice or crashes where.

    `outlets` has None for a kind whose keys are not there: its effects wait. `gate` is asked
    before each reply.
    """

    store: CaseStore
    workers: Mapping[Worker, Queue]
    outlets: Mapping[EffectKind, Outlet | None]
    channels: Channels
    clock: Clock
    identities: Identities
    wait: Callable[[float], None]
    gate: Gate | None = None

    def deliver(self, task: Task | NewerTask) -> Case | None:
        """Brings one effect a step further and returns its case as it then is.

        Raises `Permanent` where people must mend something first: its message then goes to the
        dead letters, from where it is taken back. What a newer release wrote is let go, for a
        message that waits would block its group; but not where nothing else leads to its effect.
        """
        if isinstance(task, NewerTask):
            return self._let_go(task.case_id, "a newer release wrote it.")
        try:
            return self._delivered(task)
        except Newer as newer:
            return self._let_go(task.case_id, str(newer))

    def _let_go(self, case_id: str, reason: str) -> Case | None:
        try:
            case = self.store.get([case_id]).get(case_id)
            only_way = case is not None and any(effect.stuck for effect in case.effects)
        except Newer:
            case, only_way = None, True
        if only_way:
            raise Refused(
                f"A message about case {case_id} must be taken back once that release is there "
                f"again, for nothing else leads to its effect: {reason}"
            )
        log.warning(
            "A message about case %s is let go, for housekeeping hands over what waits: %s",
            case_id,
            reason,
            extra=telemetry.about(case) if case else {"case": case_id},
        )
        return case

    def _delivered(self, task: Task) -> Case | None:
        case = self.store.get([task.case_id]).get(task.case_id)
        effect = case and case.effect(task.kind)
        if not case or not effect or effect.attempt != task.attempt:
            return case
        if effect.state == "pending":
            return self._pending(case, effect, task)
        outlet = self.outlets[task.kind]
        if effect.state == "unknown" and outlet:
            return self._look_up(case, effect, outlet)
        return case

    def _pending(self, case: Case, effect: Effect, task: Task) -> Case | None:
        kind, now = task.kind, self.clock()
        mode = "on" if effect.by or kind != "reply" else self.channels.replies
        if mode == "off":
            return self._change(
                case,
                partial(cases.forgone, attempt=task.attempt, reason="Automatic replies are off."),
            )
        outlet = self.outlets[kind]
        if outlet is None and mode == "on":
            return self._waits(case, effect, "Its keys are not set.", now + WAIT_FOR_KEYS)
        admission = self.gate.admit(case, effect, now) if kind == "reply" and self.gate else None
        if isinstance(admission, Stay):
            extra = _about(case, effect)
            log.info(
                "The %s of case %s is not sent: %s", kind, case.id, admission.reason, extra=extra
            )
            return self._change(case, self._stays(admission, task.attempt))
        if isinstance(admission, Wait):
            return self._waits(case, effect, admission.problem, admission.until)
        if mode == "dry-run" or outlet is None:
            text = admission.text if admission else effect.text or ""
            return self.store.change(
                case.id, partial(cases.recorded, attempt=task.attempt, text=text)
            )
        return self._send(case, task, outlet, admission, now)

    def _stays(self, stay: Stay, attempt: int) -> Callable[..., Case]:
        if not stay.person:
            return partial(cases.forgone, attempt=attempt, reason=stay.reason)
        return partial(
            cases.handed_over,
            attempt=attempt,
            reason=stay.reason,
            head=stay.head,
            channels=self.channels,
        )

    def _send(
        self, case: Case, task: Task, outlet: Outlet, go: Go | None, now: datetime
    ) -> Case | None:
        token = self.identities()

        def begin(current: Case) -> Case:
            effect = current.effect(task.kind)
            if not effect or effect.state != "pending" or effect.attempt != task.attempt:
                return current
            if go is None:
                return cases.begun(current, task.kind, token, now)
            return cases.begun(current, task.kind, token, now, go.text, go.cost)

        begun = self.store.change(case.id, begin)
        effect = begun.effect(task.kind) if begun else None
        if not begun or not effect or effect.token != token:
            if self.gate and go:
                taken = effect is not None and effect.state in {"sending", "sent", "unknown"}
                self.gate.undo(case, go, now, answered=taken)
            return begun
        return self._sent(begun, effect, token, outlet, now)

    def _sent(
        self, case: Case, effect: Effect, token: str, outlet: Outlet, now: datetime
    ) -> Case | None:
        kind = effect.kind
        try:
            outside_id = self._tried_twice(case, effect, outlet)
        except Retryable as failure:
            if effect.by and effect.attempt >= MOST_ATTEMPTS:  # somebody waits for it
                final = Permanent(str(failure))
                final.neighbour = failure.neighbour
                return self._refused(case, effect, token, final, now)
            due_at = self.clock() + _back_off(effect, failure)
            extra = {**_about(case, effect), **telemetry.failure(failure)}
            log.warning(
                "The %s of case %s waits until %s: %s", kind, case.id, due_at, failure, extra=extra
            )
            later = self.store.change(
                case.id,
                partial(
                    cases.postponed, kind=kind, token=token, problem=str(failure), due_at=due_at
                ),
            )
            self._settle(case, effect, failure, now)
            return later
        except Permanent as failure:
            if kind == "card" or (kind != "reply" and failure.mendable):
                self._stick(case, effect, failure)
                raise
            return self._refused(case, effect, token, failure, now)
        except Unknown as failure:
            extra = {**_about(case, effect), **telemetry.failure(failure)}
            log.warning(
                "The %s of case %s may have been sent: %s", kind, case.id, failure, extra=extra
            )
            return self._change(
                case, partial(cases.lost, kind=kind, token=token, problem=str(failure))
            )
        return self._done(case, effect, token, outside_id)

    def _done(self, case: Case, effect: Effect, token: str, outside_id: str) -> Case | None:
        kind = effect.kind
        extra = {**_about(case, effect), **_metric(case, effect, self.clock())}
        log.info("The %s of case %s is sent (%s).", kind, case.id, outside_id, extra=extra)
        return self._change(
            case, partial(cases.sent, kind=kind, token=token, outside_id=outside_id)
        )

    def _refused(
        self, case: Case, effect: Effect, token: str, failure: Permanent, now: datetime
    ) -> Case | None:
        kind = effect.kind
        # What nobody can do anything about, as a post that is gone, is nobody's failure.
        metric = telemetry.failure(failure) if failure.person else {}
        extra = {**_about(case, effect), **metric}
        log.error("The %s of case %s will not be sent: %s", kind, case.id, failure, extra=extra)
        refused = self._change(
            case,
            partial(
                cases.failed,
                kind=kind,
                token=token,
                problem=str(failure),
                channels=self.channels,
                person=failure.person,
            ),
        )
        self._settle(case, effect, failure, now)
        return refused

    def _settle(self, case: Case, effect: Effect, failure: Failure, at: datetime) -> None:
        if not self.gate or effect.kind != "reply":
            return
        try:
            self.gate.settle(case, effect, failure, at)
        except (Failure, Conflict) as trouble:
            # What was counted and is not taken back only makes the bot more careful.
            log.warning(
                "What case %s was counted for stays counted: %s",
                case.id,
                trouble,
                extra={**_about(case, effect), **telemetry.failure(trouble)},
            )

    def _tried_twice(self, case: Case, effect: Effect, outlet: Outlet) -> str:
        try:
            return outlet.send(case, effect)
        except Retryable as failure:
            if failure.after is None or failure.after > WAIT_AT_MOST:
                raise
            self.wait(failure.after)
            return outlet.send(case, effect)

    def _stick(self, case: Case, effect: Effect, failure: Permanent) -> None:
        extra = {**_about(case, effect), **telemetry.failure(failure)}
        log.error(
            "The %s of case %s waits to be mended: %s", effect.kind, case.id, failure, extra=extra
        )
        stuck = partial(
            cases.stuck, kind=effect.kind, token=effect.token or "", problem=str(failure)
        )
        self.store.change(case.id, stuck)

    def _look_up(self, case: Case, effect: Effect, outlet: Outlet) -> Case | None:
        kind = effect.kind
        try:
            found = outlet.find(case, effect)
        except (Retryable, Permanent, Unknown) as failure:
            if kind != "reply" and isinstance(failure, Permanent):
                self._stick(case, effect, failure)
                raise
            extra = {**_about(case, effect), **telemetry.failure(failure)}
            log.warning(
                "The %s of case %s could not be looked up: %s", kind, case.id, failure, extra=extra
            )
            if not isinstance(failure, Permanent):
                return self._looked_up_later(case, effect, failure)
            found = None  # nobody but an agent can find out
        if found is None:
            return self._change(
                case,
                partial(cases.absent, kind=kind, attempt=effect.attempt, channels=self.channels),
            )
        return self._done(case, effect, effect.token or "", found)

    def _looked_up_later(self, case: Case, effect: Effect, failure: Failure) -> Case | None:
        asked = failure.after if isinstance(failure, Retryable) else None
        return self.store.change(
            case.id,
            partial(
                cases.not_looked_up,
                kind=effect.kind,
                attempt=effect.attempt,
                problem=str(failure),
                due_at=self.clock() + max(cases.LOOK_UP_AFTER, timedelta(seconds=asked or 0)),
            ),
        )

    def _waits(self, case: Case, effect: Effect, problem: str, due_at: datetime) -> Case | None:
        if effect.problem != problem:  # once, however often it is asked for
            extra = _about(case, effect)
            log.info("The %s of case %s waits: %s", effect.kind, case.id, problem, extra=extra)
        return self.store.change(
            case.id,
            partial(
                cases.postponed,
                kind=effect.kind,
                token=None,
                problem=problem,
                due_at=due_at,
                attempt=effect.attempt,
            ),
        )

    def _change(self, case: Case, change: Callable[..., Case]) -> Case | None:
        changed = self.store.change(case.id, partial(change, now=self.clock()))
        if changed:
            if changed.effect("card") and not case.effect("card"):
                conversations.lead(self.store, [changed])
            enqueue([changed], self.workers)
        return changed


def _about(case: Case, effect: Effect) -> telemetry.Extra:
    return {**telemetry.about(case), "effect": effect.kind, "attempt": effect.attempt}


def _metric(case: Case, effect: Effect, now: datetime) -> telemetry.Extra:
    if case.notice or is_probe(case.tweet):
        return {}
    if effect.kind == "reply":
        return {} if effect.by else telemetry.counted("Answered")
    # A card that came of an answer that failed, or of an agent's word, says nothing of our pace.
    if effect.kind != "card" or case.effect("reply") or case.label:
        return {}
    tweet = case.tweet
    written_at = tweet.written_at if tweet.source in {"webhook", "poll"} else None
    took = (now - (written_at or case.received_at)) / timedelta(milliseconds=1)
    return telemetry.timed("PostToCard", max(took, 0.0))


def _back_off(effect: Effect, failure: Retryable) -> timedelta:
    if failure.after is not None:
        return timedelta(seconds=failure.after)
    return timedelta(seconds=BACK_OFF[min(effect.attempt, len(BACK_OFF)) - 1])
