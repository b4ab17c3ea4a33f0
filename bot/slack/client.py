"""The Slack channel as an outlet for cards and their updates.

Failures: Slack API reference, "chat.postMessage", "Errors"; "Rate limits".
"""

import re
import socket
from collections.abc import Callable
from http.client import HTTPException
from typing import Any, Final
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.webhook import WebhookClient

from bot.cases import Case, Effect
from bot.errors import Failure, Permanent, Retryable, Unknown
from bot.slack.cards import CARD, card

SECONDS: Final = 8
"""A call's time-out: the look-up's five stay below a function's 60 s."""
MEND: Final = 300.0
"""Seconds until a call that the workspace's owner must enable is tried again."""
PAGES: Final = 5
_TO_MEND: Final = frozenset(
    {
        "account_inactive",
        "channel_not_found",
        "invalid_auth",
        "is_archived",
        "missing_scope",
        "no_permission",
        "not_authed",
        "not_in_channel",
        "restricted_action",
        "token_expired",
        "token_revoked",
    }
)
_LATER: Final = frozenset(
    {"ratelimited", "rate_limited", "service_unavailable", "team_access_not_granted"}
)
_LOST: Final = frozenset({"fatal_error", "internal_error", "request_timeout"})
_REASON: Final = re.compile(r"[a-z][a-z0-9_]*")
"""How Slack names an error; the SDK puts a sentence there when the answer was no JSON."""


def connect(token: str, base: str) -> WebClient:
    """A client that gives up in time and never posts a second time by itself."""
    return WebClient(
        token=token, base_url=base.rstrip("/") + "/", timeout=SECONDS, retry_handlers=[]
    )


class CardOutlet:
    """`bot.ports.Outlet` for cards."""

    def __init__(self, client: WebClient, channel: str) -> None:
        self._client = client
        self._channel = channel

    def send(self, case: Case, effect: Effect) -> str:  # noqa: ARG002
        """See `bot.ports.Outlet`; the outside id is the message's `ts`."""
        return _stamp(_asked(self._client.chat_postMessage, channel=self._channel, **card(case)))

    def find(self, case: Case, effect: Effect) -> str | None:  # noqa: ARG002
        """See `bot.ports.Outlet`: looks through the channel since the decision."""
        cursor: str | None = None
        for _ in range(PAGES):
            answer = _asked(
                self._client.conversations_history,
                channel=self._channel,
                oldest=str(case.decided_at.timestamp() - 60),
                include_all_metadata=True,
                limit=200,
                cursor=cursor,
            )
            for message in answer.get("messages", []):
                if _is_card(message, case):
                    return _stamp(message)
            cursor = answer.get("response_metadata", {}).get("next_cursor")
            if not cursor:
                return None
        return None


class UpdateOutlet:
    """`bot.ports.Outlet` for a card drawn anew; doing it twice is harmless."""

    def __init__(self, client: WebClient, channel: str) -> None:
        self._client = client
        self._channel = channel

    def send(self, case: Case, effect: Effect) -> str:  # noqa: ARG002
        """See `bot.ports.Outlet`."""
        sent = case.effect("card")
        if sent is None or sent.state == "failed":
            raise Permanent("There is no card to update.")
        if sent.outside_id is None:
            raise Retryable("The card itself is still on its way.", 10)
        message = {k: v for k, v in card(case).items() if not k.startswith("unfurl")}
        return _stamp(
            _asked(self._client.chat_update, channel=self._channel, ts=sent.outside_id, **message)
        )

    def find(self, case: Case, effect: Effect) -> str | None:  # noqa: ARG002
        """See `bot.ports.Outlet`: never looked for, only done again."""
        return None


def answer(response_url: str, message: dict[str, Any]) -> None:
    """Answers a command where only its caller sees it. Raises the three failures."""
    client = WebhookClient(response_url, timeout=SECONDS, retry_handlers=[])
    try:
        response = client.send_dict({"response_type": "ephemeral", **message})
    except Exception as error:  # noqa: BLE001  failure_of raises what it does not know
        raise failure_of(error) from None
    if response.status_code == 429:  # noqa: PLR2004
        raise Retryable("Slack asks to slow down.", _after(response.headers))
    if response.status_code >= 500:  # noqa: PLR2004
        raise Retryable(f"Slack is not answering now ({response.status_code}).")
    if response.status_code >= 400:  # noqa: PLR2004
        raise Permanent(f"Slack no longer takes the answer ({response.status_code}).")


def _asked(method: Callable[..., Any], **arguments: Any) -> dict[str, Any]:
    try:
        answered: dict[str, Any] = method(**arguments).data
    except Exception as error:  # noqa: BLE001  failure_of raises what it does not know
        raise failure_of(error) from None
    return answered


def _is_card(message: dict[str, Any], case: Case) -> bool:
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload") or {}
    return metadata.get("event_type") == CARD and payload.get("case") == case.id


def _stamp(message: dict[str, Any]) -> str:
    try:
        return str(message["ts"])
    except (TypeError, KeyError):
        raise Unknown("Slack's answer names no message.") from None


def failure_of(error: Exception) -> Failure:
    """What an exception of a Slack call means for making it again. Raises what is none."""
    if isinstance(error, SlackApiError):
        return _refusal(error.response)
    refused = ConnectionRefusedError | socket.gaierror
    if isinstance(error, URLError) and isinstance(error.reason, refused):
        return Retryable("Slack cannot be reached.")
    # AttributeError is how the SDK trips over JSON that is no object.
    if isinstance(error, OSError | HTTPException | SlackClientError | ValueError | AttributeError):
        return Unknown(f"Slack's answer was lost ({type(error).__name__}).")
    raise error


def _refusal(response: Any) -> Failure:
    status = response.status_code
    body = response.data if isinstance(response.data, dict) else {}
    reason = str(body.get("error", ""))
    if status == 429 or reason in _LATER:  # noqa: PLR2004
        return Retryable("Slack asks to slow down.", _after(response.headers))
    if not _REASON.fullmatch(reason):
        return Unknown(f"Something answered in Slack's place (status {status}).")
    if status >= 500 or reason in _LOST:  # noqa: PLR2004
        return Unknown(f"Slack failed while it took our call ({reason}).")
    if reason in _TO_MEND:
        return Retryable(
            f"Slack refuses ({reason}): check SLACK_BOT_TOKEN, its scopes, and that the app is in "
            "SLACK_SUPPORT_CHANNEL.",
            MEND,
        )
    return Permanent(f"Slack refuses the message ({reason}).")


def _after(headers: Any) -> float:
    value = {str(name).lower(): value for name, value in headers.items()}.get("retry-after", "1")
    text = value[0] if isinstance(value, list) else value
    return float(text) if str(text).isdecimal() else 1.0


def whoami(client: WebClient) -> str:
    """The bot's name and workspace. Raises the three failures."""
    answered = _asked(client.auth_test)
    return f"{answered.get('user')} in {answered.get('team')}"
