"""Every minute: effects that are due or hang go to their workers, what is past its time goes."""

from typing import Any

from bot.process import observed, parts


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, int]:  # noqa: ARG001
    """A schedule's event in, the numbers of what was done out."""
    return parts().housekeeping.work()
