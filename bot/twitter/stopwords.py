"""The words by which an author asks the bot to be quiet."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.normalize import EMOJI, tokens

_KINDS: Final = ("alone", "anywhere", "unless")
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
    """

    alone: frozenset[str]
    anywhere: tuple[str, ...]
    unless: tuple[str, ...]

    def stand_in(self, text: str) -> bool:
        """Whether `text` asks for quiet."""
        spoken = _OF_OTHERS.sub(" ", text)
        words = _words(spoken)
        untagged = _words(_HASHTAG.sub(" ", spoken)) if _HASHTAG.search(spoken) else words
        if not self.alone.isdisjoint((_said_once(words), _said_once(untagged))):
            return True
        padded = f" {words} "
        for phrase in self.unless:
            padded = padded.replace(f" {phrase} ", "  ")
        return any(f" {phrase} " in padded for phrase in self.anywhere)


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
    alone, anywhere, unless = (dict.fromkeys(phrases[kind]) for kind in _KINDS)
    return StopWords(frozenset(map(_said_once, alone)), tuple(anywhere), tuple(unless))


def _normalized(phrases: object) -> list[str] | None:
    if not isinstance(phrases, list):
        return None
    normalized = [_words(phrase) if isinstance(phrase, str) else "" for phrase in phrases]
    return normalized if all(normalized) else None
