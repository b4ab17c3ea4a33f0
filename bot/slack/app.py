"""The Bolt app: verifies, acknowledges, and puts the work on the actions queue.

Slack wants its acknowledgement within 3 s ("Acknowledgement response"), so nothing here calls a
neighbour besides the queue.
"""

import json
import logging
import re
from collections.abc import Mapping
from typing import Any, Final

from slack_bolt import Ack, App, BoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient

from bot.ports import Outgoing, Queue
from bot.web.messages import Answer, Request, refused

BUTTONS: Final = ("claim", "resolve")
_STAMP: Final = re.compile(r"[0-9]{1,12}")


def build(signing_secret: str, client: WebClient, actions: Queue) -> App:
    """The app of one workspace; it makes no call when built or when asked."""

    def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id=None, bot_token=client.token)

    # Below this Bolt repeats, at each start, that we pass a client and a token of our own.
    logging.getLogger("bot.slack.bolt").setLevel(logging.ERROR)
    app = App(
        name="tweet-escalator",
        logger=logging.getLogger("bot.slack.bolt"),
        signing_secret=signing_secret,
        client=WebClient(base_url=client.base_url, timeout=client.timeout, retry_handlers=[]),
        authorize=authorize,
        token_verification_enabled=False,
        process_before_response=True,
    )

    @app.command("/classify")
    def classify(ack: Ack, command: dict[str, Any]) -> None:
        text = command.get("text", "").strip()
        if not text:
            ack("Type the text to judge behind the command: /classify I am very angry")
            return
        _queue(actions, do="classify", text=text, response_url=command["response_url"])
        ack()

    for button in BUTTONS:

        @app.action(button)
        def press(ack: Ack, action: dict[str, Any], body: dict[str, Any]) -> None:
            _queue(
                actions,
                do=action["action_id"],
                case=action["value"],
                who=body["user"]["id"],
                response_url=body.get("response_url", ""),
            )
            ack()

    @app.action("open")
    def opened(ack: Ack) -> None:
        ack()

    return app


def _queue(actions: Queue, **action: str) -> None:
    actions.send([Outgoing(json.dumps(action))])


def dispatch(app: App, request: Request) -> Answer:
    """Bolt's answer to an HTTP request; what Bolt would trip over is refused before."""
    headers: Mapping[str, str] = request.headers
    if not _STAMP.fullmatch(headers.get("x-slack-request-timestamp", "0")):
        return refused(401, "The request's timestamp is not a number.")
    if not headers.get("x-slack-signature", "").isascii():
        return refused(401, "The request's signature is not Slack's.")
    try:
        body = request.body.decode("utf-8")
        asked = BoltRequest(body=body, query=request.raw_query, headers=dict(headers))
    except Exception:  # noqa: BLE001  Bolt reads before it verifies, and trips over much
        return refused(400, "The body is nothing that Slack sends.")
    answer = app.dispatch(asked)
    return Answer(
        answer.status, answer.body, {name: str(v) for name, v in answer.first_headers().items()}
    )
