"""Where a tweet goes, and why: verdict, tweet and rules in, route and reasons out. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from bot.errors import Misconfigured
from bot.frozen import frozen
from bot.normalize import EMOJI, tokens
from bot.tweets import Tweet
from bot.verdicts import Verdict

Route = Literal["escalate", "reply", "skip"]

_SECTIONS: Final = ("languages", "unanswered", "always", "never", "accounts")
MUTED: Final = "An agent muted its author."
_UNDETERMINED: Final = frozenset({"und", "qam", "qct", "qht", "qme", "qst", "zxx", "art"})
"""Codes by which X says that a post's language is none or unknown ("Supported languages")."""


@frozen
class WordRule:
    """Phrases in normalized form, and the reason their presence decides."""

    reason: str
    phrases: tuple[str, ...]

    def match(self, text: str) -> str | None:
        """The first phrase that stands in the normalized `text` as whole words."""
        padded = f" {text} "
        return next((phrase for phrase in self.phrases if f" {phrase} " in padded), None)


@frozen
class AccountRule:
    """Accounts that always reach a person."""

    reason: str
    handles: frozenset[str]
    followers: int | None

    def match(self, tweet: Tweet) -> bool:
        """Whether the tweet's author is one of these accounts."""
        handle, followers = tweet.author.handle, tweet.author.followers
        return (handle is not None and handle.lower() in self.handles) or (
            self.followers is not None and followers is not None and followers >= self.followers
        )


@frozen
class Rules:
    """What is decided by rule, whatever the model says (`rules.toml`).

    `unanswered` holds the lower-case handles and ids whom the bot never answers; people see them.
    """

    always: tuple[WordRule, ...] = ()
    never: tuple[WordRule, ...] = ()
    accounts: tuple[AccountRule, ...] = ()
    languages: frozenset[str] = frozenset({"en"})
    unanswered: frozenset[str] = frozenset()


@frozen
class Decision:
    """A route with its reasons, short sentences an agent can read."""

    route: Route
    reasons: tuple[str, ...]
    unsure: bool = False


def decide(
    tweet: Tweet,
    verdict: Verdict | None,
    rules: Rules,
    *,
    unsure_margin: float,
    refusal: str | None = None,
    muted: bool = False,
) -> Decision:
    """Where `tweet` goes.

    `verdict` is None where the classifier was down for longer than tweets are held. `refusal` is
    why the tweet must not get an automatic answer, None where it may. What the author of a
    `muted` one writes is escalated by a rule alone.
    """
    if verdict is None:
        return Decision("escalate", ("The classifier was not available, so a person decides.",))
    unsure = verdict.known and verdict.unsure(unsure_margin)
    by_rule = _always(tweet, verdict, rules)
    if by_rule:
        return Decision("escalate", by_rule, unsure)
    if muted:
        return Decision("skip", (MUTED,), unsure)
    never = [r.reason for r in rules.never if r.match(verdict.tokens)]
    if not never:
        doubt = _doubt(tweet, verdict, rules)
        if doubt:
            return Decision("escalate", (doubt,), unsure)
        if verdict.escalate:
            return Decision("escalate", (_in_words(verdict, unsure=unsure),), unsure)
    reasons = tuple(never) or (_in_words(verdict, unsure=unsure),)
    route: Route = "skip" if refusal else "reply"
    return Decision(route, (*reasons, refusal) if refusal else reasons, unsure)


def _always(tweet: Tweet, verdict: Verdict, rules: Rules) -> tuple[str, ...]:
    words = [(rule, rule.match(verdict.tokens)) for rule in rules.always]
    return (
        *(f"{rule.reason} («{phrase}»)" for rule, phrase in words if phrase),
        *(rule.reason for rule in rules.accounts if rule.match(tweet)),
    )


def _doubt(tweet: Tweet, verdict: Verdict, rules: Rules) -> str | None:
    if not verdict.tokens:
        return "It has no words for the model to judge."
    language = (tweet.lang or "").lower()
    if language and language not in _UNDETERMINED and language not in rules.languages:
        return f"The model was not trained for its language ({language})."
    if not verdict.known:
        return "It has no word the model knows."
    return None


def _in_words(verdict: Verdict, *, unsure: bool) -> str:
    side = "needs a person" if verdict.escalate else "can be answered by the bot"
    hedge = "is unsure but thinks" if unsure else "thinks"
    return f"The model {hedge} it {side} ({verdict.confidence:.0%} confident)."


def rules_from(data: Mapping[str, Any]) -> Rules:
    """The rules that the parsed `rules.toml` holds. Raises `Misconfigured` with every problem."""
    problems = [
        f"rules.toml: «{name}» is not known; use {', '.join(_SECTIONS)}."
        for name in data
        if name not in _SECTIONS
    ]
    always = tuple(_word_rules(data, "always", problems))
    never = tuple(_word_rules(data, "never", problems))
    accounts = tuple(_account_rules(data, problems))
    languages = data.get("languages", ["en"])
    if not _are_strings(languages):
        problems.append('rules.toml: languages must be a list of codes, such as ["en"].')
    unanswered = data.get("unanswered", [])
    if not _are_strings(unanswered):
        problems.append('rules.toml: unanswered must be a list of handles, such as ["@a_rival"].')
    if problems:
        raise Misconfigured(problems)
    return Rules(
        always,
        never,
        accounts,
        frozenset(code.lower() for code in languages),
        frozenset(handle.lower().lstrip("@") for handle in unanswered),
    )


def _word_rules(data: Mapping[str, Any], name: str, problems: list[str]) -> Iterator[WordRule]:
    for number, group in _groups(data, name, problems):
        words = group.get("words", [])
        phrases = tuple(tokens(word, EMOJI) for word in words) if _are_strings(words) else ()
        if not _is_reason(group) or not phrases or not all(phrases):
            problems.append(
                f"rules.toml: [[{name}]] number {number} needs a reason and a list of words, each "
                "with a letter or digit."
            )
        yield WordRule(str(group.get("reason")), phrases)


def _account_rules(data: Mapping[str, Any], problems: list[str]) -> Iterator[AccountRule]:
    for number, group in _groups(data, "accounts", problems):
        followers, handles = group.get("followers"), group.get("handles", [])
        count = followers is None or type(followers) is int
        if not _is_reason(group) or not count or not _are_strings(handles):
            problems.append(
                f"rules.toml: [[accounts]] number {number} needs a reason, followers as a whole "
                "number and handles as a list."
            )
            continue
        lowered = frozenset(handle.lower().lstrip("@") for handle in handles)
        yield AccountRule(group["reason"], lowered, followers)


def _groups(
    data: Mapping[str, Any], name: str, problems: list[str]
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    groups = data.get(name, [])
    if isinstance(groups, list) and all(isinstance(group, dict) for group in groups):
        yield from enumerate(groups, 1)
    else:
        problems.append(f"rules.toml: {name} must be written as [[{name}]], once for each group.")


def _are_strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_reason(group: Mapping[str, Any]) -> bool:
    reason = group.get("reason")
    return isinstance(reason, str) and bool(reason.strip())
