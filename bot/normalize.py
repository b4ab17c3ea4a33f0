"""Text to model tokens: the one function that training and serving share."""

from collections.abc import Callable, Mapping
from typing import Final

from slugify import slugify

PLAIN: Final = "plain"
EMOJI: Final = "emoji-1"

_STRAIGHT: Final = str.maketrans({"‘": "'", "’": "'", "‛": "'", "“": '"', "”": '"', "„": '"'})


def _plain(text: str) -> str:
    return str(slugify(text, separator=" "))


def _emoji(text: str) -> str:
    if text.isascii():  # demojize costs five times what slugify does
        return _plain(text)
    import emoji  # noqa: PLC0415  its tables are loaded only where a text needs them

    words = emoji.demojize(text.translate(_STRAIGHT), delimiters=(" ", " "))
    return _plain(words.replace("_", " "))


NORMALIZERS: Final[Mapping[str, Callable[[str], str]]] = {PLAIN: _plain, EMOJI: _emoji}


def tokens(text: str, normalizer: str) -> str:
    """The words a model is asked about, separated by single spaces; may be empty.

    `plain` is `slugify(text, separator=" ")`, as the reference endpoint was trained. `emoji-1` is
    the same after emoji became words and curly quotes straight ones. Raises KeyError for another
    name; settings and models are checked before.
    """
    return NORMALIZERS[normalizer](text)
