"""How the bot stands, put together for `/triage status`."""

from collections.abc import Callable, Mapping
from typing import Literal

from bot.cases import Case
from bot.digests import MOST_OPEN
from bot.frozen import frozen
from bot.incidents import Incidents
from bot.notices import Incident
from bot.ports import CaseStore, Clock, Queue
from bot.standing import Status, counts
from bot.thresholds import Thresholds
from bot.twitter.ledger import DOLLAR, Ledger, price
from bot.twitter.pause import Pause
from bot.verdicts import Classifier, line_of


@frozen
class Standing:
    """Reads what the status tells; the classifier is made when first asked for.

    `costs` is whether anything is spent on X at all.
    """

    store: CaseStore
    queues: Mapping[str, Queue]
    classifier: Callable[[], Classifier]
    thresholds: Thresholds
    incidents: Incidents
    pause: Pause
    ledger: Ledger
    costs: bool
    clock: Clock

    def __call__(self) -> Status:
        """How it stands now. Raises what the store and the queues raise."""
        now, model, chosen = self.clock(), self.classifier(), self.thresholds.chosen()
        waiting = self.store.open(MOST_OPEN)
        lasting = self._lasting()
        spent = sum(price(day) for day in self.ledger.month(now).values())
        budget = self.ledger.budget
        usual: Literal["model", "setting"] = "model" if self.thresholds.usual is None else "setting"
        line = line_of(model, self.thresholds())  # asks an endpoint which model it serves
        return Status(
            at=now,
            counts=counts(self.store.newest(), now),
            queues=self._depths(),
            open_cases=len(waiting),
            unclaimed=sum(case.assignee is None for case in waiting),
            model=model.model,
            threshold=line,
            threshold_by=chosen or usual,
            classifier_up=not any(one.cause == "classifier" for one in lasting),
            paused=self.pause.paused(),
            incident=lasting[0] if lasting else None,
            cost=spent if self.costs else None,
            budget_left=None if budget is None else max(0, round(budget * DOLLAR) - spent),
            reads_left=self.ledger.reads_left(now),
        )

    def _depths(self) -> dict[str, tuple[int, int]]:
        depths = {name: queue.depth() for name, queue in self.queues.items()}
        waiting, dead = depths["actions"]
        # The command that asks is there until it is answered.
        return {**depths, "actions": (max(0, waiting - 1), dead)}

    def _lasting(self) -> list[Incident]:
        ids = self.incidents.lasting(self.clock())
        found: list[Case] = list(self.store.get(ids).values()) if ids else []
        return [case.notice for case in found if isinstance(case.notice, Incident)]
