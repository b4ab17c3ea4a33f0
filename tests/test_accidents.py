"""One card, one line of each deed and at most one reply, whoever crashes where."""

from collections import Counter
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bot.errors import Retryable, Unknown
from bot.notices import Incident
from bot.tweets import Author
from tests.fakes import Turn
from tests.simulation import ANGRY, CALM, USUAL, Crash, Simulation


def assert_settled(bot: Simulation) -> None:
    """Every tweet has its one card or its one reply, and nothing is left to do."""
    assert {case.id for case in bot.store.newest()} == {"101", "102"}
    for case in bot.store.newest():
        carded, answered = bot.slack.happened[case.id], bot.x.happened[case.id]
        assert {effect.state for effect in case.effects} <= {"sent", "failed"}
        assert case.due_at is None
        assert case.lines == ()
        said = bot.lines.said(case.id)
        assert len(said) == len(set(said))
        if case.id == "101":
            assert (carded, answered) == (1, 0)
        else:
            assert carded + answered == 1
    assert bot.cards.depth()[0] == bot.replies.depth()[0] == bot.tweets.depth()[0] == 0


class TestWithoutAccidents:
    def test_an_angry_tweet_gets_a_card_and_a_calm_one_a_reply(self) -> None:
        bot = Simulation()
        bot.arrive(ANGRY, CALM)
        bot.run_on(1)
        assert_settled(bot)
        [(_, sent)] = bot.x.seen
        assert sent.text == "Hi @otto!"


def calls_of_a_quiet_day() -> list[str]:
    """Each twice, for before and after."""
    bot = Simulation()
    bot.arrive(ANGRY, CALM)
    bot.run_on(5)
    return bot.fuse.calls


QUIET_DAY = calls_of_a_quiet_day()
MOMENTS = [
    pytest.param(number, id=f"{'after' if number % 2 == 0 else 'before'} {call} {number}")
    for number, call in enumerate(QUIET_DAY, 1)
]


class TestACrash:
    def test_can_be_tried_before_and_after_each_step_of_a_tweets_way(self) -> None:
        # What is known of the author; then the answer counts for the author, the pace, the bill.
        counts = ["store notes", *["store change_note"] * 3]
        card, reply = (
            [
                f"{queue} receive",
                "store get",
                *gate,
                "store change",  # the effect is begun
                f"{effect} send",
                "store change",  # and recorded
                f"{queue} delete",
            ]
            for queue, effect, gate in (("cards", "card", []), ("replies", "reply", counts))
        )
        known = ["store get", "store notes"]  # the cases; and whose posts make no cards
        burst = ["store change_note"]  # where it is seen, too, that the classifier answers again
        queued = ["store add", "cards send", "replies send", "tweets delete"]
        triage = ["tweets receive", *known, *burst, *queued]
        # What is due, what calmed down, what is past its time; when the last tweet came.
        housekeeping = ["store due", "store note", "store expire", "store newest"]
        checkup = ["store note", "store newest", "store set_note"]  # once a week: the model's
        steps = [*housekeeping, *checkup, *triage, *card, *reply]
        assert [step for step in steps for _ in ("before", "after")] == QUIET_DAY

    @pytest.mark.parametrize("moment", MOMENTS)
    def test_at_any_moment_does_no_harm(self, moment: int) -> None:
        bot = Simulation(frozenset({moment}))
        bot.arrive(ANGRY, CALM)
        bot.run_on()
        assert bot.fuse.moments >= moment
        assert_settled(bot)

    @settings(max_examples=150, deadline=None)
    @given(st.frozensets(st.integers(1, 120), min_size=2, max_size=12))
    def test_after_crash_does_no_harm(self, moments: frozenset[int]) -> None:
        bot = Simulation(moments)
        bot.arrive(ANGRY, CALM)
        bot.run_on(240)
        assert_settled(bot)


def claimed(crashes: frozenset[int] = frozenset()) -> Simulation:
    """A bot whose card is out when somebody claims it; the crashes come after that."""
    bot = Simulation()
    bot.arrive(ANGRY, CALM)
    bot.run_on(5)
    bot.fuse.calls.clear()
    bot.fuse.crashes = crashes
    bot.ask("claim", "101")
    return bot


def assert_told(bot: Simulation) -> None:
    """The claim is in the store, once in the thread, and on the card."""
    assert_settled(bot)
    assert bot.lines.said("101") == ["U1 claimed it."]
    [*_, (drawn, _)] = bot.updates.seen
    assert drawn.assignee == bot.store.get(["101"])["101"].assignee == "U1"


def calls_of_a_claim() -> list[str]:
    """Each twice, for before and after."""
    bot = claimed()
    bot.run_on(5)
    return bot.fuse.calls


CLAIM = calls_of_a_claim()


class TestACrashAroundAClaim:
    def test_can_be_tried_before_and_after_each_step_to_its_line(self) -> None:
        calls = CLAIM[::2]
        assert calls == CLAIM[1::2]
        assert calls[calls.index("actions receive") :][:4] == [
            "actions receive",
            "store change",
            "cards send",
            "actions delete",
        ]
        assert (calls.count("line send"), calls.count("update send")) == (1, 1)

    @pytest.mark.parametrize(
        "moment",
        [
            pytest.param(at, id=f"{'before' if at % 2 else 'after'} {call} {at}")
            for at, call in enumerate(CLAIM, 1)
        ],
    )
    def test_at_any_moment_loses_nothing_and_tells_nothing_twice(self, moment: int) -> None:
        bot = claimed(frozenset({moment}))
        bot.run_on()
        assert bot.fuse.moments >= moment
        assert_told(bot)

    @settings(max_examples=100, deadline=None)
    @given(st.frozensets(st.integers(1, 60), min_size=2, max_size=10))
    def test_after_crash_loses_nothing_and_tells_nothing_twice(
        self, moments: frozenset[int]
    ) -> None:
        bot = claimed(moments)
        bot.run_on(240)
        assert_told(bot)


