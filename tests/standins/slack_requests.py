"""The requests that a Slack workspace sends to an app, signed.

Shapes: docs.slack.dev/interactivity, /apis/events-api; signature:
docs.slack.dev/authentication/verifying-requests-from-slack.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any
from urllib.parse import urlencode

from tests.standins.server import Answer, Request, Standin, answer_json

TEAM = "T0HARBOR"
APP = "A0ESCALATOR"
FORM = "application/x-www-form-urlencoded"
RESPONSES = 5  # a response_url works five times

Delivery = tuple[dict[str, str], bytes]


class SlackWorkspace(Standin):
    """The side of Slack that calls: each method gives the headers and the raw body of a request."""

    def __init__(self, signing_secret: str, channel: str, clock: Callable[[], float]) -> None:
        super().__init__()
        self.signing_secret = signing_secret
        self.channel = channel
        self.clock = clock
        self.triggers: set[str] = set()
        self.responses: dict[str, list[dict[str, Any]]] = {}
        self.route("POST", "/response/{id}", self._respond)
        self._ids = count(1)

    def signed(self, body: bytes, content_type: str, now: float | None = None) -> Delivery:
        """A body with Slack's headers, signed as of `now`."""
        at = str(int(self.clock() if now is None else now))
        base = b"v0:" + at.encode() + b":" + body
        digest = hmac.digest(self.signing_secret.encode(), base, hashlib.sha256).hex()
        headers = {
            "content-type": content_type,
            "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "x-slack-request-timestamp": at,
            "x-slack-signature": f"v0={digest}",
        }
        return headers, body

    def command(
        self,
        text: str,
        *,
        user: str = "U0AGENT",
        command: str = "/classify",
        channel: str | None = None,
        now: float | None = None,
    ) -> Delivery:
        """Someone types a slash command."""
        fields = {
            "token": "unused",
            "team_id": TEAM,
            "team_domain": "harbor-example",
            "channel_id": channel or self.channel,
            "channel_name": "support",
            "user_id": user,
            "user_name": user.lower(),
            "command": command,
            "text": text,
            "api_app_id": APP,
            "is_enterprise_install": "false",
            "response_url": self._response_url(),
            "trigger_id": self._trigger(),
        }
        return self.signed(urlencode(fields).encode(), FORM, now)

    def button(
        self,
        action_id: str,
        value: str,
        message: Mapping[str, Any],
        *,
        user: str = "U0AGENT",
        block_id: str = "actions",
        now: float | None = None,
    ) -> Delivery:
        """Someone presses a button on `message` (one of `SlackStandin.messages`)."""
        action = {
            "type": "button",
            "action_id": action_id,
            "block_id": block_id,
            "value": value,
            "text": {"type": "plain_text", "text": action_id},
            "action_ts": f"{self.clock():.6f}",
        }
        return self.action(action, message, user=user, now=now)

    def action(
        self,
        action: Mapping[str, Any],
        message: Mapping[str, Any],
        *,
        user: str = "U0AGENT",
        now: float | None = None,
    ) -> Delivery:
        """Someone uses any element on `message`: `block_actions` with that one action."""
        place = {"message_ts": message["ts"], "channel_id": message["channel"]}
        return self._interaction(
            {
                "type": "block_actions",
                "container": {"type": "message", "is_ephemeral": False, **place},
                "trigger_id": self._trigger(),
                "channel": {"id": message["channel"], "name": "support"},
                "message": dict(message),
                "state": {"values": {}},
                "response_url": self._response_url(),
                "actions": [dict(action)],
            },
            user,
            now,
        )

    def submission(
        self,
        view: Mapping[str, Any],
        values: Mapping[str, Mapping[str, Any]],
        *,
        user: str = "U0AGENT",
        now: float | None = None,
    ) -> Delivery:
        """Someone submits a modal (`SlackStandin.views[-1]`): `values[block_id][action_id]`."""
        submitted = {**view, "state": {"values": values}}
        payload = {"type": "view_submission", "trigger_id": self._trigger(), "view": submitted}
        return self._interaction({**payload, "response_urls": []}, user, now)

    def event(
        self,
        event: Mapping[str, Any],
        *,
        event_id: str | None = None,
        retry: int = 0,
        now: float | None = None,
    ) -> Delivery:
        """An event; `retry` and the same `event_id` make it one that is delivered again."""
        content = {
            "token": "unused",
            "team_id": TEAM,
            "api_app_id": APP,
            "event": dict(event),
            "type": "event_callback",
            "event_id": event_id or f"Ev{next(self._ids):08}",
            "event_time": int(self.clock()),
        }
        headers, body = self.signed(json.dumps(content).encode(), "application/json", now)
        again = {"x-slack-retry-num": str(retry), "x-slack-retry-reason": "http_timeout"}
        return headers | (again if retry else {}), body

    def url_verification(
        self, challenge: str = "test-challenge", *, now: float | None = None
    ) -> Delivery:
        """Slack asks whether the address is ours."""
        content = {"token": "unused", "challenge": challenge, "type": "url_verification"}
        return self.signed(json.dumps(content).encode(), "application/json", now)

    def ssl_check(self) -> Delivery:
        """Slack looks at the certificate; this one is not signed."""
        return {"content-type": FORM}, urlencode({"ssl_check": "1", "token": "unused"}).encode()

    def _interaction(self, payload: Mapping[str, Any], user: str, now: float | None) -> Delivery:
        whole = {
            **payload,
            "user": {"id": user, "username": user.lower(), "name": user.lower(), "team_id": TEAM},
            "team": {"id": TEAM, "domain": "harbor-example"},
            "api_app_id": APP,
            "token": "unused",
            "enterprise": None,
            "is_enterprise_install": False,
        }
        return self.signed(urlencode({"payload": json.dumps(whole)}).encode(), FORM, now)

    def _trigger(self) -> str:
        with self.lock:
            self.triggers.add(made := f"{next(self._ids)}.trigger")
        return made

    def _response_url(self) -> str:
        with self.lock:
            self.responses[made := str(next(self._ids))] = []
        return f"{self.url}/response/{made}"

    def _respond(self, request: Request) -> Answer:
        received = self.responses.get(request.parts["id"])
        if received is None:
            return answer_json({"ok": False, "error": "expired_url"}, 404)
        if len(received) >= RESPONSES:
            return answer_json({"ok": False, "error": "used_url"}, 404)
        received.append(request.json())
        return Answer(200, b"ok", {"Content-Type": "text/plain"})
