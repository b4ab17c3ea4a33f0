"""One card, one line of each deed and at most one reply, whoever crashes where."""

from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import Retryable, Unknown
from tests.fakes import Turn
from tests.simulation import ANGRY, CALM, Crash, Simulation


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
        classifier_is_up, burst = ["store note"], ["store change_note"]
        queued = ["store add", "cards send", "replies send", "tweets delete"]
        triage = ["tweets receive", *known, *classifier_is_up, *burst, *queued]
        # What is due, what calmed down, what is past its time.
        housekeeping = ["store due", "store note", "store expire"]
        steps = [*housekeeping, *triage, *card, *reply]
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
