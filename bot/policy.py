"""Where a tweet goes, and why: verdict, tweet and rules in, route and reasons out. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from bot.errors import Misconfigured
from bot.normalize import EMOJI, tokens
from bot.tweets import Tweet
from bot.verdicts import Verdict

Route = Literal["escalate", "reply", "skip"]

_UNDETERMINED: Final = frozenset({"und", "qam", "qct", "qht", "qme", "qst", "zxx", "art"})
"""Codes by which X says that a post's language is none or unknown ("Supported languages")."""


@dataclass(frozen=True, slots=True)
class WordRule:
    """Phrases in normalized form, and the reason their presence decides."""

    reason: str
    phrases: tuple[str, ...]

    def match(self, text: str) -> str | None:
        """The first phrase that stands in the normalized `text` as whole words."""
        padded = f" {text} "
        return next((phrase for phrase in self.phrases if f" {phrase} " in padded), None)


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Rules:
    """What is decided by rule, whatever the model says (`rules.toml`)."""

    always: tuple[WordRule, ...] = ()
    never: tuple[WordRule, ...] = ()
    accounts: tuple[AccountRule, ...] = ()
    languages: frozenset[str] = frozenset({"en"})


@dataclass(frozen=True, slots=True)
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
) -> Decision:
    """Where `tweet` goes.

    `verdict` is None where the classifier was down for longer than tweets are held. `refusal` is
    why the tweet must not get an automatic answer, None where it may.
    """
    if verdict is None:
        return Decision("escalate", ("The classifier was not available, so a person decides.",))
    unsure = verdict.known and verdict.unsure(unsure_margin)
    by_rule = _always(tweet, verdict, rules)
    if by_rule:
        return Decision("escalate", by_rule, unsure)
    never = [r.reason for r in rules.never if r.match(verdict.tokens)]
    if not never:
        doubt = _doubt(tweet, verdict, rules)
        if doubt:
            return Decision("escalate", (doubt,), unsure)
        if verdict.escalate:
            return Decision("escalate", (_in_words(verdict, unsure=unsure),), unsure)
    reasons = tuple(never) or (_in_words(verdict, unsure=unsure),)
    if refusal:
        return Decision("skip", (*reasons, refusal), unsure)
    return Decision("reply", reasons, unsure)


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
        f"rules.toml: «{name}» is not known; use languages, always, never or accounts."
        for name in data
        if name not in {"languages", "always", "never", "accounts"}
    ]
    groups: dict[str, list[WordRule]] = {"always": [], "never": []}
    for name, rules in groups.items():
        for number, group in enumerate(data.get(name, []), 1):
            phrases = tuple(tokens(word, EMOJI) for word in group.get("words", []))
            if not group.get("reason") or not phrases or not all(phrases):
                problems.append(
                    f"rules.toml: [[{name}]] number {number} needs a reason and words, each with "
                    "a letter or digit."
                )
            rules.append(WordRule(str(group.get("reason")), phrases))
    accounts = []
    for number, group in enumerate(data.get("accounts", []), 1):
        followers = group.get("followers")
        if not group.get("reason") or (followers is not None and type(followers) is not int):
            problems.append(
                f"rules.toml: [[accounts]] number {number} needs a reason, and followers as a "
                "whole number."
            )
        handles = frozenset(str(h).lower().lstrip("@") for h in group.get("handles", []))
        accounts.append(AccountRule(str(group.get("reason")), handles, followers))
    if problems:
        raise Misconfigured(problems)
    languages = frozenset(str(code).lower() for code in data.get("languages", ["en"]))
    return Rules(tuple(groups["always"]), tuple(groups["never"]), tuple(accounts), languages)
