"""The account's mentions onto the tweets queue, a run each minute."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bot import telemetry
from bot.errors import Conflict, Failure, Refused, Retryable
from bot.frozen import frozen
from bot.ports import CaseStore, Clock, Heed, Identities, Mentions, Outgoing, Queue, Trace
from bot.triage import Arrival, message
from bot.tweets import SNOWFLAKE_EPOCH_MS, Tweet, moment_of, order
from bot.twitter import ACCOUNT
from bot.twitter.deletions import DeletionCheck
from bot.twitter.ledger import Ledger
from bot.twitter.optouts import heed_or_leave

log = logging.getLogger(__name__)

FIRST_LOOK_BACK: Final = timedelta(hours=1)
OVERLAP: Final = timedelta(minutes=10)
"""Mentions are indexed late; this much is read again each time."""
OLDEST_SINCE_ID: Final = timedelta(days=6, hours=12)
"""Some of X's lists refuse a `since_id` older than a week; a time may be older."""
PAGE: Final = 100
LEAST_PAGE: Final = 5
"""Posts X gives at most and at least (X API reference, "User mention timeline by ID")."""
PAGE_TIME: Final = 15.0
"""Seconds a page may take: X's answer (`bot.twitter.client`), and its queueing."""

LEASE: Final = "x-poller"
CURSOR: Final = "x-mentions-cursor"
"""A note of how far the mentions are read: see `Reading`."""
SEEN: Final = "x-mentions-seen"
"""A note of which posts were read lately: see `Seen`."""
NOT_BEFORE: Final = "x-poll-not-before"
"""A note of when X wants to be asked for mentions again."""
NO_LOOK_BEFORE: Final = "x-no-look-before"
"""A note of when X wants to be asked for deleted posts again."""
BUDGET_USED: Final = "x-read-budget-used"
"""A note of the month whose read budget is used up, and the day on which that was last told."""
ACCOUNT_KEYS: Final = "x-account-keys"
"""Whose keys found that id: other keys are asked anew."""

Page = tuple[list[Tweet], list[str]]
"""Posts, and a sentence for each that could not be read."""


@frozen
class Reading:
    """How far the mentions are read; X gives them newest first.

    All up to `cursor` is queued. A reading that was cut short began at `newest` and came down to
    `below`, and the next run goes on there. `since` is where it ends where X takes no cursor.
    """

    cursor: str | None = None
    since: datetime | None = None
    newest: str | None = None
    below: str | None = None

    @property
    def since_id(self) -> str | None:
        """Where it ends, with the overlap, where X takes a cursor."""
        return None if self.since else self.cursor and _minus(self.cursor, OVERLAP)

    def down_to(self, page: Sequence[Tweet]) -> "Reading":
        """One more page is queued."""
        if not page:
            return self
        ids = sorted((tweet.id for tweet in page), key=order)
        return replace(self, newest=self.newest or ids[-1], below=ids[0])

    def done(self, now: datetime) -> "Reading":
        """All pages are queued, of posts or of nothing: read is what there was up to `now`."""
        ids = [one for one in (self.cursor, self.newest) if one]
        return Reading(max(ids, key=order) if ids else id_at(now))

    def to_json(self) -> dict[str, str]:
        """The reading as plain JSON values."""
        since = self.since.isoformat() if self.since and self.below else None
        fields = {"cursor": self.cursor, "since": since, "newest": self.newest, "below": self.below}
        return {name: value for name, value in fields.items() if value}


def reading_of(noted: Any, now: datetime) -> Reading:
    """The reading of what `Reading.to_json` made, or of a bare cursor, as it is `now`.

    Without any, the first look goes back an hour. A cursor that means nothing is no first look.
    """
    record = noted if isinstance(noted, dict) else {"cursor": noted}
    cursor = _identity(record.get("cursor"))
    written = moment_of(cursor) if cursor else None
    since: datetime | None
    if written is None:
        first = now - (OLDEST_SINCE_ID if noted else FIRST_LOOK_BACK)
        since = _moment(record.get("since")) or first
    else:
        since = written - OVERLAP if written <= now - OLDEST_SINCE_ID else None
    newest, below = _identity(record.get("newest")), _identity(record.get("below"))
    if newest is None or below is None:
        return Reading(cursor, since)
    return Reading(cursor, since, newest, below)


