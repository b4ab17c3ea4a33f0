"""The bot within a Slack workspace: what people do there, through the functions that take it.

Requests come as API Gateway delivers them, messages as SQS does.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot.cases import Case, Effect
from bot.delivery import enqueue
from bot.errors import Retryable
from bot.ports import Queue
from bot.process import hosting
from bot.slack.looks.cards import CARD
from bot.wiring import Parts
from handlers import notify, slack_actions
from handlers import reply as reply_function
from handlers import slack as slack_function
from tests.examples import NOON, parts
from tests.fakes import Clock, WordClassifier, unversioned, work_off
from tests.standins.gateway import http_event
from tests.standins.slack import SlackStandin
from tests.standins.slack_requests import Delivery

AGENT, OTHER, ADMIN = "U0AGENT", "U0OTHER", "U0ADMIN"
Answer = dict[str, Any]
Message = dict[str, Any]
Function = Callable[[dict[str, Any], object], Any]


def event(delivery: Delivery, **changes: Any) -> dict[str, Any]:
    """The event of a request; `changes` are fields of the event."""
    headers, body = delivery
    route = "POST /slack/events"
    return {**http_event("POST", "/slack/events", headers, body, route=route), **changes}


@dataclass
class Workspace:
    """People press and type at noon, and `slack` signs that as of now; `clock` is the bot's."""

    slack: SlackStandin
    bot: Parts
    clock: Clock

    def sees(self, happening: Mapping[str, Any]) -> Answer:
        """What the function answers to an event."""
        with hosting(self.bot):
            return slack_function.handler(dict(happening), None)

    def asked(self, delivery: Delivery) -> Answer:
        """The answer to a request that Slack acknowledges."""
        answer = self.sees(event(delivery))
        assert answer["statusCode"] == 200, answer
        return answer

    def works(self) -> int:
        """Works off what agents asked for; returns how many messages were left to come again."""
        return self._worked(self.bot.actions, slack_actions.handler)

    def draws(self) -> int:
        """The same for cards, updates and lines."""
        return self._worked(self.bot.cards, notify.handler)

    def answers(self) -> int:
        """The same for replies to posts."""
        return self._worked(self.bot.replies, reply_function.handler)

    def does(self, delivery: Delivery) -> Answer:
        """A request and all that comes of it within Slack; nothing of it fails."""
        answer = self.asked(delivery)
        assert self.works() == self.draws() == 0
        return answer

    def queued(self) -> list[dict[str, Any]]:
        """What waits on the actions queue, but for its version."""
        return [unversioned(message.body) for message in self.bot.actions.receive(10)]

    def _worked(self, queue: Queue, function: Function) -> int:
        failed: list[str] = []

        def worker(batch: dict[str, Any]) -> Any:
            with hosting(self.bot):
                answer = function(batch, None)
            failed.extend(item["itemIdentifier"] for item in answer["batchItemFailures"])
            return answer

        while work_off(queue, 10, worker):
            pass
        return len(failed)

    # What people do.

    def typed(self, text: str, command: str = "/classify", who: str = AGENT) -> Delivery:
        return self.slack.command(text, command=command, user=who, now=time.time())

    def pressed(self, button: str, place: Message, who: str = AGENT) -> Delivery:
        return self.slack.press(button, place, user=who, now=time.time())

    def chosen(self, choice: str, place: Message, who: str = AGENT) -> Delivery:
        return self.slack.press("more", place, option=choice, user=who, now=time.time())

    def submitted(self, view: Message, text: str | None = None, who: str = AGENT) -> Delivery:
        """`text` is what was written into the modal."""
        written = {"answer": {"text": {"type": "plain_text_input", "value": text}}}
        values = {} if text is None else written
        return self.slack.submission(view, values, user=who, now=time.time())

    def looked_at_home(self, who: str = AGENT, **more: Any) -> Delivery:
        return self.slack.app_home_opened(who, now=time.time(), **more)

    # What there is.

    def carded(self, made: Case) -> Message:
        """Keeps a case and posts its card, which it returns."""
        pending = Effect("card", "pending")
        others = tuple(effect for effect in made.effects if effect.kind != "card")
        self.bot.store.add([replace(made, effects=(*others, pending))])
        enqueue([self.case(made.id)], self.bot.workers)
        assert self.draws() == 0
        return self.card(made.id)

    def case(self, case_id: str) -> Case:
        return self.bot.store.get([case_id])[case_id]

    def card(self, case_id: str) -> Message:
        [found] = [
            message
            for message in self.slack.messages
            if message["metadata"]["event_type"] == CARD
            and message["metadata"]["event_payload"] == {"case": case_id}
        ]
        return found

    def thread(self, case_id: str) -> list[str]:
        """What the thread of the case's card was told, line by line."""
        return [one["text"] for one in self.slack.thread(self.card(case_id)["ts"])]

    def whispers(self) -> list[Message]:
        """What those who pressed or typed were told, in order."""
        return [one for sent in self.slack.responses.values() for one in sent]

    def whisper(self) -> str:
        """The one thing somebody was told, and nobody else saw."""
        [one] = self.whispers()
        assert one["response_type"] == "ephemeral"
        return str(one["text"])


class Unreachable:
    """A store or queue that does not answer."""

    def __getattr__(self, _name: str) -> Callable[..., Any]:
        def asked(*_: object) -> None:
            raise Retryable("It does not answer now.")

        return asked


@contextmanager
def workspace(folder: Path, **environment: str) -> Iterator[Workspace]:
    """A fresh one; `environment` are settings besides Slack's."""
    with SlackStandin(clock=NOON.timestamp) as slack:
        made = {
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
            "SLACK_SUPPORT_CHANNEL": slack.channel,
            "SLACK_API_URL": slack.api_url,
            "SLACK_ADMINS": ADMIN,
            "SLACK_PACE": "0",
            **environment,
        }
        bot, clock = parts(folder, **made), Clock()
        bot.clock, bot.classifier = clock, WordClassifier()
        yield Workspace(slack, bot, clock)


def shown(place: Mapping[str, Any]) -> str:
    """All the texts of a message or view."""
    return " ".join(_texts(place["blocks"]))


def buttons(place: Mapping[str, Any]) -> list[str]:
    """The ids of what can be pressed on a message or view."""
    return [
        element["action_id"]
        for block in place["blocks"]
        if block["type"] == "actions"
        for element in block["elements"]
    ]


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for one in node:
            yield from _texts(one)
    elif isinstance(node, dict):
        if isinstance(node.get("text"), str):
            yield node["text"]
        if node.get("type") == "user":
            yield f"<@{node['user_id']}>"
        for one in node.values():
            yield from _texts(one)
