"""The verb of `python -m bot slack`: the manifest from which Slack makes the app.

It returns its exit code, as in `commands`.
"""

import json
import re
import sys
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from bot.errors import Refused
from bot.local.terminal import printable
from bot.slack import manifest as app

Environment = Mapping[str, str]

LINE: Final = 120
"""Characters of a line of YAML; a hint is easier to read unbroken."""


def manifest(arguments: Namespace, environment: Environment) -> int:
    """The manifest as YAML, or with `--json` as JSON; Slack's pages take both."""
    if [arguments.url is not None, arguments.stage is not None, arguments.socket].count(True) != 1:
        raise Refused(
            "Say either --url https://YOUR-ADDRESS, where Slack reaches the bot, or --stage NAME, "
            "whose address is known, or --socket, for a bot that has no public address."
        )
    url = None if arguments.socket else address_of(_url(arguments, environment))
    content = app.manifest(url)
    text = f"{json.dumps(content)}\n" if arguments.json else _yaml(content)
    if arguments.output is None:
        print(text, end="")  # noqa: T201
    else:
        _write(arguments.output, text)
    return 0


def _url(arguments: Namespace, environment: Environment) -> str:
    if arguments.stage is None:
        return str(arguments.url)
    from bot.local.stages import stage  # noqa: PLC0415  botocore is slow to load

    stage.enter(arguments, environment)
    return stage.output(arguments.stage, "SlackEventsUrl")


def address_of(url: str) -> str:
    """The bot's address without Slack's path, which the manifest adds.

    Raises `Refused` for what Slack would not call: it takes https only.
    """
    whole = url if "://" in url else f"https://{url}"
    try:
        parts = urlsplit(whole)
        _ = parts.port  # a bad one raises
    except ValueError:
        raise Refused(f"{url} is no address: write https://HOST.") from None
    if parts.scheme != "https" or not parts.hostname:
        raise Refused("Slack calls https addresses only: write https://HOST.")
    if "@" in parts.netloc or parts.query or parts.fragment or re.search(r"\s", whole):
        raise Refused("The address must be https://HOST or https://HOST/PATH and nothing more.")
    return f"https://{parts.netloc}{parts.path}".rstrip("/").removesuffix(app.PATH)


def _yaml(content: dict[str, Any]) -> str:
    import yaml  # noqa: PLC0415  the other verbs need none of it

    return str(yaml.safe_dump(content, sort_keys=False, width=LINE))


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        raise Refused(f"{file} cannot be written: {error.strerror}.") from None
    told = (
        f"Wrote {file}: at https://api.slack.com/apps?new_app=1 choose «From a manifest» and paste "
        "what it holds."
    )
    print(printable(told), file=sys.stderr)  # noqa: T201
