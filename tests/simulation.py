"""The whole way of a few tweets with the real use cases, a clock that is moved, and accidents."""

import json
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.agents import Agents, Deed
from bot.batches import each
from bot.cases import Case, Channels, Effect, EffectKind
from bot.checkups import Checkups
from bot.delivery import Courier, Worker, task_of
from bot.digests import Digests
from bot.errors import Failure, Refused
from bot.hours import ALWAYS
from bot.housekeeping import Housekeeping
from bot.incidents import Incidents
from bot.local.serverless import queue_properties
from bot.notices import Bursts
from bot.policy import Rules
from bot.ports import Outgoing, Queue
from bot.triage import Arrival, Desk, message, triage_batch
from bot.tweets import Author, Tweet
from bot.twitter.gate import Gate
from bot.twitter.ledger import Ledger
from bot.twitter.rules import Limits
from bot.verdicts import Classifier
from bot.wire import Deleted
from tests.fakes import (
    Clock,
    MemoryCases,
    MemoryOutlet,
    MemoryQueue,
    WordClassifier,
    Worked,
    identities,
    work_off,
)

QUEUED = Channels(cards_queued=True, replies="on")
ANGRY = Tweet(
    "101", "I am angry", "101", Author("55", "mira"), kind="mention", lang="en", answer=True
)
CALM = replace(ANGRY, id="102", root_id="102", text="thanks", author=Author("56", "otto"))
USUAL = Bursts()
LONG_ENOUGH = 90
"""Minutes after which whatever went wrong has been dealt with."""


class Crash(BaseException):
    """The function's process is gone."""


class Fuse:
    """Counts the moments around every outside call; the process dies at those in `crashes`.

    `calls` tells of each moment which call it is about.
    """

    def __init__(self, crashes: frozenset[int] = frozenset()) -> None:
        self.crashes = crashes
        self.calls: list[str] = []

    @property
    def moments(self) -> int:
        return len(self.calls)

    def burn(self, call: str) -> None:
        self.calls.append(call)
        if self.moments in self.crashes:
            raise Crash


class Fragile:
    """Passes calls on; its caller may die just before or just after each."""

    def __init__(self, inner: Any, fuse: Fuse, name: str) -> None:
        self._inner = inner
        self._fuse = fuse
        self._name = name

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            self._fuse.burn(f"{self._name} {name}")
            result = getattr(self._inner, name)(*arguments, **named)
            self._fuse.burn(f"{self._name} {name}")
            return result

        return call


class Threads(MemoryOutlet):
    """The threads of cards, whose messages are told apart by their effect's token."""

    def find(self, case: Case, effect: Effect) -> str | None:
        there = any(sent.token == effect.token for _, sent in self.seen)
        super().find(case, effect)
        return f"outside-{case.id}" if there else None

    def said(self, case_id: str) -> list[str]:
        """The lines in a card's thread."""
        return [
            f"{line.who} {line.what}"
            for case, effect in self.seen
            if case.id == case_id
            for line in case.lines[: effect.carries]
        ]


@dataclass(frozen=True)
class Greeting:
    """A text and its marks."""

    text: str
    marks: tuple[str, str]


def greeting(tweet: Tweet, now: datetime, used: Collection[str]) -> Greeting | None:  # noqa: ARG001
    """The same answer for everybody, by name."""
    text = f"Hi @{tweet.author.handle}!"
    return None if text in used else Greeting(text, (text, "greeting"))


def desk(classifier: Classifier | None = None, **changes: Any) -> Desk:
    """A desk with few words, no rules, and the same answer for all."""
    plain = Desk(
        classifier=classifier or WordClassifier(),
        threshold=lambda: None,
        unsure_margin=0.15,
        hold=timedelta(minutes=15),
        rules=Rules(),
        channels=QUEUED,
        incidents=Incidents(MemoryCases(), Bursts(), QUEUED),
        may_reply=lambda _tweet, _received_at, _now: None,
        reply_text=lambda tweet, _now: f"Hi @{tweet.author.handle}!",
        heed=lambda _tweets, _now: 0,
        asks_quiet=lambda text: text == "stop",
        read_cost=lambda _tweet: 0,
    )
    return replace(plain, **changes)


