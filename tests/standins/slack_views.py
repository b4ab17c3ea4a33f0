"""Modals and Home tabs, as Slack keeps them.

docs.slack.dev/surfaces/modals and the methods `views.*`.
"""

import json
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from tests.standins import slack_blocks
from tests.standins.slack_methods import Refused
from tests.standins.slack_requests import APP, BOT, TEAM, SlackWorkspace, View

Arguments = dict[str, Any]
TRIGGER_SECONDS = 3
MOST_VIEWS = 3
VIEW_BYTES = 250_000


class SlackViews(SlackWorkspace):
    """A workspace whose app opens views.

    `views` holds each modal as it is now, oldest first; `homes` the Home tab of each user.
    """

    def __init__(self, signing_secret: str, channel: str, clock: Callable[[], float]) -> None:
        super().__init__(signing_secret, channel, clock)
        self._numbers = count(1)

    def acknowledged(self, view: View, body: str | bytes) -> View | None:
        """Slack takes the app's answer to a submission of `view`; the modal then on top, if any.

        Raises `Refused` for what Slack would not take: docs.slack.dev/surfaces/modals, "Handling
        view_submission payloads".
        """
        answer = json.loads(body) if body else {}
        action = answer.get("response_action")
        with self.lock:
            if action == "errors":
                _check_errors(view, answer.get("errors"))
                return self._open(view["id"])
            if action == "update":
                return self._replace(view["id"], answer.get("view"))
            if action == "push":
                return self._push(view["id"], answer.get("view"))
            if answer not in ({}, {"response_action": "clear"}):
                raise Refused("invalid_arguments", ["unknown response_action [json-pointer:]"])
            self.close(view, everything=action == "clear")
            return next(reversed(self._stack(view["root_view_id"])), None)

    def _open_view(self, arguments: Arguments) -> dict[str, Any]:
        _check(arguments["view"], "modal")
        self._exchange(arguments["trigger_id"])
        return {"view": self._add(arguments["view"])}

    def _push_view(self, arguments: Arguments) -> dict[str, Any]:
        _check(arguments["view"], "modal")
        return {"view": self._push(self._exchange(arguments["trigger_id"]), arguments["view"])}

    def _update_view(self, arguments: Arguments) -> dict[str, Any]:
        found = self._open(arguments["view_id"])
        _check_hash(found, arguments)
        return {"view": self._replace(found["id"], arguments["view"])}

    def _publish_view(self, arguments: Arguments) -> dict[str, Any]:
        _check(arguments["view"], "home")
        user = arguments["user_id"]
        _check_hash(self.homes.get(user, {}), arguments)
        self.homes[user] = home = self._kept(
            arguments["view"], self.homes.get(user, {}).get("id") or self._view_id()
        )
        return {"view": home}

    def _exchange(self, trigger_id: str) -> str | None:
        """The view whose use made the trigger; none where it came from a message or command."""
        trigger = self.triggers.get(trigger_id)
        if trigger is None:
            raise Refused("invalid_trigger_id")
        if trigger.exchanged:
            raise Refused("exchanged_trigger_id")
        if self.clock() - trigger.made_at > TRIGGER_SECONDS:
            raise Refused("expired_trigger_id")
        trigger.exchanged = True
        return trigger.view_id

    def _push(self, beneath: str | None, view: Any) -> View:
        _check(view, "modal")
        stack = self._stack(self._open(beneath)["root_view_id"])
        if len(stack) >= MOST_VIEWS:
            raise Refused("push_limit_reached")
        return self._add(view, stack[-1])

    def _replace(self, view_id: str, view: Any) -> View:
        """The view as it was is left alone: whoever holds it has a stale one."""
        old = self._open(view_id)
        _check(view, old["type"])
        places = {"root_view_id": old["root_view_id"], "previous_view_id": old["previous_view_id"]}
        new = {**self._kept(view, view_id), **places}
        if old in self.views:
            self.views[self.views.index(old)] = new
        else:
            self.homes |= {user: new for user, home in self.homes.items() if home is old}
        return new

    def _add(self, view: View, beneath: View | None = None) -> View:
        kept = self._kept(view, self._view_id())
        if beneath:
            kept |= {"root_view_id": beneath["root_view_id"], "previous_view_id": beneath["id"]}
        self.views.append(kept)
        return kept

    def _open(self, view_id: str | None) -> View:
        shown = [*self.views, *self.homes.values()]
        found = [view for view in shown if view["id"] == view_id and view_id not in self.closed]
        if not found:
            raise Refused("not_found")
        return found[0]

    def _stack(self, root: str) -> list[View]:
        ours = (view for view in self.views if view["root_view_id"] == root)
        return [view for view in ours if view["id"] not in self.closed]

    def _view_id(self) -> str:
        return f"V{next(self._numbers):08}"

    def _kept(self, view: View, view_id: str) -> View:
        return {
            "private_metadata": "",
            "callback_id": "",
            "clear_on_close": False,
            "notify_on_close": False,
            **view,
            "id": view_id,
            "hash": f"{int(self.clock())}.{next(self._numbers):08}",
            "team_id": TEAM,
            "app_id": APP,
            "bot_id": BOT,
            "state": {"values": {}},
            "root_view_id": view_id,
            "previous_view_id": None,
        }


def _check(view: Any, kind: str) -> None:
    found = slack_blocks.view_problems(view)
    if not found and view["type"] != kind:
        found = [f"must be a {kind} [json-pointer:/view/type]"]
    if found:
        raise Refused("invalid_arguments", found)
    if len(json.dumps(view)) > VIEW_BYTES:
        raise Refused("view_too_large")


def _check_hash(view: Mapping[str, Any], arguments: Arguments) -> None:
    if arguments.get("hash", view.get("hash")) != view.get("hash"):
        raise Refused("hash_conflict")


def _check_errors(view: View, errors: Any) -> None:
    """Each error stands beside an input of the view."""
    inputs = {block.get("block_id") for block in view["blocks"] if block["type"] == "input"}
    texts = isinstance(errors, dict) and all(isinstance(e, str) and e for e in errors.values())
    if not errors or not texts or not errors.keys() <= inputs:
        problem = "errors must name inputs of the view, each with a text [json-pointer:/errors]"
        raise Refused("invalid_arguments", [problem])
