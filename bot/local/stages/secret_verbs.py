"""The verbs of `python -m bot secret`: the keys of a deployed stage. Values are never shown.

Each returns its exit code, as in `commands`.
"""

import getpass
import re
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from bot.errors import Misconfigured, Refused
from bot.local.terminal import show, terminal
from bot.process import SECRETS_READ_AGAIN
from bot.settings import SECRETS, Secret

Environment = Mapping[str, str]

LONGEST: Final = 4_096
"""Characters of a value; the longest keys have some hundred."""
_ONE_WORD: Final = re.compile(r"[!-~]+")
_FORMS: Final[Mapping[str, tuple[re.Pattern[str], str]]] = {
    "SLACK_BOT_TOKEN": (re.compile(r"xoxb-[!-~]+"), "begins with xoxb-"),
    "SLACK_SUPPORT_CHANNEL": (
        re.compile(r"[CG][A-Z0-9]{2,}"),
        "is a channel's id, such as C012AB3CD",
    ),
    "X_ACCESS_TOKEN": (
        re.compile(r"[0-9]+-[!-~]+"),
        "begins with the account's number and a hyphen",
    ),
    "X_USER_ID": (re.compile(r"[0-9]{1,19}"), "is a number"),
    "API_PASSWORD": (re.compile(r"[!-~]{12,}"), "has at least 12 characters"),
}
"""What tells that a key was mistaken for another.

Slack: docs.slack.dev, "Tokens"; ids of channels: "conversations.list". X: "OAuth 1.0a", whose
access tokens begin with the user's id.
"""
_NOT_THERE: Final[Mapping[str, str]] = {
    "SLACK_APP_TOKEN": "a stage has an address and needs no Socket Mode",
    "SLACK_ADMINS": "it is no secret, and given to `make deploy`",
}


def fill(arguments: Namespace, environment: Environment) -> int:
    """Keys into a secret: asked for without showing them, or as NAME=value lines of the input."""
    from bot.storage import secrets  # noqa: PLC0415  botocore is slow to load

    _needs_stage(arguments)
    secret = SECRETS[arguments.secret]
    for name in arguments.names:
        _known(secret, name)
    secret_id = _id(secret, environment)
    try:
        held = secrets.read(secret_id).values
    except Misconfigured:  # it is written anew
        held = {}
    asks = terminal(sys.stdin)
    given = _asked(secret, arguments.names, held) if asks else _read(secret, arguments.names)
    if given:
        secrets.write(secret_id, {**held, **given})
    missing = [name for name in secret.needed if not has({**held, **given}, name)]
    show(
        arguments,
        {"secret": arguments.secret, "set": sorted(given), "missing": missing},
        _told(arguments.secret, given, missing),
    )
    return 1 if missing else 0


def _told(secret: str, given: Mapping[str, str], missing: Sequence[str]) -> str:
    minutes = SECRETS_READ_AGAIN / 60
    done = (
        f"Set {', '.join(given)}; the functions use them within {minutes:.0f} minutes."
        if given
        else "Nothing was set; name a key to give it another value."
    )
    left = f" Still missing in the secret {secret}: {', '.join(missing)}." if missing else ""
    return f"{done}{left}"


def _asked(secret: Secret, names: Sequence[str], held: Mapping[str, str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for name in names or [name for name in secret.names if not has(held, name)]:
        value = _asked_for(name, needed=name in secret.needed)
        if value:
            given[name] = value
    return given


def _asked_for(name: str, *, needed: bool) -> str | None:
    """What is typed, asked for until it has the right form; None for nothing."""
    empty = "empty leaves it" if needed else "empty leaves it, for it need not be there"
    while True:
        try:
            value = getpass.getpass(f"{name} (unseen; {empty}): ").strip()
        except EOFError:
            return None
        if not value:
            return None
        try:
            return _checked(name, value)
        except Refused as problem:
            print(problem, file=sys.stderr)  # noqa: T201


def _read(secret: Secret, names: Sequence[str]) -> dict[str, str]:
    given = dict(_lines(secret))
    if names and (others := sorted(set(given).symmetric_difference(names))):
        raise Refused(f"The input and the command line differ over {', '.join(others)}.")
    return given


def _lines(secret: Secret) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(sys.stdin or (), 1):
        name, equals, value = line.strip().partition("=")
        if not name or name.startswith("#"):
            continue
        if not equals:
            raise Refused(f"Line {number} of the input is not NAME=value.")
        name = name.strip()
        _known(secret, name)
        yield name, _checked(name, value.strip().strip("\"'"))


def _known(secret: Secret, name: str) -> None:
    """Raises `Refused` for what the secret does not hold, and never repeats a value."""
    if name in secret.names:
        return
    if "=" in name or not re.fullmatch(r"[A-Z][A-Z_]*", name):
        raise Refused(
            "Give names only, for a command line is kept and seen by others: values are asked for, "
            "or read as NAME=value lines from the standard input."
        )
    why = f": {_NOT_THERE[name]}" if name in _NOT_THERE else ""
    raise Refused(f"{name} is none of its keys, {', '.join(secret.names)}{why}.")


def _checked(name: str, value: str) -> str:
    form, says = _FORMS.get(name, (_ONE_WORD, "is one word"))
    if not form.fullmatch(value) or len(value) > LONGEST:
        raise Refused(f"That is no {name}, which {says} and has no space in it.")
    return value


def show_names(arguments: Namespace, environment: Environment) -> int:
    """What each secret holds and lacks, by name, and since when."""
    from bot.storage import secrets  # noqa: PLC0415

    _needs_stage(arguments)
    for called, secret in SECRETS.items():
        contents = secrets.read(_id(secret, environment))
        for name in dict.fromkeys([*secret.names, *contents.values]):
            state = _state(secret, name, contents.values)
            row = {"secret": called, "name": name, "state": state}
            since = f"{contents.since:%Y-%m-%d %H:%M}"
            show(
                arguments,
                {**row, "since": contents.since.isoformat()},
                f"{called:<6} {name:<24} {state:<9} (secret of {since} UTC)",
            )
    return 0


def has(held: Mapping[str, str], name: str) -> bool:
    """Whether that setting is there; an empty one is not."""
    return bool(held.get(name, "").strip())


def _state(secret: Secret, name: str, held: Mapping[str, str]) -> str:
    if name not in secret.names:
        return "not read"
    if has(held, name):
        return "set"
    return "missing" if name in secret.needed else "unset"


def _id(secret: Secret, environment: Environment) -> str:
    try:
        return environment[secret.id]
    except KeyError:
        raise Refused(f"The stage has no {secret.id}: deploy it anew.") from None


def _needs_stage(arguments: Namespace) -> None:
    if arguments.stage is None:
        raise Refused("Name the stage (--stage NAME); on this machine keys stand in .env.")
