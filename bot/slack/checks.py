"""What `doctor` asks Slack: nothing here changes anything there or needs a scope of its own."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from slack_sdk import WebClient
from slack_sdk.web import SlackResponse

from bot.frozen import frozen
from bot.slack.client import failure_of
from bot.slack.manifest import SCOPES
from bot.slack.refusals import APP

APP_LEVEL: Final = "xapp-"
"""How an app-level token begins (docs.slack.dev, "Tokens")."""
_SCOPES_HEADER: Final = "x-oauth-scopes"
_ARCHIVED: Final = frozenset({"channel_archive", "group_archive"})


@frozen
class Access:
    """Whose token it is, and what it may; `scopes` is None where Slack does not say."""

    name: str
    team: str
    of_a_bot: bool
    scopes: frozenset[str] | None

    @property
    def missing(self) -> tuple[str, ...]:
        """The scopes of the manifest that the token has not."""
        return tuple(one for one in SCOPES if self.scopes is not None and one not in self.scopes)


def access(client: WebClient) -> Access:
    """What Slack says of the token (method "auth.test"). Raises the three failures."""
    answered = _asked(client.auth_test)
    return Access(
        name=str(answered.get("user")),
        team=str(answered.get("team")),
        of_a_bot=bool(answered.get("bot_id")),
        scopes=_scopes(answered.headers),
    )


def archived(client: WebClient, channel: str, app: str) -> bool:
    """Whether the channel is archived, as far as its newest message tells.

    No method tells it without a further scope, but archiving leaves a message, and nothing can
    be posted after it (events reference, "message.channel_archive"). Raises the three failures:
    `Permanent` where the app, whose name is `app`, cannot read the channel.
    """
    answered = _asked(client.conversations_history, app, channel=channel, limit=1)
    return any(message.get("subtype") in _ARCHIVED for message in answered.get("messages", []))


def _asked(method: Callable[..., SlackResponse], app: str = APP, **arguments: Any) -> Any:
    """Unlike `client.asked`, with the answer's headers."""
    try:
        return method(**arguments)
    except Exception as error:  # noqa: BLE001  failure_of raises what it does not know
        raise failure_of(error, app) from None


def _scopes(headers: Mapping[str, Any]) -> frozenset[str] | None:
    lower = {str(name).lower(): value for name, value in headers.items()}
    value = lower.get(_SCOPES_HEADER)
    if value is None:
        return None
    listed = ",".join(value) if isinstance(value, list) else str(value)
    return frozenset(one.strip() for one in listed.split(",") if one.strip())
