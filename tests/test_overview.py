"""What the console lists, from a real file: sides, changes, search, sums."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import cases, deeds, records
from bot.cases import Case, Effect, EffectKind
from bot.errors import Refused
from bot.notices import Digest, Incident
from bot.policy import Route
from bot.storage import sqlite
from bot.storage.overview import Bar, Side, SqliteOverview
from bot.storage.sqlite import Database, SqliteCases
from bot.tweets import Author
from tests.examples import NOON, case

RETENTION = timedelta(days=90)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ROUTES: tuple[Route, ...] = ("escalate", "reply", "skip")


class File:
    """A database with its two views."""

    def __init__(self, path: Path) -> None:
        database = Database(path)
        self.store = SqliteCases(database, RETENTION)
        self.overview = SqliteOverview(database)

    def found(self, words: str) -> list[str]:
        return [found.id for found in self.overview.search(words, 10)]


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File(tmp_path / "bot.sqlite")


def a_case(
    case_id: str,
    text: str = "Hello",
    route: Route = "escalate",
    at: datetime = NOON,
    waited: float = 0,
    *effects: Effect,
) -> Case:
    made = case(text, route=route, received_at=at, effects=effects)
    tweet = replace(made.tweet, id=case_id, root_id=case_id)
    return replace(made, tweet=tweet, decided_at=at + timedelta(seconds=waited))


def pages(overview: SqliteOverview, side: Side, size: int) -> Iterator[list[Case]]:
    """A side's cases as the console asks for them."""
    before = None
    while page := overview.newest(side, size, before):
        yield page
        before = page[-1].received_at, page[-1].id


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> tuple[File, list[Case]]:
    """Ten thousand cases, many of one moment, in no order."""
    chance = Random(7)  # noqa: S311
    made = [
        a_case(
            str(number),
            f"parcel {number}",
            chance.choice(ROUTES),
            NOON + timedelta(milliseconds=chance.choice([0, 1, 500, 1000]) * chance.randint(0, 99)),
        )
        for number in range(10_000)
    ]
    file = File(tmp_path_factory.mktemp("many") / "bot.sqlite")
    file.store.add(made)
    return file, made


class TestASide:
    @pytest.mark.parametrize(
        ("side", "routes"), [("channel", {"escalate"}), ("bot", {"reply", "skip"})]
    )
    def test_of_ten_thousand_cases_is_paged_through_once_each_last_received_first(
        self, many: tuple[File, list[Case]], side: Side, routes: set[Route]
    ) -> None:
        file, made = many
        read = [found for page in pages(file.overview, side, 97) for found in page]
        wanted = [one for one in made if one.route in routes]
        assert read == sorted(wanted, key=lambda c: (c.received_at, c.id), reverse=True)

    @settings(max_examples=30, deadline=None)
    @given(data=st.data())
    def test_is_paged_through_whatever_the_page(
        self, many: tuple[File, list[Case]], data: st.DataObject
    ) -> None:
        file, made = many
        start = data.draw(st.sampled_from(made))
        size = data.draw(st.integers(1, 200))
        place = start.received_at, start.id
        wanted = sorted(
            (c for c in made if c.route == "escalate" and (c.received_at, c.id) < place),
            key=lambda c: (c.received_at, c.id),
            reverse=True,
        )
        assert file.overview.newest("channel", size, place) == wanted[:size]

    def test_gives_a_case_to_the_other_when_its_route_changes(self, file: File) -> None:
        file.store.add([a_case("1", route="skip")])
        file.store.change("1", lambda c: replace(c, route="escalate"))
        assert file.overview.newest("bot", 9) == []
        assert [found.id for found in file.overview.newest("channel", 9)] == ["1"]


