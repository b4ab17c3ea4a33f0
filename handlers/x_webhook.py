"""`GET` and `POST /x/webhook`: X's checks, and its events onto the tweets queue."""

from typing import Any, Final

from bot.process import SECRETS_DOUBTED, SECRETS_READ_AGAIN, answered, observed
from bot.web.messages import Request, serve

AWS_WITHIN: Final = 1.0
"""Seconds for a call to AWS: the secret, the queue and the table of opt-outs, one after the other,
are over within 3. X documents 10 and was seen to wait for less ("Webhooks API", "Requirements")."""


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """An HTTP event of payload 2.0 in, an HTTP answer out."""
    return serve(
        event,
        lambda request: answered(
            lambda own: own.webhook.answer(request), _read_within(request), AWS_WITHIN
        ),
    )


def _read_within(request: Request) -> float:
    # A check cannot be turned away, and X gives a webhook up that answers it by old keys.
    return SECRETS_DOUBTED if request.route.startswith("GET") else SECRETS_READ_AGAIN
