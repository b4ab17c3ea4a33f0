"""Who may call X, and how often.

OAuth 1.0a for the account, a bearer token for the app alone; calls are counted in windows of
fifteen minutes (docs.x.com/x-api/fundamentals/rate-limits).
"""

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from tests.standins import oauth1
from tests.standins.server import Action, Answer, Request
from tests.standins.x_answers import ACCOUNT_ONLY, APP_ONLY, PROBLEMS, refusal

WINDOW = 900
LIMITS = {
    "me": 75,
    "mentions": 300,
    "posts": 900,
    "lookup": 900,
    "create": 100,
    "webhooks": 450,
    "replay": 100,
    "subscriptions": 500,
}
Who = Literal["anyone", "account", "app"]


def by_app(request: Request) -> bool:
    """Whether the app itself calls rather than its account."""
    return str(request.headers.get("Authorization")).startswith("Bearer ")


class Door:
    """Checks each call before it reaches an action, and counts it on the answer."""

    def __init__(self, keys: oauth1.Keys, bearer: str, clock: Callable[[], datetime]) -> None:
        self.limits = dict(LIMITS)
        self.access_level = "read-write"
        self._keys = keys
        self._bearer = bearer
        self._clock = clock
        self._windows: dict[str, tuple[int, int]] = {}
        self._nonces: set[str] = set()

    def guard(self, name: str, action: Action, who: Who = "anyone") -> Action:
        """The action behind the door, for the account's keys, the app's token, or both."""

        def guarded(request: Request) -> Answer:
            headers, left = self._count(name)
            if not by_app(request):
                headers["x-access-level"] = self.access_level
            answer = self._stranger(request, who)
            if answer is None and left < 0:
                answer = refusal(429, "Too Many Requests", "Too Many Requests")
            answer = answer or action(request)
            return Answer(answer.status, answer.body, {**answer.headers, **headers})

        return guarded

    def _count(self, name: str) -> tuple[dict[str, str], int]:
        reset, used = self._windows.get(name, (0, 0))
        now = int(self._clock().timestamp())
        if now >= reset:
            reset, used = now + WINDOW, 0
        self._windows[name] = reset, used + 1
        left = self.limits[name] - used - 1
        headers = {
            "x-rate-limit-limit": str(self.limits[name]),
            "x-rate-limit-remaining": str(max(0, left)),
            "x-rate-limit-reset": str(reset),
        }
        return headers, left

    def _stranger(self, request: Request, who: Who) -> Answer | None:
        kind = PROBLEMS + "unsupported-authentication"
        if by_app(request):
            if request.headers["Authorization"] != f"Bearer {self._bearer}":
                return refusal(401, "Unauthorized", "Unauthorized")
            refused = who == "account"
            return refusal(403, "Unsupported Authentication", APP_ONLY, kind) if refused else None
        nonce = oauth1.nonce(request)
        if oauth1.problem(request, self._keys) or nonce in self._nonces:
            return refusal(401, "Unauthorized", "Unauthorized")
        self._nonces.add(nonce)
        refused = who == "app"
        return refusal(403, "Unsupported Authentication", ACCOUNT_ONLY, kind) if refused else None
