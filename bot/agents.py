"""What an agent starts: one use case each, for Slack, the console and the command line alike."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal, get_args

from bot import cases, conversations, delivery
from bot.cases import Case, Channels
from bot.errors import Refused
from bot.ports import AgentAnswers, CaseStore, Clock, MaySay, Queue

Act = Literal["claim", "resolve", "reply", "relabel"]
ACTS: Final[tuple[Act, ...]] = get_args(Act)


@dataclass(frozen=True, slots=True)
class Deed:
    """What `who` wants done to a case.

    `text` is what a reply says in public, `escalate` the label that a relabel gives.
    """

    do: str
    case_id: str
    who: str
    text: str = ""
    escalate: bool = False


@dataclass(frozen=True, slots=True)
class Agents:
    """Does what agents ask for.

    `may_say` holds X's rules and the account's own on answers; `answers` keeps the bot out of the
    conversations in which an agent answers.
    """

    store: CaseStore
    workers: Mapping[delivery.Worker, Queue]
    channels: Channels
    may_say: MaySay
    answers: AgentAnswers
    clock: Clock

    def act(self, deed: Deed) -> Case:
        """Does the deed, has its card drawn anew and returns the case. Safe to run twice.

        Raises `Refused` where the deed or the case is not known, or a reply is not allowed.
        """
        case = self.store.change(deed.case_id, self._change(deed))
        if case is None:
            raise Refused("This case is no longer here: its time was over or its author erased it.")
        if deed.do == "reply":
            self.answers(case.tweet, self.clock())
        conversations.lead(self.store, [case])
        delivery.enqueue([case], self.workers)
        return case

    def _change(self, deed: Deed) -> Callable[[Case], Case]:
        who, now = deed.who, self.clock()
        match deed.do:
            case "claim":
                return partial(cases.claimed, who=who, now=now)
            case "resolve":
                return partial(cases.resolved, who=who, now=now)
            case "reply":
                return partial(self._answered, deed)
            case "relabel":
                return partial(
                    cases.relabelled,
                    escalate=deed.escalate,
                    who=who,
                    channels=self.channels,
                    now=now,
                )
        raise Refused(f"«{deed.do:.40}» is nothing an agent can do: use {', '.join(ACTS)}.")

    def _answered(self, deed: Deed, case: Case) -> Case:
        text = deed.text.strip()
        problem = self.may_say(case.tweet, text)
        if problem:
            raise Refused(problem)
        return cases.answered(case, text, deed.who, self.clock())
