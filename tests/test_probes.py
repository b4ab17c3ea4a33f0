"""The test tweet of `smoke`: escalated whatever decides, answered by nobody, counted nowhere."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot import conversations, probes
from bot.cases import Case, Effect
from bot.notices import Bursts
from bot.policy import Rules, rules_from
from bot.triage import preview
from bot.tryouts import came_in
from bot.tweets import Author, Tweet
from bot.twitter.lengths import fits
from bot.twitter.rules import refusal_through_api
from bot.wire import activity_event
from bot.wiring import Parts
from tests.examples import NOON, case, parts
from tests.fakes import WordClassifier
from tests.test_deletions import World
from tests.test_incidents import Watch

ID = "1985000000000000001"


def probe() -> Tweet:
    """The test tweet as the webhook reads it."""
    what = activity_event(probes.event(ID, NOON))
    assert isinstance(what, Tweet)
    return what


def probed(**changes: Any) -> Case:
    return case(tweet=probe(), **changes)


@pytest.fixture
def bot(tmp_path: Path) -> Parts:
    """One whose model thinks that nothing needs a person."""
    made = parts(tmp_path, ESCALATION_THRESHOLD="1")
    made.classifier = WordClassifier({"smoke": 0.0})
    return made


def test_it_is_told_apart_from_every_post_of_x_and_of_a_file() -> None:
    assert probes.is_probe(probe())
    assert (probe().id, probe().root_id, probe().conversation_id) == (ID, ID, None)
    assert probe().author == probes.AUTHOR
    assert probe().author.url is None, "nobody's page on X"
    assert not probes.is_probe(replace(probe(), source="file"))
    assert not probes.is_probe(replace(probe(), author=Author("5", "river_example")))


def test_it_says_on_its_card_that_it_is_a_test() -> None:
    assert probe().text.startswith("Smoke test")
    assert fits(probe().text, 280)


@pytest.mark.parametrize("rules", [None, Rules()])
def test_it_escalates_by_the_words_of_the_rules_and_without_them(
    bot: Parts, rules: Rules | None
) -> None:
    decided = preview(probe(), replace(bot.desk, rules=rules or bot.desk.rules), NOON)
    assert decided.route == "escalate"
    [reason] = decided.reasons
    assert ("asks for a person" in reason) == (rules is None)


@pytest.mark.parametrize("account", [frozenset[str](), frozenset({"77"}), frozenset({"0"})])
def test_nobody_can_answer_it_in_public(account: frozenset[str]) -> None:
    assert refusal_through_api(probe(), account) is not None


def test_the_bot_does_not_answer_it_even_where_rules_keep_it_from_people(bot: Parts) -> None:
    never = rules_from({"never": [{"reason": "It is a test.", "words": ["smoke test"]}]})
    decided = preview(probe(), replace(bot.desk, rules=never), NOON)
    assert (decided.route, decided.effects) == ("skip", ())


def test_it_asks_for_no_quiet(bot: Parts) -> None:
    assert not bot.reply_texts.opts_out(probe().text)


def test_it_did_not_come_in_as_posts_do() -> None:
    assert came_in(case())
    assert not came_in(probed())
    assert not came_in(probes.stone(ID, NOON))


def test_it_is_no_card_of_a_burst() -> None:
    watch = Watch(Bursts(1))
    waiting = Effect("card", "pending", due_at=NOON)
    [found], incidents = watch.incidents.collect([probed(effects=(waiting,))], NOON)
    assert (found.incident, incidents) == (None, [])
    assert watch.collect(1) == [None], "and takes nobody's place"


def test_it_is_not_looked_for_on_x() -> None:
    world = World(probed(received_at=NOON))
    world.missing = {ID}
    assert (world.check(), world.asked) == (0, [])


def test_it_leads_no_conversation() -> None:
    assert conversations.name(probe()) is None


def test_called_off_it_does_nothing_more_and_waits_for_nobody() -> None:
    waiting = Effect("card", "pending", due_at=NOON)
    line = Effect("line", "sending", token="t", due_at=NOON)
    after = probes.called_off(probed(effects=(waiting, line), remind_at=NOON))
    assert [effect.state for effect in after.effects] == ["failed", "sending"]
    [_, sending] = after.effects
    assert sending.withdrawn == probes.CALLED_OFF
    assert (after.open, after.remind_at) == (False, None)


def test_the_stone_in_its_place_is_nothing_to_anybody() -> None:
    stone = probes.stone(ID, NOON)
    assert (stone.open, stone.effects, stone.due_at, stone.tweet.text) == (False, (), None, "")