@frozen
class Seen:
    """The posts read and queued lately, by the days on which X charged for them.

    X charges for a post once on each UTC day ("Pricing"), so a new day's first overlap is charged
    again.
    """

    days: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def has(self, tweet: Tweet) -> bool:
        """Whether it is among them."""
        return any(tweet.id in ids for ids in self.days.values())

    def charged(self, page: Page, now: datetime) -> int:
        """How many posts of a page X charges for. One that nobody can read counts each time."""
        tweets, problems = page
        paid = self.days.get(_day(now), frozenset())
        return len({tweet.id for tweet in tweets} - paid) + len(problems)

    def with_page(self, tweets: Sequence[Tweet], now: datetime) -> "Seen":
        """One more page is read and queued."""
        today = self.days.get(_day(now), frozenset())
        return Seen({**self.days, _day(now): today | {tweet.id for tweet in tweets}})

    def after(self, since_id: str | None, now: datetime) -> "Seen":
        """Only those that may be read again, and by which day X charged for them last.

        Where nothing new is written the same overlap is read day after day, and is told by
        yesterday's.
        """
        lately = {_day(now), _day(now - timedelta(days=1))}
        kept = {
            day: frozenset(one for one in ids if since_id is None or order(one) > order(since_id))
            for day, ids in self.days.items()
            if day in lately
        }
        return Seen(kept)

    def to_json(self) -> dict[str, list[str]]:
        """The posts' ids as plain JSON values."""
        return {day: sorted(ids) for day, ids in self.days.items() if ids}


def seen_of(noted: Any) -> Seen:
    """What `Seen.to_json` made; nothing of anything else."""
    if not isinstance(noted, dict):
        return Seen()
    return Seen({day: frozenset(ids) for day, ids in noted.items() if isinstance(ids, list)})


@dataclass(slots=True)
class _Run:
    """One run: what it found noted, what it has done so far."""

    now: datetime
    seconds_left: Callable[[], float]
    notes: Mapping[str, Any]
    reading: Reading
    seen: Seen
    trace: str
    queued: int = 0
    gone: int = 0


