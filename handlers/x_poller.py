"""Every minute: the account's new mentions, and deletions, onto the tweets queue."""

from typing import Any

from bot.process import observed, parts


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, int]:  # noqa: ARG001
    """A schedule's event in, how much was queued out; nothing where X's keys are not set."""

    def seconds_left() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000

    poller = parts().poller
    return poller.work(seconds_left) if poller else {"queued": 0, "gone": 0}
