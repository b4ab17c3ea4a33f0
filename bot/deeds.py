"""What agents do to a case: pure transitions, each safe to repeat."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from bot.cases import (
    EDITED,
    UNQUEUED_AFTER,
    Case,
    Channels,
    Effect,
    Label,
    put,
    told,
    with_card,
    with_line,
    with_update,
    withdrawn,
)
from bot.errors import Refused

CLAIMED: Final = "claimed"
RELEASED: Final = "released"
RESOLVED: Final = "resolved"
DISMISSED: Final = "resolved as not needed"
REOPENED: Final = "reopened"
SNOOZED: Final = "snoozed"
MUTED: Final = "muted its author"
OPTED_OUT: Final = "opted its author out"
"""What the case's story says of each."""
LABELS: Final = {True: "label: escalate", False: "label: answer"}
"""And of a label, by whether it says that a person was needed."""
ASKED: Final = "An agent says that it needs a person."
"""The reason of a case that got its card by a label alone."""
NOT_OUT_YET: Final = timedelta(minutes=15)
"""After this it is asked again whether a card that waits for Slack is to be brought to mind."""
_SAID: Final = {
    CLAIMED: "claimed it.",
    RELEASED: "released it.",
    RESOLVED: "resolved it.",
    DISMISSED: "resolved it: it needed nobody.",
    REOPENED: "reopened it.",
    SNOOZED: "snoozed it.",
    MUTED: "muted its author.",
    OPTED_OUT: "keeps the bot from answering its author.",
}


class Taken(Refused):
    """Somebody else has the case."""

    def __init__(self, who: str, at: datetime) -> None:
        """`who` has it since `at`."""
        super().__init__(f"{who} claimed it first, at {at:%H:%M} UTC: ask them, or release it.")
        self.who = who
        self.at = at


def claimed(case: Case, who: str, now: datetime) -> Case:
    """The case is `who`'s to handle. Raises `Taken` where it is another's, `Refused` if done."""
    if case.assignee == who:
        return case
    _open(case)
    if case.assignee:
        raise Taken(case.assignee, since(case))
    return _shown(replace(case, assignee=who, remind_at=None), who, CLAIMED, now)


def since(case: Case) -> datetime:
    """Since when its assignee has it."""
    entry = case.last(CLAIMED)
    return entry.at if entry else case.decided_at


def released(case: Case, who: str, channels: Channels, now: datetime) -> Case:
    """Nobody has the case any more, whoever had it."""
    if case.assignee is None or case.resolved:
        return case
    remind_at = None if case.snoozed_until else channels.remind(now)
    free = replace(case, assignee=None, remind_at=remind_at)
    return _shown(free, who, RELEASED, now)


def resolved(case: Case, who: str, now: datetime) -> Case:
    """Nothing more is to be done."""
    return case if case.resolved else _done(case, who, RESOLVED, now)


def dismissed(case: Case, who: str, now: datetime) -> Case:
    """Nothing was to be done: the post needed no person."""
    if case.resolved:
        return case
    return _done(labelled(case, who, now, escalate=False), who, DISMISSED, now)


def reopened(case: Case, who: str, channels: Channels, now: datetime) -> Case:
    """There is more to be done. Raises `Refused` where the post is gone."""
    if not case.resolved:
        return case
    _there(case)
    remind_at = None if case.assignee else channels.remind(now)
    return _shown(replace(case, resolved=False, remind_at=remind_at), who, REOPENED, now)


def snoozed(case: Case, until: datetime, who: str, now: datetime) -> Case:
    """`who` is told of the case again at that time. Raises `Refused` where it is done."""
    if case.snoozed_until == until:
        return case
    _open(case)
    return _shown(replace(case, snoozed_until=until, remind_at=None), who, SNOOZED, now)


def due(case: Case, now: datetime) -> Case:
    """What was to be said in its thread by now is said, once."""
    if case.snoozed_until and case.snoozed_until <= now:
        entry = case.last(SNOOZED)
        who = entry.who if entry else "bot"
        case = told(replace(case, snoozed_until=None), now, "bot", "the snooze is over")
        said = "wanted to be told of it now." if entry else "The snooze is over."
        case = with_line(with_update(case, now), who, said, now)
    if case.remind_at and case.remind_at <= now:
        case = _reminded(case, now)
    return case


def _reminded(case: Case, now: datetime) -> Case:
    case = replace(case, remind_at=None)
    if not case.open or case.assignee:
        return case
    card = case.effect("card")
    if card and card.state == "pending":  # nobody can have seen it
        return replace(case, remind_at=now + NOT_OUT_YET)
    reminded = with_line(case, "bot", "Nobody has claimed it yet.", now)
    return case if reminded is case else told(reminded, now, "bot", "reminded")


