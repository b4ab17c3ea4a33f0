"""What a person is told and asked before something is done that costs, or cannot be undone."""

import sys
from argparse import Namespace

from bot.errors import Refused
from bot.local.terminal import printable, terminal


def say(*lines: str) -> None:
    """Prints the lines at once: another process may print next."""
    for line in lines:
        print(printable(line), flush=True)  # noqa: T201


def ask(question: str) -> str:
    """What was typed. Raises `Refused` where nothing more will be."""
    try:
        return input(question)
    except EOFError:
        raise Refused("There is no more input: nothing was changed.") from None


def can_ask(arguments: Namespace) -> bool:
    """Whether a person is there to be asked, and shall be."""
    return not arguments.yes and terminal(sys.stdin)


def agreed(arguments: Namespace, again: str) -> bool:
    """Whether to go on. Raises `Refused` where nobody can be asked; `again` is the command."""
    if arguments.yes:
        return True
    if not can_ask(arguments):
        raise Refused(f"Nobody can be asked here: if it shall go on by itself, `{again} YES=1`.")
    if ask("Go on? [y/N] ").strip().lower() in {"y", "yes"}:
        return True
    say("Nothing was changed.")
    return False
