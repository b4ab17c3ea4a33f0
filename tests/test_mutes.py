"""Authors whom agents have muted: what they write makes no card, unless a rule says so."""

from dataclasses import replace
from typing import Any

import pytest

from bot import conversations, deeds
from bot.agents import Deed
from bot.cases import Case
from bot.conversations import Conversation
from bot.mutes import Mutes
from bot.policy import MUTED, Rules, WordRule
from bot.tweets import Author, Tweet
from tests.examples import NOON
from tests.fakes import MemoryCases
from tests.simulation import ANGRY, CALM, Simulation

MIRA = ANGRY.author
RULES = Rules(always=(WordRule("It is dangerous.", ("fire",)),))


class TestAnAuthor:
    def test_is_muted_by_all_that_is_known_of_it(self) -> None:
        mutes = Mutes(MemoryCases())
        assert not mutes.muted(MIRA)
        mutes.mute(MIRA, "U1", NOON)
        assert mutes.muted(MIRA)
        assert mutes.muted(Author("55", "renamed"))
        assert mutes.muted(Author(None, "@Mira"))
        assert not mutes.muted(Author("56", "otto"))
        assert not mutes.muted(Author())

    def test_is_muted_until_somebody_takes_it_back(self) -> None:
        mutes = Mutes(MemoryCases())
        mutes.mute(MIRA, "U1", NOON)
        mutes.unmute(MIRA)
        assert not mutes.muted(MIRA)
        mutes.unmute(CALM.author)
        assert not mutes.muted(CALM.author)

    @pytest.mark.parametrize("known", [Author("55"), Author(None, "mira")])
    def test_is_no_longer_muted_by_any_name_when_one_is_known(self, known: Author) -> None:
        mutes = Mutes(MemoryCases())
        mutes.mute(MIRA, "U1", NOON)
        mutes.unmute(known)
        assert not mutes.muted(MIRA)

    def test_stays_muted_by_whoever_did_it_first(self) -> None:
        store = MemoryCases()
        for who in ("U1", "U2"):
            Mutes(store).mute(MIRA, who, NOON)
        noted = store.note("muted-55")
        assert (noted["who"], noted["at"]) == ("U1", NOON.isoformat())


def muting(*authors: Author, **changes: Any) -> Simulation:
    """A bot before which these authors were muted; `changes` are of its desk."""
    bot = Simulation()
    bot.desk = replace(bot.desk, rules=RULES, **changes)
    for author in authors:
        Mutes(bot.store).mute(author, "U1", NOON)
    return bot


def decided(bot: Simulation, *posts: Tweet) -> dict[str, Case]:
    bot.arrive(*posts)
    bot.run_on(2)
    return bot.store.get([post.root_id for post in posts])


class TestWhatAMutedAuthorWrites:
    @pytest.mark.parametrize("text", ["I am angry", "thanks", "xyzzy", ""])
    def test_makes_no_card_and_gets_no_answer(self, text: str) -> None:
        bot = muting(MIRA)
        made = decided(bot, replace(ANGRY, text=text))["101"]
        assert (made.route, made.reasons, made.effects) == ("skip", (MUTED,), ())

    def test_makes_a_card_where_a_rule_always_escalates(self) -> None:
        bot = muting(MIRA)
        made = decided(bot, replace(ANGRY, text="my house is on fire"))["101"]
        assert (made.route, made.reasons) == ("escalate", ("It is dangerous. («fire»)",))
        assert bot.slack.happened == {"101": 1}

    def test_is_told_from_what_others_write_in_the_same_batch(self) -> None:
        bot = muting(MIRA)
        other = replace(ANGRY, id="103", root_id="103", author=Author("57", "ana"))
        made = decided(bot, ANGRY, other)
        assert {one: made[one].route for one in made} == {"101": "skip", "103": "escalate"}

    def test_goes_on_with_nothing(self) -> None:
        bot = muting(MIRA)
        head = decided(bot, replace(ANGRY, text="fire", conversation_id="101"))["101"]
        assert head.route == "escalate"
        answer = replace(ANGRY, id="110", root_id="110", text="so?", conversation_id="101")
        made = decided(bot, answer)["110"]
        assert (made.route, made.thread) == ("skip", None)
        worse = replace(answer, id="111", root_id="111", text="fire")
        made = decided(bot, worse)["111"]
        assert (made.route, made.thread) == ("escalate", None)

    @pytest.mark.parametrize("talk", [Conversation(agent=True), Conversation(answered="100")])
    @pytest.mark.parametrize("text", ["yes please", "stop"])
    def test_is_nobodys_whoever_has_answered_before(self, text: str, talk: Conversation) -> None:
        bot = muting(MIRA)
        post = replace(ANGRY, text=text, conversation_id="100")
        bot.store.set_note(conversations.name(post) or "", conversations.to_json(talk))
        assert decided(bot, post)["101"].route == "skip"

    def test_makes_cards_again_when_it_is_taken_back(self) -> None:
        bot = muting(MIRA)
        Mutes(bot.store).unmute(MIRA)
        assert decided(bot, ANGRY)["101"].route == "escalate"


def test_a_button_mutes_whoever_wrote_the_post_from_the_next_one_on() -> None:
    bot = Simulation()
    bot.agents = replace(bot.agents, mute=Mutes(bot.store).mute)
    first = decided(bot, ANGRY)["101"]
    assert first.route == "escalate"
    muted = bot.agents.act(Deed("mute", "101", "U1"))
    assert muted.last(deeds.MUTED)
    assert muted.open, "the card that is there stays to be dealt with"
    bot.run_on(2)
    assert bot.lines.said("101") == ["U1 muted its author."]
    again = decided(bot, replace(ANGRY, id="110", root_id="110"))["110"]
    assert again.route == "skip"