def answered(case: Case, text: str, who: str, now: datetime) -> Case:
    """An agent's public answer is on its way; the same one asked for again changes nothing.

    A post that may not be answered (`Tweet.answer`) gets a dry run. Raises `Refused` where the
    post is gone, or where another answer is, or may be, public.
    """
    _there(case, "so there is nothing to answer")
    before = case.effect("reply")
    if before and before.state != "failed":
        if (before.by, before.text) == (who, text):
            return case
        if before.state not in {"pending", "dry-run"}:
            raise Refused("An answer is public or on its way: look at the post on X before more.")
        if before.state == "pending" and before.by not in {None, who}:
            raise Refused("Another agent's answer is on its way: wait for what becomes of it.")
    if case.assignee is None:
        case = told(replace(case, assignee=who), now, who, CLAIMED)
    attempt = before.attempt + 1 if before else 1
    reply = Effect("reply", "dry-run", attempt=attempt, text=text, by=who)
    if case.tweet.answer:
        reply = replace(reply, state="pending", due_at=now + UNQUEUED_AFTER)
    case = told(replace(case, remind_at=None), now, who, f"answered: {text}")
    said = "answers it in public." if case.tweet.answer else "noted an answer, which is not sent."
    return with_line(with_update(put(case, reply), now), who, said, now)


def relabelled(case: Case, escalate: bool, who: str, channels: Channels, now: datetime) -> Case:  # noqa: FBT001
    """A person says whether a post that came in needed a person; it then gets its card.

    A second person who says the same is heard too: that settles a dispute.
    """
    before, case = case, labelled(case, who, now, escalate=escalate)
    if case is before:
        return case
    if escalate and case.route != "escalate" and not case.erased:
        case = replace(case, route="escalate", reasons=(*case.reasons, ASKED))
        reply = case.effect("reply")
        if reply and not reply.by:  # what an agent wrote stays on its way
            case = withdrawn(case, ASKED, "reply")
        case = with_card(case, channels, now)
    said = "says that it needs a person." if escalate else "says that it needs nobody."
    return with_line(with_update(case, now), who, said, now)


def noted(case: Case, who: str, what: str, now: datetime) -> Case:
    """`who` muted its author or opted it out. Raises `Refused` where nobody knows the author."""
    if not (case.tweet.author.id or case.tweet.author.handle):
        raise Refused("Nobody knows who wrote it, so there is nothing to do.")
    last = case.last(what)
    return case if last and last.who == who else _shown(case, who, what, now)


def labelled(case: Case, who: str, now: datetime, *, escalate: bool) -> Case:
    """`who` says whether the text needed a person; nothing else becomes of it."""
    if _stands(case, who, escalate=escalate):
        return case
    model = case.verdict.model if case.verdict else None
    case = replace(case, label=Label(escalate, who, now, model))
    return told(case, now, who, LABELS[escalate])


def _stands(case: Case, who: str, *, escalate: bool) -> bool:
    """Whether `who` has said so already, of the text as it is now, and nobody otherwise since."""
    label, edit = case.label, case.last(EDITED)
    if label is None or label.escalate != escalate:
        return False
    at = label.at if label.who == who else _said_at(case, who, LABELS[escalate])
    return at is not None and (edit is None or edit.at <= at)


def _said_at(case: Case, who: str, what: str) -> datetime | None:
    """When `who` gave that label, if none of another kind since."""
    words = (entry for entry in reversed(case.history) if entry.what in LABELS.values())
    own = next((entry for entry in words if entry.who == who), None)
    return own.at if own and own.what == what else None


def _done(case: Case, who: str, what: str, now: datetime) -> Case:
    done = replace(case, resolved=True, remind_at=None, snoozed_until=None)
    return _shown(done, who, what, now)


def _shown(case: Case, who: str, what: str, now: datetime) -> Case:
    case = told(case, now, who, what)
    return with_line(with_update(case, now), who, _SAID[what], now)


def _there(case: Case, so: str = "so there is nothing to do") -> None:
    if case.erased:
        raise Refused(f"The post was deleted or erased, {so}.")


def _open(case: Case) -> None:
    _there(case)
    if case.resolved:
        entry = case.last(RESOLVED, DISMISSED)
        whose = f" by {entry.who}" if entry else ""
        raise Refused(f"It was resolved{whose}: reopen it first.")