@frozen
class Poller:
    """Reads the account's mentions, and where no webhook tells of them, which posts are gone."""

    mentions: Mentions
    store: CaseStore
    tweets: Queue
    ledger: Ledger
    heed: Heed
    deletions: DeletionCheck
    clock: Clock
    identities: Identities
    trace: Trace

    def work(self, seconds_left: Callable[[], float]) -> dict[str, int]:
        """Queues what is new since the last run, as far as the time reaches; returns how much.

        Only one poller works at a time: it has the lease for the seconds that are left to it.
        Raises the client's, the store's and the queue's failures, but where X says when to ask
        again, it waits until then.
        """
        now, holder = self.clock(), self.identities()
        if not self.store.lease(LEASE, holder, now, now + timedelta(seconds=seconds_left())):
            log.info("Another poller is reading the mentions, so this one does nothing.")
            return {"queued": 0, "gone": 0}
        try:
            run = self._begun(now, seconds_left)
            self._work(run)
        finally:
            with suppress(Failure):  # a lease not given back runs out
                self.store.lease(LEASE, holder, now, now)
        return {"queued": run.queued, "gone": run.gone}

    def _begun(self, now: datetime, seconds_left: Callable[[], float]) -> _Run:
        names = [CURSOR, SEEN, NOT_BEFORE, NO_LOOK_BEFORE, BUDGET_USED, ACCOUNT, ACCOUNT_KEYS]
        notes = self.store.notes(names)
        self.ledger.release(now)
        reading = reading_of(notes.get(CURSOR), now)
        return _Run(now, seconds_left, notes, reading, seen_of(notes.get(SEEN)), self.trace())

    def _work(self, run: _Run) -> None:
        if _asked_to_wait(run, NOT_BEFORE):
            return
        try:
            self._poll(run)
        except Retryable as failure:
            if failure.after is None:
                raise
            until = self._noted_wait(NOT_BEFORE, failure.after)
            extra = {"trace": run.trace, **telemetry.failure(failure)}
            log.warning("X is not asked before %s: %s", until, failure, extra=extra)
            return
        self._look_for_deletions(run)

    def _look_for_deletions(self, run: _Run) -> None:
        """Its failures are its own: mentions must not wait for a look-up that X refuses."""
        if _asked_to_wait(run, NO_LOOK_BEFORE):
            return
        try:
            run.gone = self.deletions.check(run.now, run.seconds_left, run.trace)
        except (Failure, Conflict) as failure:
            after = failure.after if isinstance(failure, Retryable) else None
            until = "the next run" if after is None else self._noted_wait(NO_LOOK_BEFORE, after)
            extra = {"trace": run.trace, **telemetry.failure(failure)}
            log.warning(
                "Deleted posts are not looked for before %s: %s", until, failure, extra=extra
            )

    def _noted_wait(self, name: str, seconds: float) -> str:
        until = (self.clock() + timedelta(seconds=seconds)).isoformat()
        self.store.set_note(name, until)
        return until

    def _poll(self, run: _Run) -> None:
        before = {CURSOR: run.reading.to_json(), SEEN: run.seen.to_json()}
        try:
            self._read(run)
        finally:
            for name, value in ((SEEN, run.seen.to_json()), (CURSOR, run.reading.to_json())):
                if value != before[name]:
                    self.store.set_note(name, value)

    def _read(self, run: _Run) -> None:
        account_id = self._account(run)
        pages: Iterator[Page] = iter(())
        size = PAGE + 1
        while True:
            granted = self.ledger.reserve("mention", PAGE, run.now, least=LEAST_PAGE)
            self._tell_of_budget(run, used=not granted)
            if not granted:
                return
            if granted < size:  # X would give as many as were asked for first
                size, bounds = granted, run.reading
                pages = iter(
                    self.mentions.pages(
                        account_id, bounds.since_id, bounds.since, bounds.below, size
                    )
                )
            page = self._page(run, pages, granted)
            if page:
                self._take(run, page, account_id)
            late = run.seconds_left() < PAGE_TIME
            # Who has time for one page only must learn from an empty one that it was the last.
            if page is None or (late and not any(page)):
                run.reading = run.reading.done(run.now)
                run.seen = run.seen.after(run.reading.since_id, run.now)
                return
            if late:
                log.warning("The poll stops at its deadline and goes on next time.")
                return

    def _page(self, run: _Run, pages: Iterator[Page], reserved: int) -> Page | None:
        charged = 0
        try:
            page = next(pages, None)
            charged = run.seen.charged(page, run.now) if page else 0
            return page
        finally:
            self.ledger.settle("mention", reserved, charged, run.now)

    def _take(self, run: _Run, page: Page, account_id: str) -> None:
        tweets, problems = page
        for problem in problems:
            extra = {"trace": run.trace, **telemetry.failed("message")}
            log.warning("A mention is left out: %s", problem, extra=extra)
        unseen = [t for t in tweets if not run.seen.has(t) and t.author.id != account_id]
        known = self.store.get([tweet.root_id for tweet in unseen]) if unseen else {}
        # An edit has an id of its own and must be seen again although its case is known.
        fresh = [tweet for tweet in unseen if not _decided(tweet, known)]
        if fresh:
            arrivals = [Arrival(tweet, run.now, run.trace) for tweet in reversed(fresh)]
            self._queue([message(arrival) for arrival in arrivals])
            extra = {"trace": run.trace, "tweets": [tweet.id for tweet in fresh]}
            extra |= telemetry.counted("Received", len(fresh))
            log.info("%d new mentions are queued.", len(fresh), extra=extra)
            heed_or_leave(self.heed, fresh, run.now)
        run.queued += len(fresh)
        run.seen = run.seen.with_page(tweets, run.now)
        run.reading = run.reading.down_to(tweets)

    def _queue(self, outgoing: Sequence[Outgoing]) -> None:
        try:
            self.tweets.send(outgoing)
        except Refused as refusal:
            # What the queue never takes must not be read again every minute.
            log.error(  # noqa: TRY400
                "Of the mentions not all are queued: %s",
                refusal,
                extra=telemetry.failed("message"),
            )

    def _account(self, run: _Run) -> str:
        noted: str | None = run.notes.get(ACCOUNT)
        if noted is not None and run.notes.get(ACCOUNT_KEYS) == self.mentions.fingerprint:
            return noted
        account_id = self.mentions.account_id()
        self.store.set_note(ACCOUNT, account_id)
        self.store.set_note(ACCOUNT_KEYS, self.mentions.fingerprint)
        return account_id

    def _tell_of_budget(self, run: _Run, *, used: bool) -> None:
        told = {"month": f"{run.now:%Y-%m}", "day": _day(run.now)} if used else None
        if run.notes.get(BUDGET_USED) == told:
            return
        self.store.set_note(BUDGET_USED, told)
        run.notes = {**run.notes, BUDGET_USED: told}
        if used:
            log.error(
                "X_MONTHLY_READ_BUDGET (%s posts) is used up, so mentions are left unread until "
                "the month is over: raise it to read them now.",
                self.ledger.read_budget,
            )


def _asked_to_wait(run: _Run, name: str) -> bool:
    until = _moment(run.notes.get(name))
    if until is None or until <= run.now:
        return False
    log.info("X is not asked before %s, as it wishes.", until.isoformat())
    return True


def _decided(tweet: Tweet, known: Mapping[str, Any]) -> bool:
    case = known.get(tweet.root_id)
    return case is not None and order(case.tweet.id) >= order(tweet.id)


def _identity(value: Any) -> str | None:
    return value if isinstance(value, str) and moment_of(value) else None


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()


def id_at(moment: datetime) -> str:
    """The least id that X gives at that moment."""
    milliseconds = round(moment.timestamp() * 1000) - SNOWFLAKE_EPOCH_MS
    return str(max(milliseconds, 0) << 22)


def _minus(tweet_id: str, span: timedelta) -> str:
    # The upper bits of an id are the milliseconds since X's epoch.
    milliseconds = (int(tweet_id) >> 22) - int(span.total_seconds() * 1000)
    return str(max(milliseconds, 0) << 22)
