"""The requests that a Slack workspace sends to an app, signed, and what its `response_url`s take.

Shapes: docs.slack.dev/interactivity, /reference/interaction-payloads, /apis/events-api;
signature: docs.slack.dev/authentication/verifying-requests-from-slack.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import urlencode

from tests.standins import slack_blocks
from tests.standins.server import Answer, Request, Standin, answer_json
from tests.standins.slack_shapes import boolean, fields, one_of, string

TEAM = "T0HARBOR"
APP = "A0ESCALATOR"
BOT = "B0BOT"
BOT_USER = "U0BOT"
FORM = "application/x-www-form-urlencoded"
RESPONSES = 5
RESPONSE_SECONDS = 30 * 60
MESSAGE_TEXT = 40_000
"""Characters of a message's `text`: docs.slack.dev/reference/methods/chat.postMessage."""

Delivery = tuple[dict[str, str], bytes]
View = dict[str, Any]
RESPONSE = fields(
    {},
    {
        "text": string(MESSAGE_TEXT, 0),
        "blocks": lambda _, __: iter(()),
        "response_type": one_of("ephemeral", "in_channel"),
        "replace_original": boolean,
        "delete_original": boolean,
        "unfurl_links": boolean,
        "unfurl_media": boolean,
    },
)


@dataclass
class Trigger:
    """What lets an app open a modal: once, soon, and above the view whose use made it."""

    made_at: float
    view_id: str | None = None
    exchanged: bool = False