class TestAChange:
    def test_is_told_to_whoever_knows_an_earlier_tick(self, file: File) -> None:
        begin = file.overview.tick()
        file.store.add([a_case("1"), a_case("2")])
        middle = file.overview.tick()
        file.store.change("1", lambda c: deeds.claimed(c, "U1", NOON))
        end = file.overview.tick()
        assert begin < middle < end
        assert {found.id for found in file.overview.changed(begin, 9)} == {"1", "2"}
        [told] = file.overview.changed(middle, 9)
        assert (told.id, told.assignee) == ("1", "U1")
        assert file.overview.changed(end, 9) == []

    def test_that_changes_nothing_is_none(self, file: File) -> None:
        file.store.add([a_case("1")])
        before = file.overview.tick()
        file.store.change("1", lambda c: c)
        file.store.change("404", lambda c: replace(c, resolved=True))
        assert file.overview.changed(before, 9) == []

    def test_by_another_process_is_told_too(self, tmp_path: Path) -> None:
        ours, theirs = File(tmp_path / "bot.sqlite"), File(tmp_path / "bot.sqlite")
        tick = ours.overview.tick()
        theirs.store.add([a_case("1")])
        assert [found.id for found in ours.overview.changed(tick, 9)] == ["1"]

    def test_is_one_of_no_more_than_were_asked_for(self, many: tuple[File, list[Case]]) -> None:
        file, _ = many
        assert len(file.overview.changed(0, 200)) == 200


class TestASearch:
    @pytest.fixture
    def stocked(self, file: File) -> File:
        reply = Effect("reply", "sent", text="Dear Otto, we call you", by="U1")
        out = Effect("card", "sent", outside_id="ts-1")
        named = a_case("2", "Wo ist mein GROẞES Päckchen?", "reply", NOON + MINUTE)
        named = replace(
            named, tweet=replace(named.tweet, author=Author("9", "Mira_X", "Mira Ωmega"))
        )
        file.store.add(
            [
                a_case("1", "My parcel never came, 100% late"),
                named,
                a_case("3", "Nothing_at all 'quoted' \"twice\" \\ --", "skip", NOON + 2 * MINUTE),
                a_case("4", "hm", "escalate", NOON + 3 * MINUTE, 0, out, reply),
                a_case("5", "hm", "escalate", NOON, 0, out, replace(out, kind="update"), reply),
            ]
        )
        return file

    @pytest.mark.parametrize(
        ("words", "ids"),
        [
            ("parcel", ["1"]),
            ("PARCEL  came", ["1"]),
            ("came parcel", ["1"]),
            ("parcel zebra", []),
            ("@mira_x", ["2"]),
            ("mira_x", ["2"]),
            ("ωMEGA", ["2"]),
            ("grosses päckchen", ["2"]),
            ("otto call", ["4", "5"]),
            ("hm dear", ["4", "5"]),
        ],
    )
    def test_finds_the_cases_in_which_each_word_stands_newest_first(
        self, stocked: File, words: str, ids: list[str]
    ) -> None:
        assert stocked.found(words) == ids

    @pytest.mark.parametrize(
        ("words", "ids"),
        [
            ("%", ["1"]),
            ("100%", ["1"]),
            ("nothing_at", ["3"]),
            ("nothing%at", []),
            ("'quoted'", ["3"]),
            ('"twice"', ["3"]),
            ("\\", ["3"]),
            ("'; DROP TABLE cases; --", []),
            ("*", []),
            ("\0", []),
            ("\ud800", []),
        ],
    )
    def test_takes_every_character_for_itself(
        self, stocked: File, words: str, ids: list[str]
    ) -> None:
        assert stocked.found(words) == ids

    def test_for_an_id_finds_its_case(self, file: File) -> None:
        file.store.add([a_case("1985000000000000042"), a_case("7")])
        assert file.found("1985000000000000042") == ["1985000000000000042"]

    @pytest.mark.parametrize("words", ["", "  ", "@"])
    def test_for_nothing_finds_the_newest(self, stocked: File, words: str) -> None:
        assert stocked.found(words)[0] == "4"

    def test_finds_no_more_than_was_asked_for(self, many: tuple[File, list[Case]]) -> None:
        file, _ = many
        assert len(file.overview.search("parcel", 100)) == 100

    def test_does_not_find_what_was_erased(self, stocked: File) -> None:
        stocked.store.change("2", lambda c: cases.erased(c, NOON))
        assert stocked.found("päckchen") == stocked.found("mira_x") == []

    @settings(max_examples=30, deadline=None)
    @given(words=st.text(max_size=20))
    def test_bears_whatever_is_typed(self, many: tuple[File, list[Case]], words: str) -> None:
        file, _ = many
        assert len(file.overview.search(words, 5)) <= 5

    def test_for_more_than_a_person_types_is_refused(self, file: File) -> None:
        assert file.found("x" * 200) == []
        with pytest.raises(Refused, match="200 characters at most"):
            file.found("x " * 101)


