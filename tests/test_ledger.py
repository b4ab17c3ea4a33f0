from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.tweets import Source, Tweet
from bot.twitter.ledger import ACTIONS, PRICES, Action, Ledger, cost_of_reading, price
from tests.examples import NOON
from tests.fakes import MemoryCases

NEXT_DAY = datetime.fromisoformat("2026-11-03T00:00:00+00:00")
NEXT_MONTH = datetime.fromisoformat("2026-12-01T00:00:00+00:00")


def ledger(reads: int | None = None, dollars: float | None = None) -> Ledger:
    return Ledger(MemoryCases(), reads, dollars)


class TestTheLedger:
    def test_counts_each_action_by_day_and_month(self) -> None:
        own = ledger()
        own.charge("mention", 3, NOON)
        own.charge("reply", 1, NOON)
        own.charge("mention", 4, NEXT_DAY)
        own.charge("mention", 5, NEXT_MONTH)
        assert own.month(NOON) == {
            "2026-11-02": {"mention": 3, "reply": 1},
            "2026-11-03": {"mention": 4},
        }
        assert own.month(NEXT_MONTH) == {"2026-12-01": {"mention": 5}}

    def test_writes_nothing_for_nothing(self) -> None:
        own = ledger()
        own.charge("mention", 0, NOON)
        assert own.store.notes(["x-ledger-2026-11"]) == {}

    def test_takes_back_what_was_not_charged(self) -> None:
        own = ledger(reads=10)
        own.charge("mention", 10, NOON)
        own.charge("mention", -4, NOON)
        assert own.reads_left(NOON) == 4

    def test_takes_back_no_more_than_the_month_has(self) -> None:
        own = ledger()
        own.charge("mention", 2, NEXT_MONTH)
        own.charge("reply", -1, NEXT_MONTH)  # counted in the month before
        assert own.month(NEXT_MONTH) == {"2026-12-01": {"mention": 2}}
        own.charge("reply", 1, NOON)
        own.charge("reply", -3, NEXT_DAY)
        assert sum(map(price, own.month(NOON).values())) == 0

    def test_knows_the_price_of_a_day(self) -> None:
        assert price({"mention": 2, "own post": 1, "lookup": 1}) == 8_000
        assert price({"reply": 1, "reply with link": 1}) == 210_000
        assert price({"a count of another release": 5}) == 0  # type: ignore[dict-item]
        assert PRICES.keys() == set(ACTIONS)

    @pytest.mark.parametrize(("source", "cost"), [("poll", 1_000), ("webhook", 0), ("file", 0)])
    def test_knows_what_a_post_cost_that_came_by_each_way(self, source: Source, cost: int) -> None:
        assert cost_of_reading(Tweet("1", "hello", "1", source=source)) == cost


class TestTheReadBudget:
    def test_is_spent_by_reading_alone_and_begins_anew_each_month(self) -> None:
        own = ledger(reads=10)
        for action in ("mention", "own post", "lookup", "reply", "reply with link"):
            own.charge(action, 2, NOON)
        assert own.reads_left(NEXT_DAY) == 4
        assert own.reads_left(NEXT_MONTH) == 10

    def test_is_never_less_than_nothing(self) -> None:
        own = ledger(reads=10)
        own.charge("mention", 11, NOON)
        assert own.reads_left(NOON) == 0

    def test_may_be_none_at_all(self) -> None:
        own = ledger()
        own.charge("mention", 10**9, NOON)
        assert own.reads_left(NOON) is None


class TestAReservation:
    @pytest.mark.parametrize(
        ("left", "most", "least", "keep", "granted"),
        [
            (10, 4, 1, 0, 4),
            (10, 10, 1, 0, 10),
            (10, 100, 5, 0, 10),
            (4, 100, 5, 0, 0),
            (0, 100, 1, 0, 0),
            (10, 100, 5, 4, 6),
            (10, 100, 5, 6, 0),
            (10, 100, 5, 50, 0),
        ],
    )
    def test_gives_what_the_budget_allows(
        self, left: int, most: int, least: int, keep: int, granted: int
    ) -> None:
        own = ledger(reads=100)
        own.charge("own post", 100 - left, NOON)
        assert own.reserve("mention", most, NOON, least=least, keep=keep) == granted
        assert own.reads_left(NOON) == left - granted

    def test_is_nobody_elses(self) -> None:
        own = ledger(reads=150)
        assert [own.reserve("mention", 100, NOON) for _ in range(3)] == [100, 50, 0]

    def test_gives_back_what_was_not_read(self) -> None:
        own = ledger(reads=100)
        own.settle("mention", own.reserve("mention", 100, NOON), 7, NOON)
        assert own.month(NOON) == {"2026-11-02": {"mention": 7}}

    def test_is_set_aside_and_no_cost_until_it_is_read(self) -> None:
        own = Ledger(MemoryCases(), 100, 0.01)
        own.reserve("mention", 60, NOON)
        assert (own.reads_left(NOON), own.month(NOON)) == (40, {})
        assert own.affords("reply", NOON)

    def test_that_nobody_settled_is_released(self) -> None:
        own = ledger(reads=100)
        own.settle("mention", own.reserve("mention", 10, NOON), 7, NOON)
        own.reserve("mention", 60, NOON)
        own.reserve("lookup", 20, NOON)
        own.release(NOON)
        assert own.reads_left(NOON) == 93

    def test_that_is_settled_after_its_release_counts_what_was_read(self) -> None:
        own = ledger(reads=100)
        granted = own.reserve("mention", 60, NOON)
        own.release(NOON)
        own.settle("mention", granted, 7, NOON)
        assert own.reads_left(NOON) == 93

    def test_without_a_budget_gives_all_and_counts_what_was_read(self) -> None:
        own = ledger()
        granted = own.reserve("mention", 100, NOON, least=5, keep=5)
        assert (granted, own.month(NOON)) == (100, {})
        own.settle("mention", granted, 7, NOON)
        assert own.month(NOON) == {"2026-11-02": {"mention": 7}}

    @given(st.lists(st.tuples(st.sampled_from(ACTIONS[:3]), st.integers(1, 40), st.booleans())))
    def test_keeps_reading_within_the_budget(self, asked: list[tuple[Action, int, bool]]) -> None:
        own = ledger(reads=100)
        read = 0
        for action, most, used in asked:
            granted = own.reserve(action, most, NOON)
            read += granted if used else 0
            own.settle(action, granted, granted if used else 0, NOON)
            assert read <= 100
            assert own.reads_left(NOON) == 100 - read


class TestTheBudget:
    def test_affords_what_fits_to_the_cent(self) -> None:
        own = ledger(dollars=0.25)
        assert own.affords("reply with link", NOON)
        own.charge("reply with link", 1, NOON)
        assert not own.affords("reply with link", NOON)
        own.charge("reply", 4, NOON)
        assert own.affords("reply", NOON)
        own.charge("reply", 1, NOON)
        assert not own.affords("reply", NOON)
        assert own.affords("reply", NEXT_MONTH)

    def test_counts_reading_too(self) -> None:
        own = ledger(dollars=0.01)
        own.charge("mention", 1, NOON)
        assert not own.affords("reply", NOON)

    def test_may_be_none_at_all_or_nothing(self) -> None:
        assert ledger().affords("reply with link", NOON)
        assert not ledger(dollars=0).affords("mention", NOON)
