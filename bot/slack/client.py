"""The Slack channel as an outlet for cards and their updates.

Failures: Slack API reference, "chat.postMessage", "Errors"; "Rate limits". A reply to a message
that is gone is no failure: Slack shows it in the channel (slack-go, issue 1571).
"""

import logging
import re
import socket
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from http.client import HTTPException
from typing import Any, Final
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.webhook import WebhookClient

from bot.cases import Case, Effect
from bot.errors import Failure, Permanent, Refused, Retryable, Unknown
from bot.slack.cards import CARD, card, mentions_somebody

log = logging.getLogger(__name__)

SECONDS: Final = 8
"""A call's time-out: a look-up's seven stay below a function's 60 s."""
MEND: Final = 300.0
"""Seconds until a call that the workspace's owner must enable is tried again."""
PAGES: Final = 5
"""Of the channel's messages that are looked through."""
THREAD_PAGES: Final = 2
A_PAGE: Final = 200
"""Messages of a page."""
SOON: Final = 10.0
"""Seconds until a card that another one waits for should be there."""
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


def connect(token: str, base: str) -> WebClient:
    """A client that gives up in time and never posts a second time by itself."""
    return WebClient(
        token=token, base_url=base.rstrip("/") + "/", timeout=SECONDS, retry_handlers=[]
    )


WATCHED_FOR: Final = timedelta(hours=24)
"""How long a card that no one in Slack has is new enough for somebody to look into its thread."""
CaseOf = Callable[[str], Case | None]
"""The case with that id; raises `Refused` where its record is damaged."""


class _NoThread(Permanent):
    """There can be no answer to that message; the channel itself may take one."""


class CardOutlet:
    """`bot.ports.Outlet` for cards. One that goes on with a conversation joins its thread."""

    def __init__(self, client: WebClient, channel: str, case_of: CaseOf) -> None:
        self._client = client
        self._channel = channel
        self._case_of = case_of

    def send(self, case: Case, effect: Effect) -> str:  # noqa: ARG002
        """See `bot.ports.Outlet`; the outside id is the message's `ts`."""
        head = _head(case, self._case_of)
        message, thread = card(case, head), _thread(case, head)
        if thread:
            try:
                return self._posted({**message, "thread_ts": thread})
            except _NoThread as failure:
                log.warning("The card of case %s goes to the channel: %s", case.id, failure)
        return self._posted(message)

    def _posted(self, message: dict[str, Any]) -> str:
        return _stamp(_asked(self._client.chat_postMessage, channel=self._channel, **message))

    def find(self, case: Case, effect: Effect) -> str | None:  # noqa: ARG002
        """See `bot.ports.Outlet`: looks through its thread and the channel since the decision."""
        head = _head(case, self._case_of)
        # The channel's history has no answers in threads, and Slack decides where one appears.
        sent = head.effect("card") if head else None
        if sent and sent.outside_id:
            try:
                replies = partial(self._client.conversations_replies, ts=sent.outside_id)
                found = self._found(case, replies, THREAD_PAGES)
            except _NoThread:
                found = None
            if found:
                return found
        return self._found(case, self._client.conversations_history, PAGES)

    def _found(self, case: Case, method: Callable[..., Any], pages: int) -> str | None:
        cursor: str | None = None
        for _ in range(pages):
            answer = _asked(
                method,
                channel=self._channel,
                oldest=str(case.decided_at.timestamp() - 60),
                include_all_metadata=True,
                limit=A_PAGE,
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

    def __init__(self, client: WebClient, channel: str, case_of: CaseOf) -> None:
        self._client = client
        self._channel = channel
        self._case_of = case_of

    def send(self, case: Case, effect: Effect) -> str:  # noqa: ARG002
        """See `bot.ports.Outlet`."""
        sent = case.effect("card")
        if sent is None or sent.state == "failed":
            raise Permanent("There is no card to update.")
        if sent.outside_id is None:
            raise Retryable("The card itself is still on its way.", SOON)
        drawn = card(case, _head(case, self._case_of))
        message = {k: v for k, v in drawn.items() if not k.startswith("unfurl")}
        return _stamp(
            _asked(self._client.chat_update, channel=self._channel, ts=sent.outside_id, **message)
        )

    def find(self, case: Case, effect: Effect) -> str | None:  # noqa: ARG002
        """See `bot.ports.Outlet`: never looked for, only done again."""
        return None


def _head(case: Case, case_of: CaseOf) -> Case | None:
    """The case whose thread this one joins, as far as it is there and can be read."""
    try:
        return case_of(case.thread) if case.thread else None
    except Refused as refusal:  # this post must be seen, whatever became of that one
        log.error("Case %s finds no head: %s", case.id, refusal)  # noqa: TRY400
        return None


def _thread(case: Case, head: Case | None) -> str | None:
    """The `ts` of the head's card, None where no thread is to be joined.

    Nor that of an old card where its own mentions nobody: nobody would look into it. Raises
    `Retryable` where that card is still on its way.
    """
    sent = head.effect("card") if head and not head.erased else None
    if head is None or sent is None or sent.state == "failed":
        return None
    recent = case.received_at - head.received_at <= WATCHED_FOR
    if not recent and not mentions_somebody(case, head):
        return None
    if sent.state != "sent":
        raise Retryable("The card whose thread it joins is still on its way.", SOON)
    return sent.outside_id


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
    if reason in _NO_THREAD:
        return _NoThread(f"Slack takes no answer to that message ({reason}).")
    return Permanent(f"Slack refuses the message ({reason}).")


def _after(headers: Any) -> float:
    value = {str(name).lower(): value for name, value in headers.items()}.get("retry-after", "1")
    text = value[0] if isinstance(value, list) else value
    return float(text) if str(text).isdecimal() else 1.0


def whoami(client: WebClient) -> str:
    """The bot's name and workspace. Raises the three failures."""
    answered = _asked(client.auth_test)
    return f"{answered.get('user')} in {answered.get('team')}"