class SlackWorkspace(Standin):
    """The side of Slack that calls: each method gives the headers and the raw body of a request."""

    def __init__(self, signing_secret: str, channel: str, clock: Callable[[], float]) -> None:
        super().__init__()
        self.signing_secret = signing_secret
        self.channel = channel
        self.clock = clock
        self.triggers: dict[str, Trigger] = {}
        self.responses: dict[str, list[dict[str, Any]]] = {}
        self.views: list[View] = []
        self.homes: dict[str, View] = {}
        self.closed: set[str] = set()
        self._response_made_at: dict[str, float] = {}
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

    def press(
        self,
        action_id: str,
        place: Mapping[str, Any],
        *,
        option: str | None = None,
        user: str = "U0AGENT",
        now: float | None = None,
    ) -> Delivery:
        """Someone uses what is shown on a message or view; `option` is the value chosen in a menu.

        Raises `LookupError` where nothing of the kind is shown.
        """
        for block in place.get("blocks", []):
            for element in slack_blocks.elements(block):
                if element["action_id"] == action_id:
                    action = {**_used(element, option), "block_id": block.get("block_id", "given")}
                    return self.action(action, place, user=user, now=now)
        raise LookupError(f"There is no {action_id} to press.")

    def button(
        self,
        action_id: str,
        value: str,
        place: Mapping[str, Any],
        *,
        user: str = "U0AGENT",
        block_id: str = "actions",
        now: float | None = None,
    ) -> Delivery:
        """Someone presses a button on a message or view, whether it is shown there or not."""
        text = {"type": "plain_text", "text": action_id}
        action = {"type": "button", "action_id": action_id, "value": value, "text": text}
        return self.action({**action, "block_id": block_id}, place, user=user, now=now)

    def overflow(
        self,
        action_id: str,
        value: str,
        place: Mapping[str, Any],
        *,
        user: str = "U0AGENT",
        block_id: str = "actions",
        now: float | None = None,
    ) -> Delivery:
        """Someone chooses from an overflow menu, whether it is shown there or not."""
        chosen = {"text": {"type": "plain_text", "text": value}, "value": value}
        action = {"type": "overflow", "action_id": action_id, "selected_option": chosen}
        return self.action({**action, "block_id": block_id}, place, user=user, now=now)

    def action(
        self,
        action: Mapping[str, Any],
        place: Mapping[str, Any],
        *,
        user: str = "U0AGENT",
        now: float | None = None,
    ) -> Delivery:
        """Someone uses any element: `block_actions` with that one action.

        `place` is one of `SlackStandin.messages`, `ephemerals`, `views` or `homes`, or what
        `ephemeral` makes.
        """
        in_view = place.get("type") in ("modal", "home")
        surroundings = self._in_view(place) if in_view else self._in_channel(place)
        acted = {"action_ts": f"{self.clock():.6f}", **action}
        payload = {"type": "block_actions", **surroundings, "actions": [acted]}
        return self._interaction(payload, user, now)

    def ephemeral(self, content: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """A message that only its reader sees, such as what a `response_url` took."""
        ts = f"{int(self.clock())}.{next(self._ids):06}"
        return {**(content or {}), "ts": ts, "channel": self.channel, "is_ephemeral": True}

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
        trigger = self._trigger(view.get("id"))
        payload = {"type": "view_submission", "trigger_id": trigger, "view": submitted}
        return self._interaction({**payload, "response_urls": []}, user, now)

    def view_closed(
        self,
        view: Mapping[str, Any],
        *,
        user: str = "U0AGENT",
        everything: bool = False,
        now: float | None = None,
    ) -> Delivery:
        """Someone cancels a modal, or with `everything` all that lie upon each other.

        Raises `ValueError` where Slack would not tell the app.
        """
        if not view.get("notify_on_close"):
            raise ValueError("Slack tells of closing only for views with notify_on_close.")
        self.close(view, everything=everything)
        payload = {"type": "view_closed", "view": dict(view), "is_cleared": everything}
        return self._interaction(payload, user, now)

    def close(self, view: Mapping[str, Any], *, everything: bool = False) -> None:
        """Takes a modal away, or with `everything` all those with the same root."""
        root = view.get("root_view_id")
        whole = {each["id"] for each in self.views if each["root_view_id"] == root}
        self.closed |= whole if everything else {view["id"]}

    def app_home_opened(
        self,
        user: str = "U0AGENT",
        tab: str = "home",
        *,
        event_id: str | None = None,
        retry: int = 0,
        now: float | None = None,
    ) -> Delivery:
        """Someone looks at the app's Home; a tab that was published before comes with its view."""
        opened = {"type": "app_home_opened", "user": user, "channel": f"D{user[1:]}", "tab": tab}
        shown = {"view": self.homes[user]} if tab == "home" and user in self.homes else {}
        event = {**opened, **shown, "event_ts": f"{self.clock():.6f}"}
        return self.event(event, event_id=event_id, retry=retry, now=now)

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
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": TEAM,
                    "user_id": BOT_USER,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
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

    def _in_view(self, view: Mapping[str, Any]) -> dict[str, Any]:
        view_id = view.get("id")
        container = {"type": "view", "view_id": view_id}
        return {"container": container, "view": dict(view), "trigger_id": self._trigger(view_id)}

    def _in_channel(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """An app is not shown an ephemeral message again; metadata it must ask for."""
        hidden = bool(message.get("is_ephemeral"))
        place = {"message_ts": message["ts"], "channel_id": message["channel"]}
        thread = {"thread_ts": message["thread_ts"]} if "thread_ts" in message else {}
        shown = {name: value for name, value in message.items() if name != "metadata"}
        return {
            "container": {"type": "message", "is_ephemeral": hidden, **place, **thread},
            "trigger_id": self._trigger(),
            "channel": {"id": message["channel"], "name": "support"},
            **({} if hidden else {"message": shown}),
            "state": {"values": {}},
            "response_url": self._response_url(),
        }

    def _trigger(self, view_id: str | None = None) -> str:
        with self.lock:
            made = f"{next(self._ids)}.trigger"
            self.triggers[made] = Trigger(self.clock(), view_id)
        return made

    def _response_url(self) -> str:
        with self.lock:
            self.responses[made := str(next(self._ids))] = []
            self._response_made_at[made] = self.clock()
        return f"{self.url}/response/{made}"

    def _respond(self, request: Request) -> Answer:
        response = request.parts["id"]
        received = self.responses.get(response)
        if received is None or self._age(response) > RESPONSE_SECONDS:
            return answer_json({"ok": False, "error": "expired_url"}, 404)
        if len(received) >= RESPONSES:
            return answer_json({"ok": False, "error": "used_url"}, 404)
        sent = request.json()
        problem = _response_problem(sent)
        if problem:
            return Answer(400, problem.encode(), {"Content-Type": "text/plain"})
        received.append(sent)
        return Answer(200, b"ok", {"Content-Type": "text/plain"})

    def _age(self, response: str) -> float:
        return self.clock() - self._response_made_at[response]


def _used(element: Mapping[str, Any], option: str | None) -> dict[str, Any]:
    """What Slack says of an element that somebody used."""
    names = ("type", "action_id", "text", "value", "style")
    action = {name: element[name] for name in names if name in element}
    if element["type"] == "button":
        return action
    groups = element.get("option_groups", [element])
    for choice in (choice for group in groups for choice in group["options"]):
        if choice["value"] == option:
            return {**action, "selected_option": choice}
    raise LookupError(f"There is no option {option} in {element['action_id']}.")


def _response_problem(sent: Any) -> str | None:
    """Slack's answer to what a `response_url` does not take, in its one word."""
    if list(RESPONSE(sent, "")):
        return "invalid_payload"
    if slack_blocks.problems(sent):
        return "invalid_blocks"
    if slack_blocks.characters(sent.get("blocks")) > slack_blocks.MESSAGE_CHARACTERS:
        return "msg_blocks_too_long"
    if not sent.get("text") and not sent.get("blocks") and not sent.get("delete_original"):
        return "no_text"
    return None
