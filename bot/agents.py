"""What an agent starts: one use case each, for Slack, the console and the command line alike."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final, Literal, get_args

from bot import conversations, deeds, delivery, telemetry
from bot.cases import Case, Channels
from bot.errors import Refused
from bot.frozen import frozen
from bot.ports import AgentAnswers, CaseStore, Clock, MaySay, NoteAuthor, Queue
from bot.tryouts import came_in

log = logging.getLogger(__name__)

Act = Literal[
    "claim",
    "release",
    "resolve",
    "dismiss",
    "reopen",
    "snooze",
    "reply",
    "relabel",
    "mute",
    "opt out",
]
ACTS: Final[tuple[Act, ...]] = get_args(Act)
MOST_DEEDS: Final = 50
"""Keys of deeds that a case remembers."""


@frozen
class Deed:
    """What `who` wants done to a case.

    `text` is what a reply says in public, `escalate` the label that a relabel gives, `until` when
    a snooze is over. `key` tells one press of a button from another, where it may come twice.
    """

    do: str
    case_id: str
    who: str
    text: str = ""
    escalate: bool = False
    until: datetime | None = None
    key: str = ""


@frozen
class Agents:
    """Does what agents ask for.

    `may_say` holds X's rules and the account's own on answers; `answers` keeps the bot out of the
    conversations in which an agent answers; `mute` and `opt_out` note an author.
    """

    store: CaseStore
    workers: Mapping[delivery.Worker, Queue]
    channels: Channels
    may_say: MaySay
    answers: AgentAnswers
    mute: NoteAuthor
    opt_out: NoteAuthor
    clock: Clock

    def act(self, deed: Deed) -> Case:
        """Does the deed, has its card drawn anew and returns the case. Safe to run twice.

        Raises `Refused` where the deed or the case is not known, or the case does not allow it.
        """
        change = self._change(deed)
        case = _there(self.store.change(deed.case_id, lambda case: change(_there(case))))
        author, now = case.tweet.author, self.clock()
        if deed.do == "reply":
            self.answers(case.tweet, now)
        if deed.do == "mute":
            self.mute(author, deed.who, now)
        if deed.do == "opt out":
            self.opt_out(author, deed.who, now)
        conversations.lead(self.store, [case])
        delivery.enqueue([case], self.workers)
        log.info("An agent's deed: %s.", deed.do, extra={**telemetry.about(case), "deed": deed.do})
        return case

    def check(self, deed: Deed) -> Case:
        """The case as the deed would leave it, without doing it. Raises what `act` raises."""
        return self._change(deed)(self.case(deed.case_id))

    def case(self, case_id: str) -> Case:
        """The case with that id. Raises `Refused` where there is none."""
        return _there(self.store.get([case_id]).get(case_id))

    def _change(self, deed: Deed) -> Callable[[Case], Case]:
        who, now, channels = deed.who, self.clock(), self.channels
        changes: dict[str, Callable[[Case], Case]] = {
            "claim": lambda case: deeds.claimed(case, who, now),
            "release": lambda case: deeds.released(case, who, channels, now),
            "resolve": lambda case: deeds.resolved(case, who, now),
            "dismiss": lambda case: deeds.dismissed(case, who, now),
            "reopen": lambda case: deeds.reopened(case, who, channels, now),
            "snooze": lambda case: deeds.snoozed(case, _to_come(deed.until, now), who, now),
            "reply": lambda case: self._answered(deed, case),
            "relabel": lambda case: self._relabelled(deed, case),
            "mute": lambda case: deeds.noted(case, who, deeds.MUTED, now),
            "opt out": lambda case: deeds.noted(case, who, deeds.OPTED_OUT, now),
        }
        if deed.do not in changes:
            raise Refused(f"«{deed.do:.40}» is nothing an agent can do: use {', '.join(ACTS)}.")
        return partial(_once, changes[deed.do], deed.key)

    def _relabelled(self, deed: Deed, case: Case) -> Case:
        now = self.clock()
        if not came_in(case):  # nobody waits for an answer to it
            return deeds.labelled(case, deed.who, now, escalate=deed.escalate)
        return deeds.relabelled(case, deed.escalate, deed.who, self.channels, now)

    def _answered(self, deed: Deed, case: Case) -> Case:
        text = deed.text.strip()
        problem = self.may_say(case.tweet, text)
        if problem:
            raise Refused(problem)
        return deeds.answered(case, text, deed.who, self.clock())


def _once(change: Callable[[Case], Case], key: str, case: Case) -> Case:
    """The change, unless what asks for it was done before: others may have acted since."""
    if key in case.deeds:
        return case
    after = change(case)
    return replace(after, deeds=(*after.deeds, key)[-MOST_DEEDS:]) if key else after


def _there(case: Case | None) -> Case:
    if case is None or case.notice:
        raise Refused("This case is no longer here: its time was over or its author erased it.")
    return case


def _to_come(until: datetime | None, now: datetime) -> datetime:
    if until is None or until <= now:
        raise Refused("A snooze needs a time that is still to come.")
    return until
