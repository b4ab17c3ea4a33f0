import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.batches import NEWER_FIRST_WAIT
from bot.cases import Case
from bot.envelopes import VERSION
from bot.errors import Permanent, Refused, Retryable, Unknown
from bot.ports import Outgoing
from bot.triage import Arrival, arrival_of, message, preview
from bot.tweets import Tweet, typed
from bot.wire import Deleted
from tests.examples import NOON
from tests.fakes import Turn, WordClassifier
from tests.simulation import ANGRY, CALM, Simulation, desk

BUSY = Retryable("The model is busy.")


def angry(number: int, text: str = "I am angry") -> Tweet:
    return replace(ANGRY, id=str(number), root_id=str(number), text=text)


def bot_with(classifier: WordClassifier | None = None, **desk_changes: Any) -> Simulation:
    bot = Simulation()
    bot.desk = desk(classifier, **{"incidents": bot.incidents, **desk_changes})
    return bot


def asked(bot: Simulation) -> list[list[str]]:
    classifier: Any = bot.desk.classifier
    found: list[list[str]] = classifier.calls
    return found


def cases_of(bot: Simulation) -> Mapping[str, Case]:
    """Those of tweets, by id."""
    return {case.id: case for case in bot.store.newest() if not case.notice}


def case_of(bot: Simulation, case_id: str) -> Case:
    return cases_of(bot)[case_id]


def words_of(bot: Simulation, case_id: str) -> list[str]:
    """The words that the case's verdict names."""
    verdict = case_of(bot, case_id).verdict
    return [word.words for word in verdict.words] if verdict else []


class TestABatch:
    def test_is_judged_by_one_call_and_explained_by_another(self) -> None:
        bot = bot_with()
        bot.arrive(*[angry(number) for number in range(1, 10)], CALM)
        bot.triage()
        judged, left_out = asked(bot)
        assert len(judged) == 10
        assert {text.replace("i am angry", "") for text in judged} == {"", "thanks"}
        assert "thanks" not in left_out, "nobody asked why it can be answered"
        assert {case.route for case in bot.store.newest()} == {"escalate", "reply"}

    def test_of_tweets_that_all_can_be_answered_is_judged_and_no_more(self) -> None:
        bot = bot_with()
        bot.arrive(CALM)
        bot.triage()
        assert asked(bot) == [["thanks"]]

    def test_hands_cards_and_replies_to_their_workers(self) -> None:
        bot = bot_with()
        bot.arrive(ANGRY, CALM)
        bot.triage()
        assert bot.cards.bodies() == [{"case": "101", "effect": "card", "attempt": 1}]
        assert bot.replies.bodies() == [{"case": "102", "effect": "reply", "attempt": 1}]

    def test_with_a_tweet_whose_stored_case_is_damaged_decides_the_others(self) -> None:
        bot = bot_with()
        bot.arrive(angry(1))
        bot.triage()
        bot.store._cases["1"] = "{}"
        bot.arrive(angry(1), angry(2), CALM)
        bot.triage()
        assert bot.store.get(["2", CALM.id]).keys() == {"2", CALM.id}
        assert bot.tweets.depth() == (1, 0)

    def test_with_the_same_tweet_twice_opens_one_case(self) -> None:
        bot = bot_with()
        bot.arrive(ANGRY, ANGRY, CALM, ANGRY)
        bot.triage()
        assert len(cases_of(bot)) == 2
        assert len(bot.cards.sent) == 1

    def test_with_a_message_that_is_none_gives_back_that_one(self) -> None:
        bot = bot_with()
        bot.arrive(ANGRY)
        bot.tweets.send([replace(message(Arrival(CALM, NOON)), body="{}")])
        bot.triage()
        assert list(cases_of(bot)) == ["101"]
        assert bot.tweets.depth() == (1, 0)

    def test_without_new_tweets_asks_nobody(self) -> None:
        bot = bot_with()
        bot.arrive(ANGRY)
        bot.triage()
        bot.arrive(ANGRY)
        before = len(asked(bot))
        bot.triage()
        assert len(asked(bot)) == before
        assert bot.store.only().history == bot.store.only().history[:1]

    def test_comes_again_whole_where_its_cases_cannot_be_stored(self) -> None:
        bot = bot_with()
        bot.arrive(ANGRY, CALM)
        bot.cards.failure = BUSY
        bot.triage()
        assert bot.tweets.depth() == (2, 0)
        bot.cards.failure = None
        bot.run_on()
        assert bot.slack.happened == {"101": 1}
        assert bot.x.happened == {"102": 1}

    def test_that_comes_again_hands_over_what_was_left_without_waiting_for_housekeeping(
        self,
    ) -> None:
        bot = bot_with()
        bot.arrive(ANGRY)
        bot.cards.failure = BUSY
        bot.triage()
        bot.cards.failure = None
        bot.clock.wait(5)
        bot.triage()
        assert bot.cards.bodies() == [{"case": "101", "effect": "card", "attempt": 1}]

    def test_keeps_the_time_at_which_a_tweet_came(self) -> None:
        bot = bot_with()
        bot.arrive(ANGRY)
        bot.clock.wait(100)
        bot.triage()
        case = bot.store.only()
        assert (case.received_at, case.decided_at) == (NOON, NOON + timedelta(seconds=100))


