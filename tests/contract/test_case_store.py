"""What every case store promises (`bot.ports.CaseStore`), asked of both."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest

from bot.cases import Case, Effect
from bot.ports import CaseStore
from tests.contract.examples import NOW, a_case, due, tell, told

MINUTE = timedelta(minutes=1)
MOMENT = timedelta(microseconds=1)


def ids(cases: Iterator[Case]) -> list[str]:
    return [case.id for case in cases]


class TestAdding:
    def test_tells_which_cases_are_new(self, store: CaseStore) -> None:
        assert store.add([a_case("1"), a_case("2")]) == {"1", "2"}
        assert store.add([a_case("2"), a_case("3")]) == {"3"}

    def test_leaves_a_case_that_is_there_as_it_is(self, store: CaseStore) -> None:
        store.add([a_case("1")])
        store.add([a_case("1", assignee="U0AGENT")])
        assert store.get(["1"]) == {"1": a_case("1")}

    def test_takes_the_first_of_two_with_the_same_id(self, store: CaseStore) -> None:
        assert store.add([a_case("1"), a_case("1", resolved=True)]) == {"1"}
        assert store.get(["1"]) == {"1": a_case("1")}

    def test_of_nothing_adds_nothing(self, store: CaseStore) -> None:
        assert store.add([]) == set()
        assert ids(store.newest()) == []


class TestGetting:
    def test_passes_over_ids_that_do_not_exist_or_come_twice(self, store: CaseStore) -> None:
        store.add([a_case("1"), a_case("2")])
        assert store.get(["2", "absent", "2"]) == {"2": a_case("2")}
        assert store.get([]) == {}

    def test_finds_more_cases_than_one_call_may_ask_for(self, store: CaseStore) -> None:
        cases = [a_case(str(number)) for number in range(130)]
        store.add(cases)
        assert store.get([case.id for case in cases]) == {case.id: case for case in cases}


class TestChanging:
    def test_stores_what_the_change_made_and_returns_it(self, store: CaseStore) -> None:
        store.add([a_case("1")])
        changed = store.change("1", tell("claimed"))
        assert told(changed) == ["claimed"]
        assert store.get(["1"]) == {"1": changed}

    def test_keeps_what_another_writer_changes_in_its_middle(self, store: CaseStore) -> None:
        store.add([a_case("1")])
        other = Thread(target=store.change, args=("1", tell("theirs")))

        def slow(case: Case) -> Case:
            if other.ident is None:
                other.start()
                # SQLite keeps the other waiting until we are done, DynamoDB lets it win.
                other.join(0.3)
            return tell("ours")(case)

        store.change("1", slow)
        other.join()
        assert sorted(told(store.get(["1"])["1"])) == ["ours", "theirs"]

    def test_by_two_writers_at_once_loses_nothing(self, store: CaseStore) -> None:
        store.add([a_case("1")])
        together = Barrier(2)

        def write(name: str) -> None:
            together.wait()
            for number in range(5):
                store.change("1", tell(f"{name}{number}"))

        writers = [Thread(target=write, args=(name,)) for name in "ab"]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        lines = told(store.get(["1"])["1"])
        assert sorted(lines) == sorted(f"{name}{number}" for name in "ab" for number in range(5))

    def test_of_a_missing_case_gives_none_and_makes_none(self, store: CaseStore) -> None:
        assert store.change("absent", tell("claimed")) is None
        assert store.get(["absent"]) == {}

    def test_that_fails_leaves_the_case_and_the_store_usable(self, store: CaseStore) -> None:
        store.add([a_case("1")])

        def refuse(_: Case) -> Case:
            raise LookupError("This case has no reply.")

        with pytest.raises(LookupError):
            store.change("1", refuse)
        assert store.get(["1"]) == {"1": a_case("1")}
        assert told(store.change("1", tell("claimed"))) == ["claimed"]


class TestDeleting:
    def test_leaves_nothing_of_these_cases_and_the_others_as_they_are(
        self, store: CaseStore
    ) -> None:
        store.add([due("1", NOW), a_case("2"), a_case("3")])
        store.delete(["1", "3", "absent"])
        assert ids(store.newest()) == ["2"]
        assert store.get(["1", "2", "3"]) == {"2": a_case("2")}
        assert (ids(iter(store.open(10))), store.due(NOW, 10)) == (["2"], [])
        assert store.change("1", tell("claimed")) is None

    def test_makes_room_for_a_case_of_the_same_id(self, store: CaseStore) -> None:
        store.add([a_case("1")])
        store.delete(["1"])
        assert store.add([a_case("1", assignee="U0AGENT")]) == {"1"}

    def test_of_nothing_deletes_nothing(self, store: CaseStore) -> None:
        store.add([a_case("1")])
        store.delete([])
        assert ids(store.newest()) == ["1"]

    def test_is_lost_on_a_change_that_began_before(self, store: CaseStore) -> None:
        store.add([a_case("1")])
        other = Thread(target=store.delete, args=(["1"],))

        def slow(case: Case) -> Case:
            if other.ident is None:
                other.start()
                other.join(0.3)  # SQLite keeps it waiting until we are done
            return tell("ours")(case)

        store.change("1", slow)
        other.join()
        assert store.get(["1"]) == {}


class TestNewest:
    def test_come_last_received_first_over_days(self, store: CaseStore) -> None:
        ages = [timedelta(), timedelta(microseconds=1), timedelta(seconds=1)]
        ages += [timedelta(days=days) for days in (1, 2, 9)]
        store.add([a_case(str(number), NOW - age) for number, age in enumerate(ages)])
        assert ids(store.newest()) == [str(number) for number in range(len(ages))]

    def test_come_all_however_many_of_one_moment_there_are(self, store: CaseStore) -> None:
        store.add([a_case(f"{number:03}") for number in range(210)])
        assert ids(store.newest()) == [f"{number:03}" for number in reversed(range(210))]

    def test_may_begin_with_those_of_a_moment(self, store: CaseStore) -> None:
        ages = [timedelta(), MOMENT, timedelta(hours=1), timedelta(days=1)]
        store.add([a_case(str(number), NOW - age) for number, age in enumerate(ages)])
        assert ids(store.newest(NOW - MOMENT)) == ["1", "2", "3"]
        assert ids(store.newest(NOW - timedelta(days=2))) == []

    def test_may_end_with_those_of_a_moment(self, store: CaseStore) -> None:
        ages = [timedelta(), MOMENT, timedelta(hours=1), timedelta(days=1), timedelta(days=3)]
        store.add([a_case(str(number), NOW - age) for number, age in enumerate(ages)])
        assert ids(store.newest(since=NOW - timedelta(hours=1))) == ["0", "1", "2"]
        assert ids(store.newest(NOW - MOMENT, since=NOW - timedelta(days=1))) == ["1", "2", "3"]
        assert ids(store.newest(since=NOW + MOMENT)) == []

    def test_do_not_include_notes(self, store: CaseStore) -> None:
        store.set_note("cursor", "1")
        assert ids(store.newest()) == []


class TestOpen:
    def test_come_longest_waiting_first_up_to_the_limit(self, store: CaseStore) -> None:
        ages = [timedelta(days=9), timedelta(days=1), MINUTE, MOMENT, timedelta()]
        cases = [a_case(str(number), NOW - age) for number, age in enumerate(ages)]
        store.add([*reversed(cases), a_case("5")])
        assert store.open(10) == [*cases, a_case("5")]
        assert ids(iter(store.open(2))) == ["0", "1"]
        assert store.open(0) == []

    def test_are_those_that_wait_for_a_person(self, store: CaseStore) -> None:
        done = a_case("1")
        others = [
            replace(done, route="reply"),
            replace(done, route="skip"),
            replace(done, resolved=True),
            replace(done, erased=True),
        ]
        for number, other in enumerate(others, 1):
            store.add([replace(other, tweet=a_case(str(number)).tweet)])
        store.add([a_case("waits", assignee="U0AGENT")])
        assert ids(iter(store.open(10))) == ["waits"]

    @pytest.mark.parametrize("end", [{"resolved": True}, {"erased": True}, {"route": "skip"}])
    def test_leave_with_their_end_and_come_back_in_their_old_place(
        self, store: CaseStore, end: dict[str, Any]
    ) -> None:
        store.add([a_case("1", NOW - MINUTE), a_case("2")])
        store.change("1", lambda case: replace(case, **end))
        assert ids(iter(store.open(10))) == ["2"]
        store.change("1", lambda _: a_case("1", NOW - MINUTE))
        assert ids(iter(store.open(10))) == ["1", "2"]


class TestDue:
    def test_come_longest_due_first_up_to_the_limit(self, store: CaseStore) -> None:
        store.add([due(f"{age}", NOW - timedelta(seconds=age)) for age in (1, 3, 0, 2)])
        assert store.due(NOW, 10) == ["3", "2", "1", "0"]
        assert store.due(NOW, 2) == ["3", "2"]

    def test_leave_out_what_is_due_later_or_never(self, store: CaseStore) -> None:
        store.add([due("later", NOW + timedelta(microseconds=1)), a_case("never")])
        assert store.due(NOW, 10) == []

    def test_follow_each_change(self, store: CaseStore) -> None:
        store.add([due("1", NOW), a_case("2")])
        done = Effect("card", "sent", outside_id="1700.1")
        store.change("1", lambda case: replace(case, effects=(done,)))
        store.change("2", lambda case: replace(case, effects=due("2", NOW).effects))
        assert store.due(NOW, 10) == ["2"]


class TestNotes:
    @pytest.mark.parametrize("value", ["1", 0, "", None, False, {"at": [1.5, "😡\0"]}])
    def test_come_back_as_they_were_set(self, store: CaseStore, value: object) -> None:
        store.set_note("cursor", "before")
        store.set_note("cursor", value)
        assert store.note("cursor") == value

    def test_are_none_where_never_set_and_no_cases(self, store: CaseStore) -> None:
        store.set_note("1", "a note")
        assert store.note("absent") is None
        assert store.get(["1"]) == {}

    def test_with_a_time_come_back_like_others(self, store: CaseStore) -> None:
        store.set_note("edit-2", "1", NOW)
        assert store.note("edit-2") == "1"


class TestSeveralNotes:
    def test_are_read_at_once(self, store: CaseStore) -> None:
        store.set_note("a", [1])
        store.set_note("b", {"c": None})
        assert store.notes(["a", "b", "absent", "a"]) == {"a": [1], "b": {"c": None}}
        assert store.notes([]) == {}

    def test_may_be_more_than_one_call_can_read(self, store: CaseStore) -> None:
        names = [f"n{number}" for number in range(101)]
        for name in names:
            store.set_note(name, name)
        assert store.notes(names) == {name: name for name in names}


class TestAChangeOfANote:
    def test_begins_with_nothing_and_goes_on_from_what_is_there(self, store: CaseStore) -> None:
        assert store.change_note("count", lambda count: (count or 0) + 1) == 1
        assert store.change_note("count", lambda count: (count or 0) + 1) == 2
        assert store.note("count") == 2

    def test_goes_on_from_what_was_set(self, store: CaseStore) -> None:
        store.set_note("list", [1])
        assert store.change_note("list", lambda value: [*value, 2]) == [1, 2]

    def test_that_was_thought_new_goes_on_from_what_is_there(self, store: CaseStore) -> None:
        for count in (1, 2, 3):
            assert store.change_note("count", lambda count: (count or 0) + 1, new=True) == count
        assert store.note("count") == 3

    def test_that_fails_changes_nothing(self, store: CaseStore) -> None:
        store.set_note("count", 1)

        def fails(_count: object) -> object:
            raise ValueError

        with pytest.raises(ValueError):  # noqa: PT011
            store.change_note("count", fails)
        assert store.note("count") == 1

    def test_is_made_again_on_what_another_writer_left(self, store: CaseStore) -> None:
        with ThreadPoolExecutor(4) as pool:
            for _ in range(8):
                pool.submit(store.change_note, "count", lambda count: (count or 0) + 1)
        assert store.note("count") == 8


class TestALease:
    def test_goes_to_one_holder_until_its_time_is_over(self, store: CaseStore) -> None:
        assert store.lease("poller", "a", NOW, NOW + MINUTE)
        assert not store.lease("poller", "b", NOW, NOW + MINUTE)
        assert not store.lease("poller", "b", NOW + MINUTE - MOMENT, NOW + 2 * MINUTE)
        assert store.lease("poller", "b", NOW + MINUTE, NOW + 2 * MINUTE)
        assert not store.lease("poller", "a", NOW + MINUTE, NOW + 2 * MINUTE)

    def test_can_be_prolonged_by_its_holder(self, store: CaseStore) -> None:
        store.lease("poller", "a", NOW, NOW + MINUTE)
        assert store.lease("poller", "a", NOW + MINUTE / 2, NOW + 2 * MINUTE)
        assert not store.lease("poller", "b", NOW + MINUTE, NOW + 2 * MINUTE)

    def test_that_was_given_back_is_free_at_once(self, store: CaseStore) -> None:
        store.lease("poller", "a", NOW, NOW + MINUTE)
        assert store.lease("poller", "a", NOW, NOW)
        assert store.lease("poller", "b", NOW, NOW + MINUTE)

    def test_cannot_be_given_back_by_who_lost_it(self, store: CaseStore) -> None:
        store.lease("poller", "a", NOW, NOW + MINUTE)
        store.lease("poller", "b", NOW + MINUTE, NOW + 2 * MINUTE)
        assert not store.lease("poller", "a", NOW, NOW)
        assert not store.lease("poller", "c", NOW + MINUTE, NOW + 2 * MINUTE)

    def test_says_nothing_about_others_and_is_no_note_and_no_case(self, store: CaseStore) -> None:
        store.lease("poller", "a", NOW, NOW + MINUTE)
        assert store.lease("reporter", "b", NOW, NOW + MINUTE)
        assert (store.note("poller"), store.get(["poller"]), ids(store.newest())) == (None, {}, [])

    def test_asked_for_by_many_at_once_goes_to_one(self, store: CaseStore) -> None:
        together = Barrier(8)
        got: list[str] = []

        def ask(holder: str) -> None:
            together.wait()
            if store.lease("poller", holder, NOW, NOW + MINUTE):
                got.append(holder)

        pollers = [Thread(target=ask, args=(holder,)) for holder in "abcdefgh"]
        for poller in pollers:
            poller.start()
        for poller in pollers:
            poller.join()
        assert len(got) == 1
