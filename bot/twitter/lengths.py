"""How long X finds a text, and what in it X makes a link.

Developer documentation, "Counting characters"; twitter-text, configuration v3. `twitter_text`
agrees with X's own library on the whole of its conformance suite, but takes 0.15 s to load and, on
long texts of nothing but dots, minutes to answer: so it is asked only where a look at the
characters cannot tell.
"""

import pkgutil
import re
import sys
import unicodedata
from functools import cache
from threading import Lock
from types import ModuleType
from typing import Final

LINK: Final = 23
"""Characters that a link counts, however long it is."""

_HEAVY: Final = re.compile("[^\0-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]|[©®]")
"""What counts two; © and ® are emoji and stand in the range of those that count one."""
_PLAIN: Final = re.compile(
    "[\0-\u00a8\u00aa-\u00ad\u00af-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037"
    "…€\u3041-\u3096\u30a1-\u30fc\u4e00-\u9fff\uac00-\ud7a3]*"
)
"""Characters of which no emoji is made, not even with one another."""
_DOTTED: Final = re.compile(r"\.[^\W\d_]")
"""Every link has a dot before a letter."""
_LINE_END: Final = re.compile(r"\r\n?")
_ADDRESS: Final = re.compile(r"https?://\S+\.\S+", re.IGNORECASE)

_LONGEST_READ: Final = 2_000
_MOST_DOTS: Final = 150
"""Up to this many characters, and dots before a letter, the library is asked: its time grows with
their square and cube. What has more is too long for a post."""

_loading: Final = Lock()


def weighted_length(text: str) -> int:
    """The characters of `text` as X counts them.

    Where there are thousands, links and emoji are counted by their characters like the rest.
    """
    composed = _composed(text)
    dots = len(_DOTTED.findall(composed))
    if (not dots and _PLAIN.fullmatch(composed)) or not _readable(composed, dots):
        return _each_alone(composed)
    length: int = _library().parse_tweet(composed).weightedLength
    return length


def fits(text: str, limit: int) -> bool:
    """Whether X counts at most `limit` characters in `text`."""
    composed = _composed(text)
    most = _each_alone(composed) + LINK * len(_DOTTED.findall(composed))
    return most <= limit or weighted_length(composed) <= limit


def links(text: str) -> list[str]:
    """What X makes a link of in `text`, a bare domain too, in order.

    The library knows the top-level domains of its time; after `https://` any other counts too.
    """
    composed = _composed(text)
    dots = len(_DOTTED.findall(composed))
    if not dots:
        return []
    found = _library().extract_urls(composed) if _readable(composed, dots) else []
    return found or _ADDRESS.findall(composed)


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", _LINE_END.sub("\n", text))


def _each_alone(text: str) -> int:
    return len(text) + len(_HEAVY.findall(text))


def _readable(text: str, dots: int) -> bool:
    return len(text) <= _LONGEST_READ and dots <= _MOST_DOTS


@cache
def _library() -> ModuleType:
    # It reads its table of emoji through pkg_resources, which setuptools has no more since its
    # version 82, and which before was slow and warned. A module with the one function it calls
    # stands there while it loads.
    name = "pkg_resources"
    stand_in = ModuleType(name)
    vars(stand_in)["resource_string"] = pkgutil.get_data
    with _loading:
        before = sys.modules.get(name)
        sys.modules[name] = stand_in
        try:
            import twitter_text  # noqa: PLC0415  0.15 s, and most processes never need it
        finally:
            del sys.modules[name]
            if before is not None:
                sys.modules[name] = before
    library: ModuleType = twitter_text
    return library
