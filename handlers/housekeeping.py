"""Every minute: effects that are due or hang go to their workers, what is past its time goes."""

from typing import Any

from bot.delivery import sweep
from bot.wiring import parts


def handler(event: dict[str, Any], context: object) -> dict[str, int]:  # noqa: ARG001
    """A schedule's event in, the numbers of effects handed over and of records expired out."""
    own = parts()
    now = own.clock()
    return {
        "handed over": sweep(own.store, own.workers, now),
        "expired": own.store.expire(now),
    }