class TestWhatTheChannelWasToldThatIsAboutNoTweet:
    """It lies beside the cases (`bot.notices`), and is none."""

    @pytest.fixture
    def told(self, file: File) -> File:
        begun = Incident("burst", NOON - MINUTE, 1, ("1",))
        incident = replace(a_case("incident-1"), route="notice", notice=begun)
        digest = Digest(NOON - HOUR, NOON, 1, 1, 0, 0, None, None, 0, 1)
        file.store.add(
            [
                a_case("1", waited=4),
                replace(incident, received_at=NOON - MINUTE),
                replace(a_case("digest-1"), route="notice", notice=digest),
            ]
        )
        return file

    def test_is_in_no_list(self, told: File) -> None:
        for side in get_args(Side):
            assert {one.id for one in told.overview.newest(side, 9)} <= {"1"}

    def test_is_no_change(self, told: File) -> None:
        assert [one.id for one in told.overview.changed(0, 9)] == ["1"]
        tick = told.overview.tick()
        told.store.change("incident-1", lambda c: replace(c, resolved=True))
        assert told.overview.changed(tick, 9) == []

    @pytest.mark.parametrize("words", ["", "hello", "incident", "digest"])
    def test_is_not_found(self, told: File, words: str) -> None:
        assert set(told.found(words)) <= {"1"}

    def test_counts_for_nothing(self, told: File) -> None:
        tally = told.overview.tally(NOON + MINUTE, HOUR, 1)
        assert [tally.total(route) for route in ROUTES] == [1, 0, 0]
        assert tally.median == 4


@pytest.mark.parametrize(
    ("ask", "searched"),
    [
        (lambda overview: overview.changed(1, 9), "tick>?"),
        (lambda overview: overview.tally(NOON, HOUR, 4), "received_at>?"),
    ],
    ids=["a change", "a tally"],
)
def test_what_is_asked_again_and_again_reads_a_stretch_of_an_index(
    file: File, ask: Callable[[SqliteOverview], object], searched: str
) -> None:
    asked: list[str] = []
    connection = file.overview._database.connection()
    connection.set_trace_callback(asked.append)
    ask(file.overview)
    connection.set_trace_callback(None)
    for statement in asked:
        [plan, *_] = connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
        assert searched in plan[3]


def test_an_answer_is_found_beside_all_else_that_a_case_does(file: File) -> None:
    kinds: tuple[EffectKind, ...] = ("card", "update", "line")
    others = [Effect(kind, "sent", outside_id="ts") for kind in kinds]
    answer = Effect("reply", "sent", text="Dear Otto", by="U1")
    file.store.add([a_case("1", "hm", "escalate", NOON, 0, *others, answer)])
    assert file.found("otto") == ["1"]


def test_a_record_nobody_can_read_hides_no_other(file: File) -> None:
    file.store.add([a_case("1"), a_case("2")])
    connection = sqlite3.connect(file.overview._database.path)
    with connection:
        connection.execute("""UPDATE cases SET body = '{"route": "escalate"}' WHERE id = '1'""")
    assert [found.id for found in file.overview.newest("channel", 10)] == ["2"]
    with connection:
        connection.execute("UPDATE cases SET body = 'no JSON' WHERE id = '1'")
    connection.close()
    assert file.found("hello") == ["2"]


def moments(*minutes: float) -> list[Case]:
    """A case each, received so many minutes before noon."""
    return [a_case(str(n), at=NOON - before * MINUTE) for n, before in enumerate(minutes)]


