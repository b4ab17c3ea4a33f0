"""The last door before an answer becomes public: rules, pause, budget, pace, a text of its own.

What it counts lies in notes beside the cases. One answer is on its way at a time (the replies
queue has one group), so what is read here still holds when the answer is sent. It counts before
the call, since a call whose answer is lost may have been made, and takes back what X refused.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from bot import conversations
from bot.cases import Case, Effect
from bot.conversations import Conversation
from bot.errors import Failure, Permanent, Retryable, Unknown
from bot.frozen import frozen
from bot.ports import Admission, CaseStore, Go, Stay, Wait
from bot.tweets import Tweet
from bot.twitter import optouts
from bot.twitter.ledger import PRICES, Action, Ledger
from bot.twitter.pace import CALLS, UNLIKE, Pace, pace_of
from bot.twitter.pause import PAUSE
from bot.twitter.rules import AGENTS, Limits, Standing, mark, refusal, refusal_now

GOES_ON: Final = "It goes on with a conversation that a person has."
AGENTS_SHARE: Final = 10
"""Of a window's calls, how many are kept for what agents write."""
LOOK_AGAIN: Final = timedelta(minutes=5)
"""How often a reply that is held back by the pause looks whether it may go."""
BUDGET_LOOK_AGAIN: Final = timedelta(hours=1)
"""The same for the month's budget: only who raises that lets it go before it is too old."""
PACE: Final = "replies-pace"


class Chosen(Protocol):
    """A text for a post, and marks by which it and its variant are known again."""

    @property
    def text(self) -> str:
        """The text as it is sent."""
        ...

    @property
    def marks(self) -> tuple[str, str]:
        """Of the text and of its variant."""
        ...


