"""The bot in both its homes, with stand-ins for X, Slack and the model's endpoint around it."""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import requests
from waitress import wasyncore

from bot import amazon, settings
from bot.cases import Case
from bot.classifier.archive import unpack
from bot.classifier.artifact import BINARY
from bot.classifier.sagemaker import client as runtime_client
from bot.local import serverless
from bot.local.events import schedule_event
from bot.local.host import InProcess, Pump
from bot.local.http import Application, listen
from bot.local.serverless import Function, functions
from bot.ports import CaseStore
from bot.slack.looks.cards import CARD
from bot.storage import clients
from bot.twitter.gate import PACE
from bot.twitter.pace import WINDOW
from bot.twitter.polling import NOT_BEFORE
from bot.wiring import Parts, now
from tests.standins import aws
from tests.standins.lambda_runtime import LambdaFunction
from tests.standins.sagemaker import BlazingTextStandin
from tests.standins.slack import SlackStandin
from tests.standins.x import XStandin

ROOT = settings.HOUSE
BY_NAME = {function.name: function for function in functions()}
FAR_OFF = timedelta(days=1_000)
MOST_DUE = 10_000
OBSERVED = {
    "POWERTOOLS_SERVICE_NAME": "tweet-escalator-test",
    "POWERTOOLS_METRICS_NAMESPACE": "TweetEscalator",
}
Work = Callable[[Function, dict[str, Any]], Any]


@dataclass
class World:
    """The outside: what the bot talks to."""

    x: XStandin
    slack: SlackStandin
    model: BlazingTextStandin

    def addresses(self) -> dict[str, str]:
        return {
            "SLACK_API_URL": self.slack.api_url,
            "X_API_URL": self.x.url,
            "SAGEMAKER_ENDPOINT": "customer-support-slugify",
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": self.model.url,
            "NORMALIZER": "emoji-1",
            "AUTO_REPLY": "on",
            # Each is the subject of tests of its own.
            "BURST_CARDS": "0",
            "CLAIM_REMINDER": "0",
            "DIGEST_HOUR": "off",
            "SLACK_PACE": "0",
            "no_proxy": "127.0.0.1",
        }

    def x_keys(self) -> dict[str, str]:
        return {
            "X_CONSUMER_KEY": self.x.keys.consumer_key,
            "X_CONSUMER_SECRET": self.x.keys.consumer_secret,
            "X_ACCESS_TOKEN": self.x.keys.access_token,
            "X_ACCESS_TOKEN_SECRET": self.x.keys.access_token_secret,
        }

    def slack_keys(self) -> dict[str, str]:
        return {
            "SLACK_BOT_TOKEN": "xoxb-test-token",
            "SLACK_SIGNING_SECRET": "test-signing-secret",
            "SLACK_SUPPORT_CHANNEL": "C0SUPPORT",
        }


@contextmanager
def world(folder: Path) -> Iterator[World]:
    unpack(ROOT / "build/model.tar.gz", folder)
    with XStandin() as x, SlackStandin() as slack, BlazingTextStandin(folder / BINARY) as model:
        x.limits["create"] = 10_000  # pacing is not this test's subject
        yield World(x, slack, model)


class Home:
    """A running bot: its web address, its queues worked by its own functions, its cases."""

    def __init__(
        self,
        invoke: Work,
        parts: Parts,
        url: str,
        lambdas: Mapping[str, LambdaFunction] | None = None,
    ) -> None:
        self._invoke = invoke
        self._lambdas = lambdas or {}
        self.parts = parts
        self.url = url
        queues = parts.queues
        self._pumps = [
            Pump(function, replace(trigger, window=0), queues[trigger.queue], invoke)
            for function in BY_NAME.values()
            for trigger in function.triggers
        ]

    @property
    def store(self) -> CaseStore:
        return self.parts.store

    def logs(self) -> dict[str, str]:
        """What each function on AWS has written so far."""
        return {name: one.output for name, one in self._lambdas.items()}

    def post(self, path: str, headers: Mapping[str, str], body: bytes) -> requests.Response:
        return requests.post(self.url + path, data=body, headers=dict(headers), timeout=30)

    def get(self, path: str) -> requests.Response:
        return requests.get(self.url + path, timeout=30)

    def run(self, name: str) -> Any:
        """A scheduled function, now."""
        return self._invoke(BY_NAME[name], schedule_event(now()))

    def work(self) -> None:
        """Works the queues until nothing moves and nothing is in flight."""
        stop = threading.Event()
        until = time.monotonic() + 120
        while time.monotonic() < until:
            if sum(pump.once(stop) for pump in self._pumps):
                continue
            if not sum(queue.depth()[0] for queue in self.parts.queues.values()):
                return
            stop.wait(0.1)
        raise AssertionError("The queues did not become empty within two minutes.")

    def minutes_pass(self, minutes: int) -> None:
        """As if time went by: what is due by then is due now; housekeeping and work follow."""
        for _ in range(minutes):
            self.time_passes(timedelta(minutes=1))

    def windows_pass(self, windows: int) -> None:
        """The same for stretches of fifteen minutes, in which X takes a hundred posts each."""
        for _ in range(windows):
            self.window_passes()
            self.work()

    def window_passes(self) -> None:
        """One such stretch, while work may go on."""
        for limit in (PACE, NOT_BEFORE):
            self.store.set_note(limit, None)
        self._age(WINDOW)

    def time_passes(self, span: timedelta) -> None:
        """As if so much time went by at once; housekeeping and work follow."""
        self._age(span)
        self.work()

    def _age(self, span: timedelta) -> None:
        for case_id in self.store.due(now() + FAR_OFF, MOST_DUE):
            self.store.change(case_id, partial(older, by=span))
        self.run("housekeeping")


