"""Which posts are gone from X, asked once a day where no webhook tells of it.

X developer agreement, "Content compliance": what is deleted on X is deleted here within a day. A
webhook that tells of mentions does not tell of their deletion by that: `post.delete` is of the
user whom the subscription filters by (X Activity API, "Event types"), so it counts only once it
has told of a post that we have.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from bot import telemetry
from bot.cases import Case
from bot.errors import Permanent
from bot.frozen import frozen
from bot.ports import CaseStore, Queue
from bot.probes import is_probe
from bot.triage import DELETIONS_TOLD, Arrival, message
from bot.twitter.ledger import Ledger
from bot.wire import Deleted

log = logging.getLogger(__name__)

AT_ONCE: Final = 100
"""Posts X tells of in one call (X API reference, "Get Posts by IDs")."""
CALL_TIME: Final = 15.0
"""Seconds a call may take: X's answer (`bot.twitter.client`), and the queueing of what is gone."""
ENOUGH_TIME: Final = 2 * CALL_TIME
"""With less, what is found so far is asked for, and then the run is over."""
SILENCE: Final = timedelta(hours=48)
"""A webhook that told of no deletion for so long may tell of none any more."""
CHECK: Final = "x-deletion-check"
"""A note of how far the day's check has come: see `Progress`."""


@frozen
class Progress:
    """How far the check of a UTC day has come; it goes from the newest case to the oldest.

    `passed` are the cases received exactly at `until` that are done, as many may be.
    """

    day: str
    until: datetime | None = None
    passed: frozenset[str] = frozenset()
    done: bool = False

    def past(self, case: Case) -> "Progress":
        """One more case is done."""
        others = self.passed if case.received_at == self.until else frozenset()
        return replace(self, until=case.received_at, passed=others | {case.id})

    def to_json(self) -> dict[str, Any]:
        """The progress as plain JSON values."""
        until = self.until and self.until.isoformat()
        return {"day": self.day, "until": until, "passed": sorted(self.passed), "done": self.done}


def progress_of(noted: Any, now: datetime) -> Progress:
    """What `Progress.to_json` made on this day; a new one of anything else."""
    today = now.date().isoformat()
    if not isinstance(noted, dict) or noted.get("day") != today:
        return Progress(today)
    until = noted.get("until")
    return Progress(
        today,
        datetime.fromisoformat(until) if until else None,
        frozenset(noted.get("passed", ())),
        bool(noted.get("done")),
    )


@frozen
class DeletionCheck:
    """Asks X for the posts that are open or answered, and queues the deletion of those gone.

    `gone` says which of these ids X does not have any more. Cases received longer ago than
    `within` are left alone; zero is no check at all.
    """

    gone: Callable[[Sequence[str]], set[str]]
    store: CaseStore
    tweets: Queue
    ledger: Ledger
    within: timedelta

    def check(
        self, now: datetime, seconds_left: Callable[[], float], trace: str | None = None
    ) -> int:
        """Goes on with the day's check as far as the time reaches; returns how many are gone.

        Half of the month's budgets is left to mentions and answers. Raises what X, the store and
        the queue raise; what X refuses for good is tried again the next day.
        """
        if not self.within:
            return 0
        notes = self.store.notes([CHECK, DELETIONS_TOLD])
        progress = progress_of(notes.get(CHECK), now)
        heard = notes.get(DELETIONS_TOLD)
        if progress.done or (heard and datetime.fromisoformat(heard) > now - SILENCE):
            return 0
        gone = 0
        try:
            for cases, reached in self._portions(progress, now, seconds_left):
                if not self._reserved(cases, now):
                    break
                gone += self._ask(cases, now, trace)
                self.store.set_note(CHECK, reached.to_json())
            else:
                return gone
        except Permanent as refusal:
            log.error(  # noqa: TRY400
                "Deleted posts are not looked for until tomorrow: %s",
                refusal,
                extra={"trace": trace, **telemetry.failure(refusal)},
            )
        self.store.set_note(CHECK, replace(progress, done=True).to_json())
        return gone

    def _portions(
        self, progress: Progress, now: datetime, seconds_left: Callable[[], float]
    ) -> Iterator[tuple[list[Case], Progress]]:
        """The cases to ask for, and how far the check is when they are done."""
        waiting: list[Case] = []
        for case in self.store.newest(progress.until):
            if case.received_at <= now - self.within:
                break
            if case.id in progress.passed:
                continue
            left = seconds_left()
            if left < CALL_TIME:  # those that wait are found again
                return
            progress = progress.past(case)
            waiting += [case] if _concerned(case) else []
            if len(waiting) == AT_ONCE or left < ENOUGH_TIME:
                yield waiting, progress
                waiting = []
            if left < ENOUGH_TIME:
                log.info("The check for deleted posts goes on next time.")
                return
        yield waiting, replace(progress, done=True)

    def _reserved(self, cases: Sequence[Case], now: datetime) -> bool:
        """Whether the look may be paid for: half of each budget is left to mentions and answers."""
        number = len(cases)
        if not number:
            return True
        half = ((self.ledger.read_budget or 0) + 1) // 2
        if not self.ledger.affords("lookup", now, number=number, share=0.5):
            used = "X_MONTHLY_BUDGET_USD"
        elif self.ledger.reserve("lookup", number, now, least=number, keep=half):
            return True
        else:
            used = "X_MONTHLY_READ_BUDGET"
        log.warning(
            "Deleted posts are not looked for until tomorrow: half of %s is used, and the rest is "
            "for mentions and answers.",
            used,
        )
        return False

    def _ask(self, cases: Sequence[Case], now: datetime, trace: str | None) -> int:
        if not cases:
            return 0
        asked = 0
        try:
            gone = self.gone([case.tweet.id for case in cases])
            asked = len(cases)
        finally:
            self.ledger.settle("lookup", len(cases), asked, now)
        deleted = [Deleted(case.id, source="poll") for case in cases if case.tweet.id in gone]
        if deleted:
            self.tweets.send([message(Arrival(one, now, trace)) for one in deleted])
            extra = {"trace": trace, "tweets": [one.id for one in deleted]}
            log.info("%d posts are gone from X and will be erased.", len(deleted), extra=extra)
        return len(deleted)


def _concerned(case: Case) -> bool:
    if case.erased or case.tweet.source not in {"webhook", "poll"} or is_probe(case.tweet):
        return False
    reply = case.effect("reply")
    answered = reply is not None and reply.state in {"sent", "unknown"}
    return answered or (case.route == "escalate" and not case.resolved)
