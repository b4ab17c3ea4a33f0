"""The Slack app as Slack is told of it: its commands, events and scopes, each in this one place.

docs.slack.dev, "App manifest reference"; lengths: slackapi/manifest-schema.
"""

from typing import Any, Final

from bot.frozen import frozen

PATH: Final = "/slack/events"
"""Where Slack reaches the bot with everything (serverless.yml: `slack`)."""


@frozen
class Command:
    """A slash command as Slack's composer offers it."""

    name: str
    description: str
    usage_hint: str


COMMANDS: Final = (
    Command("/classify", "What the classifier says of a text, for you alone", "TEXT, or help"),
    Command(
        "/triage",
        "The bot's state and its switches",
        "status, open [mine], pause, resume, threshold N, find ID or @handle, help",
    ),
)

EVENTS: Final = ("app_home_opened",)
"""Events of the bot. None of messages: nothing typed in a channel or a thread reaches us."""

SCOPES: Final = {
    "chat:write": "cards, their updates and the lines in their threads",
    "commands": "the slash commands",
    "channels:history": "the look-up of a card whose posting had no answer, in a public channel",
    "groups:history": "the same in a private channel",
}
"""The bot token's scopes and what each is for; modals and the Home tab need none."""


def manifest(url: str | None) -> dict[str, Any]:
    """The app whose requests go to the bot at `url`, or come over Socket Mode where it is None."""
    to_us = {} if url is None else {"request_url": url + PATH}
    return {
        "display_information": {
            "name": "Tweet Escalator",
            "description": "Tweets that need a human become cards to claim, answer and resolve.",
            "background_color": "#0b5cad",
        },
        "features": {
            # The bot answers no direct messages, so it offers no place for them.
            "app_home": {"home_tab_enabled": True, "messages_tab_enabled": False},
            "bot_user": {"display_name": "Tweet Escalator", "always_online": False},
            "slash_commands": [_command(one, url) for one in COMMANDS],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {**to_us, "bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True, **to_us},
            "org_deploy_enabled": False,
            "socket_mode_enabled": url is None,
            # Rotated tokens last twelve hours, and one in .env is renewed by nobody.
            "token_rotation_enabled": False,
        },
    }


def _command(command: Command, url: str | None) -> dict[str, Any]:
    return {
        "command": command.name,
        **({} if url is None else {"url": url + PATH}),
        "description": command.description,
        "usage_hint": command.usage_hint,
        # A handle or a text must come as it was typed, not as <@U…> or <#C…>.
        "should_escape": False,
    }
