"""Slack's refusals that people have to mend, and how; those that are our fault among them.

Slack API reference, "chat.postMessage" and "conversations.history", "Errors". docs/slack.md tells
the same at more length.
"""

from typing import Final

APP: Final = "Tweet Escalator"
"""The bot's name in the workspace, as the manifest gives it."""

_INSTALL: Final = "install the app again and copy its new Bot User OAuth Token to SLACK_BOT_TOKEN"
_COPY: Final = "copy the Bot User OAuth Token (xoxb-…) of the app to SLACK_BOT_TOKEN"
_ALLOW: Final = "ask an admin of the workspace to allow the app to post in SLACK_SUPPORT_CHANNEL"
_REPORT: Final = (
    "that is a fault of the bot's, so report it with what `python -m bot explain` says of its "
    "case; `python -m bot redrive` sends it with a release that mends it"
)
_REMEDIES: Final = {
    "account_inactive": _INSTALL,
    "channel_not_found": (
        "set SLACK_SUPPORT_CHANNEL to the channel's id (C…), and where it is private type "
        "/invite @{app} in it"
    ),
    "invalid_auth": _COPY,
    "invalid_blocks": _REPORT,
    "invalid_blocks_format": _REPORT,
    "invalid_metadata_format": _REPORT,
    "invalid_metadata_schema": _REPORT,
    "is_archived": "unarchive the channel, or set SLACK_SUPPORT_CHANNEL to another",
    "metadata_too_large": _REPORT,
    "missing_scope": (
        "paste what `python -m bot slack manifest --socket` (or `--url ADDRESS`) writes into the "
        "app's App Manifest page, and reinstall it"
    ),
    "msg_blocks_too_long": _REPORT,
    "msg_too_long": _REPORT,
    "no_permission": _ALLOW,
    "no_text": _REPORT,
    "not_allowed_token_type": _COPY,
    "not_authed": _COPY,
    "not_in_channel": "type /invite @{app} in the channel",
    "restricted_action": _ALLOW,
    "team_access_not_granted": _ALLOW,
    "token_expired": "make the app anew from the manifest, which leaves token rotation off",
    "token_revoked": _INSTALL,
}
REASONS: Final = frozenset(_REMEDIES)
"""The errors, by Slack's names, that have a remedy."""


def remedy(reason: str, app: str = APP) -> str | None:
    """What to do about an error of Slack's, None where people can do nothing about it.

    `app`: the bot's name in the workspace.
    """
    known = _REMEDIES.get(reason)
    return known and known.format(app=app)
