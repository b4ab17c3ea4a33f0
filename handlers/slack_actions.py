"""What agents asked for in Slack, from its queue, done."""

from typing import Any

from bot.batches import each
from bot.process import doubting, observed, parts


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """An SQS event in, the messages that must come again out."""
    own = parts()
    return doubting(each(event, own.clerk.do, own.actions))
