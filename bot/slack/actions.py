"""What the actions queue carries from Slack, done."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bot import envelopes, telemetry, tryouts
from bot.agents import Agents, Deed
from bot.cases import Case
from bot.errors import Failure, Permanent, Refused, Unknown
from bot.frozen import frozen
from bot.hours import Hours
from bot.ports import CaseStore, Clock
from bot.slack.client import answer
from bot.slack.commands import TriageCommand
from bot.slack.hometab import HomeTab
from bot.slack.looks import answers
from bot.slack.looks.blocks import JsonObject
from bot.slack.outlets import Channel
from bot.triage import Desk, preview

log = logging.getLogger(__name__)

SNOOZE: Final = timedelta(hours=1)
_NEEDED: Final = {
    "classify": ("text",),
    "triage": ("words",),
    "act": ("deed", "case"),
    "answer": ("button", "value"),
    "say": ("text",),
    "home": (),
}
"""What each kind of message needs besides `who`."""

Action = Mapping[str, str]


@frozen
class Clerk:
    """Does what a command or a button asked for. Safe to run twice.

    `desk` is what triage decides by, made when first asked for.
    """

    agents: Agents
    desk: Callable[[], Desk]
    store: CaseStore
    channel: Channel
    triage: TriageCommand
    home: HomeTab
    hours: Hours
    clock: Clock

    def do(self, body: str) -> None:
        """One message of the actions queue. Raises `Refused`, `Newer` and the three failures."""
        action = _action(body)
        work: dict[str, Callable[[Action], None]] = {
            "classify": self._classify,
            "triage": lambda asked: self._tell(
                asked, self.triage.answer(asked["words"], asked["who"])
            ),
            "act": self._act,
            "answer": self._answer,
            "say": lambda asked: self._say(asked, asked["text"]),
            "home": lambda asked: self.home.publish(asked["who"]),
        }
        try:
            self._try(work[action["do"]], action)
        except Permanent as failure:
            # Coming again would only raise an alarm about what somebody else must mend.
            log.error(  # noqa: TRY400
                "A %s from Slack is given up: %s",
                action["do"],
                failure,
                extra=telemetry.failure(failure),
            )

    def _try(self, work: Callable[[Action], None], action: Action) -> None:
        try:
            work(action)
        except Refused as refusal:
            self._say(action, str(refusal))

    def _say(self, action: Action, text: str) -> None:
        """A sentence where it is seen: who is on the Home tab sees nothing of the channel."""
        if action.get("place") == "home":
            self.home.publish(action["who"], said=text)
        else:
            self._tell(action, answers.told(text))

    def _tell(self, action: Action, message: JsonObject) -> None:
        """Whoever asked is told, and nobody else."""
        try:
            if action.get("response_url"):
                answer(action["response_url"], {"replace_original": False, **message})
            else:
                self.channel.whisper(action["who"], message)
        except (Permanent, Unknown) as failure:
            # Doing it once more for the sake of telling would be worse than silence.
            log.warning(
                "What was to be told after %s is lost: %s",
                action["do"],
                failure,
                extra=telemetry.failure(failure),
            )

    def _act(self, action: Action) -> None:
        case = self.agents.act(self._deed(action))
        if sentence := _noted(case, action["deed"]):
            self._tell(action, answers.said(sentence))
        self._draw_home(action, case)

    def _draw_home(self, action: Action, changed: Case | None = None) -> None:
        """Where the button was on the Home tab, it shows what became of it."""
        if action.get("place") == "home":
            self.home.publish(action["who"], changed)

    def _deed(self, action: Action) -> Deed:
        do, _, choice = action["deed"].partition(" ")
        deed = Deed(do, action["case"], action["who"], action.get("text", ""), key=_key(action))
        match do:
            case "relabel":
                return replace(deed, escalate=choice == "yes")
            case "snooze":
                at = _pressed(action, self.clock)
                until = at + SNOOZE if choice == "hour" else self.hours.next_opening(at)
                return replace(deed, until=until)
            case "opt":
                return replace(deed, do="opt out")
        return deed

    def _classify(self, action: Action) -> None:
        self._tell(action, _verdict(self._judged(action["text"])))

    def _judged(self, text: str) -> Case:
        """Raises `Refused` where it cannot be judged: whoever waits is told so now."""
        tweet = tryouts.tweet_of(text)
        try:
            return preview(tweet, self.desk(), self.clock())
        except Failure as failure:
            extra = telemetry.failure(failure)
            log.warning("A text from Slack could not be judged: %s", failure, extra=extra)
            raise Refused(f"It could not be judged. {failure}") from None

    def _answer(self, action: Action) -> None:
        button, value, who = action["button"], action["value"], action["who"]
        if button == "share":
            self._share(action)
        elif button in {"right", "wrong"}:
            self._label(action)
        elif button in {answers.MISSED, answers.NEEDLESS}:
            self._relabel(action)
        else:
            message = self.triage.pressed(button, value, who)
            self._tell(action, {**message, "replace_original": True})

    def _share(self, action: Action) -> None:
        text, _ = answers.judged(action)
        case = self._judged(text)
        if case.verdict is None:
            return
        shared = answers.shared_answer(
            case.tweet.text, case.verdict, action["who"], **_decided(case)
        )
        self._tell(action, {**shared, "response_type": "in_channel"})

    def _label(self, action: Action) -> None:
        text, shown = answers.judged(action)
        tweet, now = tryouts.tweet_of(text), self.clock()
        try:
            case = preview(tweet, self.desk(), now)
        except Failure as failure:
            log.warning(
                "A text that was called %s is kept unjudged: %s",
                action["button"],
                failure,
                extra=telemetry.failure(failure),
            )
            case = tryouts.unjudged(tweet, now)
        # Of what was shown, whatever is in force by now.
        escalate = shown is (action["button"] == "right")
        tryouts.labelled(self.store, case, escalate, action["who"], now)
        needs = "a person" if escalate else "nobody"
        self._tell(action, answers.said(f"Noted: it needs {needs}. That is kept as a label."))

    def _relabel(self, action: Action) -> None:
        """Under a case that was found; what was found is shown anew."""
        case_id, find = answers.labelled(action)
        missed = action["button"] == answers.MISSED
        deed = Deed("relabel", case_id, action["who"], escalate=missed, key=_key(action))
        message = self.triage.find(find, self.agents.act(deed))
        self._tell(action, {**message, "replace_original": True})


def _verdict(case: Case) -> JsonObject:
    if case.verdict is None:
        return answers.said("It could not be judged.")
    return answers.verdict_answer(case.tweet.text, case.verdict, **_decided(case))


def _decided(case: Case) -> dict[str, Any]:
    """What the rules and the model made of it together."""
    reply = case.effect("reply")
    answer = reply.text if reply else None
    decided = {"unsure": case.unsure, "reasons": case.reasons, "route": case.route}
    return {**decided, "answer": answer}


def _noted(case: Case, deed: str) -> str | None:
    """What is said of deeds whose effect the card alone does not show."""
    handle = case.tweet.author.handle
    whom = f"@{handle.removeprefix('@')}" if handle else "its author"
    undo = f" `/triage find {whom}` undoes it" if handle else ""
    unless = f"{undo}, unless they asked for it themselves." if undo else ""
    match deed:
        case "mute":
            said = f"What {whom} writes makes no cards, unless a rule always escalates it."
            return f"{said}{undo}." if undo else said
        case "opt out":
            return f"The bot never answers {whom} any more.{unless}"
    return None


def _key(action: Action) -> str:
    """What tells this press from another: the same message may come again, and after others."""
    at, view = action.get("at"), action.get("view")
    asked = action.get("deed") or action["button"]
    return f"{action['who']} {asked} {view or at}" if view or at else ""


def _pressed(action: Action, clock: Clock) -> datetime:
    """When the button was pressed: a message that comes twice then asks for the same."""
    try:
        return datetime.fromtimestamp(float(action.get("at", "")), UTC)
    except (ValueError, OverflowError, OSError):
        return clock()


def _action(body: str) -> Action:
    action: dict[str, str] = envelopes.known(body)
    try:
        needed = ("who", *_NEEDED[action["do"]])
        strings = all(isinstance(action[name], str) for name in needed)
    except (TypeError, KeyError) as error:
        raise Refused(f"This message is not an action from Slack: {error!r:.100}.") from None
    if not strings:
        raise Refused(f"An action from Slack needs {' and '.join(needed)} as strings.")
    return action