@frozen
class Gate:
    """`bot.ports.Gate` for answers on X.

    `account` is asked for at each answer, as it may become known later. `choose` finds an answer
    to a post that is none of those marked as used. `has_link` makes an answer dearer. `sends` is
    False where the bot's own answers are a dry run, which costs nothing.
    """

    store: CaseStore
    ledger: Ledger
    limits: Limits
    account: Callable[[], frozenset[str]]
    choose: Callable[[Tweet, datetime, Collection[str]], Chosen | None]
    has_link: Callable[[str], bool]
    sends: bool

    def admit(self, case: Case, effect: Effect, now: datetime) -> Admission:
        """See `bot.ports.Gate`."""
        known = self.store.notes(_names(case.tweet))
        pace = pace_of(known.get(PACE), now)
        if effect.by:
            wait = self._wait(pace, pace.opens_at(CALLS, now, in_line=False))
            return wait or self._go(effect.text or "", now, lambda pace: pace.with_post(now))
        stay = self._persons(case, known) or self._refusal(case, known, now)
        if stay:
            return stay
        if known.get(PAUSE):
            return Wait("Automatic replies are paused.", now + LOOK_AGAIN)
        wait = self._in_line(pace, now) if self.sends else None
        return wait or self._bots(case, pace, known, now)

    def _bots(self, case: Case, pace: Pace, known: Mapping[str, Any], now: datetime) -> Admission:
        chosen = self.choose(case.tweet, now, pace.used(case.id) | _said(case, known))
        if chosen is None:
            return Stay("No text is left that differs from those sent last.")
        text, marks = chosen.text, chosen.marks
        if self.sends and not self.ledger.affords(self._action(text), now):
            return Wait("The month's budget for X is used up.", now + BUDGET_LOOK_AGAIN)
        self._remember(case, marks, now)
        if not self.sends:
            self._change_pace(now, lambda pace: pace.with_answer(case.id, marks))
            return Go(text)
        return self._go(text, now, lambda pace: pace.with_answer(case.id, marks).with_post(now))

    def settle(self, case: Case, effect: Effect, failure: Failure, at: datetime) -> None:
        """See `bot.ports.Gate`."""
        if isinstance(failure, Unknown):
            return
        posted = isinstance(failure, Permanent)  # X counts a refusal as a call
        self._undo(case, effect.text or "", at, posted=posted, answered=bool(effect.by))
        if isinstance(failure, Retryable) and failure.shared and failure.after:
            until = at + timedelta(seconds=failure.after)
            self._change_pace(at, lambda pace: pace.held(until))

    def undo(self, case: Case, go: Go, at: datetime, *, answered: bool) -> None:
        """See `bot.ports.Gate`."""
        self._undo(case, go.text, at, posted=False, answered=answered)

    def _undo(self, case: Case, text: str, at: datetime, *, posted: bool, answered: bool) -> None:
        self.ledger.charge(self._action(text), -1, at)
        if not posted:
            self._change_pace(at, lambda pace: pace.without_post(at))
        if not answered:
            self._forget(case, at)

    def agent_answers(self, tweet: Tweet, now: datetime) -> None:
        """From now on the bot stays out of this conversation."""
        self._change_conversation(tweet, now, Conversation.with_agent)

    def _persons(self, case: Case, known: Mapping[str, Any]) -> Stay | None:
        """Where a person has the conversation by now, the post is that person's."""
        talk = conversations.from_json(known.get(conversations.name(case.tweet) or ""))
        head = talk.head if talk.head != case.id else None
        found = self.store.get([head]).get(head) if head else None
        if found and not found.resolved:
            return Stay(GOES_ON, person=True, head=found)
        return Stay(AGENTS, person=True) if talk.agent else None

    def _refusal(self, case: Case, known: Mapping[str, Any], now: datetime) -> Stay | None:
        tweet = case.tweet
        today = _answered(known.get(_author(tweet)), now)
        standing = Standing(
            opted_out=any(known.get(name) for name in optouts.names(tweet.author)),
            answers_today=len(set(today) - {case.id}),
            conversation=conversations.from_json(known.get(conversations.name(tweet) or "")),
        )
        reason = refusal(tweet, self.account(), self.limits, case.received_at, now)
        reason = reason or refusal_now(case.id, tweet, standing, self.limits)
        return Stay(reason) if reason else None

    def _in_line(self, pace: Pace, now: datetime) -> Wait | None:
        calls = CALLS - AGENTS_SHARE
        wait = self._wait(pace, pace.opens_at(calls, now))
        if wait and wait.until != pace.held_until:
            self._change_pace(now, Pace.with_one_waiting)
        return wait

    def _wait(self, pace: Pace, opens_at: datetime | None) -> Wait | None:
        if opens_at is None:
            return None
        if pace.held_until == opens_at:
            return Wait("X takes nothing from the account for now.", opens_at)
        return Wait(f"X takes {CALLS} posts of an account in 15 minutes.", opens_at)

    def _go(self, text: str, now: datetime, change: Callable[[Pace], Pace]) -> Go:
        self._change_pace(now, change)
        action = self._action(text)
        self.ledger.charge(action, 1, now)
        return Go(text, PRICES[action])

    def _remember(self, case: Case, marks: Sequence[str], now: datetime) -> None:
        """Under the case's id, so that a repetition after a crash counts once."""

        def answered(noted: Any) -> Any:
            others = {one: said for one, said in _texts(noted).items() if one != case.id}
            last = list({**others, case.id: list(marks)}.items())[-UNLIKE:]
            ids = sorted({*_answered(noted, now), case.id})
            return {"day": now.date().isoformat(), "cases": ids, "said": dict(last)}

        self.store.change_note(_author(case.tweet), answered, now)
        said = mark(case.tweet.text)
        self._change_conversation(
            case.tweet, now, lambda talk: talk.with_answer(case.id, said, now)
        )

    def _forget(self, case: Case, now: datetime) -> None:
        def never_answered(noted: Any) -> Any:
            ids = [one for one in (noted or {}).get("cases", []) if one != case.id]
            return {**noted, "cases": ids} if noted else noted

        self.store.change_note(_author(case.tweet), never_answered, now)
        self._change_conversation(case.tweet, now, lambda talk: talk.without_answer(case.id))

    def _change_pace(self, now: datetime, change: Callable[[Pace], Pace]) -> None:
        self.store.change_note(PACE, lambda noted: change(pace_of(noted, now)).to_json())

    def _change_conversation(
        self, tweet: Tweet, now: datetime, change: Callable[[Conversation], Conversation]
    ) -> None:
        name = conversations.name(tweet)
        if name:
            self.store.change_note(
                name,
                lambda noted: conversations.to_json(change(conversations.from_json(noted))),
                now,
            )

    def _action(self, text: str) -> Action:
        return "reply with link" if self.has_link(text) else "reply"


def _names(tweet: Tweet) -> list[str]:
    talk = conversations.name(tweet)
    return [PAUSE, PACE, _author(tweet), *optouts.names(tweet.author), *([talk] if talk else [])]


def _author(tweet: Tweet) -> str:
    """The note of the last day's answers to an author, by their cases, and of what they said."""
    return f"answers-{conversations.author_of(tweet)}"


def _answered(noted: Any, now: datetime) -> list[str]:
    """The cases of an author's note that were answered on this day."""
    if not noted or noted["day"] != now.date().isoformat():
        return []
    cases: list[str] = noted["cases"]
    return cases


def _texts(noted: Any) -> dict[str, list[str]]:
    said: dict[str, list[str]] = (noted or {}).get("said", {})
    return said


def _said(case: Case, known: Mapping[str, Any]) -> set[str]:
    """The marks of what the author was told before: X refuses the same text again."""
    texts = _texts(known.get(_author(case.tweet)))
    return {marks[0] for one, marks in texts.items() if one != case.id}
