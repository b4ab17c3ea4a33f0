"""What was said between the account and one author in one conversation, kept as a note.

Under a brand's own post thousands write in one conversation of X's, and each of them talks with
us alone: so a conversation here is X's conversation and an author.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from bot.cases import Case
from bot.frozen import frozen
from bot.ports import CaseStore
from bot.tweets import Tweet

MOST_QUOTING: Final = 100
"""Cards that quote one post; a post of many answers is one of the brand's own, which is no case."""
_QUOTED: Final = "quoted-"


@frozen
class Conversation:
    """`head` is the case whose card's thread the others join; `agent` whether one has answered.

    `answered` is the case that the bot answered last and `at` when; `said` a mark of that post's
    text.
    """

    head: str | None = None
    agent: bool = False
    answered: str | None = None
    at: datetime | None = None
    said: str | None = None

    def headed_by(self, case_id: str) -> "Conversation":
        """Its further posts join this case's thread."""
        return replace(self, head=case_id)

    def with_agent(self) -> "Conversation":
        """A person has answered in it."""
        return replace(self, agent=True)

    def with_answer(self, case_id: str, said: str, now: datetime) -> "Conversation":
        """The bot answers, or is about to."""
        return replace(self, answered=case_id, at=now, said=said)

    def without_words(self) -> "Conversation":
        """Nothing is left of what the author said."""
        return replace(self, said=None)

    def without_answer(self, case_id: str) -> "Conversation":
        """The bot's answer to that case was refused, so it never was."""
        if self.answered != case_id:
            return self
        return replace(self, answered=None, at=None, said=None)


def name(tweet: Tweet) -> str | None:
    """The note that keeps the tweet's conversation; None where X tells of none, or of no author."""
    who = author_of(tweet)
    return f"conversation-{tweet.conversation_id}-{who}" if tweet.conversation_id and who else None


def goes_on(tweet: Tweet) -> bool:
    """Whether something was said before it in X's conversation."""
    return tweet.conversation_id is not None and tweet.conversation_id != tweet.root_id


def author_of(tweet: Tweet) -> str | None:
    """What tells the tweet's author from others: the id, else the handle."""
    handle = tweet.author.handle
    return tweet.author.id or (handle.removeprefix("@").lower() if handle else None)


def to_json(conversation: Conversation) -> dict[str, Any]:
    """The conversation as plain JSON values."""
    return {**asdict(conversation), "at": conversation.at and conversation.at.isoformat()}


def from_json(record: Mapping[str, Any] | None) -> Conversation:
    """The conversation of what `to_json` made; a new one of nothing."""
    if not record:
        return Conversation()
    at = record.get("at")
    return Conversation(
        head=record.get("head"),
        agent=bool(record.get("agent")),
        answered=record.get("answered"),
        at=datetime.fromisoformat(at).astimezone(UTC) if at else None,
        said=record.get("said"),
    )


def lead(store: CaseStore, cases: Iterable[Case]) -> None:
    """What comes next in these cases' conversations joins those of them that are open cards.

    May be repeated. Raises what the store raises.
    """
    for case in cases:
        talk = name(case.tweet)
        if talk and case.effect("card") and not case.thread and not case.resolved:
            led = partial(_led, case_id=case.id)
            store.change_note(talk, led, case.received_at, new=not goes_on(case.tweet))


def shows(store: CaseStore, case: Case, earlier: Iterable[Case]) -> None:
    """Notes that the case's card quotes these posts: where one is erased it is to be drawn anew.

    May be repeated. Raises what the store raises.
    """
    for one in earlier:
        store.change_note(
            _QUOTED + one.id,
            lambda noted: sorted({*(noted or ()), case.id})[-MOST_QUOTING:],
            case.received_at,
        )


def shown_by(store: CaseStore, case_id: str) -> list[str]:
    """The cases whose cards quote that post. Raises what the store raises."""
    return list(store.note(_QUOTED + case_id) or ())


def forget_words(store: CaseStore, case: Case) -> None:
    """Nothing is left of what the case's post said. Raises what the store raises."""
    talk = name(case.tweet)
    if talk and store.note(talk):
        store.change_note(
            talk, lambda noted: to_json(from_json(noted).without_words()), case.received_at
        )


def _led(noted: Any, case_id: str) -> Any:
    return to_json(from_json(noted).headed_by(case_id))