class Simulation:
    """A bot over fakes. `crashes` are the moments (see `Fuse`) at which a function dies."""

    def __init__(
        self,
        crashes: frozenset[int] = frozenset(),
        *,
        channels: Channels = QUEUED,
        bursts: Bursts = USUAL,
    ) -> None:
        self.clock = Clock()
        self.fuse = Fuse(crashes)
        self.store = MemoryCases()
        self.tweets = MemoryQueue(self.clock, max_receives=queue_properties("tweets").max_receives)
        self.cards = MemoryQueue(self.clock)
        self.replies = MemoryQueue(self.clock)
        self.slack, self.updates, self.x = MemoryOutlet(), MemoryOutlet(), MemoryOutlet()
        self.lines = Threads()
        self.actions = MemoryQueue(self.clock)
        store: Any = Fragile(self.store, self.fuse, "store")
        self.incidents = Incidents(store, bursts, channels)
        self.desk = desk(incidents=self.incidents, channels=channels)
        queues: Mapping[Worker, Any] = {
            "cards": Fragile(self.cards, self.fuse, "cards"),
            "replies": Fragile(self.replies, self.fuse, "replies"),
        }
        outlets: Mapping[EffectKind, Any] = {
            "card": Fragile(self.slack, self.fuse, "card"),
            "update": Fragile(self.updates, self.fuse, "update"),
            "line": Fragile(self.lines, self.fuse, "line"),
            "reply": Fragile(self.x, self.fuse, "reply"),
        }
        self._store, self._queues = store, queues
        gate = Gate(
            store=store,
            ledger=Ledger(store),
            limits=Limits(),
            account=frozenset,
            choose=greeting,
            has_link=lambda _text: False,
            sends=True,
        )
        self.courier = Courier(
            store, queues, outlets, channels, self.clock, identities(), self.clock.wait, gate
        )
        self.agents = Agents(
            store=store,
            workers=queues,
            channels=channels,
            may_say=lambda _tweet, _text: None,
            answers=lambda _tweet, _now: None,
            mute=lambda _author, _who, _now: None,
            opt_out=lambda _author, _who, _now: None,
            clock=self.clock,
        )
        digests = Digests(store, channels, ALWAYS, None, lambda _day: None)
        checkups = Checkups(store, channels, ALWAYS, None, lambda: None)
        self.housekeeping = Housekeeping(
            store, queues, self.incidents, digests, checkups, self.clock
        )

    def arrive(self, *arrivals: Tweet | Deleted) -> None:
        self.tweets.send([message(Arrival(one, self.clock())) for one in arrivals])

    def triage(self) -> bool:
        return self._work(self.tweets, "tweets", 10, self._triage)

    def _triage(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        return triage_batch(event, self.desk, self._store, self.tweets, self._queues, self.clock())

    def ask(self, do: str, case_id: str, who: str = "U1") -> None:
        """An agent asks for something."""
        self.actions.send([Outgoing(json.dumps(asdict(Deed(do, case_id, who))))])

    def act(self) -> bool:
        def work(event: Mapping[str, Any]) -> Mapping[str, Any]:
            return each(event, self._act, self.actions)

        return self._work(self.actions, "actions", 10, work)

    def _act(self, body: str) -> None:
        # Whoever is refused is told so, and that is that.
        with suppress(Refused):
            self.agents.act(Deed(**json.loads(body)))

    def notify(self) -> bool:
        return self._deliver(self.cards, "cards")

    def reply(self) -> bool:
        return self._deliver(self.replies, "replies")

    def _deliver(self, queue: MemoryQueue, name: str) -> bool:
        def work(event: Mapping[str, Any]) -> Mapping[str, Any]:
            own: Queue = queue
            return each(event, lambda body: self.courier.deliver(task_of(body)), own)

        return self._work(queue, name, 1, work)

    def _work(self, queue: MemoryQueue, name: str, limit: int, worker: Worked) -> bool:
        """A batch from its receiving to its deleting, each of which may be the last thing done."""
        fragile: Any = Fragile(queue, self.fuse, name)

        def run() -> bool:
            # An empty queue is no moment of a tweet's way.
            return bool(queue.visible()) and work_off(fragile, limit, worker)

        return self.survives(run)

    def housekeep(self) -> bool:
        return self.survives(self.housekeeping.work)

    def survives(self, run: Callable[[], object]) -> bool:
        """Runs a function that may die; returns whether there may be more to do."""
        try:
            return bool(run())
        except (Crash, Failure):
            return True

    def run_on(self, minutes: int = LONG_ENOUGH) -> None:
        """Functions work as long as there is work, and housekeeping comes every minute."""
        for _ in range(minutes):
            if self.quiet():
                return
            self.housekeep()
            while self.triage() | self.act() | self.notify() | self.reply():
                pass
            self.clock.wait(60)

    def quiet(self) -> bool:
        """Whether nothing is left to do."""
        queues = (self.tweets, self.actions, self.cards, self.replies)
        waiting = any(queue.depth()[0] for queue in queues)
        return not waiting and all(case.due_at is None for case in self.store.newest())

    def again(self, case: Case, kind: EffectKind, attempt: int) -> None:
        """A worker gets a message about that attempt, new or old."""
        body = f'{{"case": "{case.id}", "effect": "{kind}", "attempt": {attempt}}}'
        self.courier.deliver(task_of(body))
