"""The Home tab as Slack shows it to whoever opens it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot import deeds
from bot.cases import Case
from tests.examples import NOON, case
from tests.standins.server import Fault
from tests.standins.slack import rate_limited, refused
from tests.test_cards import tweeted
from tests.workspace import (
    ADMIN,
    AGENT,
    OTHER,
    Message,
    Unreachable,
    Workspace,
    buttons,
    shown,
    workspace,
)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Workspace]:
    with workspace(tmp_path) as made:
        yield made


def numbered(number: int, text: str) -> Case:
    at = NOON - timedelta(minutes=number)
    return tweeted(case(text, received_at=at), id=str(number), root_id=str(number))


def looked_at(office: Workspace, who: str = AGENT) -> Message:
    office.does(office.looked_at_home(who))
    return office.slack.homes[who]


class TestTheHomeTab:
    def test_shows_whoever_opens_it_their_cases_what_waits_and_the_day(
        self, office: Workspace
    ) -> None:
        office.carded(deeds.claimed(numbered(1, "This one is mine."), AGENT, NOON))
        office.carded(numbered(2, "This one is nobody's."))
        office.carded(deeds.resolved(numbered(3, "This one is done."), OTHER, NOON))
        mine = looked_at(office)
        assert buttons(mine) == ["reply", "resolve", "release", "claim"]
        assert "3 tweets came in." in shown(mine)
        assert "This one is done." not in shown(mine)
        theirs = looked_at(office, OTHER)
        assert buttons(theirs) == ["claim"]
        assert f"with  <@{AGENT}>" in shown(theirs)

    def test_links_the_cards(self, office: Workspace) -> None:
        card = office.carded(case())
        address = f"{office.slack.url}/archives/{office.slack.channel}/p"
        assert address + card["ts"].replace(".", "") in str(looked_at(office))

    def test_counts_what_came_today(self, office: Workspace) -> None:
        office.bot.store.add([numbered(60 * 11, "This morning"), numbered(60 * 13, "Yesterday")])
        assert "1 tweet came in." in shown(looked_at(office))

    def test_is_drawn_for_an_empty_bot(self, office: Workspace) -> None:
        home = looked_at(office)
        assert "No tweets came in." in shown(home)
        assert "No case waits to be claimed." in shown(home)

    def test_tells_of_the_pause_and_admins_how_to_end_it(self, office: Workspace) -> None:
        office.bot.pause.pause(OTHER, NOON)
        assert f"Automatic replies are paused  by  <@{OTHER}>" in shown(looked_at(office))
        assert "/triage resume" not in shown(looked_at(office))
        assert "/triage resume" in shown(looked_at(office, ADMIN))

    def test_opened_again_shows_what_has_come_since(self, office: Workspace) -> None:
        looked_at(office)
        office.bot.store.add([case()])
        assert buttons(looked_at(office)) == ["claim"]

    def test_delivered_again_is_drawn_again(self, office: Workspace) -> None:
        for retry in range(3):
            office.does(office.looked_at_home(event_id="Ev1", retry=retry))
        assert len(office.slack.calls("views.publish")) == 3
        assert office.slack.messages == office.slack.ephemerals == []

    def test_is_not_drawn_for_who_looks_at_the_messages_beside_it(self, office: Workspace) -> None:
        office.asked(office.looked_at_home(tab="messages"))
        assert office.queued() == []


class Behind:
    """A store whose list of open cases trails, as an index of DynamoDB's does."""

    def __init__(self, store: object, listed: list[Case]) -> None:
        self._store = store
        self._listed = listed

    def open(self, _limit: int) -> list[Case]:
        return self._listed

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


class TestAStoreWhoseListTrails:
    def test_does_not_hide_what_was_just_done(self, office: Workspace) -> None:
        office.bot.store.add([case()])
        office.bot.store = Behind(office.bot.store, [case()])  # type: ignore[assignment]
        office.does(office.pressed("claim", looked_at(office)))
        assert buttons(office.slack.homes[AGENT]) == ["reply", "resolve", "release"]
        office.does(office.pressed("resolve", office.slack.homes[AGENT]))
        assert buttons(office.slack.homes[AGENT]) == []


class TestWhenSomethingFails:
    def test_it_is_drawn_later(self, office: Workspace) -> None:
        office.asked(office.looked_at_home())
        office.bot.store = Unreachable()
        assert office.works() == 1
        assert office.bot.actions.depth() == (1, 0)

    @pytest.mark.parametrize(
        "fault",
        [rate_limited(3, "views.publish"), Fault("lost", where="views.publish")],
    )
    def test_slack_is_asked_again_later(self, office: Workspace, fault: Fault) -> None:
        office.slack.faults.append(fault)
        office.asked(office.looked_at_home())
        assert office.works() == 1
        assert office.bot.actions.depth() == (1, 0)

    def test_what_people_must_mend_is_told_to_whoever_runs_the_bot(
        self, office: Workspace, caplog: pytest.LogCaptureFixture
    ) -> None:
        office.slack.faults.append(refused("not_enabled", "views.publish"))
        office.does(office.looked_at_home())
        assert "A home from Slack is given up" in caplog.text
        assert office.bot.actions.depth() == (0, 0)
