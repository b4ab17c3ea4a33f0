"""The texts of automatic answers (`replies.toml`)."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.errors import Misconfigured
from bot.tweets import Tweet

LONGEST: Final = 280
LONGEST_HANDLE: Final = 15
_LINK: Final = re.compile(r"https?:|[\w-]\.[a-z]{2,}", re.IGNORECASE)
"""X makes a link, at twenty times the price, of a bare domain too."""
_HANDLE: Final = re.compile(rf"\w{{1,{LONGEST_HANDLE}}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Replies:
    """The variants, each with `{handle}` where the author's handle may stand.

    `texts` are the bot's own answers, `drafts` what an agent begins with.
    """

    texts: tuple[str, ...]
    drafts: tuple[str, ...] = ()

    def text(self, tweet: Tweet) -> str:
        """The answer to `tweet`: always the same one for the same tweet."""
        return _drawn(self.texts, tweet)

    def draft(self, tweet: Tweet) -> str:
        """What an agent's answer to `tweet` may begin with; empty where there is none."""
        return _drawn(self.drafts, tweet) if self.drafts else ""


def _drawn(variants: tuple[str, ...], tweet: Tweet) -> str:
    drawn = hashlib.sha256(tweet.root_id.encode()).digest()
    variant = variants[int.from_bytes(drawn[:4]) % len(variants)]
    handle = tweet.author.handle
    named = handle is not None and _HANDLE.fullmatch(handle)
    return variant.replace("{handle}", f" @{handle}" if named else "")


def weighted_length(text: str) -> int:
    """An upper bound of the length as X counts it (twitter-text configuration v3).

    Characters up to U+10FF count one, all others two; links, which count 23, are refused before.
    """
    return sum(1 if ord(character) <= 0x10FF else 2 for character in text)  # noqa: PLR2004


def refused_text(text: str) -> str | None:
    """Why `text` cannot be an answer, None where it can."""
    if not text.strip():
        return "The answer is empty: write what the author shall read."
    if weighted_length(text) > LONGEST:
        return (
            f"The answer has {weighted_length(text)} characters as X counts them: shorten it to "
            f"{LONGEST}."
        )
    if _LINK.search(text):
        return "The answer holds a link, which makes it twenty times as dear: leave it out."
    return None


def replies_from(data: Mapping[str, Any]) -> Replies:
    """The texts that the parsed `replies.toml` holds. Raises `Misconfigured` with every problem."""
    texts, drafts = data.get("texts"), data.get("drafts", [])
    if not isinstance(texts, list) or not texts:
        raise Misconfigured(["replies.toml: it needs `texts`, a list of at least one answer."])
    if not isinstance(drafts, list):
        raise Misconfigured(["replies.toml: `drafts` must be a list of texts."])
    named = [(f"text {number}", text) for number, text in enumerate(texts, 1)]
    named += [(f"draft {number}", text) for number, text in enumerate(drafts, 1)]
    problems = [problem for name, text in named if (problem := _problem(name, text))]
    if problems:
        raise Misconfigured(problems)
    return Replies(tuple(texts), tuple(drafts))


def _problem(name: str, text: object) -> str | None:
    if not isinstance(text, str) or not text.strip():
        return f"replies.toml: {name} is empty."
    longest = weighted_length(text.replace("{handle}", " @" + "x" * LONGEST_HANDLE))
    if longest > LONGEST:
        return (
            f"replies.toml: {name} may reach {longest} of {LONGEST} characters as X counts them: "
            "shorten it."
        )
    if "{" in text.replace("{handle}", "") or _LINK.search(text):
        return f"replies.toml: {name} may hold {{handle}}, no other variable and no link."
    return None
