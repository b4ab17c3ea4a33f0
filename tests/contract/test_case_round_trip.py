"""What is stored comes back, whatever a tweet may hold, from both stores."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.cases import Case, Channels, Effect, Entry, Label, opened
from bot.notices import Digest, Incident
from bot.policy import Decision
from bot.ports import CaseStore
from bot.tweets import IDENTITY, LONGEST_TEXT, Author, Tweet, typed
from bot.verdicts import Verdict, Weight, judge
from tests.contract.examples import NOW

# What `bot.tweets.clean` lets through.
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff")
TRICKY = [
    "\U0001f621\U0001f469\u200d\U0001f469\u200d\U0001f467",  # the last ones are joined
    "a\0b\x01\x7f\x85",
    "\u202eright to left\u200f\u2066",
    "\ufeff\u2028\r\n\t",
    "«‘’“”»",
]
TEXTS = st.text(CHARACTERS, max_size=60) | st.sampled_from(TRICKY)
MOMENTS = st.datetimes(
    min_value=datetime(2006, 3, 21),  # noqa: DTZ001 - Hypothesis adds the zone
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
MAYBE = st.none() | TEXTS
COUNTS = st.integers(0, 10**9)
IDS = st.from_regex(IDENTITY, fullmatch=True)
TWEETS = st.builds(
    Tweet,
    id=IDS,
    text=TEXTS,
    root_id=IDS,
    author=st.builds(Author, MAYBE, MAYBE, MAYBE, st.none() | st.integers(0, 10**9)),
    created_at=st.none() | MOMENTS,
    conversation_id=MAYBE,
    kind=st.sampled_from(["mention", "reply", "quote", "post"]),
    in_reply_to=MAYBE,
    quoted_id=MAYBE,
    retweet=st.booleans(),
    sensitive=st.booleans(),
    lang=MAYBE,
    mentions=st.frozensets(TEXTS),
    source=st.sampled_from(["webhook", "poll", "file", "typed"]),
    answer=st.booleans(),
    media=st.lists(st.sampled_from(["photo", "video", "animated_gif", "media"])).map(tuple),
)
EFFECTS = st.builds(
    Effect,
    kind=st.sampled_from(["card", "update", "line", "reply"]),
    state=st.sampled_from(["pending", "sending", "sent", "dry-run", "failed", "unknown"]),
    due_at=st.none() | MOMENTS,
    attempt=st.integers(0, 1000),
    token=MAYBE,
    outside_id=MAYBE,
    text=MAYBE,
    problem=MAYBE,
    look_ups=st.integers(0, 2),
    withdrawn=MAYBE,
    by=MAYBE,
    cost=COUNTS,
    carries=COUNTS,
)
ENTRIES = st.lists(st.builds(Entry, MOMENTS, TEXTS, TEXTS), max_size=3).map(tuple)
NOTICES = st.builds(
    Incident,
    cause=st.sampled_from(["burst", "classifier"]),
    since=MOMENTS,
    count=COUNTS,
    cases=st.lists(IDS, max_size=3).map(tuple),
    waiting=COUNTS,
    until=st.none() | MOMENTS,
) | st.builds(
    Digest,
    since=MOMENTS,
    until=MOMENTS,
    **dict.fromkeys(("received", "escalated", "answered_by_bot", "skipped"), COUNTS),
    **dict.fromkeys(("to_claim", "to_answer"), st.none() | st.floats(0, 10**6)),
    **dict.fromkeys(("corrected", "waiting"), COUNTS),
    cost=st.none() | COUNTS,
)
SHARES = st.floats(0, 1)
WORDS = st.lists(st.builds(Weight, TEXTS, st.floats(-1, 1)), max_size=4).map(tuple)
CASES = st.builds(
    Case,
    tweet=TWEETS,
    route=st.sampled_from(["escalate", "reply", "skip", "notice"]),
    reasons=st.lists(TEXTS).map(tuple),
    received_at=MOMENTS,
    decided_at=MOMENTS,
    verdict=st.none() | st.builds(Verdict, SHARES, SHARES, TEXTS, TEXTS, st.booleans(), WORDS),
    unsure=st.booleans(),
    effects=st.lists(EFFECTS, unique_by=lambda effect: effect.kind).map(tuple),
    assignee=MAYBE,
    resolved=st.booleans(),
    label=st.none() | st.builds(Label, st.booleans(), TEXTS, MOMENTS, MAYBE),
    erased=st.booleans(),
    history=ENTRIES,
    thread=MAYBE,
    read_cost=COUNTS,
    incident=MAYBE,
    lines=ENTRIES,
    remind_at=st.none() | MOMENTS,
    snoozed_until=st.none() | MOMENTS,
    notice=st.none() | NOTICES,
)


class TestACaseStored:
    @settings(
        max_examples=40,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(CASES)
    def test_comes_back_with_every_field_as_it_was(self, store: CaseStore, case: Case) -> None:
        # Hypothesis likes to repeat itself, and an id is taken once.
        case = replace(case, tweet=replace(case.tweet, root_id=uuid4().hex))
        assert store.add([case]) == {case.id}
        assert store.get([case.id]) == {case.id: case}

    @pytest.mark.parametrize(
        "character",
        ["\U00020b9f", "\0", "🫰", "ﷺ"],
        ids=["four bytes", "escaped in JSON", "the emoji of most words", "a phrase"],
    )
    def test_may_hold_the_longest_text_whatever_becomes_of_it(
        self, store: CaseStore, character: str
    ) -> None:
        case = judged(character * LONGEST_TEXT)
        assert store.add([case]) == {case.id}
        assert store.get([case.id]) == {case.id: case}


@dataclass(frozen=True)
class Half:
    """A model that is never sure."""

    model: str = "half"
    normalizer: str = "emoji-1"
    threshold: float | None = None

    def probabilities(self, texts: Sequence[str]) -> list[float | None]:
        return [0.5] * len(texts)


def judged(text: str) -> Case:
    """The case that triage would open."""
    [verdict] = judge([text], Half(), None)
    channels = Channels(cards_queued=True, replies="on")
    decision = Decision("escalate", ("It says so.",))
    return opened(
        typed(text, "1"), verdict, decision, channels, reply_text="", received_at=NOW, now=NOW
    )
