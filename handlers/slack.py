"""`POST /slack/events`: commands and buttons, verified, acknowledged and queued."""

from typing import Any, Final

from bot.process import answered, observed
from bot.slack.app import dispatch
from bot.web.messages import serve

AWS_WITHIN: Final = 0.6
"""Seconds for a call to AWS: the secret, the table, Slack's own second and the queue, one after
the other, are over within the 3 that Slack waits (docs.slack.dev, "Acknowledging requests")."""


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """An HTTP event of payload 2.0 in, an HTTP answer out."""
    return serve(
        event,
        lambda request: answered(
            lambda own: dispatch(own.slack_app, request), aws_within=AWS_WITHIN
        ),
    )
