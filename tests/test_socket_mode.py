import json
from pathlib import Path
from urllib.parse import parse_qsl

from bot import settings
from bot.slack.socket import SocketMode
from bot.wiring import Parts
from tests.standins.server import Fault
from tests.standins.slack import SlackStandin
from tests.standins.websocket import SocketModeStandin


def test_a_command_over_socket_mode_is_queued_and_acknowledged(tmp_path: Path) -> None:
    with SlackStandin() as slack, SocketModeStandin() as socket:
        answer = {"ok": True, "url": socket.url}
        slack.faults.append(Fault("status", 200, answer, where="apps.connections.open"))
        environment = {
            "SLACK_BOT_TOKEN": "xoxb-test-token",
            "SLACK_SIGNING_SECRET": "test-signing-secret",
            "SLACK_SUPPORT_CHANNEL": "C0SUPPORT",
            "SLACK_APP_TOKEN": "xapp-test-token",
            "SLACK_API_URL": slack.api_url,
            "DATA_DIR": str(tmp_path),
        }
        parts = Parts(settings.read(environment))
        handler = SocketMode(parts.slack_app, "xapp-test-token")
        try:
            _, body = slack.command("I am very angry", user="U0AGENT")
            payload = dict(parse_qsl(body.decode()))
            acknowledged = socket.send(
                {"type": "slash_commands", "envelope_id": "E1", "payload": payload}
            )
        finally:
            handler.close()
        [message] = parts.actions.receive(10)
    assert acknowledged["envelope_id"] == "E1"
    assert json.loads(message.body)["text"] == "I am very angry"
