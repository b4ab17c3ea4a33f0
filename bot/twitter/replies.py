"""The bot's answers, the drafts of agents, and who is to be left alone (`replies.toml`)."""

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from bot.errors import Misconfigured
from bot.frozen import frozen
from bot.hours import Hours, hours_from
from bot.normalize import EMOJI, tokens
from bot.policy import WordRule
from bot.tweets import Tweet
from bot.twitter.ledger import DOLLAR, PRICES
from bot.twitter.lengths import fits, links, weighted_length
from bot.twitter.names import LONGEST_HANDLE, LONGEST_NAME, handle_of, name_of, without
from bot.twitter.stopwords import StopWords, stop_tables, stop_words_from, useless

LONGEST: Final = 280
"""Characters of an answer, as X counts them."""
FEWEST: Final = 4
"""Texts of an intent: X suspends accounts that say the same again and again."""
GENERAL: Final = "general"
"""The intent of a post in which no other's words stand."""

_FILE: Final = ("default", "variables", "hours")
_TABLE: Final = ("intents", "drafts", "variables", "stop", "when_open", "when_closed")
_INTENT: Final = ("name", "words", "texts")
_VARIABLE: Final = re.compile(r"\{([^{}]*)\}")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[a-z]{2,4})?")
_TOUCHED: Final = re.compile(
    r"[A-Za-z0-9_@＠#＃$&./:]\{(?:name|handle)\}|\{handle\}[A-Za-z0-9_@＠\u00c0-\u024f]"
)
"""What would make another handle, a hashtag or a link of whom a text addresses."""
_NO_CHARACTER: Final = re.compile("[\ufffe\ufeff\uffff\ud800-\udfff]")
"""What X refuses (twitter-text, "invalid characters"), and what UTF-8 cannot carry."""


@frozen
class Chosen:
    """An answer to one post.

    `marks` are digests of the text and of the variant it was made of, by which the next answers
    can differ; they do not say whom it was for.
    """

    text: str
    intent: str
    marks: tuple[str, str]


@frozen
class Intent:
    """What posts with these words are answered."""

    name: str
    words: WordRule
    variants: tuple[str, ...]


@frozen
class Language:
    """What is said in one language.

    `variables` are those that do not depend on the post; `when` is said while people work, and
    while they do not.
    """

    intents: tuple[Intent, ...]
    drafts: tuple[str, ...]
    variables: Mapping[str, str]
    when: tuple[str, str] | None

    def intent(self, text: str) -> Intent:
        """The first intent whose words stand in `text`, else the general one."""
        words = tokens(text, EMOJI)
        general = next(one for one in self.intents if one.name == GENERAL)
        return next((one for one in self.intents if one.words.match(words)), general)

    def made_of(self, template: str, name: str, handle: str) -> list[str]:
        """The texts of `template` for one reader, while people work and while they do not."""
        values = {**self.variables, "name": name, "handle": handle}
        return [filled(template, {**values, "when": when}) for when in self.when or [""]]

    def longest(self, template: str) -> list[str]:
        """The same for the reader who makes them longest."""
        return self.made_of(template, "\u5b57" * LONGEST_NAME, "@" + "x" * LONGEST_HANDLE)


