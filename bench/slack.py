"""How soon Slack is acknowledged, and how soon a cold function can."""

import hashlib
import hmac
import json
import socket
import threading
import time
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode

from bench.measures import ROUNDS, Line, loading, seconds
from bot import process, settings
from bot.local.events import http_event
from bot.wiring import Parts

SECRET = "bench"  # noqa: S105
THEIRS = "import slack_bolt, slack_bolt.adapter.aws_lambda"


def acknowledgement(folder: Path) -> Line:
    """A button's press, verified and queued in SQLite, while the model's endpoint hangs."""
    from handlers.slack import handler as answer  # noqa: PLC0415

    with socket.create_server(("127.0.0.1", 0)) as hung:
        held = threading.Thread(target=hold, args=(hung,), daemon=True)
        held.start()
        own = {
            "DATA_DIR": str(folder / "slack"),
            "SLACK_BOT_TOKEN": "xoxb-bench",
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_SUPPORT_CHANNEL": "C0BENCH",
            "SAGEMAKER_ENDPOINT": "hung",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{hung.getsockname()[1]}",
        }
        parts = Parts(settings.read(own))
        with process.hosting(parts):
            for _ in range(2 * ROUNDS):  # made when first asked for
                assert answer(press(), None)["statusCode"] == 200
            each = 1e3 * median(seconds(answer, press(), None) for _ in range(20 * ROUNDS))
    assert parts.actions.depth()[0] == 22 * ROUNDS
    detail = "verified, queued on the disk; the endpoint hung"
    return Line("warm `POST /slack/events`, a button", f"{each:.2f} ms", "≤ 5 ms", detail)


def hold(hung: socket.socket) -> None:
    """Takes connections and never answers."""
    taken = []
    try:
        while True:
            taken.append(hung.accept())
    except OSError:
        return


def press() -> dict[str, Any]:
    """A press on *Claim*, signed now."""
    pressed = {"type": "button", "action_id": "claim", "block_id": "case 1", "value": "1"}
    payload = {
        "type": "block_actions",
        "user": {"id": "U0BENCH", "team_id": "T0BENCH"},
        "team": {"id": "T0BENCH", "domain": "bench"},
        "trigger_id": "1.bench",
        "response_url": "https://hooks.example/bench",
        "actions": [{**pressed, "action_ts": "1.5"}],
    }
    body = urlencode({"payload": json.dumps(payload)}).encode()
    at = str(int(time.time()))
    digest = hmac.digest(SECRET.encode(), f"v0:{at}:".encode() + body, hashlib.sha256).hex()
    headers = {
        "host": "127.0.0.1",
        "content-type": "application/x-www-form-urlencoded",
        "x-slack-request-timestamp": at,
        "x-slack-signature": f"v0={digest}",
    }
    request = {"method": "POST", "path": "/slack/events", "query": "", "host": "127.0.0.1"}
    request |= {"protocol": "HTTP/1.1", "source": "127.0.0.1"}
    return http_event("POST /slack/events", {}, request, headers, body)


def imports() -> Line:
    """The function's module in a fresh interpreter, beside Bolt with its Lambda adapter."""
    rounds = [(loading("import handlers.slack"), loading(THEIRS)) for _ in range(2 * ROUNDS)]
    ratio = median(ours / theirs for ours, theirs in rounds)
    ours, theirs = (1e3 * median(one) for one in zip(*rounds, strict=True))
    detail = f"{ours:.0f} ms, Bolt {theirs:.0f} ms"
    return Line("import of `handlers.slack` by Bolt's adapter", f"{ratio:.2f}", "≤ 1.5", detail)