ACTIONS = [
    *("triage", "notify", "reply", "act", "housekeep"),
    *("arrive", "claim", "resolve", "minute", "moment", "old message"),
]
ACCIDENTS: list[Turn] = [
    None,
    Retryable("Slow down."),
    Retryable("Slow down.", 2),
    Retryable("Slow down.", 900),
    Unknown("The answer was lost."),
    Crash(),
]


class TestWhateverGoesWrong:
    def do(self, bot: Simulation, action: str, number: int) -> None:
        if action == "arrive":
            bot.arrive(*[ANGRY, CALM][: 1 + number % 2])
        elif action in {"claim", "resolve"}:
            bot.ask(action, "101", f"U{number}")
        elif action in {"minute", "moment"}:
            bot.clock.wait(60 if action == "minute" else number)
        elif action == "old message":
            for case in list(bot.store.newest()):
                for effect in case.effects:
                    bot.survives(partial(bot.again, case, effect.kind, number))
        else:
            getattr(bot, action)()

    @settings(max_examples=250, deadline=None)
    @given(
        st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 6)), max_size=40),
        st.fixed_dictionaries(
            {
                outlet: st.fixed_dictionaries(
                    {
                        "before": st.lists(st.sampled_from(ACCIDENTS), max_size=3),
                        "after": st.lists(
                            st.sampled_from([None, Unknown("The answer was lost."), Crash()]),
                            max_size=3,
                        ),
                        "looking": st.lists(
                            st.sampled_from([None, Retryable("No.", 90), Crash()]), max_size=3
                        ),
                    }
                )
                for outlet in ("slack", "lines", "x")
            }
        ),
    )
    def test_in_whatever_order_every_tweet_ends_once(
        self, actions: list[tuple[str, int]], accidents: dict[str, dict[str, list[Turn]]]
    ) -> None:
        bot = Simulation()
        for outlet, turns in accidents.items():
            for when, planned in turns.items():
                setattr(getattr(bot, outlet), when, list(planned))
        bot.arrive(ANGRY, CALM)
        for action, number in actions:
            self.do(bot, action, number)
        bot.run_on(240)
        assert_settled(bot)


FIVE_HUNDRED = [
    replace(ANGRY, id=str(number), root_id=str(number), author=Author(f"a{number}", f"u{number}"))
    for number in range(1, 501)
]
WITHIN = len(FIVE_HUNDRED) * 12
"""Moments of their way."""


def flooded(crashes: frozenset[int] = frozenset()) -> Simulation:
    """A bot to which five hundred escalations come at once, some minutes later."""
    bot = Simulation(crashes)
    bot.arrive(*FIVE_HUNDRED)
    bot.run_on(40)
    while bot.incidents.lasting(bot.clock()) or not bot.quiet():
        bot.housekeep()
        bot.run_on(1)
        bot.clock.wait(60)
    return bot


def assert_collected(bot: Simulation) -> int:
    """Each has its one card, or is in the thread of one that collects; returns how many are."""
    found = list(bot.store.newest())
    notices = {case.id: case.notice for case in found if case.notice}
    tweets = [case for case in found if not case.notice]
    assert bot.slack.happened == {case.id: 1 for case in found}
    assert {case.id for case in tweets} == {tweet.id for tweet in FIVE_HUNDRED}
    collected = Counter(case.incident for case in tweets if case.incident)
    assert collected.keys() == notices.keys()
    for incident_id, notice in notices.items():
        assert isinstance(notice, Incident)
        assert notice.until
        assert notice.count >= collected[incident_id]
    assert [queue.depth() for queue in (bot.tweets, bot.cards)] == [(0, 0), (0, 0)]
    return collected.total()


class TestFiveHundredAtOnce:
    def test_are_five_hundred_cards_and_one_that_collects_them(self) -> None:
        bot = flooded()
        assert assert_collected(bot) == 500 - USUAL.size
        [notice] = [case.notice for case in bot.store.newest() if case.notice]
        assert isinstance(notice, Incident)
        assert notice.count == 500 - USUAL.size
        assert bot.fuse.moments > WITHIN

    @settings(max_examples=4, deadline=None, phases=[Phase.explicit, Phase.generate])
    @given(st.sets(st.integers(1, WITHIN), min_size=20, max_size=60))
    def test_are_so_whatever_crashes(self, moments: set[int]) -> None:
        assert assert_collected(flooded(frozenset(moments))) > 400

    def test_are_counted_once_though_a_batch_comes_again(self) -> None:
        calls = flooded().fuse.calls
        counted = [at for at, call in enumerate(calls) if call == "store change_note"]
        # Of the second batch: the incident knows of its tweets, and they are to be stored.
        stored = calls.index("store add", calls.index("store change", counted[2])) + 1
        bot = flooded(frozenset({stored}))
        assert assert_collected(bot) == 500 - USUAL.size
        [notice] = [case.notice for case in bot.store.newest() if case.notice]
        assert isinstance(notice, Incident)
        assert notice.count == 500 - USUAL.size