def carded(slack: SlackStandin) -> Counter[str]:
    """How many cards each case has."""
    metadata = (message["metadata"] for message in slack.messages)
    return Counter(one["event_payload"]["case"] for one in metadata if one["event_type"] == CARD)


def older(case: Case, by: timedelta) -> Case:
    """The case as if it had waited so much longer."""
    if case.due_at is None:
        return case
    effects = (replace(e, due_at=e.due_at and e.due_at - by) for e in case.effects)
    return replace(case, effects=tuple(effects))


@contextmanager
def laptop(outside: World, folder: Path, **settings: str) -> Iterator[Home]:
    environment = {
        **outside.addresses(),
        **outside.x_keys(),
        **outside.slack_keys(),
        "DATA_DIR": str(folder / "data"),
        **settings,
    }
    invoke = InProcess(environment)
    with _aws_of_this_process(outside.addresses()), _served(invoke) as url:
        yield Home(invoke, invoke.parts(), url)


@contextmanager
def _aws_of_this_process(values: Mapping[str, str]) -> Iterator[None]:
    """The test's own process talks to the stand-ins, with clients made for them."""
    made = (clients.dynamodb, clients.sqs, clients.secretsmanager, runtime_client, amazon.session)
    before = dict(os.environ)
    os.environ.update({**aws.CREDENTIALS, "AWS_DEFAULT_REGION": aws.REGION, **values})
    try:
        boto3.DEFAULT_SESSION = None
        for client in made:
            client.cache_clear()
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        boto3.DEFAULT_SESSION = None
        for client in made:
            client.cache_clear()


@contextmanager
def on_aws(outside: World) -> Iterator[Home]:
    wiring = serverless.load(serverless.WIRING)
    secrets = {"XSecret": outside.x_keys(), "SlackSecret": outside.slack_keys()}
    with aws.moto_server() as address, ExitStack() as stack:
        made = aws.create(address, wiring, secrets)
        lambdas = {
            name: stack.enter_context(
                LambdaFunction(
                    entry["handler"], _function_environment(entry, made, outside), cwd=str(ROOT)
                )
            )
            for name, entry in wiring["functions"].items()
        }

        def invoke(function: Function, event: dict[str, Any]) -> Any:
            return lambdas[function.name].invoke(event)

        url = stack.enter_context(_served(invoke))
        stack.enter_context(_aws_of_this_process({"AWS_ENDPOINT_URL": address}))
        five = {name: made[name] for name in made if name.endswith(("_QUEUE_URL", "_TABLE"))}
        yield Home(invoke, Parts(settings.read(five)), url, lambdas)


def _function_environment(
    entry: Mapping[str, Any], made: Mapping[str, str], outside: World
) -> dict[str, str]:
    own = {
        name: made[name]
        for name, value in entry.get("environment", {}).items()
        if isinstance(value, dict)
    }
    everybody = {name: value for name, value in made.items() if not name.endswith("_SECRET_ID")}
    return {**everybody, **outside.addresses(), **OBSERVED, **own}


@contextmanager
def _served(invoke: Work) -> Iterator[str]:
    def console(route: str, event: dict[str, Any]) -> dict[str, Any]:
        raise LookupError(f"{route} {event['rawPath']} is not part of this test.")

    server = listen(Application(invoke, console, ()), 0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        # Run by the server's own loop, which ends when nothing is open any more.
        server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map))
        thread.join(10)
        server.task_dispatcher.shutdown()
