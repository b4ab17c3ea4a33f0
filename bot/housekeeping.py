"""What is done every minute: what is due or hangs, what calmed down, what is past its time."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from bot import delivery, telemetry
from bot.cases import Case
from bot.checkups import Checkups
from bot.digests import Digests
from bot.frozen import frozen
from bot.incidents import Incidents
from bot.ports import CaseStore, Clock, Queue
from bot.tryouts import came_in

log = logging.getLogger(__name__)

SILENCE: Final = timedelta(days=2)
"""Of a longer one nothing is told: where X was never connected, nobody waits for it."""
MOST_LOOKED_AT: Final = 50
"""The newest cases among which the last tweet from X is looked for."""


@frozen
class Housekeeping:
    """May be called at any time, by several at once, and again."""

    store: CaseStore
    workers: Mapping[delivery.Worker, Queue]
    incidents: Incidents
    digests: Digests
    checkups: Checkups
    clock: Clock

    def work(self) -> dict[str, int]:
        """The numbers of effects handed over, notices told and records expired.

        Raises what the store, the queues and the reading of the model's file raise.
        """
        now = self.clock()
        handed_over = delivery.sweep(self.store, self.workers, now)
        notices = [*self.incidents.calm(now), *self.digests.due(now)]
        delivery.enqueue(notices, self.workers)
        expired = self.store.expire(now)
        self._tell_of_silence(now)  # late: what is to be done comes first
        if not notices:  # a digest and a checkup read thousands of cases each: one is enough
            notices = self.checkups.due(now)
            delivery.enqueue(notices, self.workers)
        return {"handed over": handed_over, "notices": len(notices), "expired": expired}

    def _tell_of_silence(self, now: datetime) -> None:
        newest = islice(self.store.newest(since=now - SILENCE), MOST_LOOKED_AT)
        last = next((case for case in newest if _came_from_x(case)), None)
        if last:
            hours = max((now - last.received_at) / timedelta(hours=1), 0.0)
            # Below what a person at a laptop sees, for it comes every minute.
            extra = telemetry.gauged("HoursSinceTweet", hours)
            log.debug("The last tweet came %.1f hours ago.", hours, extra=extra)


def _came_from_x(case: Case) -> bool:
    return case.tweet.source in {"webhook", "poll"} and came_in(case)