class TestADecision:
    def test_uses_the_rules_about_answers_for_posts_that_may_be_answered_at_all(self) -> None:
        bot = bot_with(may_reply=lambda _tweet, _received_at, _now: "Not now.")
        bot.arrive(CALM, replace(CALM, id="103", root_id="103", answer=False))
        bot.triage()
        assert {case.id: case.route for case in bot.store.newest()} == {
            "102": "skip",
            "103": "reply",
        }

    def test_answers_nobody_while_replies_are_off(self) -> None:
        off = replace(desk().channels, replies="off")
        bot = bot_with(channels=off)
        bot.arrive(CALM, ANGRY)
        bot.triage()
        assert case_of(bot, "102").reasons[-1] == "Automatic replies are off."
        assert case_of(bot, "101").route == "escalate"

    def test_goes_by_the_desks_threshold(self) -> None:
        bot = bot_with(threshold=lambda: 0.99)
        bot.arrive(ANGRY)
        bot.triage()
        assert (bot.store.only().route, bot.store.only().unsure) == ("reply", True)


class TestTheWordsOfADecision:
    def test_are_kept_with_an_escalated_case(self) -> None:
        bot = bot_with()
        bot.arrive(angry(1, "so angry today"), angry(2, "really angry"), CALM)
        bot.triage()
        assert words_of(bot, "1") == ["angry"]
        assert words_of(bot, "2") == ["angry"]
        assert words_of(bot, "102") == [], "nobody looks at it yet"

    def test_are_none_where_a_rule_decided_on_a_text_the_model_does_not_know(self) -> None:
        bot = bot_with()
        bot.arrive(angry(1, "zebra"))
        bot.triage()
        assert (case_of(bot, "1").route, words_of(bot, "1")) == ("escalate", [])

    @pytest.mark.parametrize("failure", [BUSY, Unknown("Lost."), Permanent("Too many texts.")])
    def test_that_cannot_be_had_leave_the_case_without_them_but_escalated(
        self, failure: Exception
    ) -> None:
        bot = bot_with(WordClassifier(failures=[None, failure]))
        bot.arrive(ANGRY, CALM)
        bot.triage()
        assert (case_of(bot, "101").route, words_of(bot, "101")) == ("escalate", [])
        assert bot.cards.bodies() == [{"case": "101", "effect": "card", "attempt": 1}]
        assert bot.tweets.depth() == (0, 0)

    def test_are_those_of_the_edit_that_was_last(self) -> None:
        bot = bot_with()
        edit = replace(angry(1, "thanks for nothing"), id="2", root_id="1")
        bot.desk = replace(bot.desk, threshold=lambda: 0.01)
        bot.arrive(angry(1))
        bot.triage()
        assert words_of(bot, "1") == ["angry"]
        bot.arrive(edit)
        bot.triage()
        assert words_of(bot, "1") == ["thanks"]


class TestAPreview:
    def test_is_the_case_that_the_tweet_would_make(self) -> None:
        bot = bot_with()
        for tweet in (ANGRY, CALM):
            shown = preview(tweet, bot.desk, NOON)
            bot.arrive(tweet)
            bot.triage()
            stored = case_of(bot, tweet.id)
            assert (shown.route, shown.reasons, shown.effects) == (
                stored.route,
                stored.reasons,
                stored.effects,
            )

    def test_names_the_words_on_either_side(self) -> None:
        desk = bot_with().desk
        told = [preview(tweet, desk, NOON).verdict for tweet in (ANGRY, CALM)]
        assert [[word.words for word in verdict.words] for verdict in told if verdict] == [
            ["angry"],
            ["thanks"],
        ]

    def test_says_so_where_the_classifier_does_not_answer(self) -> None:
        down = bot_with(WordClassifier(failures=[BUSY])).desk
        with pytest.raises(Retryable):
            preview(ANGRY, down, NOON)

    def test_of_nothing_is_a_case_for_a_person(self) -> None:
        assert preview(typed("", "1"), bot_with().desk, NOON).route == "escalate"


