"""`POST /slack/events`: commands and buttons, verified, acknowledged and queued."""

from typing import Any

from bot.slack.app import dispatch
from bot.web.messages import serve
from bot.wiring import parts


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """An HTTP event of payload 2.0 in, an HTTP answer out."""
    return serve(event, lambda request: dispatch(parts().slack_app, request))
