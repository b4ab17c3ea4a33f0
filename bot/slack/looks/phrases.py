"""What is said of a case in a few words: who wrote it and what, how sure the model is, its age."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from bot import deeds
from bot.cases import Case, Effect
from bot.slack.looks.blocks import LONGEST_NAME, JsonObject, link, one_line, person, words
from bot.slack.looks.notices import lasting
from bot.tweets import Author
from bot.verdicts import Verdict

Link = Callable[[Case], str | None]
"""Where a browser shows a case's card, None where nobody knows."""

LONGEST_REASON: Final = 300
_ALMOST_ALL: Final = 0.995
_SURE: Final = ((0.97, "very sure"), (0.85, "quite sure"), (0.65, "fairly sure"))


def name(author: Author) -> str:
    """The author's name on one line; may be empty."""
    return one_line(author.name or "", LONGEST_NAME)


def handle(author: Author) -> str:
    """The author's handle with its @; may be empty."""
    bare = one_line(author.handle or "", LONGEST_NAME).removeprefix("@")
    return f"@{bare}" if bare else ""


def whom(author: Author) -> str:
    """The author by what is shortest: the handle, else the name."""
    return handle(author) or name(author) or "Somebody"


def written_by(author: Author) -> Iterator[JsonObject]:
    """The author with name, linked handle and number of followers, as far as they are known."""
    named, at = name(author), handle(author)
    if named or not at:
        yield words(named or "Somebody", bold=True)
    if named and at:
        yield words(" ")
    if at:
        yield link(author.url, at) if author.url else words(at)
    if author.followers is not None:
        counted = "follower" if author.followers == 1 else "followers"
        yield words(f" · {author.followers:,} {counted}")


def quoted(case: Case, most: int) -> str:
    """The beginning of what the post says."""
    text = one_line(case.tweet.text, most)
    return f"“{text}”" if text else "(deleted)" if case.erased else "(no text)"


def confidence(verdict: Verdict | None, *, unsure: bool) -> str:
    """A sentence on how sure the model is."""
    if verdict is None:
        return "Not judged by the model."
    if not verdict.known:
        return "Not judged by the model: it knows no word of it."
    sure = next((said for least, said in _SURE if verdict.confidence >= least), "hardly sure")
    return f"The model is {'unsure' if unsure else sure}: {_share_that(verdict)}."


def sureness(verdict: Verdict | None, *, unsure: bool) -> str:
    """The same within a line."""
    if verdict is None or not verdict.known:
        return "not judged"
    return f"unsure, {_share_that(verdict)}" if unsure else _share_that(verdict)


def _share_that(verdict: Verdict) -> str:
    number = f"{verdict.confidence:.0%}" if verdict.confidence < _ALMOST_ALL else "over 99%"
    return f"{number} that it needs {'a person' if verdict.escalate else 'nobody'}"


def age(since: datetime, now: datetime) -> str:
    """How long ago that was."""
    return lasting(max(0.0, (now - since).total_seconds()))


def standing(case: Case) -> list[JsonObject]:
    """What became of a case, in a few words."""
    if case.erased:
        return [words("deleted")]
    done = case.last(deeds.RESOLVED, deeds.DISMISSED)
    if case.resolved:
        return [words("resolved by "), person(done.who)] if done else [words("resolved")]
    if case.route == "escalate":
        claimed = [words("claimed by "), person(case.assignee)] if case.assignee else None
        return claimed or [words("waits for a person")]
    reply = case.effect("reply")
    if case.route == "reply" and reply:
        return [words(_answered(reply))]
    return [words("skipped")]


def _answered(reply: Effect) -> str:
    whose = "an agent's answer" if reply.by else "the bot's answer"
    match reply.state:
        case "sent":
            return f"{whose} is public"
        case "dry-run":
            return f"{whose} is recorded, not sent"
        case "failed":
            return f"{whose} failed"
        case "unknown":
            return f"{whose} may be public"
    return f"{whose} is on its way"
