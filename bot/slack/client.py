"""Calls to Slack: one client for all, and what the failures of a call mean for making it again.

Failures: Slack API reference, "chat.postMessage", "Errors"; "Rate limits".
"""

import logging
import re
import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from http.client import HTTPException
from typing import Any, Final
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.webhook import WebhookClient

from bot.errors import Failure, Permanent, Retryable, Unknown
from bot.ports import Clock
from bot.slack.refusals import APP, remedy

log = logging.getLogger(__name__)

SECONDS: Final = 8
"""A call's time-out: a look-up's seven stay below a function's 60 s."""
_LATER: Final = frozenset({"ratelimited", "rate_limited", "service_unavailable"})
_LOST: Final = frozenset({"fatal_error", "internal_error", "request_timeout"})
_NO_THREAD: Final = frozenset(
    {
        "cannot_reply_to_message",
        "invalid_thread_ts",
        "restricted_action_non_threadable_channel",
        "restricted_action_thread_locked",
        "thread_not_found",
    }
)
_REASON: Final = re.compile(r"[a-z][a-z0-9_]*")
"""How Slack names an error; the SDK puts a sentence there when the answer was no JSON."""


class NoThread(Permanent):
    """There can be no answer to that message; the channel itself may take one."""


class Gone(Permanent):
    """The message is not there, or no longer."""


class Turns:
    """Keeps so many seconds between two calls that write to the channel.

    Slack API documentation, "Rate limits": about one message a second in a channel. Each queue
    has one worker at a time for a channel, so what this process did is what was done. While Slack
    asks to wait, no call is made at all.
    """

    def __init__(self, clock: Clock, wait: Callable[[float], None], seconds: float) -> None:
        self._clock = clock
        self._wait = wait
        self._between = timedelta(seconds=seconds)
        self._free_at: datetime | None = None
        self._held: tuple[datetime, datetime] | None = None

    def hold(self, seconds: float) -> None:
        """Slack asks to wait that long."""
        now = self._clock()
        self._held = now, now + timedelta(seconds=seconds)

    def take(self) -> None:
        """Waits until the next call may be made. Raises `Retryable` while Slack asks to wait."""
        now = self._clock()
        if self._held and self._held[0] <= now < self._held[1]:
            held = (self._held[1] - now).total_seconds()
            raise Retryable("Slack asks to slow down.", held).of("slack")
        left = (self._free_at or now) - now
        if timedelta() < left <= self._between:  # more is a clock that was put back
            self._wait(left.total_seconds())
            now += left
        self._free_at = now + self._between


class Address:
    """Where a browser shows the channel; asked for once, when first wanted."""

    def __init__(self, client: WebClient, channel: str) -> None:
        self._client = client
        self._channel = channel
        self._known: str | None = None

    def __call__(self) -> str | None:
        """Such as `https://acme.slack.com/archives/C0SUPPORT`; None where Slack does not say."""
        if self._known is None:
            try:
                workspace = str(asked(self._client.auth_test).get("url", ""))
            except Failure as failure:
                log.warning("Cards are not linked for now: %s", failure)
                return None
            self._known = f"{workspace.rstrip('/')}/archives/{self._channel}"
        return self._known


def connect(token: str, base: str) -> WebClient:
    """A client that gives up in time and never posts a second time by itself."""
    return WebClient(
        token=token, base_url=base.rstrip("/") + "/", timeout=SECONDS, retry_handlers=[]
    )


def answer(response_url: str, message: dict[str, Any]) -> None:
    """Answers a command where only its caller sees it. Raises the three failures."""
    client = WebhookClient(response_url, timeout=SECONDS, retry_handlers=[])
    try:
        response = client.send_dict({"response_type": "ephemeral", **message})
    except Exception as error:  # noqa: BLE001  failure_of raises what it does not know
        raise failure_of(error) from None
    if response.status_code == 429:  # noqa: PLR2004
        raise Retryable("Slack asks to slow down.", _after(response.headers)).of("slack")
    if response.status_code >= 500:  # noqa: PLR2004
        said = f"Slack failed while it took our answer ({response.status_code})."
        raise Unknown(said).of("slack")
    if response.status_code >= 400:  # noqa: PLR2004
        said = f"Slack no longer takes the answer ({response.status_code})."
        raise Permanent(said).of("slack")


def asked(method: Callable[..., Any], **arguments: Any) -> dict[str, Any]:
    """What a method of the client answers. Raises the three failures."""
    try:
        answered: dict[str, Any] = method(**arguments).data
    except Exception as error:  # noqa: BLE001  failure_of raises what it does not know
        raise failure_of(error) from None
    return answered


def failure_of(error: Exception, app: str = APP) -> Failure:
    """What an exception of a Slack call means for making it again. Raises what is none.

    `app`: the bot's name in the workspace, for the advice.
    """
    return _failure_of(error, app).of("slack")


def _failure_of(error: Exception, app: str) -> Failure:
    if isinstance(error, SlackApiError):
        return _refusal(error.response, app)
    refused = ConnectionRefusedError | socket.gaierror
    if isinstance(error, URLError) and isinstance(error.reason, refused):
        return Retryable("Slack cannot be reached.")
    # AttributeError is how the SDK trips over JSON that is no object.
    if isinstance(error, OSError | HTTPException | SlackClientError | ValueError | AttributeError):
        return Unknown(f"Slack's answer was lost ({type(error).__name__}).")
    raise error


def _refusal(response: Any, app: str) -> Failure:
    status = response.status_code
    body = response.data if isinstance(response.data, dict) else {}
    reason = str(body.get("error", ""))
    if status == 429 or reason in _LATER:  # noqa: PLR2004
        return Retryable("Slack asks to slow down.", _after(response.headers))
    if not _REASON.fullmatch(reason):
        return Unknown(f"Something answered in Slack's place (status {status}).")
    if status >= 500 or reason in _LOST:  # noqa: PLR2004
        return Unknown(f"Slack failed while it took our call ({reason}).")
    advice = remedy(reason, app)
    if advice:
        return Permanent(f"Slack refuses ({reason}): {advice}.", mendable=True)
    if reason in _NO_THREAD:
        return NoThread(f"Slack takes no answer to that message ({reason}).")
    kind = Gone if reason == "message_not_found" else Permanent
    return kind(f"Slack refuses the message ({reason}).")


def _after(headers: Any) -> float:
    value = {str(name).lower(): value for name, value in headers.items()}.get("retry-after", "1")
    text = value[0] if isinstance(value, list) else value
    return float(text) if str(text).isdecimal() else 1.0
