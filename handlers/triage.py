"""Tweets from their queue: judged in one call, decided, recorded, handed on."""

from typing import Any

from bot.process import observed, parts
from bot.triage import triage_batch


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """An SQS event in, the messages that must come again out."""
    own = parts()
    return triage_batch(event, own.desk, own.store, own.tweets, own.workers, own.clock())
