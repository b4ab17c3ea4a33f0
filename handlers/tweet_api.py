"""`GET /`, `/health`, `/tweet` and `POST /classify`: judges a text for whoever asks."""

from typing import Any

from bot.process import answered, observed
from bot.web.messages import serve


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """An HTTP event of payload 2.0 in, an HTTP answer out."""
    return serve(event, lambda request: answered(lambda own: own.judging.answer(request)))
