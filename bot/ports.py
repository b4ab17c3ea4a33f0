"""What the core asks of the outside: a few methods each, implemented in the folders below."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Protocol

from bot.cases import Case, Effect
from bot.errors import Failure
from bot.frozen import frozen
from bot.tweets import Author, Tweet

Clock = Callable[[], datetime]
"""Tells the time, with its zone (UTC)."""

Identities = Callable[[], str]
"""Gives a new unique id at each call."""

Trace = Callable[[], str]
"""Gives the trace of what comes in at this moment (`bot.cases.Case`)."""


class CaseStore(Protocol):
    """Where cases live. Every change of a case is conditional on nobody else having changed it."""

    def add(self, cases: Sequence[Case]) -> set[str]:
        """Stores the cases whose ids are new, and returns these ids."""
        ...

    def get(self, ids: Sequence[str]) -> dict[str, Case]:
        """The cases with these ids, as far as they exist."""
        ...

    def change(self, case_id: str, change: Callable[[Case], Case]) -> Case | None:
        """Applies a pure change, again on whatever another writer left, and returns the case.

        None where there is no such case. Returning the case itself writes nothing. Raises
        `Conflict` after several lost races, `Newer` over a newer release's record, and what
        `change` raises.
        """
        ...

    def newest(
        self, until: datetime | None = None, since: datetime | None = None
    ) -> Iterator[Case]:
        """All cases, last received first, read as they are asked for.

        Only those received `until`, and `since`, where these are given.
        """
        ...

    def open(self, limit: int) -> list[Case]:
        """At most so many cases that wait for a person (`Case.open`), longest waiting first.

        What was written in the last second may be missing on DynamoDB, whose indexes trail.
        """
        ...

    def due(self, now: datetime, limit: int) -> list[str]:
        """Ids of the cases with an effect due at `now`, longest due first."""
        ...

    def delete(self, ids: Sequence[str]) -> None:
        """Removes these cases, as if they had never been; what is not there stays so.

        For what was no post: one that is to be forgotten keeps an empty case (`bot.triage.erase`).
        """
        ...

    def expire(self, now: datetime) -> int:
        """Removes what is past its retention and says how much; 0 where that happens by itself."""
        ...

    def note(self, name: str) -> Any:
        """A small JSON value kept beside the cases (a cursor, a switch); None where absent."""
        ...

    def set_note(self, name: str, value: Any, received_at: datetime | None = None) -> None:
        """Keeps that value; with `received_at` only as long as a case received then."""
        ...

    def notes(self, names: Sequence[str]) -> dict[str, Any]:
        """The notes of these names, as far as they exist, read at once."""
        ...

    def change_note(
        self,
        name: str,
        change: Callable[[Any], Any],
        received_at: datetime | None = None,
        *,
        new: bool = False,
    ) -> Any:
        """Applies a pure change to a note (None where absent), and returns what it then is.

        Like `change`: again on what another writer left, `Conflict` after several lost races,
        and an equal value writes nothing. `new` is whether there hardly is one yet, so that a
        store may spare itself the look.
        """
        ...

    def lease(self, name: str, holder: str, now: datetime, until: datetime) -> bool:
        """Whether `holder` has that lease from `now` on: nobody else had it any more.

        A holder may ask again, and with `until=now` gives it back. One that crashes loses it when
        its time is over. Who finds it taken changes nothing.
        """
        ...


@frozen
class Outgoing:
    """A message to send. FIFO queues need `group` and `deduplication`."""

    body: str
    group: str | None = None
    deduplication: str | None = None


@frozen
class Message:
    """A message received: it stays invisible to others until deleted or its time is over."""

    id: str
    body: str
    receipt: str
    receive_count: int
    sent_at: datetime
    group: str | None = None


class Queue(Protocol):
    """At-least-once delivery with a visibility timeout, a receive count and dead letters."""

    def send(self, messages: Sequence[Outgoing]) -> None:
        """Queues all of them durably.

        Raises `Retryable` where any could not be queued, `Refused` where the queue would never take
        it; the others are queued all the same, as far as the queue answers.
        """
        ...

    def receive(self, limit: int) -> list[Message]:
        """Up to `limit` (at most 10) visible messages, now invisible; dead ones are set aside."""
        ...

    def delete(self, receipts: Sequence[str]) -> None:
        """Removes messages received; a stale receipt changes nothing."""
        ...

    def postpone(self, receipts: Sequence[str], seconds: float) -> None:
        """Makes received messages visible again after `seconds` rather than the full timeout."""
        ...

    def redrive(self, limit: int | None = None) -> int:
        """Dead letters back onto the queue, as if never received, and how many; `limit` at most.

        Raises `Retryable` half way rather than lose one; those that are left may then come twice.
        """
        ...

    def depth(self) -> tuple[int, int]:
        """How many messages wait or are in flight, and how many are dead; approximate on SQS."""
        ...


class Backlog(Protocol):
    """A queue that can be searched, as SQS cannot."""

    def take_out(self, concerned: Callable[[str], bool]) -> list[str]:
        """Removes the messages with such bodies, be they waiting, in flight or dead.

        Returns their bodies. Who holds one of them in flight may still work on it.
        """
        ...


class Outlet(Protocol):
    """Where effects of one kind reach the world.

    Both methods raise `Permanent` and `Retryable`, `send` also `Unknown`.
    """

    def send(self, case: Case, effect: Effect) -> str:
        """Does it, and returns the outside id."""
        ...

    def find(self, case: Case, effect: Effect) -> str | None:
        """The outside id of the effect if it happened, None if it cannot be found."""
        ...


@frozen
class Go:
    """An effect may be sent now, with this text; `cost` is in millionths of a dollar."""

    text: str
    cost: int = 0


@frozen
class Stay:
    """An effect must never be sent, for this reason.

    Where a person should see its case instead, that gets a card; in the thread of `head`, the
    open case whose conversation it goes on with, if there is one.
    """

    reason: str
    person: bool = False
    head: Case | None = None


@frozen
class Wait:
    """An effect may not be sent before `until`."""

    problem: str
    until: datetime


Admission = Go | Stay | Wait


class Gate(Protocol):
    """Whether an effect may be sent now."""

    def admit(self, case: Case, effect: Effect, now: datetime) -> Admission:
        """Decides, and counts what it lets go as sent."""
        ...

    def settle(self, case: Case, effect: Effect, failure: Failure, at: datetime) -> None:
        """Takes back what was counted `at` that time, as far as the call had no effect."""
        ...

    def undo(self, case: Case, go: Go, at: datetime, *, answered: bool) -> None:
        """Takes back what was counted `at` that time for a call that was never made.

        `answered` says that somebody else makes it.
        """
        ...


class Mentions(Protocol):
    """The account's mentions on X."""

    @property
    def fingerprint(self) -> str:
        """Tells one account's keys from another's, without telling the keys."""
        ...

    def account_id(self) -> str:
        """The account's own user id."""
        ...

    def pages(
        self,
        account_id: str,
        since_id: str | None,
        since: datetime | None,
        until_id: str | None = None,
        page_size: int = 100,
    ) -> Iterable[tuple[list[Tweet], list[str]]]:
        """Pages of mentions, newest first: tweets and what could not be read.

        `since_id` and `until_id` bound them, both exclusive; `page_size` is 5 to 100.
        """
        ...


ReplyText = Callable[[Tweet, datetime], str]
"""The automatic answer to a tweet at a time."""

MayReply = Callable[[Tweet, datetime, datetime], str | None]
"""Why the bot must not answer a tweet received and decided at these times, None where it may."""

Heed = Callable[[Sequence[Tweet], datetime], object]
"""Notes which authors ask to be left alone by the bot."""

AsksQuiet = Callable[[str], bool]
"""Whether a text asks the bot to be quiet."""

ReadCost = Callable[[Tweet], int]
"""What reading a tweet cost, in millionths of a dollar."""

AgentAnswers = Callable[[Tweet, datetime], None]
"""Notes that an agent answers a tweet, so that the bot stays out of its conversation."""

NoteAuthor = Callable[[Author, str, datetime], object]
"""Notes something about an author, by whom and when."""

MaySay = Callable[[Tweet, str], str | None]
"""Why a person must not answer a tweet with a text, None where nothing speaks against it."""
