"""Parses our TOML files for the functions' package, once they are found right.

python -m aws.tables : so that a mistake in them stops the packaging, and no function.
"""

import sys

from bot.errors import Misconfigured
from bot.policy import rules_from
from bot.settings import HOUSE
from bot.storage import tables
from bot.twitter.replies import replies_from


def make() -> None:
    """Raises `Misconfigured` where one of them is wrong."""
    rules, replies = HOUSE / "rules.toml", HOUSE / "replies.toml"
    rules_from(tables.read(rules))
    replies_from(tables.read(replies), allow_links=True)
    for path in (rules, replies):
        tables.keep(path)


if __name__ == "__main__":
    try:
        make()
    except Misconfigured as error:
        sys.exit(str(error))
