"""What is done every minute: what is due or hangs, what calmed down, what is past its time."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot import delivery
from bot.digests import Digests
from bot.incidents import Incidents
from bot.ports import CaseStore, Clock, Queue


@dataclass(frozen=True, slots=True)
class Housekeeping:
    """May be called at any time, by several at once, and again."""

    store: CaseStore
    workers: Mapping[delivery.Worker, Queue]
    incidents: Incidents
    digests: Digests
    clock: Clock

    def work(self) -> dict[str, int]:
        """The numbers of effects handed over, notices told and records expired.

        Raises what the store and the queues raise.
        """
        now = self.clock()
        handed_over = delivery.sweep(self.store, self.workers, now)
        notices = [*self.incidents.calm(now), *self.digests.due(now)]
        delivery.enqueue(notices, self.workers)
        expired = self.store.expire(now)
        return {"handed over": handed_over, "notices": len(notices), "expired": expired}