@frozen
class Replies:
    """What the bot says. `default` is the language of posts in whose language it has no texts."""

    default: str
    languages: Mapping[str, Language]
    hours: Hours | None
    stop_words: StopWords

    def choose(self, tweet: Tweet, now: datetime, used: Collection[str] = ()) -> Chosen | None:
        """The answer to `tweet`, always the same for the same tweet and `used`.

        `used` are the marks of the answers sent last. A variant that is not among them comes
        before one that only makes another text for this author, and that before one in which the
        handle tells authors of the same name apart; None where there is none.
        """
        language = self._language(tweet)
        intent = language.intent(tweet.text)
        values = self._values(language, tweet, now)
        drawn = _drawn(intent.variants, tweet)
        by_handle = {**values, "name": values["handle"] or values["name"]}
        return _unused(intent, drawn, values, used) or _unused(intent, drawn, by_handle, used)

    def text(self, tweet: Tweet, now: datetime) -> str:
        """The answer to `tweet`, whatever was sent before."""
        chosen = self.choose(tweet, now)
        return chosen.text if chosen else ""

    def draft(self, tweet: Tweet) -> str:
        """What an agent's answer to `tweet` may begin with; empty where there is none."""
        own = self.languages.get(_code(tweet))
        language = own if own and own.drafts else self.languages[self.default]
        values = self._values(language, tweet)
        return next((filled(draft, values) for draft in _drawn(language.drafts, tweet)), "")

    def opts_out(self, text: str) -> bool:
        """Whether a post asks the bot to be quiet, in any language of the file.

        X's automation rules ("Automated replies"): that is honoured at once.
        """
        return self.stop_words.stand_in(text)

    def _language(self, tweet: Tweet) -> Language:
        own = self.languages.get(_code(tweet))
        return own if own and own.intents else self.languages[self.default]

    def _values(
        self, language: Language, tweet: Tweet, now: datetime | None = None
    ) -> dict[str, str]:
        addressed = {"name": name_of(tweet.author), "handle": handle_of(tweet.author)}
        values = {**language.variables, **addressed}
        if now and self.hours and language.when:
            values["when"] = language.when[not self.hours.open(now)]
        return values


def _code(tweet: Tweet) -> str:
    return (tweet.lang or "").lower()


def _drawn(variants: Sequence[str], tweet: Tweet) -> list[str]:
    """The variants in an order of this tweet's own."""
    return sorted(variants, key=lambda variant: _digest(f"{tweet.root_id} {variant}"))


def _unused(
    intent: Intent, variants: Sequence[str], values: Mapping[str, str], used: Collection[str]
) -> Chosen | None:
    spare = None
    for variant in variants:
        text = filled(variant, values)
        chosen = Chosen(text, intent.name, (_mark(text), _mark(variant)))
        if chosen.marks[0] in used:
            continue
        if chosen.marks[1] not in used:
            return chosen
        spare = spare or chosen
    return spare


def _mark(text: str) -> str:
    return _digest(text)[:16]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def filled(template: str, values: Mapping[str, str]) -> str:
    """`template` with its variables; it does without an empty `name` or `handle`."""
    for addressed in ("name", "handle"):
        if not values[addressed]:
            template = without(template, addressed)
    return _VARIABLE.sub(lambda found: values[found[1]], template)


def price_of(text: str) -> int:
    """Millionths of a dollar that X takes for `text` as an answer."""
    return PRICES["reply with link" if links(text) else "reply"]


def refused_text(text: str, *, allow_links: bool = False) -> str | None:
    """Why `text` cannot be an answer, None where it can."""
    problem = _problem(text, allow_links=allow_links)
    return problem and f"The answer {problem}"


def _problem(text: str, *, allow_links: bool) -> str | None:
    if not any(unicodedata.category(character)[0] in "LNPS" for character in text):
        return "is empty: write what the author shall read."
    if found := _NO_CHARACTER.search(text):
        return _no_character(found[0])
    if not fits(text, LONGEST):
        return (
            f"has {weighted_length(text):,} characters as X counts them: shorten it to {LONGEST}."
        )
    return None if allow_links else _link_problem(text)


def _no_character(refused: str) -> str:
    return f"holds a character that X refuses (U+{ord(refused):04X}): take it out."


def _link_problem(text: str) -> str | None:
    found = links(text)
    if not found:
        return None
    plain, linked = PRICES["reply"], PRICES["reply with link"]
    return (
        f"holds a link ({found[0]}), for which X takes {linked // plain} times as much "
        f"(${linked / DOLLAR:.2f} instead of ${plain / DOLLAR:.3f}): leave it out, or set "
        "ALLOW_LINKS=1."
    )


