"""Bursts of escalations, and a classifier that is down: one card that collects the others."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import cases
from bot.cases import Case, Channels, Effect
from bot.errors import Failure, Permanent, Retryable
from bot.incidents import MOST_COUNTED, MOST_MEMBERS, MOST_WAITING, Incidents
from bot.notices import Bursts, Incident
from bot.storage.sqlite import Database, SqliteCases
from bot.triage import Arrival, triage
from bot.tweets import Author, Tweet
from bot.wire import Deleted
from tests.examples import NOON, case
from tests.fakes import Clock, MemoryCases, MemoryQueue, Turn, WordClassifier
from tests.simulation import ANGRY, QUEUED, USUAL, Crash, Simulation, desk
from tests.test_cases import CONSOLE

MINUTE = timedelta(minutes=1)
BUSY = Retryable("The model is busy.")
SMALL = Bursts(2, 5 * MINUTE)


def angry(number: int, **changes: Any) -> Tweet:
    """A tweet of an author of its own that needs a person."""
    author = Author(f"a{number}", f"author_{number}")
    return replace(ANGRY, id=str(number), root_id=str(number), author=author, **changes)


def escalated(number: int, *effects: Effect, **changes: Any) -> Case:
    """A case just opened."""
    waiting = Effect("card", "pending", due_at=NOON)
    return case(tweet=angry(number), effects=effects or (waiting,), **changes)


class Watch:
    """Incidents over a store in memory, and a clock."""

    def __init__(self, bursts: Bursts = SMALL, channels: Channels = QUEUED) -> None:
        self.store, self.clock = MemoryCases(), Clock()
        self.incidents = Incidents(self.store, bursts, channels)

    def collect(self, *numbers: int) -> list[str | None]:
        """The incidents that collect the new cases of these numbers."""
        new = [escalated(number) for number in numbers]
        found, _ = self.incidents.collect(new, self.clock())
        assert [one.id for one in found] == [one.id for one in new]
        return [one.incident for one in found]

    def up(self, now: datetime) -> list[Case]:
        """What is over, as the classifier answers."""
        _, touched = self.incidents.collect([], now, up=True)
        return touched

    def notice(self, incident_id: str | None) -> Incident:
        notice = self.store.get([incident_id or ""])[incident_id or ""].notice
        assert isinstance(notice, Incident)
        return notice

    def minutes(self, minutes: float) -> None:
        self.clock.wait(60 * minutes)


class TestABurst:
    def test_begins_with_the_card_above_the_rate(self) -> None:
        watch = Watch(USUAL)
        assert watch.collect(*range(1, 11)) == [None] * 10
        assert list(watch.store.newest()) == []
        [incident] = watch.collect(11)
        assert incident == "incident-burst-20261102T120000"
        [made] = watch.store.newest()
        assert (made.id, made.route, made.open) == (incident, "notice", False)
        assert made.notice == Incident("burst", NOON, 1, ("11",))
        assert [(effect.kind, effect.state) for effect in made.effects] == [("card", "pending")]

    def test_may_begin_within_a_batch(self) -> None:
        incident = "incident-burst-20261102T120000"
        watch = Watch()
        assert watch.collect(1, 2, 3, 4) == [None, None, incident, incident]
        assert watch.notice(incident).cases == ("3", "4")

    def test_does_not_begin_where_they_come_slowly(self) -> None:
        watch = Watch(USUAL)
        for number in range(1, 60):
            assert watch.collect(number) == [None]
            watch.minutes(0.5)

    def test_collects_all_that_comes_until_it_calms(self) -> None:
        watch = Watch()
        *_, incident = watch.collect(1, 2, 3)
        for number in range(4, 10):
            watch.minutes(1)
            assert watch.collect(number) == [incident]
        assert watch.notice(incident).count == 7

    def test_collects_a_case_once_however_often_it_comes(self) -> None:
        watch = Watch()
        once = watch.collect(1, 2, 3)
        assert watch.collect(3, 2, 1) == list(reversed(once))
        assert watch.notice(once[-1]).count == 1
        watch.minutes(1)
        assert watch.collect(4) == [once[-1]]
        assert watch.notice(once[-1]).cases == ("3", "4")

    def test_has_no_reminders_of_what_it_collects(self) -> None:
        watch = Watch(Bursts(1, MINUTE))
        new = [escalated(number, remind_at=NOON) for number in (1, 2)]
        found, _ = watch.incidents.collect(new, NOON)
        assert [one.remind_at for one in found] == [NOON, None]

    @pytest.mark.parametrize(
        "other",
        [
            escalated(9, thread="1"),
            escalated(9, incident="incident-classifier-20261102T110000"),
            escalated(9, Effect("card", "sent")),
            escalated(9, Effect("reply", "pending")),
        ],
        ids=["goes on with a conversation", "is collected", "is on the console", "is answered"],
    )
    def test_does_not_count_what_is_no_further_card_in_the_channel(self, other: Case) -> None:
        watch = Watch()
        watch.collect(1, 2)
        [same], touched = watch.incidents.collect([other], NOON)
        assert (same, touched) == (other, [])
        assert watch.collect(3) != [None], "it is still the third that is above the rate"

    def test_never_begins_where_that_is_switched_off(self) -> None:
        watch = Watch(Bursts(0))
        assert watch.collect(*range(1, 100)) == [None] * 99
        assert watch.store.note("incidents") is None

    def test_tells_of_itself_whenever_it_has_collected_more(self) -> None:
        watch = Watch()
        _, [incident] = watch.incidents.collect([escalated(n) for n in (1, 2, 3)], NOON)
        sent = Effect("card", "sent", outside_id="ts-1")
        watch.store.change(incident.id, lambda c: cases.put(c, sent))
        _, [again] = watch.incidents.collect([escalated(4)], NOON)
        assert (update := again.effect("update"))
        assert update.state == "pending"
        _, [same] = watch.incidents.collect([escalated(4)], NOON)
        assert same == again

    def test_names_the_last_ones_of_many_and_counts_all(self) -> None:
        watch = Watch(Bursts(1, MINUTE))
        incident = None
        for start in range(0, MOST_MEMBERS + 20, 10):
            *_, incident = watch.collect(*range(start, start + 10))
        notice = watch.notice(incident)
        assert (notice.count, len(notice.cases)) == (MOST_MEMBERS + 19, MOST_MEMBERS)
        assert notice.cases[-1] == str(MOST_MEMBERS + 19)

    def test_keeps_its_note_small(self) -> None:
        watch = Watch(Bursts(1, MINUTE))
        for start in range(0, 5_000, 10):
            watch.collect(*range(start, start + 10))
        noted = watch.store.note("incidents")
        assert len(noted["cards"]) == MOST_COUNTED
        assert len(watch.store._notes["incidents"]) < 200_000

    def test_that_another_function_has_just_made_is_joined(self) -> None:
        watch = Watch()
        *_, incident = watch.collect(1, 2, 3)
        del watch.store._cases[incident or ""]  # it has only noted it as yet
        assert watch.collect(4) == [incident]
        assert watch.notice(incident).cases == ("4",)


class TestACalm:
    def watch(self) -> tuple[Watch, str]:
        """Six cards half a minute apart; the last two are collected."""
        watch = Watch(Bursts(4, 5 * MINUTE))
        incident = None
        for number in range(1, 7):
            [incident] = watch.collect(number)
            watch.minutes(0.5)
        assert incident
        return watch, incident

    def test_comes_when_half_the_rate_is_left(self) -> None:
        watch, incident = self.watch()
        watch.minutes(3.25)  # three of them are within five minutes still
        assert watch.incidents.calm(watch.clock()) == []
        assert watch.incidents.lasting(watch.clock()) == [incident]
        watch.minutes(0.25)
        [over] = watch.incidents.calm(watch.clock())
        assert over.id == incident
        assert watch.notice(incident).until == watch.clock()
        assert watch.incidents.lasting(watch.clock()) == []

    def test_is_told_once(self) -> None:
        watch, incident = self.watch()
        watch.minutes(10)
        assert watch.incidents.calm(watch.clock())
        until = watch.notice(incident).until
        watch.minutes(1)
        assert watch.incidents.calm(watch.clock()) == []
        assert watch.notice(incident).until == until

    def test_has_the_next_burst_be_another_incident(self) -> None:
        watch, incident = self.watch()
        watch.minutes(10)
        watch.incidents.calm(watch.clock())
        *single, other = watch.collect(*range(21, 26))
        assert single == [None] * 4
        assert other not in {None, incident}
        assert watch.notice(incident).count == 2
        assert watch.notice(other).count == 1

    def test_without_a_burst_is_nothing(self) -> None:
        watch = Watch()
        watch.collect(1)
        assert watch.incidents.calm(watch.clock()) == []

    def test_is_told_after_a_crash_on_the_way(self) -> None:
        watch, incident = self.watch()
        watch.minutes(10)
        dying = replace(watch.incidents, store=Dying(watch.store))
        with pytest.raises(Crash):
            dying.calm(watch.clock())
        until = watch.clock()
        watch.minutes(1)
        watch.incidents.calm(watch.clock())
        assert watch.notice(incident).until == until
        assert watch.incidents.lasting(watch.clock()) == []

    def test_of_a_burst_whose_card_was_never_stored_ends_it(self) -> None:
        watch, incident = self.watch()
        del watch.store._cases[incident]
        watch.minutes(10)
        assert watch.incidents.calm(watch.clock()) == []
        assert watch.incidents.lasting(watch.clock()) == []

    def test_does_not_end_a_burst_that_began_meanwhile(self) -> None:
        watch, _ = self.watch()
        watch.minutes(10)
        other: list[str | None] = []

        def meanwhile() -> None:
            watch.incidents.calm(watch.clock())
            watch.minutes(1 / 60)
            other.extend(watch.collect(*range(21, 26)))

        watch.store.before_change = meanwhile
        watch.incidents.calm(watch.clock())
        assert watch.incidents.lasting(watch.clock()) == [other[-1]]
        assert watch.notice(other[-1]).until is None


class Dying:
    """A store whose user dies before it changes a note."""

    def __init__(self, inner: MemoryCases) -> None:
        self._inner = inner

    def change_note(self, *_arguments: Any, **_named: Any) -> Any:
        raise Crash

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class TestAnOutage:
    def test_is_none_for_a_single_error(self) -> None:
        watch = Watch()
        assert watch.incidents.down(["1"], [], NOON) == ([], [])
        assert watch.up(NOON) == []
        assert watch.incidents.lasting(NOON) == []
        assert list(watch.store.newest()) == []
        watch.minutes(60)
        assert watch.incidents.down(["2"], [], watch.clock()) == ([], []), "nor for another one"

    def test_is_told_after_two_minutes_with_how_many_wait_since_when(self) -> None:
        watch = Watch()
        watch.incidents.down(["1", "2"], [], watch.clock())
        watch.minutes(1.9)
        assert watch.incidents.down(["1", "3"], [], watch.clock()) == ([], [])
        watch.minutes(0.1)
        _, [told] = watch.incidents.down(["2"], [], watch.clock())
        assert told.id == "incident-classifier-20261102T120200"
        assert told.notice == Incident("classifier", NOON, waiting=3)

    def test_has_those_that_waited_too_long_collected(self) -> None:
        watch = Watch()
        watch.incidents.down(["1", "2", "3"], [], watch.clock())
        watch.minutes(15)
        late = [escalated(1, verdict=None, remind_at=NOON), escalated(2, verdict=None)]
        found, [told] = watch.incidents.down(["3"], late, watch.clock())
        assert [(one.incident, one.remind_at) for one in found] == [(told.id, None)] * 2
        assert told.notice == Incident("classifier", NOON, 2, ("1", "2"), waiting=1)
        same, [again] = watch.incidents.down(["3"], late, watch.clock())
        assert (same, again) == (found, told)

    def test_is_over_when_the_classifier_answers(self) -> None:
        watch = Watch()
        [late], [told] = watch.incidents.down(["2"], [escalated(1, verdict=None)], NOON)
        watch.minutes(20)
        [over] = watch.up(watch.clock())
        assert over.notice == Incident("classifier", NOON, 1, (late.id,), 0, watch.clock())
        assert over.id == told.id
        assert watch.up(watch.clock()) == []
        assert watch.incidents.lasting(watch.clock()) == []

    def test_after_another_is_another(self) -> None:
        watch = Watch()
        _, [first] = watch.incidents.down([], [escalated(1, verdict=None)], watch.clock())
        watch.minutes(3)
        watch.up(watch.clock())
        watch.minutes(1)
        _, [second] = watch.incidents.down([], [escalated(2, verdict=None)], watch.clock())
        assert first.id != second.id
        assert second.notice == Incident("classifier", watch.clock(), 1, ("2",))

    def test_beside_a_burst_of_the_same_second_is_another(self) -> None:
        watch = Watch()
        *_, burst = watch.collect(1, 2, 3)
        _, [outage] = watch.incidents.down([], [escalated(4, verdict=None)], watch.clock())
        assert watch.incidents.lasting(NOON) == [burst, outage.id]
        watch.minutes(3)
        watch.up(watch.clock())
        assert watch.incidents.lasting(watch.clock()) == [burst]
        assert watch.notice(burst).cause == "burst"

    def test_that_comes_and_goes_is_one(self) -> None:
        watch = Watch()
        for number in range(10):
            watch.incidents.down([], [escalated(number, verdict=None)], watch.clock())
            watch.minutes(1)
            assert watch.up(watch.clock()) == []
        [outage] = watch.incidents.lasting(watch.clock())
        watch.minutes(2)
        [over] = watch.incidents.calm(watch.clock())
        assert over.id == outage
        assert over.notice == replace(watch.notice(outage), count=10, until=watch.clock())

    def test_that_nothing_has_answered_since_is_not_over(self) -> None:
        watch = Watch()
        watch.incidents.down([], [escalated(1, verdict=None)], watch.clock())
        watch.minutes(60)
        assert watch.incidents.calm(watch.clock()) == []

    def test_is_not_told_where_the_console_is_the_channel(self) -> None:
        watch = Watch(channels=CONSOLE)
        late = [escalated(1, Effect("card", "sent"), verdict=None)]
        assert watch.incidents.down(["2"], late, NOON) == (late, [])
        assert watch.store.note("incidents") is None

    def test_keeps_its_note_small(self) -> None:
        watch = Watch()
        for start in range(0, 3_000, 100):
            held = [str(one) for one in range(start, start + 100)]
            watch.incidents.down(held, [], watch.clock())
        assert len(watch.store.note("incidents")["waiting"]) == MOST_WAITING

    def test_is_over_after_a_crash_on_the_way(self) -> None:
        watch = Watch()
        _, [told] = watch.incidents.down([], [escalated(1, verdict=None)], NOON)
        watch.minutes(3)
        with pytest.raises(Crash):
            replace(watch.incidents, store=Dying(watch.store)).collect([], watch.clock(), up=True)
        watch.up(watch.clock())
        assert watch.notice(told.id).until == watch.clock()
        assert watch.incidents.lasting(watch.clock()) == []

    def test_that_began_meanwhile_is_not_ended(self) -> None:
        watch = Watch()
        watch.incidents.down([], [escalated(1, verdict=None)], watch.clock())

        def meanwhile() -> None:
            watch.up(watch.clock())
            watch.minutes(1)
            watch.incidents.down([], [escalated(2, verdict=None)], watch.clock())

        watch.store.before_change = meanwhile
        watch.up(NOON)
        [lasting] = watch.incidents.lasting(watch.clock())
        assert watch.notice(lasting).until is None


def bot_that_is_down(failures: list[Turn] | None = None) -> Simulation:
    bot = Simulation(bursts=Bursts(0))
    down = WordClassifier(failures=[BUSY] * 10_000 if failures is None else failures)
    bot.desk = desk(down, incidents=bot.incidents)
    return bot


def notices(bot: Simulation) -> list[Case]:
    return [one for one in bot.store.newest() if one.notice]


def the_notice(bot: Simulation) -> Incident:
    [made] = notices(bot)
    assert isinstance(made.notice, Incident)
    return made.notice


class TestAClassifierThatIsDown:
    def test_for_one_call_is_no_news(self) -> None:
        bot = bot_that_is_down([BUSY])
        bot.arrive(angry(1))
        bot.run_on()
        assert notices(bot) == []

    def test_is_told_to_the_channel_and_then_that_it_is_over(self) -> None:
        bot = bot_that_is_down([BUSY] * 20)
        bot.arrive(*[angry(number) for number in range(1, 4)])
        bot.run_on(5)
        told = the_notice(bot)
        assert (told.cause, told.since, told.waiting, told.until) == ("classifier", NOON, 3, None)
        bot.desk = desk(incidents=bot.incidents)
        bot.run_on()
        assert the_notice(bot).until is None, "it may be down again at once"
        bot.clock.wait(180)
        bot.housekeep()
        bot.run_on()
        assert the_notice(bot).until
        assert bot.slack.happened == {notices(bot)[0].id: 1, "1": 1, "2": 1, "3": 1}
        assert {one.incident for one in bot.store.newest()} == {None}

    def test_has_what_waited_too_long_on_one_card_oldest_first(self) -> None:
        bot = bot_that_is_down()
        bot.arrive(*[angry(number) for number in range(1, 4)])
        bot.run_on(40)
        [notice] = notices(bot)
        late = bot.store.get(["1", "2", "3"]).values()
        assert {one.incident for one in late} == {notice.id}
        assert {one.route for one in late} == {"escalate"}
        assert the_notice(bot).count == 3
        assert next(iter(bot.slack.happened)) == notice.id, "its card comes before theirs"

    def test_is_up_again_when_it_judges_an_edit(self) -> None:
        bot = bot_that_is_down([])
        bot.arrive(angry(1))
        bot.run_on(1)
        bot.incidents.down(["9"], [], bot.clock())
        bot.arrive(replace(angry(1), id="2"))
        bot.triage()
        assert bot.store.note("incidents")["down_since"] is None

    def test_for_a_text_of_many_is_not_down(self) -> None:
        bot = bot_that_is_down()
        refuses = WordClassifier(refused={"cursed": Permanent("Too strange.")})
        bot.desk = desk(refuses, incidents=bot.incidents)
        bot.arrive(angry(1), angry(2, text="angry and cursed"))
        bot.triage()
        assert bot.store.note("incidents") is None

    def test_has_no_part_in_the_rate_of_cards(self) -> None:
        bot = bot_that_is_down()
        bot.incidents = replace(bot.incidents, bursts=SMALL)
        bot.desk = replace(bot.desk, incidents=bot.incidents)
        bot.arrive(*[angry(number) for number in range(1, 9)])
        bot.run_on(40)
        assert [one.id.split("-")[1] for one in notices(bot)] == ["classifier"]


def test_the_card_that_collects_is_queued_before_those_it_collects() -> None:
    bot = Simulation(bursts=SMALL)
    bot.arrive(*[angry(number) for number in range(1, 5)])
    bot.triage()
    first, *others = [body["case"] for body in bot.cards.bodies()]
    assert first == "incident-burst-20261102T120000"
    assert set(others) == {"1", "2", "3", "4"}


class TestADeletedPost:
    def test_leaves_the_card_that_quoted_it(self) -> None:
        bot = Simulation(bursts=Bursts(1, 5 * MINUTE))
        bot.arrive(angry(1), angry(2))
        bot.run_on(2)
        [incident] = notices(bot)
        bot.arrive(Deleted("2"))
        bot.run_on(10)
        [*_, (drawn, _)] = [seen for seen in bot.updates.seen if seen[0].id == incident.id]
        assert drawn.id == incident.id
        assert bot.store.get(["2"])["2"].erased


def run(work: Sequence[threading.Thread]) -> None:
    for one in work:
        one.start()
    for one in work:
        one.join()


def test_five_functions_at_once_lose_none_and_agree_on_one_incident(tmp_path: Path) -> None:
    store = SqliteCases(Database(tmp_path / "bot.sqlite"), timedelta(days=90))
    incidents = Incidents(store, USUAL, QUEUED)
    own, queue, clock = desk(incidents=incidents), MemoryQueue(Clock()), Clock()
    failures: list[BaseException] = []

    def function(number: int) -> None:
        arrivals = [Arrival(angry(100 * number + one), NOON) for one in range(40)]
        try:
            for start in range(0, 40, 5):
                triage(arrivals[start : start + 5], own, store, {"cards": queue}, clock())
        except (Failure, AssertionError, LookupError) as failure:
            failures.append(failure)

    run([threading.Thread(target=function, args=(number,)) for number in range(5)])
    assert failures == []
    found = list(store.newest())
    [incident] = [one for one in found if one.notice]
    assert isinstance(incident.notice, Incident)
    assert len(found) == 201
    collected = {one.id for one in found if one.incident}
    assert len(collected) == incident.notice.count == 190
    assert set(incident.notice.cases) == collected
    queued = {body["case"] for body in queue.bodies() if body["effect"] == "card"}
    assert queued == {one.id for one in found}
