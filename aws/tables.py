"""Parses our TOML files for the functions' package, once they are found right.

python -m aws.tables : so that a mistake in them stops the packaging. Links in answers, which a
stage may allow, are no mistake here.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot.errors import Misconfigured
from bot.policy import rules_from
from bot.settings import HOUSE
from bot.storage import tables
from bot.twitter.replies import replies_from


def make() -> list[str]:
    """What is wrong with them; where nothing is, both are parsed."""
    rules, replies = HOUSE / "rules.toml", HOUSE / "replies.toml"
    problems = [
        *_problems(rules, rules_from),
        *_problems(replies, lambda read: replies_from(read, allow_links=True)),
    ]
    for path in () if problems else (rules, replies):
        tables.keep(path)
    return problems


def _problems(path: Path, check: Callable[[dict[str, Any]], object]) -> list[str]:
    try:
        check(tables.read(path))
    except Misconfigured as error:
        return list(error.problems)
    return []


if __name__ == "__main__":
    sys.exit("\n".join(make()) or None)
