"""Automatic answers from their queue to X."""

from typing import Any

from bot.batches import each
from bot.delivery import task_of
from bot.process import observed, parts


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """An SQS event in, the messages that must come again out."""
    own = parts()
    return each(event, lambda body: own.reply_courier.deliver(task_of(body)), own.replies)
