from typing import get_args

import pytest

from bot import agents
from bot.agents import act
from bot.cases import Case, Effect
from bot.errors import Refused
from tests.examples import NOON, case
from tests.fakes import Clock, MemoryCases, MemoryQueue

OUT = Effect("card", "sent", outside_id="ts-1")


class Office:
    """An agent before a store with one case, whose card is out."""

    def __init__(self, *effects: Effect) -> None:
        self.store = MemoryCases()
        self.cards = MemoryQueue(Clock())
        self.store.add([case(effects=effects)])

    def act(self, deed: str, who: str = "U1", case_id: str | None = None) -> Case:
        wanted = case_id or self.store.only().id
        return act(deed, wanted, who, self.store, {"cards": self.cards}, NOON)

    def attempts(self) -> list[int]:
        return [body["attempt"] for body in self.cards.bodies() if body["effect"] == "update"]


@pytest.mark.parametrize("deed", get_args(agents.Act))
def test_a_deed_is_recorded_and_its_card_drawn_anew(deed: str) -> None:
    office = Office(OUT)
    case = office.act(deed)
    assert case == office.store.only()
    assert [entry.who for entry in case.history] == ["U1"]
    assert office.attempts() == [1]


@pytest.mark.parametrize("deed", get_args(agents.Act))
def test_a_deed_done_twice_is_done_once(deed: str) -> None:
    office = Office(OUT)
    assert office.act(deed) == office.act(deed)
    assert office.attempts() == [1]


def test_a_case_is_claimed_by_the_last_who_claims_it() -> None:
    office = Office(OUT)
    office.act("claim", "U1")
    assert office.act("claim", "U2").assignee == "U2"
    assert office.attempts() == [1, 2]


def test_a_case_that_is_resolved_stays_resolved_by_the_first() -> None:
    office = Office(OUT)
    office.act("resolve", "U1")
    assert office.act("resolve", "U2").resolved
    assert [entry.who for entry in office.store.only().history] == ["U1"]


def test_a_card_still_on_its_way_is_not_updated() -> None:
    office = Office(Effect("card", "pending", due_at=NOON))
    assert office.act("claim").assignee == "U1"
    assert office.attempts() == []


def test_a_deed_that_nobody_knows_is_refused() -> None:
    with pytest.raises(Refused, match="«dance» is nothing an agent can do"):
        Office(OUT).act("dance")


def test_a_case_that_is_gone_is_refused_with_why() -> None:
    with pytest.raises(Refused, match="no longer here"):
        Office(OUT).act("claim", case_id="999")
