"""What our messages on the four queues have in common: JSON objects with a version."""

import json
from collections.abc import Mapping
from typing import Any, Final

from bot.errors import Newer, Refused

VERSION: Final = 1
"""Of the form of our messages; one that says none has the first.

Raise it where this release writes what the one before it would read wrongly. Whatever the version,
`case` names the case that a message to a courier is about.
"""


def stamped(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a message, with the version."""
    return {"version": VERSION, **record}


def record_of(body: str) -> dict[str, Any]:
    """The record of a message of any version. Raises `Refused` where it is none."""
    try:
        record = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(f"This message is not JSON: {type(error).__name__}.") from None
    if not isinstance(record, dict):
        raise Refused("This message is no JSON object.")
    if type(record.get("version", VERSION)) is not int:
        raise Refused("This message has a version that is no whole number.")
    return record


def is_newer(record: Mapping[str, Any]) -> bool:
    """Whether a newer release wrote this record."""
    return bool(record.get("version", VERSION) > VERSION)


def known(body: str) -> dict[str, Any]:
    """The record of a message that we can read. Raises `Refused`, `Newer` for a newer release's."""
    record = record_of(body)
    if is_newer(record):
        raise Newer(
            f"This message has version {record['version']}, of which this release knows "
            f"{VERSION} at most: it waits for the release that wrote it."
        )
    return record