class TestAClassifierThatIsDown:
    @pytest.mark.parametrize("failure", [BUSY, Unknown("Lost."), Permanent("No such endpoint.")])
    def test_leaves_tweets_waiting_and_then_they_escalate(self, failure: Exception) -> None:
        down: list[Turn] = [failure] * 10_000
        bot = bot_with(WordClassifier(failures=down))
        bot.arrive(ANGRY, CALM)
        for _ in range(14):
            bot.triage()
            assert cases_of(bot) == {}
            bot.clock.wait(60)
        bot.clock.wait(60)
        while bot.triage():
            bot.clock.wait(60)
        assert {case.route for case in cases_of(bot).values()} == {"escalate"}
        assert {case.verdict for case in cases_of(bot).values()} == {None}
        assert bot.tweets.depth() == (0, 0)

    def test_comes_back_in_time_for_those_that_wait(self) -> None:
        bot = bot_with(WordClassifier(failures=[BUSY, BUSY]))
        bot.arrive(CALM)
        bot.run_on()
        assert case_of(bot, "102").route == "reply"

    def test_escalates_only_those_that_waited_long_enough(self) -> None:
        bot = bot_with(WordClassifier(failures=[BUSY]))
        bot.arrive(angry(1))
        bot.clock.wait(15 * 60)
        bot.arrive(angry(2))
        bot.triage()
        assert list(cases_of(bot)) == ["1"]
        assert bot.tweets.depth() == (1, 0)

    def test_for_one_text_only_does_not_hold_up_its_neighbours(self) -> None:
        refuses = WordClassifier(refused={"cursed": Permanent("Too strange.")})
        bot = bot_with(refuses)
        bot.arrive(angry(1), angry(2, "angry and cursed"), CALM)
        bot.triage()
        assert set(cases_of(bot)) == {"1", "102"}
        bot.run_on()
        assert case_of(bot, "2").route == "escalate"
        assert (bot.slack.happened["1"], bot.slack.happened["2"]) == (1, 1)

    def test_for_everybody_is_asked_once_a_batch(self) -> None:
        gone = WordClassifier(failures=[Permanent("No such endpoint.", mendable=True)])
        bot = bot_with(gone)
        bot.arrive(angry(1), angry(2), CALM)
        bot.triage()
        assert len(gone.calls) == 1
        assert bot.tweets.depth() == (3, 0)


class TestANewerReleases:
    """It was rolled back: what it wrote waits for it, and holds up nobody."""

    def test_message_waits_for_it(self) -> None:
        bot = Simulation()
        newer = json.dumps({"version": VERSION + 1, "tweet": {"id": "1"}, "mood": "sunny"})
        bot.tweets.send([Outgoing(newer)])
        bot.arrive(ANGRY)
        bot.triage()
        assert list(cases_of(bot)) == ["101"]
        assert bot.tweets.depth() == (1, 0)
        [(_, held)] = bot.tweets._held.items()
        assert held.visible_at - bot.clock() == timedelta(seconds=NEWER_FIRST_WAIT)

    def test_case_is_not_changed_by_what_comes_for_it(self) -> None:
        bot = Simulation()
        bot.arrive(ANGRY)
        bot.triage()
        bot.store.upgrade("101")
        bot.arrive(Deleted("101"), CALM)
        bot.triage()
        assert (case_of(bot, "101").erased, case_of(bot, "102").route) == (False, "reply")
        assert bot.tweets.depth() == (1, 0), "the deletion waits"


class TestAMessage:
    def test_brings_its_arrival(self) -> None:
        for arrival in (Arrival(ANGRY, NOON), Arrival(Deleted("101"), NOON)):
            assert arrival_of(message(arrival).body) == arrival

    def test_may_be_as_long_as_a_queue_takes(self) -> None:
        longest = typed("😡" * 25_000, "1")
        assert len(message(Arrival(longest, NOON)).body.encode()) < 256 * 1024

    @pytest.mark.parametrize(
        "body",
        [
            "",
            "[]",
            "5",
            "{}",
            '{"received_at": 5}',
            '{"received_at": "2026-11-02"}',
            '{"received_at": "0001-01-01T00:00:00+14:00", "deleted": "1"}',
            '{"received_at": "2026-11-02T12:00:00+00:00", "tweet": "hello"}',
            '{"received_at": "2026-11-02T12:00:00+00:00", "tweet": {"id": "1"}}',
            "[" * 100_000,
        ],
    )
    def test_that_is_none_is_refused(self, body: str) -> None:
        with pytest.raises(Refused, match=r"^This message "):
            arrival_of(body)
