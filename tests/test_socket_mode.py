"""Commands, buttons and modals without a public address."""

import json
from collections.abc import Iterator
from itertools import count
from typing import Any
from urllib.parse import parse_qsl

import pytest

from bot.cases import Case
from bot.slack.socket import SocketMode
from tests.examples import case
from tests.standins.server import Fault
from tests.standins.slack_requests import Delivery
from tests.standins.websocket import SocketModeStandin
from tests.test_cards import tweeted
from tests.workspace import AGENT, Workspace, shown, workspace

TOKEN = "xapp-test-token"


class Connection:
    """Slack's end of the socket."""

    def __init__(self, socket: SocketModeStandin) -> None:
        self._socket = socket
        self._numbers = count(1)

    def sends(self, kind: str, delivery: Delivery) -> dict[str, Any]:
        """What the app answers to a request that comes over the socket."""
        fields = dict(parse_qsl(delivery[1].decode()))
        payload = json.loads(fields["payload"]) if "payload" in fields else fields
        envelope = f"E{next(self._numbers)}"
        answer = self._socket.send({"type": kind, "envelope_id": envelope, "payload": payload})
        assert answer["envelope_id"] == envelope
        return answer

    def happens(self, delivery: Delivery) -> dict[str, Any]:
        payload = json.loads(delivery[1])
        event = {"type": "events_api", "envelope_id": "E0", "payload": payload}
        return self._socket.send(event)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with workspace(tmp_path_factory.mktemp("data"), SLACK_APP_TOKEN=TOKEN) as made:
        yield made


@pytest.fixture(scope="module")
def connection(office: Workspace) -> Iterator[Connection]:
    """One for all: it takes the client seconds to close it."""
    with SocketModeStandin() as socket:
        answer = {"ok": True, "url": socket.url}
        office.slack.faults.append(Fault("status", 200, answer, where="apps.connections.open"))
        handler = SocketMode(office.bot.slack_app, TOKEN)
        try:
            yield Connection(socket)
        finally:
            handler.close()


def numbered(number: int) -> Case:
    return tweeted(case(), id=str(number), root_id=str(number))


def test_a_command_is_queued_and_acknowledged(office: Workspace, connection: Connection) -> None:
    answer = connection.sends("slash_commands", office.typed("I am very angry"))
    assert "payload" not in answer
    [action] = office.queued()
    assert (action["do"], action["text"], action["who"]) == ("classify", "I am very angry", AGENT)


def test_what_is_answered_at_once_goes_with_the_acknowledgement(
    office: Workspace, connection: Connection
) -> None:
    answer = connection.sends("slash_commands", office.typed("help", "/triage"))
    assert "Behind /triage" in answer["payload"]["text"]
    assert office.queued() == []


def test_a_button_is_done(office: Workspace, connection: Connection) -> None:
    connection.sends("interactive", office.pressed("claim", office.carded(numbered(1))))
    assert office.works() == office.draws() == 0
    assert office.case("1").assignee == AGENT
    assert office.thread("1") == [f"<@{AGENT}> claimed it."]


def test_an_answer_is_written_previewed_and_sent(office: Workspace, connection: Connection) -> None:
    connection.sends("interactive", office.pressed("reply", office.carded(numbered(2))))
    [form] = office.slack.views
    problem = connection.sends("interactive", office.submitted(form, "x" * 281))
    assert "has 281 characters" in problem["payload"]["errors"]["answer"]
    answer = connection.sends("interactive", office.submitted(form, "Sorry to hear that!"))
    preview = office.slack.acknowledged(form, json.dumps(answer["payload"]))
    assert preview
    assert "Sorry to hear that!" in shown(preview)
    sent = connection.sends("interactive", office.submitted(preview))
    assert office.slack.acknowledged(preview, json.dumps(sent["payload"])) is None
    assert office.works() == 0
    reply = office.case("2").effect("reply")
    assert reply
    assert (reply.text, reply.by) == ("Sorry to hear that!", AGENT)


def test_the_home_tab_is_drawn(office: Workspace, connection: Connection) -> None:
    connection.happens(office.looked_at_home())
    assert office.works() == 0
    assert "Waiting" in shown(office.slack.homes[AGENT])
