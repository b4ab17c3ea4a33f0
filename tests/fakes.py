"""Hand-written fakes of the ports (`bot.ports`, `bot.verdicts.Classifier`), and a clock."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from bot import records
from bot.cases import Case, Effect
from bot.envelopes import VERSION
from bot.local.events import sqs_event
from bot.ports import Identities, Message, Outgoing, Queue
from bot.storage.legible import body_of, case_of, case_or_none
from tests.examples import NOON

DEDUPLICATED_FOR = timedelta(minutes=5)


class Clock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def identities() -> Identities:
    numbers = count(1)
    return lambda: f"token-{next(numbers)}"


class MemoryCases:
    """A case store that keeps what JSON keeps. `before_change` runs once, as another writer."""

    def __init__(self) -> None:
        self._cases: dict[str, str] = {}
        self._notes: dict[str, str] = {}
        self._leases: dict[str, tuple[str, datetime]] = {}
        self.before_change: Callable[[], object] | None = None

    def add(self, new: Sequence[Case]) -> set[str]:
        fresh = {case.id: case for case in reversed(new) if case.id not in self._cases}
        self._cases |= {case_id: records.body(case) for case_id, case in fresh.items()}
        return set(fresh)

    def get(self, ids: Sequence[str]) -> dict[str, Case]:
        return {one: case_of(one, self._cases[one]) for one in ids if one in self._cases}

    def change(self, case_id: str, change: Callable[[Case], Case]) -> Case | None:
        other, self.before_change = self.before_change, None
        if other:
            other()
        if case_id not in self._cases:
            return None
        stored = self._cases[case_id]
        before = case_of(case_id, stored)
        changed = change(before)
        if changed is not before:
            self._cases[case_id] = body_of(changed, stored)
        return changed

    def newest(
        self, until: datetime | None = None, since: datetime | None = None
    ) -> Iterator[Case]:
        read = (case_or_none(*stored) for stored in self._cases.items())
        found = [case for case in read if case and (until is None or case.received_at <= until)]
        found = [case for case in found if since is None or case.received_at >= since]
        yield from sorted(found, key=lambda case: case.received_at, reverse=True)

    def open(self, limit: int) -> list[Case]:
        waiting = [case for case in self.newest() if case.open]
        return sorted(waiting, key=lambda case: (case.received_at, case.id))[:limit]

    def due(self, now: datetime, limit: int) -> list[str]:
        waiting = [(case.due_at, case.id) for case in self.newest() if case.due_at]
        return [case_id for due_at, case_id in sorted(waiting) if due_at <= now][:limit]

    def delete(self, ids: Sequence[str]) -> None:
        for case_id in ids:
            self._cases.pop(case_id, None)

    def expire(self, now: datetime) -> int:  # noqa: ARG002
        return 0

    def note(self, name: str) -> Any:
        return json.loads(self._notes.get(name, "null"))

    def set_note(self, name: str, value: Any, received_at: datetime | None = None) -> None:  # noqa: ARG002
        self._notes[name] = json.dumps(value)

    def notes(self, names: Sequence[str]) -> dict[str, Any]:
        return {name: self.note(name) for name in names if name in self._notes}

    def change_note(
        self,
        name: str,
        change: Callable[[Any], Any],
        received_at: datetime | None = None,  # noqa: ARG002
        *,
        new: bool = False,  # noqa: ARG002
    ) -> Any:
        after = change(self.note(name))
        self._notes[name] = json.dumps(after)
        return after

    def lease(self, name: str, holder: str, now: datetime, until: datetime) -> bool:
        other, ends = self._leases.get(name, (holder, now))
        free = other == holder or ends <= now
        if free:
            self._leases[name] = (holder, until)
        return free

    def upgrade(self, case_id: str) -> None:
        """As if a newer release had written that case."""
        record = json.loads(self._cases[case_id])
        self._cases[case_id] = json.dumps({**record, "version": records.VERSION + 1})

    def only(self) -> Case:
        """The one case that is there."""
        [case] = self.newest()
        return case


@dataclass
class _Held:
    message: Outgoing
    number: int
    visible_at: datetime
    receives: int = 0


class MemoryQueue:
    """A queue with visibility, receive counts and, where messages ask for it, deduplication."""

    def __init__(self, clock: Clock, visibility: float = 180, max_receives: int = 5) -> None:
        self._clock = clock
        self._visibility = timedelta(seconds=visibility)
        self._max_receives = max_receives
        self.dead: list[Message] = []
        self._held: dict[str, _Held] = {}
        self._seen: dict[str, datetime] = {}
        self._numbers = count(1)
        self.sent: list[Outgoing] = []
        self.failure: Exception | None = None

    def send(self, messages: Sequence[Outgoing]) -> None:
        if self.failure:
            raise self.failure
        for message in messages:
            now, name = self._clock(), message.deduplication
            if name and self._seen.get(name, now) > now:
                continue
            if name:
                self._seen[name] = now + DEDUPLICATED_FOR
            number = next(self._numbers)
            self._held[f"receipt-{number}"] = _Held(message, number, now)
            self.sent.append(message)

    def receive(self, limit: int) -> list[Message]:
        now = self._clock()
        messages = [self._received(name, one, now) for name, one in self.visible()[:limit]]
        dead = [one for one in messages if one.receive_count > self._max_receives]
        self.dead += dead
        self.delete([one.receipt for one in dead])
        return [one for one in messages if one not in dead]

    def visible(self) -> list[tuple[str, "_Held"]]:
        now = self._clock()
        return [(name, one) for name, one in self._held.items() if one.visible_at <= now]

    def _received(self, receipt: str, held: _Held, now: datetime) -> Message:
        held.receives += 1
        held.visible_at = now + self._visibility
        return Message(f"message-{held.number}", held.message.body, receipt, held.receives, now)

    def delete(self, receipts: Sequence[str]) -> None:
        for receipt in receipts:
            self._held.pop(receipt, None)

    def postpone(self, receipts: Sequence[str], seconds: float) -> None:
        for held in (self._held[one] for one in receipts if one in self._held):
            held.visible_at = self._clock() + timedelta(seconds=seconds)

    def redrive(self, limit: int | None = None) -> int:
        back = self.dead[:limit]
        del self.dead[:limit]
        for message in back:
            number = next(self._numbers)
            again = Outgoing(message.body, message.group)
            self._held[f"receipt-{number}"] = _Held(again, number, self._clock())
        return len(back)

    def depth(self) -> tuple[int, int]:
        return len(self._held), len(self.dead)

    def take_out(self, concerned: Callable[[str], bool]) -> list[str]:
        found = {name: one for name, one in self._held.items() if concerned(one.message.body)}
        self.delete(list(found))
        return [one.message.body for one in found.values()]

    def bodies(self) -> list[Any]:
        """What was sent, as JSON, but for its version."""
        return [unversioned(message.body) for message in self.sent]


def unversioned(body: str) -> dict[str, Any]:
    """The record of one of our messages, which says its version."""
    record: dict[str, Any] = json.loads(body)
    assert record.pop("version") == VERSION
    return record


Worked = Callable[[dict[str, Any]], Mapping[str, Any]]
"""What makes a batch's event into an answer, as a function on Lambda does."""


