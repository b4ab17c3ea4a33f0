"""The numbers of a day, and the message that tells them to the channel once a day."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import islice, takewhile
from statistics import median
from typing import Final

from bot.cases import Case, Channels, with_card
from bot.deeds import CLAIMED
from bot.frozen import frozen
from bot.hours import Hours
from bot.notices import Digest
from bot.ports import CaseStore
from bot.tryouts import came_in
from bot.tweets import Tweet

DAY: Final = timedelta(days=1)
MOST_READ: Final = 20_000
"""Cases of a day that are read, so that housekeeping ends in time on a table of millions."""
MOST_OPEN: Final = 1_000
"""Open cases that are counted."""
ANSWERED: Final = "reply sent"
"""How the story of a case says that an answer is public."""
_NOTE: Final = "digest"

Costs = Callable[[datetime], int | None]
"""What the outside took on the day of that moment (UTC), in millionths of a dollar."""


@frozen
class Digests:
    """Makes the message of each day at that `hour` of `hours`; None is never.

    Each method raises what the store raises.
    """

    store: CaseStore
    channels: Channels
    hours: Hours
    hour: int | None
    costs: Costs

    def due(self, now: datetime) -> list[Case]:
        """The digest if it is time for it and nobody made it; with a card to be sent."""
        if self.hour is None or not self.channels.cards_queued:
            return []
        until = self.hours.day_hour(now, self.hour)
        name = f"digest-{until.astimezone(self.hours.zone):%Y%m%d}"
        if now < until or self.store.note(_NOTE) == name:
            return []
        digest = self.numbers(self._day_before(until, self.hour), until)
        case = self._made(name, digest, now)
        # A bot that has just begun has nothing to tell.
        new = self.store.add([case]) if digest.received or digest.waiting else set()
        self.store.set_note(_NOTE, name)
        return [case] if new else []

    def _day_before(self, until: datetime, hour: int) -> datetime:
        # A day on which the clock is put forward or back has 23 or 25 hours.
        noon_before = self.hours.day_hour(until, 0) - DAY / 2
        return self.hours.day_hour(noon_before, hour)

    def numbers(self, since: datetime, until: datetime, most: int = MOST_READ) -> Digest:
        """What came between these times, and what became of it until now; of more, the last."""
        waiting, cost = len(self.store.open(MOST_OPEN)), self.costs(since)
        return numbers(self.store.newest(until), since, until, waiting, cost, most)

    def _made(self, name: str, digest: Digest, now: datetime) -> Case:
        case = Case(Tweet(name, "", name), "notice", (), now, now, notice=digest)
        return with_card(case, self.channels, now)


def numbers(
    newest: Iterable[Case],
    since: datetime,
    until: datetime,
    waiting: int,
    cost: int | None,
    most: int = MOST_READ,
) -> Digest:
    """The numbers of the cases received between these times; they come newest first.

    What somebody tried the classifier on is no tweet, but its label counts.
    """
    recent = takewhile(lambda case: case.received_at >= since, newest)
    told = list(islice((case for case in recent if case.received_at < until), most + 1))
    partly = len(told) > most
    told = told[:most]
    found = [case for case in told if came_in(case)]
    routes = [case.route for case in found]
    corrected = [case for case in told if case.label and case.label.escalate != _escalated(case)]
    return Digest(
        since=since,
        until=until,
        received=len(found),
        escalated=routes.count("escalate"),
        answered_by_bot=sum(map(_bot_answered, found)),
        skipped=routes.count("skip"),
        to_claim=_median(_until_claimed(case) for case in found),
        to_answer=_median(_until_answered(case) for case in found),
        corrected=len(corrected),
        waiting=waiting,
        cost=cost,
        partly=partly,
    )


def _escalated(case: Case) -> bool:
    """What the model said, where it said something."""
    return case.verdict.escalate if case.verdict else case.route == "escalate"


def _bot_answered(case: Case) -> bool:
    reply = case.effect("reply")
    return reply is not None and reply.state == "sent" and reply.by is None


def _until_claimed(case: Case) -> float | None:
    at = next((entry.at for entry in case.history if entry.what == CLAIMED), None)
    return (at - case.received_at).total_seconds() if at else None


def _until_answered(case: Case) -> float | None:
    reply = case.effect("reply")
    if not reply or not reply.by:
        return None
    sent = (entry.at for entry in case.history if entry.what.startswith(ANSWERED))
    at = next(sent, None)
    return (at - case.received_at).total_seconds() if at else None


def _median(seconds: Iterable[float | None]) -> float | None:
    known = [one for one in seconds if one is not None]
    return median(known) if known else None
