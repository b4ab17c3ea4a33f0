"""What waits: for keys, for housekeeping, for its time, or for nothing as it was switched off."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Literal

import pytest

from bot import cases, deeds
from bot.cases import Case, State
from bot.delivery import WAIT_FOR_KEYS, Task, sweep, task_of
from bot.digests import Digests
from bot.errors import Conflict, Retryable, Unknown
from bot.hours import ALWAYS, Hours
from bot.notices import Bursts
from bot.tweets import Author
from tests.examples import NOON
from tests.fakes import MemoryQueue
from tests.simulation import ANGRY, CALM, QUEUED, Simulation
from tests.test_delivery import angry, calm, card, reply

MINUTE = timedelta(minutes=1)
OFFICE = Hours(UTC, frozenset(range(5)), 9 * 60, 17 * 60)
MONDAY = NOON
FRIDAY_EVENING = datetime(2026, 11, 6, 16, 50, tzinfo=UTC)


class TestWithoutKeys:
    def test_an_effect_waits_and_goes_when_they_come(self) -> None:
        bot = angry()
        keyless = replace(bot.courier, outlets={"card": None, "update": None, "line": None})
        waiting = keyless.deliver(Task("101", "card", 1))
        assert waiting == bot.store.only()
        assert (card(bot).state, card(bot).problem) == ("pending", "Its keys are not set.")
        assert card(bot).due_at == NOON + WAIT_FOR_KEYS
        bot.run_on(7)
        assert card(bot).state == "sent"

    def test_an_unknown_outcome_stays_unknown(self) -> None:
        bot = angry(after=[Unknown("Lost.")])
        bot.notify()
        keyless = replace(bot.courier, outlets={"card": None, "update": None, "line": None})
        keyless.deliver(Task("101", "card", 2))
        assert card(bot).state == "unknown"


class TestHousekeeping:
    def test_enqueues_again_what_nobody_took_up(self) -> None:
        bot = angry()
        bot.cards = MemoryQueue(bot.clock)  # and with it the message
        for minutes, sent in ((2, 0), (1, 1), (1, 0), (2, 1)):
            bot.clock.wait(60 * minutes)
            assert sweep(bot.store, {"cards": bot.cards}, bot.clock()) == sent
        assert [task_of(message.body) for message in bot.cards.sent] == [Task("101", "card", 1)]

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

    def test_tells_what_it_did(self) -> None:
        bot = Simulation(bursts=Bursts(1, MINUTE))
        bot.arrive(*[replace(ANGRY, id=one, root_id=one) for one in ("1", "2")])
        bot.run_on(1)
        bot.clock.wait(60)
        assert bot.housekeeping.work() == {"handed over": 0, "notices": 1, "expired": 0}
        assert bot.housekeeping.work() == {"handed over": 0, "notices": 0, "expired": 0}
        assert bot.cards.bodies()[-1]["effect"] == "update"

    def test_sends_the_digest_of_the_day(self) -> None:
        bot = angry()
        digests = Digests(bot.store, QUEUED, ALWAYS, 13, lambda _day: None)
        housekeeping = replace(bot.housekeeping, digests=digests)
        assert housekeeping.work()["notices"] == 0
        bot.clock.wait(60 * 60)
        assert housekeeping.work()["notices"] == 1
        assert bot.cards.bodies()[-1]["case"] == "digest-20261102"


def reminding(at: datetime = MONDAY) -> Simulation:
    """A bot that reminds after fifteen minutes of work, and has a card out at that time."""
    bot = Simulation(
        channels=replace(QUEUED, remind=lambda now: OFFICE.later(now, 15 * MINUTE)),
        bursts=Bursts(1, 5 * MINUTE),
    )
    bot.clock.now = at
    bot.arrive(ANGRY)
    bot.triage()
    while bot.notify():
        pass
    return bot


def reminded(bot: Simulation, until: datetime) -> list[datetime]:
    """When the thread was told that nobody has claimed the case."""
    told: list[datetime] = []
    while bot.clock() <= until:
        bot.housekeep()
        while bot.notify():
            told += [bot.clock()] if len(bot.lines.seen) > len(told) else []
        bot.clock.wait(60)
    assert set(bot.lines.said("101")) <= {"bot Nobody has claimed it yet."}
    return told


class TestACardThatNobodyClaims:
    def test_is_brought_to_mind_once(self) -> None:
        assert reminded(reminding(), MONDAY + timedelta(days=1)) == [MONDAY + 15 * MINUTE]

    def test_is_brought_to_mind_when_people_work(self) -> None:
        told = reminded(reminding(FRIDAY_EVENING), FRIDAY_EVENING + timedelta(days=4))
        assert told == [datetime(2026, 11, 9, 9, 5, tzinfo=UTC)]

    @pytest.mark.parametrize(
        "deed",
        [
            partial(deeds.claimed, who="U1", now=NOON),
            partial(deeds.resolved, who="U1", now=NOON),
            partial(deeds.dismissed, who="U1", now=NOON),
            partial(deeds.snoozed, until=NOON + timedelta(days=9), who="U1", now=NOON),
            partial(cases.erased, now=NOON),
        ],
    )
    def test_is_not_brought_to_mind_once_somebody_did_something(
        self, deed: Callable[[Case], Case]
    ) -> None:
        bot = reminding()
        changed = bot.store.change("101", deed)
        assert changed
        assert changed.remind_at is None

    def test_is_not_brought_to_mind_where_an_incident_collects_it(self) -> None:
        bot = reminding()
        bot.arrive(replace(ANGRY, id="102", root_id="102", author=Author("56", "otto")))
        bot.triage()
        collected = bot.store.get(["102"])["102"]
        assert (collected.incident is not None, collected.remind_at) == (True, None)

    def test_is_not_brought_to_mind_where_it_goes_on_with_another(self) -> None:
        bot = reminding()
        talk = replace(ANGRY, id="103", root_id="103", conversation_id="103")
        bot.arrive(talk)
        bot.triage()
        bot.arrive(replace(talk, id="104", root_id="104"))
        bot.triage()
        joined = bot.store.get(["104"])["104"]
        assert (joined.thread, joined.remind_at) == ("103", None)

    def test_is_brought_to_mind_again_when_it_is_released(self) -> None:
        bot = reminding()
        bot.store.change("101", partial(deeds.claimed, who="U1", now=NOON))
        at = NOON + timedelta(hours=1)
        release = partial(deeds.released, who="U1", channels=bot.agents.channels, now=at)
        changed = bot.store.change("101", release)
        assert changed
        assert changed.remind_at == at + 15 * MINUTE

    def test_is_brought_to_mind_only_after_it_was_seen(self) -> None:
        bot = Simulation(channels=replace(QUEUED, remind=lambda now: now + 15 * MINUTE))
        bot.arrive(ANGRY)
        bot.slack.before = [Retryable("Slack is not answering now.", 120)] * 10
        bot.run_on(18)
        assert (card(bot).state, bot.lines.said("101")) == ("pending", [])
        bot.run_on(60)
        assert bot.lines.said("101") == ["bot Nobody has claimed it yet."]

    def test_is_brought_to_mind_once_though_slack_does_not_answer_well(self) -> None:
        bot = reminding()
        bot.lines.before = [Retryable("Slow down.", 60), Unknown("Lost.")]
        bot.lines.after = [Unknown("Lost.")]
        assert len(reminded(bot, MONDAY + timedelta(hours=1))) == 1


class TestASnooze:
    def test_is_over_at_its_time_and_whoever_asked_is_told_once(self) -> None:
        bot = reminding()
        until = MONDAY + timedelta(hours=1)
        bot.store.change("101", partial(deeds.snoozed, until=until, who="U1", now=MONDAY))
        bot.run_on(59)
        assert bot.lines.said("101") == ["U1 snoozed it."]
        bot.run_on(10)
        assert bot.lines.said("101")[1:] == ["U1 wanted to be told of it now."]
        assert bot.quiet()


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
