"""Cases, messages, a clock and ids, as the contract tests use them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from bot.cases import Case, Effect, Entry
from bot.ports import Identities, Message, Outgoing, Queue
from bot.storage.sqlite import Database, SqliteQueue
from bot.tweets import Tweet

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
VISIBILITY, RECEIVES = 180, 3


class Watch:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def identities() -> Identities:
    """New ids, one after the other."""
    numbers = count(1)
    own = uuid4().hex
    return lambda: f"{own}-{next(numbers)}"


def a_case(case_id: str, received_at: datetime = NOW, **fields: Any) -> Case:
    tweet = Tweet(case_id, f"text of {case_id}", case_id)
    return Case(tweet, "escalate", ("It says so.",), received_at, received_at, **fields)


def due(case_id: str, at: datetime) -> Case:
    return a_case(case_id, effects=(Effect("card", "pending", due_at=at),))


def tell(what: str) -> Callable[[Case], Case]:
    """A change that adds a line to the case's story."""
    return lambda case: replace(case, history=(*case.history, Entry(NOW, "bot", what)))


def told(case: Case | None) -> list[str]:
    """The lines of the case's story."""
    assert case
    return [entry.what for entry in case.history]


def sqlite_queue(
    database: Database, watch: Watch, *, fifo: bool, receives: int = RECEIVES
) -> SqliteQueue:
    return SqliteQueue(
        database,
        "cards" if fifo else "tweets",
        fifo=fifo,
        visibility=VISIBILITY,
        max_receives=receives,
        clock=watch,
        identities=identities(),
    )


@dataclass(frozen=True)
class Bench:
    """A queue of each kind, and what makes its visibility timeout pass."""

    queue: Queue
    fifo: Queue
    time_out: Callable[[Queue, Sequence[Message]], None]


def take(queue: Queue, count: int = 1) -> list[Message]:
    """So many messages, in as many calls as it needs: SQS may answer with fewer, or none."""
    taken: list[Message] = []
    for _ in range(200):
        taken += queue.receive(10)
        if len(taken) >= count:
            return taken
    raise AssertionError(f"Only {len(taken)} of {count} messages came.")


def bodies(messages: Sequence[Message]) -> list[str]:
    return [message.body for message in messages]


def grouped(body: str, group: str = "C0SUPPORT") -> Outgoing:
    return Outgoing(body, group, f"deduplication of {body}")
