"""The words by which an author asks the bot to be quiet."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from bot.errors import Misconfigured
from bot.frozen import frozen

_KINDS: Final = ("alone", "anywhere", "unless", "fillers")
_LONGEST_ALONE: Final = 300
"""Characters: who asks for nothing but quiet says so in fewer, and giant posts stay cheap."""
_OF_OTHERS: Final = re.compile(r"https?://\S+|[@＠]\w+", re.IGNORECASE)
_HASHTAG: Final = re.compile(r"[#＃]\w+")
_DRAWN_OUT: Final = re.compile(r"(\w)\1{2,}")
_REPEATED: Final = re.compile(r"\b(\w+)(?: \1\b)+")
_SPELLED_OUT: Final = re.compile(r"\b\w(?: \w\b){2,}")
_STOP_SIGN: Final = "🛑"
_UNSEEN: Final = frozenset({"Cf", "Mn", "Me"})
"""Categories of Unicode (Standard, table 4-4): format characters, and marks on a letter."""


@frozen
class Alone:
    """What a post asks for quiet with, in one language, where it says no more than that.

    `phrases` and the post are compared without `fillers`: the words of courtesy and haste. All of
    them are what `_said_once` returns.
    """

    code: str
    phrases: tuple[str, ...]
    fillers: tuple[str, ...]
    vocabulary: frozenset[str]

    def is_all_of(self, words: str) -> bool:
        """Whether `words` are one of the phrases."""
        # Most posts hold another word, which is found much faster than the fillers are removed.
        if not self.vocabulary.issuperset(words.split()):
            return False
        rest = _without(_either(self.fillers), words)
        return rest != "" and rest in _bare(self.phrases, self.fillers).values()


@frozen
class StopWords:
    """Normalized phrases; every post is compared with those of all languages.

    A post that is one of `alone`, or in which one of `anywhere` (by their first words) stands, asks
    for quiet. What is part of a phrase of `unless` does not count: "you don't reply to me" asks for
    the contrary.
    """

    alone: tuple[Alone, ...]
    anywhere: Mapping[str, tuple[str, ...]]
    unless: tuple[str, ...]

    def stand_in(self, text: str) -> bool:
        """Whether `text` asks for quiet."""
        spoken = _OF_OTHERS.sub(" ", text)
        words = _words(spoken)
        return self._are_all_of(words, spoken) or self._stand_among(words)

    def _are_all_of(self, words: list[str], spoken: str) -> bool:
        if sum(map(len, words)) > _LONGEST_ALONE:
            return False
        said = {_said_once(words)}
        if _HASHTAG.search(spoken):
            said.add(_said_once(_words(_HASHTAG.sub(" ", spoken))))
        return any(language.is_all_of(one) for one in said for language in self.alone)

    def _stand_among(self, words: list[str]) -> bool:
        firsts = self.anywhere.keys() & words
        if not firsts:
            return False
        phrases = [phrase for first in firsts for phrase in self.anywhere[first]]
        padded = f" {' '.join(words)} "
        return _holds(padded, phrases) and _holds(_cleared(padded, self.unless), phrases)


def _holds(padded: str, phrases: Iterable[str]) -> bool:
    return any(f" {phrase} " in padded for phrase in phrases)


def _cleared(padded: str, phrases: Iterable[str]) -> str:
    for phrase in phrases:
        padded = padded.replace(f" {phrase} ", "  ")
    return padded


def _words(text: str) -> list[str]:
    """The words of `text` without case, accents, punctuation, emoji and unseen characters."""
    spelling = _ASCII
    if not text.isascii():
        spelling = _ASCII | {ord(one): _spelled(one) for one in set(text) if not one.isascii()}
    return text.translate(spelling).split()


@lru_cache(maxsize=4096)
def _spelled(character: str) -> str:
    if character == _STOP_SIGN:
        return " stop "
    return "".join(
        part if part.isalnum() else " "
        for part in unicodedata.normalize("NFKD", character).casefold()
        if unicodedata.category(part) not in _UNSEEN
    )


_ASCII: Final = {code: _spelled(chr(code)) for code in range(128)}


def _said_once(words: Iterable[str]) -> str:
    """The same of what is said with force: `s t o p stooop stop` is `stop`."""
    joined = _SPELLED_OUT.sub(lambda letters: letters[0].replace(" ", ""), " ".join(words))
    return _REPEATED.sub(r"\1", _DRAWN_OUT.sub(r"\1", joined))


def _without(fillers: re.Pattern[str], words: str) -> str:
    return " ".join(fillers.sub(" ", words).split())


@lru_cache
def _either(fillers: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(fillers, key=len, reverse=True)
    # Without fillers it is a pattern that never matches.
    return re.compile(rf"\b(?:{'|'.join(longest_first) or '(?!)'})\b")


@lru_cache
def _bare(phrases: tuple[str, ...], fillers: tuple[str, ...]) -> Mapping[str, str]:
    """The phrases, and what is left of each without fillers.

    Few posts need it, and to make it takes longer than all else here.
    """
    return {phrase: _without(_either(fillers), phrase) for phrase in phrases}


def stop_words_of(data: Mapping[str, Any]) -> StopWords:
    """Those of the parsed `replies.toml`, whatever else it holds.

    Raises `Misconfigured` where they are wrong.
    """
    problems: list[str] = []
    found = stop_words_from(stop_tables(data), problems)
    if problems:
        raise Misconfigured([f"replies.toml: {problem}" for problem in problems])
    return found


def stop_tables(data: Mapping[str, Any]) -> dict[str, Any]:
    """The `stop` tables of the languages in the file."""
    tables = {code: table for code, table in data.items() if isinstance(table, dict)}
    return {code: table["stop"] for code, table in tables.items() if "stop" in table}


def stop_words_from(groups: Mapping[str, Any], problems: list[str]) -> StopWords:
    """The stop words of the languages' `stop` tables; `problems` gets what is wrong with them.

    But for what `useless` finds, which takes as long as all of this and does no harm.
    """
    alone, anywhere, unless = list[Alone](), dict[str, tuple[str, ...]](), list[str]()
    for code, group in groups.items():
        if not isinstance(group, dict) or not group.keys() <= set(_KINDS):
            problems.append(f"[{code}.stop] holds the lists {', '.join(_KINDS)} and no more.")
            continue
        phrases = {kind: _phrases(code, kind, group.get(kind, []), problems) for kind in _KINDS}
        alone.append(_alone(code, phrases["alone"], phrases["fillers"]))
        for phrase in phrases["anywhere"]:
            first = phrase[0]
            anywhere[first] = (*anywhere.get(first, ()), " ".join(phrase))
        unless += map(" ".join, phrases["unless"])
    return StopWords(tuple(alone), anywhere, tuple(unless))


def _phrases(code: str, kind: str, written: object, problems: list[str]) -> list[list[str]]:
    if isinstance(written, list):
        phrases = [_words(phrase) if isinstance(phrase, str) else [] for phrase in written]
        if all(phrases):
            return phrases
    problems.append(f"[{code}.stop] {kind} must be a list of words or phrases, each with a letter.")
    return []


def _alone(code: str, written: list[list[str]], fillers: list[list[str]]) -> Alone:
    said, said_fillers = tuple(map(_said_once, written)), tuple(map(_said_once, fillers))
    return Alone(code, said, said_fillers, frozenset(" ".join([*said, *said_fillers]).split()))


def useless(found: StopWords) -> list[str]:
    """What is wrong with phrases that no post can ask for quiet with."""
    return [
        f"[{language.code}.stop] alone holds «{said}», which is nothing but fillers: remove it."
        for language in found.alone
        for said, rest in _bare(language.phrases, language.fillers).items()
        if not rest
    ]
