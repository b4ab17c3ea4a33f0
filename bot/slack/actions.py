"""What the actions queue carries from Slack, done."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.agents import Agents, Deed
from bot.errors import Permanent, Refused
from bot.slack.cards import verdict_answer
from bot.slack.client import answer
from bot.verdicts import Classifier, judge

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Clerk:
    """Does what a command or a button asked for. Safe to run twice."""

    agents: Agents
    classifier: Classifier
    threshold: float | None
    unsure_margin: float

    def do(self, body: str) -> None:
        """One message of the actions queue. Raises `Refused` and the three failures."""
        action = _action(body)
        try:
            if action["do"] == "classify":
                self._classify(action)
            else:
                self._act(action)
        except Permanent as failure:
            # Nobody can be told any more; coming again would only raise an alarm.
            log.error("A %s from Slack is given up: %s", action["do"], failure)  # noqa: TRY400

    def _act(self, action: Mapping[str, str]) -> None:
        try:
            self.agents.act(Deed(action["do"], action["case"], action["who"]))
        except Refused as refusal:
            if not action.get("response_url"):
                raise
            answer(action["response_url"], {"text": str(refusal), "replace_original": False})

    def _classify(self, action: Mapping[str, Any]) -> None:
        text = action["text"]
        try:
            [verdict] = judge([text], self.classifier, self.threshold)
        except Permanent as failure:
            log.error("A text from Slack could not be judged: %s", failure)  # noqa: TRY400
            answer(action["response_url"], {"text": f"It could not be judged. {failure}"})
            return
        unsure = verdict.known and verdict.unsure(self.unsure_margin)
        answer(action["response_url"], verdict_answer(text, verdict, unsure=unsure))


def _action(body: str) -> dict[str, str]:
    try:
        action: dict[str, str] = json.loads(body)
        needed = ("text", "response_url") if action["do"] == "classify" else ("case", "who")
        strings = all(isinstance(action[name], str) for name in ("do", *needed))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise Refused(f"This message is not an action from Slack: {error!r:.100}.") from None
    if not strings:
        raise Refused(f"An action from Slack needs {' and '.join(needed)} as strings.")
    return action