class TestATally:
    def test_counts_each_route_in_the_bar_of_its_time(self, file: File) -> None:
        file.store.add(
            [
                a_case("1", "a", "escalate", NOON - 59 * MINUTE),
                a_case("2", "b", "reply", NOON - 59 * MINUTE),
                a_case("3", "c", "reply", NOON - 10 * MINUTE),
                a_case("4", "d", "skip", NOON - MINUTE),
            ]
        )
        tally = file.overview.tally(NOON, HOUR, 4)
        assert tally.bars == (
            Bar(NOON - 60 * MINUTE, escalate=1, reply=1),
            Bar(NOON - 45 * MINUTE),
            Bar(NOON - 30 * MINUTE),
            Bar(NOON - 15 * MINUTE, reply=1, skip=1),
        )
        assert [tally.total(route) for route in ROUTES] == [1, 2, 1]

    def test_has_each_edge_in_the_bar_that_begins_there(self, file: File) -> None:
        file.store.add(moments(*range(60, 0, -1)))
        tally = file.overview.tally(NOON, HOUR, 60)
        assert [bar.escalate for bar in tally.bars] == [1] * 60

    @pytest.mark.parametrize(("period", "bars"), [(HOUR, 60), (24 * HOUR, 48), (7 * 24 * HOUR, 56)])
    def test_has_what_came_at_a_bars_last_moment_within_it(
        self, file: File, period: timedelta, bars: int
    ) -> None:
        step, moment = period / bars, timedelta(milliseconds=1)
        starts = [NOON - period + at * step for at in range(bars)]
        file.store.add(
            [a_case(f"{at}-{edge}", at=start + edge)
             for at, start in enumerate(starts)
             for edge in (timedelta(0), step - moment)]
        )  # fmt: skip
        tally = file.overview.tally(NOON, period, bars)
        assert [bar.escalate for bar in tally.bars] == [2] * bars
        assert [bar.start for bar in tally.bars] == starts

    def test_begins_with_its_period(self, file: File) -> None:
        file.store.add(moments(60, 60.001))
        assert file.overview.tally(NOON, HOUR, 4).total("escalate") == 1

    def test_has_what_a_clock_that_was_ahead_stamped_in_its_last_bar(self, file: File) -> None:
        file.store.add(moments(0, -5))
        assert file.overview.tally(NOON, HOUR, 4).bars[-1].escalate == 2

    def test_of_ten_thousand_cases_counts_each_once(self, many: tuple[File, list[Case]]) -> None:
        file, made = many
        tally = file.overview.tally(NOON + 3 * MINUTE, HOUR, 60)
        for route in ROUTES:
            assert tally.total(route) == sum(one.route == route for one in made)

    @pytest.mark.parametrize(
        ("waits", "median"), [([4.25], 4.25), ([1, 9, 2], 2), ([1, 2, 3, 50], 3), ([], None)]
    )
    def test_tells_how_long_the_middle_one_waited_for_its_decision(
        self, file: File, waits: list[float], median: float | None
    ) -> None:
        file.store.add([a_case(str(n), waited=wait) for n, wait in enumerate(waits)])
        file.store.add([a_case("old", at=NOON - 2 * HOUR, waited=500)])
        assert file.overview.tally(NOON, HOUR, 4).median == median


class TestAFileOfTheReleaseBefore:
    """Its cases had no route and no tick of their own."""

    @pytest.fixture
    def opened(self, tmp_path: Path) -> File:
        path = tmp_path / "bot.sqlite"
        made = [a_case("1"), a_case("2", "Hi", "reply", NOON - MINUTE, 2.5)]
        with sqlite3.connect(path) as connection:
            for script in sqlite._MIGRATIONS[:2]:
                connection.executescript(script)
            connection.execute("PRAGMA user_version = 2")
            connection.executemany(
                "INSERT INTO cases (id, body, received_at, due_at, expires_at)"
                " VALUES (?, ?, ?, NULL, ?)",
                [(one.id, as_before(one), one.received_at.isoformat(), 4e9) for one in made],
            )
            connection.execute("INSERT INTO notes VALUES ('cursor', '\"9\"')")
        connection.close()
        return File(path)

    def test_is_listed_searched_and_summed_up(self, opened: File) -> None:
        assert opened.overview.newest("channel", 9) == [a_case("1")]
        assert opened.overview.newest("bot", 9) == [a_case("2", "Hi", "reply", NOON - MINUTE, 2.5)]
        assert opened.found("hi") == ["2"]
        tally = opened.overview.tally(NOON + MINUTE, HOUR, 1)
        assert (tally.total("escalate"), tally.total("reply"), tally.median) == (1, 1, 2.5)

    def test_keeps_what_else_it_held(self, opened: File) -> None:
        assert opened.store.note("cursor") == "9"
        assert opened.store.get(["1"]) == {"1": a_case("1")}

    def test_tells_of_changes_from_now_on(self, opened: File) -> None:
        tick = opened.overview.tick()
        assert opened.overview.changed(tick, 9) == []
        opened.store.change("1", lambda c: deeds.resolved(c, "U1", NOON))
        assert [found.id for found in opened.overview.changed(tick, 9)] == ["1"]


def as_before(made: Case) -> str:
    """A case as a release wrote it that knew no words and no agent's answers."""
    record = records.to_json(made)
    del record["verdict"]["words"]
    for effect in record["effects"]:
        del effect["by"]
    return json.dumps(record)