def work_off(queue: Queue, limit: int, worker: Worked) -> bool:
    """Hands one batch to `worker` as Lambda would; returns whether there was one."""
    batch = queue.receive(limit)
    if batch:
        answer = worker(sqs_event(batch, "queue"))
        failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
        queue.delete([one.receipt for one in batch if one.id not in failed])
    return bool(batch)


Turn = BaseException | Callable[[], object] | None
"""What happens in the middle of one call: it fails, or something else goes on meanwhile."""


class MemoryOutlet:
    """A world in which effects happen.

    `before` holds a turn for each call to come, taken before the effect happens; `after` those
    taken when it has happened and its answer is on the way; `looking` those of look-ups.
    """

    def __init__(self) -> None:
        self.happened: Counter[str] = Counter()
        self.seen: list[tuple[Case, Effect]] = []
        self.looked_up = 0
        self.before: list[Turn] = []
        self.after: list[Turn] = []
        self.looking: list[Turn] = []

    def send(self, case: Case, effect: Effect) -> str:
        _take_turn(self.before)
        self.happened[case.id] += 1
        self.seen.append((case, effect))
        _take_turn(self.after)
        return f"outside-{case.id}"

    def find(self, case: Case, effect: Effect) -> str | None:  # noqa: ARG002
        self.looked_up += 1
        there = self.happened[case.id] > 0
        _take_turn(self.looking)
        return f"outside-{case.id}" if there else None


def _take_turn(turns: list[Any]) -> None:
    turn = turns.pop(0) if turns else None
    if isinstance(turn, BaseException):
        raise turn
    if turn is not None:
        turn()


@dataclass
class WordClassifier:
    """Knows a few words and their probabilities; a text is as bad as its worst word.

    `failures` are raised call by call; `refused` are words it cannot bear.
    """

    words: Mapping[str, float] = field(default_factory=lambda: {"angry": 0.95, "thanks": 0.05})
    model: str = "words"
    normalizer: str = "emoji-1"
    threshold: float | None = None
    failures: list[Turn] = field(default_factory=list)
    refused: Mapping[str, Exception] = field(default_factory=dict)
    calls: list[list[str]] = field(default_factory=list)

    def probabilities(self, texts: Sequence[str]) -> list[float | None]:
        self.calls.append(list(texts))
        _take_turn(self.failures)
        for word, failure in self.refused.items():
            if any(word in text.split() for text in texts):
                raise failure
        known = [[self.words[w] for w in text.split() if w in self.words] for text in texts]
        return [max(found, default=None) for found in known]
