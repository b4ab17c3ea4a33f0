"""X's webhooks, its activity subscriptions, and what it delivers.

Routes, bodies and reasons of refusals: docs.x.com/x-api/webhooks, docs.x.com/x-api/activity and
X's OpenAPI document. Only the reasons are documented, not the errors that carry them. That the
app's token may not subscribe to private events, though the document allows it, is what adapters
of 2026 report.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.standins.server import Action, Answer, Request, answer_json
from tests.standins.x_answers import PROBLEMS, refusal
from tests.standins.x_door import Who, by_app
from tests.standins.x_events import signed
from tests.standins.x_posts import stamp

PUBLIC = {"post.create", "post.delete"}
PRIVATE = {f"post.{what}.create" for what in ("mention", "reply", "quote", "repost")}
REPLAYED = timedelta(hours=24)
PATIENCE = 10  # seconds


@dataclass(frozen=True)
class Hook:
    """One registered webhook."""

    id: str
    url: str
    created_at: str
    valid: bool = True


class Webhooks:
    """Calls what it was told to call: tests say in `hosts` where a public host is on loopback."""

    def __init__(
        self,
        consumer_secret: str,
        account_id: str,
        clock: Callable[[], datetime],
        next_id: Callable[[], str],
    ) -> None:
        self.hosts: dict[str, str] = {}
        self.most = 5
        self.registered: dict[str, Hook] = {}
        self.subscriptions: dict[str, dict[str, Any]] = {}
        self._secret = consumer_secret
        self._account_id = account_id
        self._clock = clock
        self._next_id = next_id
        self._told: list[tuple[datetime, bytes]] = []

    def routes(self) -> Iterator[tuple[str, str, Action, str, Who]]:
        """Method, path, action, name of the limit, and who may call."""
        one, subscription = "/2/webhooks/{id}", "/2/activity/subscriptions/{id}"
        yield "GET", "/2/webhooks", self._list, "webhooks", "app"
        yield "POST", "/2/webhooks", self._add, "webhooks", "anyone"
        yield "POST", "/2/webhooks/replay", self._replay, "replay", "app"
        yield "PUT", one, self._check, "webhooks", "anyone"
        yield "DELETE", one, self._remove, "webhooks", "anyone"
        subscriptions = "/2/activity/subscriptions"
        yield "GET", subscriptions, self._subscribed, "subscriptions", "anyone"
        yield "POST", subscriptions, self._subscribe, "subscriptions", "anyone"
        yield "PUT", subscription, self._redirect, "subscriptions", "app"
        yield "DELETE", subscription, self._unsubscribe, "subscriptions", "app"

    def tell(self, kind: str, event: bytes, at: datetime) -> list[int]:
        """Delivers an event to whom it concerns, and keeps it to be replayed."""
        self._told.append((at, event))
        wanted = {
            one["webhook_id"] for one in self.subscriptions.values() if one["event_type"] == kind
        }
        hooks = [hook for hook in self.registered.values() if hook.valid and hook.id in wanted]
        return [self._deliver(hook, event) for hook in hooks]

    # Webhooks.

    def _list(self, _request: Request) -> Answer:
        hooks = [asdict(hook) for hook in self.registered.values()]
        return answer_json({"data": hooks, "meta": {"result_count": len(hooks)}})

    def _add(self, request: Request) -> Answer:
        url = request.json()["url"]
        parts = urlsplit(url)
        if parts.scheme != "https" or parts.port or not 1 <= len(url) <= 200:
            return _refused("UrlValidationFailed")
        if any(hook.url == url for hook in self.registered.values()):
            return _refused("DuplicateUrlFailed")
        if len(self.registered) >= self.most:
            return _refused("WebhookLimitExceeded")
        hook = Hook(self._next_id(), url, stamp(self._clock()))
        if not self._answers(hook):
            return _refused("CrcValidationFailed")
        self.registered[hook.id] = hook
        return answer_json({"data": asdict(hook)})

    def _check(self, request: Request) -> Answer:
        hook = self.registered.get(request.parts["id"])
        if hook is None:
            return _refused("WebhookIdInvalid")
        valid = self._answers(hook)
        self.registered[hook.id] = replace(hook, valid=valid)
        return answer_json({"data": {"valid": True}}) if valid else _refused("CrcValidationFailed")

    def _remove(self, request: Request) -> Answer:
        if self.registered.pop(request.parts["id"], None) is None:
            return _refused("WebhookIdInvalid")
        return answer_json({"data": {"deleted": True}})

    def _replay(self, request: Request) -> Answer:
        asked, now = request.json(), self._clock()
        hook = self.registered.get(asked["webhook_id"])
        if hook is None:
            return _refused("WebhookIdInvalid")
        since, until = (
            datetime.strptime(asked[name] + "+0000", "%Y%m%d%H%M%z")
            for name in ("from_date", "to_date")
        )
        if not now - REPLAYED <= since <= until <= now - timedelta(minutes=10):
            return _refused("QueryParamInvalid")
        if since > now - timedelta(minutes=31):
            return _refused("QueryParamInvalid")
        for at, event in self._told:
            if since <= at <= until:
                self._deliver(hook, event)
        return answer_json({"data": {"job_id": self._next_id(), "created_at": stamp(now)}})

    # Subscriptions.

    def _subscribed(self, request: Request) -> Answer:
        asked = request.queries()
        start, size = int(asked.get("pagination_token", 0)), int(asked.get("max_results", 10))
        every = list(self.subscriptions.values())
        meta: dict[str, Any] = {"total_subscriptions": len(every)}
        if start + size < len(every):
            meta["next_token"] = f"{start + size:016}"
        return answer_json({"data": every[start : start + size], "meta": meta})

    def _subscribe(self, request: Request) -> Answer:
        asked = request.json()
        kind, about = asked["event_type"], asked["filter"].get("user_id")
        if kind not in PUBLIC | PRIVATE:
            return _refused(f"event_type {kind} is not one of the known ones")
        if asked.get("webhook_id") not in self.registered:
            return _refused("WebhookIdInvalid")
        if kind in PRIVATE and (by_app(request) or about != self._account_id):
            return refusal(403, "Forbidden", "The user has not authorized this subscription.")
        wanted = kind, about
        for one in self.subscriptions.values():
            if (one["event_type"], one["filter"]["user_id"]) == wanted:
                return _refused("The subscription exists already")
        now = stamp(self._clock())
        made = {**asked, "subscription_id": self._next_id(), "created_at": now, "updated_at": now}
        self.subscriptions[made["subscription_id"]] = made
        return answer_json({"data": {"subscription": made}})

    def _redirect(self, request: Request) -> Answer:
        one = self.subscriptions.get(request.parts["id"])
        if one is None:
            return refusal(404, "Not Found Error", "Could not find the subscription.")
        one |= request.json() | {"updated_at": stamp(self._clock())}
        return answer_json({"data": {"subscription": one}})

    def _unsubscribe(self, request: Request) -> Answer:
        if self.subscriptions.pop(request.parts["id"], None) is None:
            return refusal(404, "Not Found Error", "Could not find the subscription.")
        left = {"total_subscriptions": len(self.subscriptions)}
        return answer_json({"data": {"deleted": True}, "meta": left})

    # What X sends to a webhook.

    def _answers(self, hook: Hook) -> bool:
        token = base64.b64encode(hashlib.sha256(self._next_id().encode()).digest()).decode()
        digest = hmac.digest(self._secret.encode(), token.encode(), hashlib.sha256)
        expected = f"sha256={base64.b64encode(digest).decode()}"
        answer = self._call("GET", hook.url, params={"crc_token": token})
        try:
            return answer is not None and answer.ok and answer.json()["response_token"] == expected
        except (json.JSONDecodeError, LookupError, TypeError):
            return False

    def _deliver(self, hook: Hook, event: bytes) -> int:
        answer = self._call("POST", hook.url, data=event, headers=signed(self._secret, event))
        return 0 if answer is None else answer.status_code

    def _call(self, method: str, url: str, **more: Any) -> requests.Response | None:
        host, path = urlsplit(url).netloc, urlsplit(url).path
        if host not in self.hosts:
            return None
        with requests.Session() as http:
            http.trust_env = False
            address = self.hosts[host] + path
            try:
                return http.request(method, address, timeout=PATIENCE, **more)
            except requests.RequestException:
                return None


def _refused(reason: str) -> Answer:
    return refusal(400, "Invalid Request", reason, PROBLEMS + "invalid-request")
