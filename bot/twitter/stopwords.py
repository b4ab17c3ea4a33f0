"""The words by which an author asks the bot to be quiet."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.normalize import EMOJI, tokens

_KINDS: Final = ("alone", "anywhere", "unless", "fillers")
SHORT: Final = 300
"""Characters; who writes more does not only ask for quiet."""
ENDS: Final = 1_000
"""Characters of a long post's beginning and end in which it may be asked among other things."""
_SIGN: Final = "\U0001f6d1"
_SPELLED: Final = re.compile(r"(?<!\w)(?:\w[ .\-_*]+){2,}\w(?!\w)")
_OF_OTHERS: Final = re.compile(r"https?://\S+|[@＠]\w+", re.IGNORECASE)
_HASHTAG: Final = re.compile(r"[#＃]\w+")
_NO_WORD: Final = re.compile(r"[^\w\s'‘’‛]")
_DRAWN_OUT: Final = re.compile(r"(\w)\1{2,}")
_REPEATED: Final = re.compile(r"\b(\w+)(?: \1\b)+")


@dataclass(frozen=True, slots=True)
class StopWords:
    """Normalized phrases, of all languages together.

    A post that is one of `alone`, or in which one of `anywhere` stands, asks for quiet. What is
    part of a phrase of `unless` does not count: "you don't reply to me" asks for the contrary.
    `fillers` are words that change nothing: "hey, please stop now" is "stop".
    """

    alone: frozenset[str]
    anywhere: tuple[str, ...]
    unless: tuple[str, ...]
    fillers: frozenset[str]

    def stand_in(self, text: str) -> bool:
        """Whether `text` asks for quiet."""
        spoken = _OF_OTHERS.sub(" ", _visible(text))
        if len(spoken) > 2 * ENDS:
            spoken = f"{spoken[:ENDS]} {spoken[-ENDS:]}"
        words = _words(spoken)
        if len(spoken) <= SHORT and self._says_only_that(spoken, words):
            return True
        padded = f" {words} "
        for phrase in self.unless:
            padded = padded.replace(f" {phrase} ", "  ")
        return any(f" {phrase} " in padded for phrase in self.anywhere)

    def _says_only_that(self, spoken: str, words: str) -> bool:
        ways = {words, _words(_SPELLED.sub(_joined, spoken))}
        if _HASHTAG.search(spoken):
            ways.add(_words(_HASHTAG.sub(" ", spoken)))
        ways |= {self._without_fillers(way) for way in ways}
        return not self.alone.isdisjoint(map(_said_once, ways))

    def _without_fillers(self, words: str) -> str:
        return " ".join(word for word in words.split() if word not in self.fillers)


def _visible(text: str) -> str:
    """`text` without what nobody sees, such as zero-width spaces; the stop sign is its word."""
    if text.isascii():
        return text
    seen = "".join(one for one in text if unicodedata.category(one) != "Cf")
    return seen.replace(_SIGN, " stop ")


def _joined(spelled: re.Match[str]) -> str:
    return re.sub(r"[\W_]", "", spelled[0])


def _words(text: str) -> str:
    """The words of `text` without its emoji and punctuation, normalized as for the model."""
    return tokens(_NO_WORD.sub(" ", unicodedata.normalize("NFKC", text)), EMOJI)


def _said_once(words: str) -> str:
    """The same of what is said with force: `stooop stop` is `stop`."""
    return _REPEATED.sub(r"\1", _DRAWN_OUT.sub(r"\1", words))


def stop_words_from(groups: Mapping[str, Any], problems: list[str]) -> StopWords:
    """The stop words of the languages' `stop` tables; `problems` gets what is wrong with them."""
    phrases: dict[str, list[str]] = {kind: [] for kind in _KINDS}
    for code, group in groups.items():
        if not isinstance(group, dict) or not group.keys() <= set(_KINDS):
            problems.append(f"[{code}.stop] holds the lists {', '.join(_KINDS)} and no more.")
            continue
        for kind, written in group.items():
            normalized = _normalized(written)
            if normalized is None:
                problems.append(
                    f"[{code}.stop] {kind} must be a list of words or phrases, each with a letter."
                )
            phrases[kind] += normalized or []
    alone, anywhere, unless, fillers = (dict.fromkeys(phrases[kind]) for kind in _KINDS)
    once = frozenset(map(_said_once, alone))
    return StopWords(once, tuple(anywhere), tuple(unless), frozenset(fillers))


def _normalized(phrases: object) -> list[str] | None:
    if not isinstance(phrases, list):
        return None
    normalized = [_words(phrase) if isinstance(phrase, str) else "" for phrase in phrases]
    return normalized if all(normalized) else None
