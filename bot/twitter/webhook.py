"""X's webhook: its challenge-response checks and its signed events."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.ports import Clock, Queue
from bot.twitter import signatures
from bot.twitter.intake import take_events
from bot.web.messages import Answer, Request, found, refused


@dataclass(frozen=True, slots=True)
class Webhook:
    """Answers `GET` and `POST /x/webhook`. `secret` is None where none is set."""

    secret: str | None
    tweets: Queue
    clock: Clock

    def answer(self, request: Request) -> Answer:
        """200 only once every event of the body is queued. Raises `Refused`, `Retryable`."""
        if self.secret is None:
            return refused(503, "X_CONSUMER_SECRET is not set, so X's webhook cannot be verified.")
        handlers: dict[str, Callable[[Request, str], Answer]] = {
            "GET /x/webhook": self._challenged,
            "POST /x/webhook": self._told,
        }
        return handlers[request.route](request, self.secret)

    def _challenged(self, request: Request, secret: str) -> Answer:
        token = request.query.get("crc_token", "")
        return found({"response_token": signatures.challenge_answer(secret, token)})

    def _told(self, request: Request, secret: str) -> Answer:
        signature = request.headers.get(signatures.HEADER, "")
        if not signatures.signed(secret, request.body, signature):
            return refused(
                401, f"The header {signatures.HEADER} is missing or does not fit the body."
            )
        taken = take_events(request.body, self.tweets, self.clock())
        return found({"queued": taken.queued, "ignored": taken.ignored, "refused": taken.refused})
