"""What a button or a modal carries until it is pressed: a few texts, as Slack gives them back."""

import json
from collections.abc import Mapping
from typing import Any, Final

from bot.errors import Refused

LONGEST_VALUE: Final = 2_000
"""Characters of a button's value (Slack's "Button element")."""
LONGEST_METADATA: Final = 3_000
"""Characters of a view's `private_metadata` (Slack's "Modal views")."""
_MARKUP: Final = {"&": "\\u0026", "<": "\\u003c", ">": "\\u003e"}
"""What Slack gives back changed in some places: slackapi/bolt-python, issue 513."""


def packed(most: int, **texts: str) -> str:
    """The texts as JSON. Raises `Refused` where they are longer than `most`.

    Characters count as they do in JavaScript, an emoji two: Slack does not say how it counts, and
    fewer can they not be.
    """
    value = json.dumps(texts, ensure_ascii=False)
    for character, written in _MARKUP.items():
        value = value.replace(character, written)
    if len(value.encode("utf-16-le", "replace")) // 2 > most:
        raise Refused("The text is longer than Slack can carry: shorten it.")
    return value


def unpacked(carried: Mapping[str, Any], field: str, *names: str) -> list[str]:
    """The texts of these names in a field of what Slack sent. Raises `Refused` if it is damaged."""
    try:
        texts: Any = json.loads(carried[field])
        found = [texts[name] for name in names]
    except (ValueError, TypeError, KeyError, RecursionError):
        found = [None]
    if not all(isinstance(text, str) for text in found):
        raise Refused("What you pressed is damaged or of another release: open it once more.")
    return found