def replies_from(data: Mapping[str, Any], *, allow_links: bool = False) -> Replies:
    """What the parsed `replies.toml` holds. Raises `Misconfigured` with every problem."""
    reader = _Reader(allow_links=allow_links)
    replies = reader.replies(data)
    if reader.problems:
        raise Misconfigured([f"replies.toml: {problem}" for problem in reader.problems])
    return replies


class _Reader:
    """Reads the file and goes on where something is wrong, so that every problem is told."""

    def __init__(self, *, allow_links: bool) -> None:
        self._allow_links = allow_links
        self.problems: list[str] = []

    def replies(self, data: Mapping[str, Any]) -> Replies:
        shared = self._variables("[variables]", data.get("variables", {}))
        timed = "hours" in data
        hours = hours_from(data["hours"], ZoneInfo, self.problems) if timed else None
        tables = {name: table for name, table in data.items() if self._is_language(name, table)}
        languages = {
            code: self._language(code, table, shared, timed=timed) for code, table in tables.items()
        }
        stops = stop_tables(tables)
        for code in (code for code, one in languages.items() if one.intents):
            self._check_served(code, languages[code], stops.get(code))
        default = str(data.get("default"))
        if default not in languages or not languages[default].intents:
            self.problems.append(
                "default must name the language of posts in whose language there are no texts, and "
                "have texts itself."
            )
        stop_words = stop_words_from(stops, self.problems)
        self.problems += useless(stop_words)
        return Replies(default, languages, hours, stop_words)

    def _is_language(self, name: str, table: object) -> bool:
        if name in _FILE:
            return False
        is_one = isinstance(table, dict) and _LANGUAGE.fullmatch(name) is not None
        if not is_one:
            self.problems.append(
                f"«{name}» is not known: use default, [variables], [hours], or the code of a "
                "language such as [en]."
            )
        return is_one

    def _language(
        self, code: str, table: Mapping[str, Any], shared: Mapping[str, str], *, timed: bool
    ) -> Language:
        self._check_fields(f"[{code}]", table, _TABLE)
        own = self._variables(f"[{code}.variables]", table.get("variables", {}))
        when = self._when(code, table)
        language = Language((), (), {**shared, **own}, when if timed else None)
        return replace(
            language,
            intents=tuple(self._intents(code, table.get("intents", []), language)),
            drafts=self._texts(f"{code}, draft", table.get("drafts", []), language),
        )

    def _check_fields(self, where: str, table: Mapping[str, Any], known: Sequence[str]) -> None:
        self.problems += [
            f"{where} holds «{name}», which is not known: use {', '.join(known)}."
            for name in table
            if name not in known
        ]

    def _variables(self, where: str, table: object) -> dict[str, str]:
        given: dict[str, Any] = table if isinstance(table, dict) else {"": table}
        good = {name: value for name, value in given.items() if _is_variable(name, value)}
        if len(good) < len(given):
            self.problems.append(
                f"{where} must give names of small letters a text without braces, and may not "
                "give name, handle or when."
            )
        return good

    def _when(self, code: str, table: Mapping[str, Any]) -> tuple[str, str] | None:
        is_open, closed = table.get("when_open"), table.get("when_closed")
        if is_open is None and closed is None:
            return None
        if _is_phrase(is_open) and _is_phrase(closed):
            return str(is_open), str(closed)
        self.problems.append(
            f"[{code}] when_open and when_closed must both be texts without braces, or be left out."
        )
        return None

    def _intents(self, code: str, groups: object, language: Language) -> Iterator[Intent]:
        if not isinstance(groups, list) or not all(isinstance(group, dict) for group in groups):
            self.problems.append(
                f"[{code}] intents must be written as [[{code}.intents]], once for each."
            )
            return
        for number, group in enumerate(groups, 1):
            given = group.get("name")
            name = given if isinstance(given, str) and given.strip() else f"intent {number}"
            where = f"{code}, {name}"
            self._check_fields(where, group, _INTENT)
            words = group.get("words", [])
            phrases = _phrases(words)
            if name != given or (not phrases and (words or name != GENERAL)):
                self.problems.append(
                    f"{where} needs a name and a list of words, each with a letter or digit."
                )
            texts = self._texts(f"{where}, text", group.get("texts", []), language, answers=True)
            if len(texts) < FEWEST:
                self.problems.append(
                    f"{where} has {len(texts)} different texts and needs at least {FEWEST}: X "
                    "suspends accounts that say the same again and again."
                )
            yield Intent(name, WordRule(name, phrases), texts)

    def _texts(
        self, where: str, texts: object, language: Language, *, answers: bool = False
    ) -> tuple[str, ...]:
        if not isinstance(texts, list):
            self.problems.append(f"{where}s must be a list of texts.")
            return ()
        for number, text in enumerate(texts, 1):
            self.problems += [
                f"{where} {number} {problem}"
                for problem in self._text_problems(text, language, answers=answers)
            ]
        return tuple(dict.fromkeys(str(text) for text in texts))

    def _text_problems(self, text: object, language: Language, *, answers: bool) -> Iterator[str]:
        if not isinstance(text, str) or not text.strip():
            yield "is empty: write a text or take it out."
            return
        held = _VARIABLE.findall(text)
        if answers and not {"name", "handle"} & set(held):
            yield "holds neither {name} nor {handle}: address its reader."
        if _TOUCHED.search(text):
            yield "needs a space or a comma between {name} or {handle} and its neighbour."
        known = ["name", "handle", *language.variables]
        known += ["when"] if answers and language.when else []
        unknown = [variable for variable in held if variable not in known]
        if unknown or re.search(r"[{}]", _VARIABLE.sub("", text)):
            yield (
                f"holds {_listed(unknown)}, which is not known: use {_listed(known)}, or explain "
                "it under [variables]; {when} needs [hours], when_open and when_closed."
            )
        else:
            yield from self._made_problems(text, language)

    def _made_problems(self, template: str, language: Language) -> Iterator[str]:
        """What is wrong with the texts that are made of a template."""
        if not all(fits(text, LONGEST) for text in language.longest(template)):
            longest = max(map(weighted_length, language.longest(template)))
            yield (
                f"may reach {longest} of {LONGEST} characters as X counts them: shorten it, or "
                "what its variables stand for."
            )
        common = "\n".join(language.made_of(template, "Sam", "@sam"))
        if found := _NO_CHARACTER.search(common):
            yield _no_character(found[0])
        linked = None if self._allow_links else _link_problem(common)
        if linked:
            yield linked

    def _check_served(self, code: str, language: Language, stop: object) -> None:
        names = [intent.name for intent in language.intents]
        self.problems += [
            f"{code} has more than one intent {name}: put their words and texts together."
            for name in dict.fromkeys(names)
            if names.count(name) > 1
        ]
        if GENERAL not in names:
            self.problems.append(
                f"{code} has no intent {GENERAL}, for posts in which no other's words stand."
            )
        if not isinstance(stop, dict) or not (stop.get("alone") and stop.get("anywhere")):
            self.problems.append(
                f"{code} has texts but not both lists of stop words ([{code}.stop] alone and "
                "anywhere), by which X lets authors opt out."
            )


def _phrases(words: object) -> tuple[str, ...]:
    """The words as they stand in normalized text; none where one of them is no word."""
    if not isinstance(words, list):
        return ()
    phrases = tuple(tokens(word, EMOJI) if isinstance(word, str) else "" for word in words)
    return phrases if all(phrases) else ()


def _is_phrase(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and not re.search(r"[{}]", value)


def _is_variable(name: str, value: object) -> bool:
    own = _NAME.fullmatch(name) is not None and name not in {"name", "handle", "when"}
    return own and _is_phrase(value)


def _listed(variables: Sequence[str]) -> str:
    return ", ".join(f"{{{variable}}}" for variable in variables) or "a brace"
