"""X's webhook: its challenge-response checks and its signed events."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from bot import telemetry
from bot.frozen import frozen
from bot.ports import Clock, Heed, Queue, Trace
from bot.twitter import signatures
from bot.twitter.events import take_events
from bot.web.messages import Answer, Request, found, refused

log = logging.getLogger(__name__)

LARGEST_BODY: Final = 1_000_000
"""Bytes; an event of X's has about ten thousand."""


@frozen
class Webhook:
    """Answers `GET` and `POST /x/webhook`. `secret` is None where none is set."""

    secret: str | None
    tweets: Queue
    heed: Heed
    clock: Clock
    trace: Trace

    def answer(self, request: Request) -> Answer:
        """200 only once every event of the body is queued. Raises `Refused`, `Retryable`."""
        if self.secret is None:
            return _turned_away(
                503, "X_CONSUMER_SECRET is not set, so nothing of X's can be verified."
            )
        handlers: dict[str, Callable[[Request, str], Answer]] = {
            "GET /x/webhook": self._challenged,
            "POST /x/webhook": self._told,
        }
        return handlers[request.route](request, self.secret)

    def _challenged(self, request: Request, secret: str) -> Answer:
        token = request.query.get("crc_token", "")
        return found({"response_token": signatures.challenge_answer(secret, token)})

    def _told(self, request: Request, secret: str) -> Answer:
        body = request.body
        if len(body) > LARGEST_BODY:
            return _turned_away(
                413, f"The body has {len(body):,} bytes; at most {LARGEST_BODY:,} are read."
            )
        signature = request.headers.get(signatures.HEADER, "")
        if not signatures.signed(secret, body, signature):
            return _turned_away(
                HTTPStatus.UNAUTHORIZED,
                f"The header {signatures.HEADER} is missing or does not fit the body.",
            )
        taken = take_events(body, self.tweets, self.heed, self.clock(), self.trace())
        return found(
            {
                "queued": taken.queued,
                "ignored": taken.ignored.total(),
                "unreadable": taken.unreadable,
                "refused": taken.refused,
            }
        )


def _turned_away(status: int, sentence: str) -> Answer:
    metric = telemetry.counted("WebhookRefused") if status == HTTPStatus.UNAUTHORIZED else {}
    log.warning("A request to X's webhook is turned away (%d): %s", status, sentence, extra=metric)
    return refused(status, sentence)
