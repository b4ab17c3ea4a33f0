"""`GET` and `POST /x/webhook`: X's checks, and its events onto the tweets queue."""

from typing import Any

from bot.web.messages import serve
from bot.wiring import parts


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """An HTTP event of payload 2.0 in, an HTTP answer out."""
    return serve(event, lambda request: parts().webhook.answer(request))
