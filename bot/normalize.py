"""Text to model tokens: the one function that training and serving share."""

import re
from collections.abc import Callable, Mapping
from typing import Final

PLAIN: Final = "plain"
EMOJI: Final = "emoji-1"

_PERHAPS_EMOJI: Final = re.compile("[\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001ffff]")
"""Every emoji has one of these; most texts beyond ASCII have none, and demojize is slow."""
_STRAIGHT: Final = str.maketrans({"‘": "'", "’": "'", "‛": "'", "“": '"', "”": '"', "„": '"'})


def _plain(text: str) -> str:
    from slugify import slugify  # noqa: PLC0415  settings name a normalizer that few functions use

    return str(slugify(text, separator=" "))


def _emoji(text: str) -> str:
    if text.isascii():
        return _plain(text)
    words = text.translate(_STRAIGHT)
    if _PERHAPS_EMOJI.search(words):
        import emoji  # noqa: PLC0415  its tables are loaded only where a text needs them

        words = emoji.demojize(words, delimiters=(" ", " ")).replace("_", " ")
    return _plain(words)


NORMALIZERS: Final[Mapping[str, Callable[[str], str]]] = {PLAIN: _plain, EMOJI: _emoji}


def tokens(text: str, normalizer: str) -> str:
    """The words a model is asked about, separated by single spaces; may be empty.

    `plain` is `slugify(text, separator=" ")`, as the reference endpoint was trained. `emoji-1` is
    the same after emoji became words and curly quotes straight ones. Raises KeyError for another
    name; settings and models are checked before.
    """
    return NORMALIZERS[normalizer](text)
