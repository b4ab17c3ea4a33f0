"""Functions whose callers wait for three seconds, and neighbours that do not answer."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from bot import process
from bot.slack.app import TRIGGER_LIVES
from bot.storage import clients
from bot.storage.clients import AT_ONCE, USUAL
from handlers import slack as slack_function
from handlers import x_webhook
from tests.contract.surroundings import TABLE, Amazon, create_queue, create_table
from tests.examples import case
from tests.standins.gateway import http_event
from tests.standins.server import Fault
from tests.standins.slack import SlackStandin
from tests.standins.slack_requests import Delivery
from tests.standins.x_events import signed
from tests.workspace import event, shown

CALLERS_WAIT = 3.0
SECRET, TABLE_READ, QUEUE = "GetSecretValue", "BatchGetItem", "SendMessageBatch"
MODAL = "views.open"
MESSAGE = {"ts": "1.2", "channel": "C0SUPPORT"}
CONSUMER_SECRET = "test-consumer-secret"


@dataclass
class Function:
    """The function `slack` or `xWebhook`, in a process that has just begun."""

    amazon: Amazon
    slack: SlackStandin

    def hangs(self, *where: str) -> None:
        for call in where:
            neighbour = self.slack if call == MODAL else self.amazon.relay
            neighbour.faults.append(Fault("hang", where=call))

    def calls(self, where: str) -> int:
        return len((self.slack if where == MODAL else self.amazon.relay).calls(where))

    def sees(self, delivery: Delivery) -> dict[str, Any]:
        answer: dict[str, Any] = slack_function.handler(event(delivery), None)
        return answer

    def pressed(self, button: str) -> dict[str, Any]:
        return self.sees(self.slack.button(button, case().id, MESSAGE))

    def told(self, text: str) -> dict[str, Any]:
        post = {"id": "19", "text": text, "author_id": "5"}
        told = {"data": {"event_type": "post.mention.create", "payload": post}}
        body = json.dumps(told).encode()
        headers = signed(CONSUMER_SECRET, body)
        happened = http_event("POST", "/x/webhook", headers, body, route="POST /x/webhook")
        answer: dict[str, Any] = x_webhook.handler(happened, None)
        return answer


@pytest.fixture
def function(amazon: Amazon, monkeypatch: pytest.MonkeyPatch) -> Iterator[Function]:
    create_table(amazon.dynamodb)
    with SlackStandin() as slack:
        keys = {
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
            "SLACK_SUPPORT_CHANNEL": slack.channel,
        }
        forget_clients()
        for name, held in {"SLACK": keys, "X": {"X_CONSUMER_SECRET": CONSUMER_SECRET}}.items():
            manager = clients.secretsmanager()
            manager.create_secret(Name=name, SecretString=json.dumps(held))
            monkeypatch.setenv(f"{name}_SECRET_ID", name)
        for name in ("tweets", "cards.fifo", "replies.fifo", "actions"):
            setting = f"{name.partition('.')[0].upper()}_QUEUE_URL"
            monkeypatch.setenv(setting, create_queue(amazon.sqs, name))
        monkeypatch.setenv("CASES_TABLE", TABLE)
        monkeypatch.setenv("SLACK_API_URL", slack.api_url)
        monkeypatch.setattr(process, "_own", {})
        amazon.relay.start_afresh()
        yield Function(amazon, slack)
        forget_clients()


def forget_clients() -> None:
    for made in (clients.dynamodb, clients.sqs, clients.secretsmanager):
        made.cache_clear()


class TestSlack:
    @pytest.mark.parametrize("hanging", [SECRET, QUEUE])
    def test_is_answered_that_it_did_not_work_where_one_call_hangs(
        self, function: Function, hanging: str
    ) -> None:
        function.hangs(hanging)
        assert function.pressed("claim")["statusCode"] == 503
        assert function.calls(hanging) == 1
        assert function.pressed("claim")["statusCode"] == 200, "the next press works"

    def test_shows_in_the_modal_that_the_table_hangs(self, function: Function) -> None:
        function.hangs(TABLE_READ)
        assert function.pressed("reply")["statusCode"] == 200
        [modal] = function.slack.views
        assert "cannot be read right now" in shown(modal)
        assert function.calls(TABLE_READ) == 1

    def test_asks_each_neighbour_once_where_all_hang(self, function: Function) -> None:
        assert function.pressed("claim")["statusCode"] == 200
        before = {call: function.calls(call) for call in (TABLE_READ, MODAL, QUEUE)}
        function.hangs(TABLE_READ, MODAL, QUEUE)
        assert function.pressed("reply")["statusCode"] == 503
        assert {call: function.calls(call) - n for call, n in before.items()} == {
            TABLE_READ: 1,
            MODAL: 1,
            QUEUE: 1,
        }

    @pytest.mark.usefixtures("function")
    def test_is_answered_in_time_by_the_sum_of_all_time_outs(self) -> None:
        within = slack_function.AWS_WITHIN
        aws = map(longest, (clients.secretsmanager(within), table(within), queue(within)))
        assert sum(aws) + TRIGGER_LIVES <= CALLERS_WAIT


class TestX:
    @pytest.mark.parametrize("hanging", [SECRET, QUEUE])
    def test_is_answered_that_it_shall_come_again_where_one_call_hangs(
        self, function: Function, hanging: str
    ) -> None:
        function.hangs(hanging)
        assert function.told("hello?")["statusCode"] == 503
        assert function.calls(hanging) == 1
        assert function.told("hello?")["statusCode"] == 200

    def test_is_answered_that_all_is_well_where_only_the_note_of_an_opt_out_hangs(
        self, function: Function
    ) -> None:
        function.hangs("GetItem")
        assert function.told("stop")["statusCode"] == 200
        assert function.calls("GetItem") == 1

    @pytest.mark.usefixtures("function")
    def test_is_answered_in_time_by_the_sum_of_all_time_outs(self) -> None:
        within = x_webhook.AWS_WITHIN
        aws = map(longest, (clients.secretsmanager(within), table(within), queue(within)))
        assert sum(aws) <= CALLERS_WAIT


def table(within: float) -> Any:
    return clients.dynamodb(within)


def queue(within: float) -> Any:
    return clients.sqs(within)


def longest(client: Any) -> float:
    """Seconds a call of this client may take; botocore itself tries once."""
    config = client.meta.config
    assert config.retries["total_max_attempts"] == 1
    seconds: float = AT_ONCE + config.connect_timeout + config.read_timeout
    return round(seconds, 6)


class TestACallSomebodyWaitsFor:
    @pytest.mark.parametrize("fault", [Fault("drop"), Fault(status=500), Fault(status=503)])
    def test_is_made_again_where_it_failed_at_once(self, function: Function, fault: Fault) -> None:
        function.pressed("claim")
        function.amazon.relay.faults.append(fault)
        assert function.pressed("claim")["statusCode"] == 200
        assert function.calls(QUEUE) == 3

    def test_is_made_twice_at_most(self, function: Function) -> None:
        function.amazon.relay.faults += [Fault("drop", where=QUEUE)] * 3
        assert function.pressed("claim")["statusCode"] == 503
        assert function.calls(QUEUE) == 2

    def test_is_not_made_again_where_it_was_refused(self, function: Function) -> None:
        function.amazon.relay.faults.append(Fault(status=400, body={}, where=QUEUE))
        assert function.pressed("claim")["statusCode"] == 503
        assert function.calls(QUEUE) == 1


class TestACallNobodyWaitsFor:
    def test_has_more_time_and_botocores_own_tries(self, function: Function) -> None:
        config: Any = clients.sqs().meta.config
        assert (config.connect_timeout, config.read_timeout) == (USUAL.connect, USUAL.read)
        function.amazon.relay.faults.append(Fault("drop"))
        clients.sqs().list_queues()
        assert function.calls("ListQueues") == 2
