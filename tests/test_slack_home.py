"""The Home tab: what is mine, what waits, what the day was like."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from bot import deeds
from bot.cases import Case
from bot.notices import Digest
from bot.slack.looks.cards import card_link, deed_of
from bot.slack.looks.home import MOST_MINE, MOST_WAITING, home_view
from bot.twitter.pause import Paused
from tests.examples import NOON, case
from tests.looks import assert_as_before, kept
from tests.standins import slack_blocks
from tests.test_cards import (
    CHANNEL,
    DAY,
    JUDGED,
    any_case,
    assert_inert,
    carded,
    elements,
    nodes,
    replied,
    said,
    tweeted,
)

NOW = NOON + timedelta(hours=4, minutes=2)
NUMBERS = replace(DAY, since=NOON, until=NOW)
PAUSED = Paused("U0AGENT", NOON)


def numbered(number: int, **changes: Any) -> Case:
    """A case with an id of its own that came in so many minutes after noon."""
    at = NOON + timedelta(minutes=number)
    return tweeted(case(received_at=at, **changes), id=str(number), root_id=str(number))


def mine(number: int) -> Case:
    return deeds.claimed(carded(numbered(number)), "U0AGENT", NOW)


def drawn(
    own: Sequence[Case] = (),
    waiting: Sequence[Case] = (),
    today: Digest | None = NUMBERS,
    *,
    now: datetime = NOW,
    admin: bool = False,
    paused: Paused | None = None,
    told: str | None = None,
) -> dict[str, Any]:
    return home_view(
        own,
        waiting,
        today,
        now=now,
        link=lambda one: card_link(one, CHANNEL),
        admin=admin,
        paused=paused,
        said=told,
    )


FIRST = "W0OTHER claimed it first, at 12:30 UTC: ask them, or release it."
ANSWERED = tweeted(replied("sent", "U0AGENT"), id="7", root_id="7")
LOOKS = {
    "nothing_to_do": drawn(),
    "before_anything_is_counted": drawn(today=None),
    "busy": drawn(
        [mine(1), replace(ANSWERED, assignee="U0AGENT")],
        [
            deeds.claimed(carded(numbered(2)), "W0OTHER", NOW),
            numbered(3, verdict=replace(JUDGED, probability=0.55), unsure=True),
            numbered(4, verdict=None),
        ],
    ),
    "more_than_fits": drawn([mine(n) for n in range(16)], [numbered(n) for n in range(20, 1_046)]),
    "paused": drawn(paused=PAUSED),
    "paused_for_an_admin": drawn(paused=PAUSED, admin=True),
    "after_a_press_in_vain": drawn(told=FIRST),
}


@pytest.mark.parametrize("look", LOOKS)
def test_a_home_tab_looks_as_it_did(look: str) -> None:
    assert_as_before("home", look, LOOKS[look])
    assert_slack_takes(LOOKS[look])


def test_every_golden_file_is_looked_at() -> None:
    assert kept("home") == set(LOOKS)


def test_slack_takes_any_cases() -> None:
    for seed in range(60):
        dice = Random(seed)  # noqa: S311
        count = dice.choice((0, 3, 60))
        cases = [
            tweeted(any_case(dice), root_id=dice.choice((str(number), "1", "x" * 100)))
            for number in range(count)
        ]
        half = dice.randint(0, count)
        assert_slack_takes(drawn(cases[:half], cases[half:]))


def test_all_that_fits_is_at_most_a_hundred_blocks() -> None:
    own = [mine(number) for number in range(400)]
    waiting = [numbered(number) for number in range(400, 800)]
    tab = drawn(own, waiting, paused=PAUSED, told=FIRST)
    assert 80 < len(tab["blocks"]) <= 100
    assert f"… and {400 - MOST_MINE} more: /triage open mine" in said(tab)
    assert f"… and {400 - MOST_WAITING} more: /triage open" in said(tab)


def test_what_nobody_has_claimed_comes_first_then_what_has_waited_longest() -> None:
    claimed = deeds.claimed(numbered(0), "W0OTHER", NOW)
    doubtful = numbered(2, verdict=replace(JUDGED, probability=0.6))
    sure = tweeted(numbered(2), id="22", root_id="22")
    tab = drawn(waiting=[claimed, numbered(5), doubtful, sure, numbered(1)])
    assert claims(tab) == ["1", "22", "2", "5"]
    assert said(tab).index("Waits for 4 h 2 min") > said(tab).index("Waits for 4 h 1 min")


def test_a_case_tells_its_age_how_sure_the_model_is_and_where_its_card_is() -> None:
    tab = drawn(waiting=[carded(numbered(2))])
    assert "Waits for 4 h · 91% that it needs a person · its card" in said(tab)
    [url] = [node["url"] for node in nodes(tab) if node.get("text") == "its card"]
    assert url == f"{CHANNEL}/p1761998400000100"
    assert "its card" not in said(drawn(waiting=[numbered(2)]))


def test_my_cases_can_be_answered_resolved_and_released_and_the_others_claimed() -> None:
    tab = drawn([mine(1)], [numbered(2), deeds.claimed(numbered(3), "W0OTHER", NOW)])
    pressed = [deed_of(element) for element in elements(tab)]
    assert pressed == [("reply", "1"), ("resolve", "1"), ("release", "1"), ("claim", "2")]
    asked = [element["action_id"] for element in elements(tab) if "confirm" in element]
    assert asked == ["resolve", "release"]


def test_a_second_answer_is_not_offered_while_one_may_be_public() -> None:
    for state in ("pending", "sending", "sent", "unknown"):
        tab = drawn([replied(state, "U0AGENT")])
        assert [element["action_id"] for element in elements(tab)] == ["resolve", "release"]


def test_a_case_is_shown_once() -> None:
    tab = drawn([mine(1), mine(1)], [mine(1), numbered(2), numbered(2)])
    ids = [block["block_id"] for block in tab["blocks"] if "block_id" in block]
    assert ids == ["case 1", "case 2"]


def test_only_an_admin_is_told_how_to_end_the_pause() -> None:
    assert "/triage resume" in said(drawn(paused=PAUSED, admin=True))
    assert "/triage resume" not in said(drawn(paused=PAUSED))
    assert "paused" not in said(drawn(admin=True))


def claims(tab: dict[str, Any]) -> list[str]:
    return [element["value"] for element in elements(tab) if element["action_id"] == "claim"]


def assert_slack_takes(tab: dict[str, Any]) -> None:
    assert slack_blocks.view_problems(tab) == []
    assert_inert({"text": "", "blocks": tab["blocks"]})
