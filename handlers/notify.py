"""Cards and their updates from their queue to Slack."""

from typing import Any

from bot.batches import each
from bot.delivery import task_of
from bot.process import doubting, observed, parts


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """An SQS event in, the messages that must come again out."""
    own = parts()
    return doubting(each(event, lambda body: own.card_courier.deliver(task_of(body)), own.cards))
