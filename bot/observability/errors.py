"""Exceptions as the log tells them: what was raised and where, and none of what it quotes.

The message of an exception that is not ours may hold what it failed over, as that of `int("text")`
does, and that may be somebody's words.
"""

import traceback
from collections.abc import Iterator

from bot.errors import Conflict, Failure, Misconfigured, Refused

OURS = (Failure, Conflict, Misconfigured, Refused)
"""Whose messages are sentences of ours."""


def told(error: BaseException) -> str:
    """The exception, with those that led to it, the last one last."""
    return "\n\nand then:\n\n".join(reversed([_told(one) for one in _chain(error)]))


def name(error: BaseException) -> str:
    """What it is; of one of ours, its sentence too."""
    kind = type(error).__qualname__
    return f"{kind}: {error}" if isinstance(error, OURS) else kind


def _told(error: BaseException) -> str:
    return "".join(traceback.format_tb(error.__traceback__)) + name(error)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    led: BaseException | None = error
    while led is not None and id(led) not in seen:
        seen.add(id(led))
        yield led
        led = led.__cause__ or (None if led.__suppress_context__ else led.__context__)
