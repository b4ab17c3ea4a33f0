"""Every minute: the account's new mentions onto the tweets queue."""

from typing import Any

from bot.twitter.intake import poll
from bot.wiring import parts


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:  # noqa: ARG001
    """A schedule's event in, the number of mentions queued out; none where X's keys are not set."""
    own = parts()
    if own.x is None:
        return {"queued": 0}

    def seconds_left() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000

    queued = poll(own.x, own.store, own.tweets, own.clock(), seconds_left, own.identities())
    return {"queued": queued}
