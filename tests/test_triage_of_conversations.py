"""What goes on with a conversation that a person has, stays with that person."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from bot import cases, conversations, deeds
from bot.cases import Case
from bot.errors import Permanent
from bot.tweets import Author, Tweet
from bot.wire import Deleted
from tests.examples import NOON
from tests.simulation import ANGRY, Simulation

FIRST = replace(ANGRY, conversation_id="101", created_at=NOON, source="webhook")
NEXT = replace(FIRST, id="110", root_id="110", text="thanks", kind="reply", in_reply_to="101")


def bot_with(*batches: list[Tweet]) -> Simulation:
    """A bot that has decided these batches, one after the other."""
    bot = Simulation()
    for batch in batches:
        bot.arrive(*batch)
        bot.triage()
    return bot


def the(bot: Simulation, case_id: str) -> Case:
    return bot.store.get([case_id])[case_id]


class TestASecondTweet:
    @pytest.mark.parametrize("text", ["thanks", "I am angry"])
    def test_joins_the_first_ones_thread_and_is_never_answered_by_the_bot(self, text: str) -> None:
        bot = bot_with([FIRST], [replace(NEXT, text=text)])
        second = the(bot, "110")
        assert (second.route, second.thread) == ("escalate", "101")
        assert [effect.kind for effect in second.effects] == ["card"]
        assert second.reasons[-1] == "It goes on with a conversation that waits for an agent."

    def test_is_its_agents(self) -> None:
        bot = bot_with([FIRST])
        bot.store.change("101", partial(deeds.claimed, who="U1", now=NOON))
        bot.arrive(NEXT)
        bot.triage()
        assert the(bot, "110").assignee == "U1"
        assert the(bot, "110").reasons[-1].endswith("that an agent has.")

    def test_in_the_same_batch_joins_too(self) -> None:
        bot = bot_with([NEXT, FIRST])
        assert (the(bot, "101").thread, the(bot, "110").thread) == (None, "101")

    def test_and_a_third_join_the_same_thread(self) -> None:
        bot = bot_with([FIRST], [NEXT], [replace(NEXT, id="120", root_id="120")])
        assert [the(bot, one).thread for one in ("110", "120")] == ["101", "101"]

    def test_under_somebody_elses_post_joins_the_authors_own_first_one(self) -> None:
        first = replace(FIRST, conversation_id="9", kind="reply", in_reply_to="9")
        bot = bot_with([first], [replace(NEXT, conversation_id="9")])
        assert the(bot, "110").thread == "101"


def stranger(tweet: Tweet) -> Tweet:
    return replace(tweet, author=Author("99", "otto"))


class TestItIsNotJoined:
    @pytest.mark.parametrize(
        "other",
        [
            stranger(NEXT),
            replace(NEXT, conversation_id="7"),
            replace(NEXT, conversation_id=None),
            replace(NEXT, conversation_id="110"),
        ],
    )
    def test_by_another_author_or_conversation(self, other: Tweet) -> None:
        bot = bot_with([FIRST], [other])
        assert (the(bot, "110").thread, the(bot, "110").route) == (None, "reply")

    @pytest.mark.parametrize(
        "end", [partial(deeds.resolved, who="U1", now=NOON), partial(cases.erased, now=NOON)]
    )
    def test_when_the_first_one_is_done_with(self, end: Any) -> None:
        bot = bot_with([FIRST])
        bot.store.change("101", end)
        bot.arrive(replace(NEXT, text="I am angry"))
        bot.triage()
        assert the(bot, "110").thread is None

    def test_and_then_heads_what_comes_next(self) -> None:
        bot = bot_with([FIRST])
        bot.store.change("101", partial(deeds.resolved, who="U1", now=NOON))
        bot.arrive(replace(NEXT, text="I am angry"))
        bot.triage()
        bot.arrive(replace(NEXT, id="120", root_id="120"))
        bot.triage()
        assert the(bot, "120").thread == "110"

    def test_when_the_bot_has_the_first_one(self) -> None:
        bot = bot_with([replace(FIRST, text="thanks")], [replace(NEXT, text="I am angry")])
        assert the(bot, "110").thread is None

    def test_by_its_own_edit(self) -> None:
        bot = bot_with([FIRST], [replace(FIRST, id="105", text="I am angry again")])
        assert the(bot, "101").thread is None
        assert the(bot, "101").tweet.id == "105"


def test_a_crash_before_a_conversation_is_noted_is_made_good_by_the_repetition() -> None:
    bot = bot_with([FIRST])
    bot.store.set_note("conversation-101-55", None)
    bot.arrive(FIRST)
    bot.triage()
    bot.arrive(NEXT)
    bot.triage()
    assert the(bot, "110").thread == "101"


class TestAPostThatAnswersTheBot:
    """Its texts offer a person to whoever asks."""

    def answered(self, text: str, **changes: Any) -> Case:
        """The case of what an author wrote after the bot had answered a first post."""
        bot = bot_with([replace(FIRST, text="thanks")])
        bot.reply()
        assert bot.x.happened["101"] == 1
        if "may_reply" in changes:
            bot.desk = replace(bot.desk, may_reply=changes["may_reply"])
        bot.arrive(replace(NEXT, text=text))
        bot.triage()
        return the(bot, "110")

    @pytest.mark.parametrize("text", ["@HarborSupport yes thanks", "thanks a lot for that"])
    def test_in_a_few_words_is_seen_by_a_person(self, text: str) -> None:
        made = self.answered(text)
        assert (made.route, made.reasons[-1]) == (
            "escalate",
            "It answers the bot, which offers a person to whoever asks.",
        )

    def test_and_that_the_bot_may_not_answer_is_seen_by_a_person(self) -> None:
        made = self.answered(
            "thanks but I would still like to know where it is",
            may_reply=lambda *_: "It does not mention the account.",
        )
        assert made.route == "escalate"

    def test_at_length_may_be_answered_once_more(self) -> None:
        assert self.answered("thanks and what about the other one I asked for").route == "reply"

    def test_by_asking_for_quiet_is_left_alone(self) -> None:
        made = self.answered("stop", may_reply=lambda *_: "Its author asked the bot to stop.")
        assert made.thread is None
        assert made.reasons[-1] == "Its author asked the bot to be quiet."

    def test_by_asking_for_quiet_still_goes_on_with_an_open_card(self) -> None:
        bot = bot_with([FIRST], [replace(NEXT, text="stop")])
        assert (the(bot, "110").route, the(bot, "110").thread) == ("escalate", "101")


def test_what_comes_after_an_agents_answer_is_seen_by_a_person() -> None:
    bot = bot_with([FIRST])
    bot.store.change("101", partial(deeds.resolved, who="U1", now=NOON))
    talk = conversations.from_json(bot.store.note("conversation-101-55")).with_agent()
    bot.store.set_note("conversation-101-55", conversations.to_json(talk))
    bot.arrive(NEXT)
    bot.triage()
    assert (the(bot, "110").route, the(bot, "110").thread) == ("escalate", None)
    assert the(bot, "110").reasons[-1].endswith("in which an agent has answered.")


def test_what_goes_on_with_a_card_that_a_failed_answer_made_joins_it() -> None:
    bot = bot_with([replace(FIRST, text="thanks")])
    bot.x.before = [Permanent("Duplicate.")]
    bot.reply()
    bot.arrive(NEXT)
    bot.triage()
    assert the(bot, "110").thread == "101"


def test_the_words_of_an_erased_post_leave_its_conversation() -> None:
    bot = bot_with([replace(FIRST, text="thanks")])
    bot.reply()
    assert bot.store.note("conversation-101-55")["said"]
    bot.arrive(Deleted("101"))
    bot.triage()
    talk = bot.store.note("conversation-101-55")
    assert (talk["said"], talk["answered"]) == (None, "101")
