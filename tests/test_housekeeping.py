"""Effects that wait: for keys, for housekeeping, or for nothing because they were switched off."""

from dataclasses import replace
from typing import Literal

import pytest

from bot import cases
from bot.cases import Case, State
from bot.delivery import WAIT_FOR_KEYS, Task, sweep, task_of
from bot.errors import Conflict, Unknown
from tests.examples import NOON
from tests.fakes import MemoryQueue
from tests.simulation import ANGRY, CALM, Simulation
from tests.test_delivery import angry, calm, card, reply


class TestWithoutKeys:
    def test_an_effect_waits_and_goes_when_they_come(self) -> None:
        bot = angry()
        keyless = replace(bot.courier, outlets={"card": None, "update": None})
        waiting = keyless.deliver(Task("101", "card", 1))
        assert waiting == bot.store.only()
        assert (card(bot).state, card(bot).problem) == ("pending", "Its keys are not set.")
        assert card(bot).due_at == NOON + WAIT_FOR_KEYS
        bot.run_on(7)
        assert card(bot).state == "sent"

    def test_an_unknown_outcome_stays_unknown(self) -> None:
        bot = angry(after=[Unknown("Lost.")])
        bot.notify()
        keyless = replace(bot.courier, outlets={"card": None, "update": None})
        keyless.deliver(Task("101", "card", 2))
        assert card(bot).state == "unknown"


class TestHousekeeping:
    def test_enqueues_again_what_nobody_took_up(self) -> None:
        bot = angry()
        bot.cards = MemoryQueue(bot.clock)  # and with it the message
        for minutes, sent in ((2, 0), (1, 1), (1, 0), (2, 1)):
            bot.clock.wait(60 * minutes)
            assert sweep(bot.store, {"cards": bot.cards}, bot.clock()) == sent
        assert [task_of(message.body).attempt for message in bot.cards.sent] == [1]

    def test_passes_over_the_queues_it_does_not_have(self) -> None:
        bot = angry()
        bot.clock.wait(180)
        assert sweep(bot.store, {}, bot.clock()) == 1
        assert card(bot).due_at == bot.clock() + cases.UNQUEUED_AFTER

    def test_leaves_alone_what_is_not_due(self) -> None:
        bot = angry()
        before = bot.store.only()
        assert sweep(bot.store, {"cards": bot.cards}, bot.clock()) == 0
        assert bot.store.only() == before

    @pytest.mark.parametrize("trouble", [ValueError("What is this?"), Conflict("Lost races.")])
    def test_passes_over_a_case_it_cannot_work_with(self, trouble: Exception) -> None:
        bot = Simulation()
        bot.arrive(ANGRY, CALM)
        bot.triage()
        bot.clock.wait(180)

        def stumble() -> Case:
            raise trouble

        bot.store.before_change = stumble
        assert sweep(bot.store, {"cards": bot.cards, "replies": bot.replies}, bot.clock()) == 1


class TestRepliesSwitchedOff:
    @pytest.mark.parametrize(("mode", "state"), [("off", "failed"), ("dry-run", "dry-run")])
    def test_hold_back_at_once_what_waits(
        self, mode: Literal["off", "dry-run"], state: State
    ) -> None:
        bot = calm()
        bot.courier = replace(bot.courier, channels=replace(bot.courier.channels, replies=mode))
        bot.run_on(10)
        assert (reply(bot).state, reply(bot).due_at) == (state, None)
        assert not bot.x.happened

    def test_still_look_up_what_may_have_been_sent(self) -> None:
        bot = calm(after=[Unknown("Lost.")])
        bot.reply()
        bot.courier = replace(bot.courier, channels=replace(bot.courier.channels, replies="off"))
        bot.run_on(10)
        assert (reply(bot).state, bot.x.happened["102"]) == ("sent", 1)
