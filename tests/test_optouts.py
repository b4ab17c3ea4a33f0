import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from bot.errors import Conflict, Failure, Misconfigured, Refused, Retryable
from bot.tweets import Author, Tweet
from bot.twitter.optouts import OptOuts, heed_or_leave, names
from tests.examples import NOON
from tests.fakes import MemoryCases

MIRA = Author("55", "Mira_Example", "Mira Example")
LATER = NOON + timedelta(days=1)
KNOWN = [MIRA, Author("55"), Author(None, "@mira_example")]


def post(text: str, author: Author = MIRA) -> Tweet:
    return Tweet("101", text, "101", author)


def opt_outs() -> OptOuts:
    return OptOuts(MemoryCases(), lambda text: text == "stop")


class TestAnAuthorWhoAsksToBeLeftAlone:
    def test_is_noted_by_all_we_know_of_him(self) -> None:
        own = opt_outs()
        assert own.heed([post("stop")], NOON) == 1
        both = ["opted-out-55", "opted-out-@mira_example"]
        noted = {"at": NOON.isoformat(), "names": both}
        assert own.store.notes(both) == dict.fromkeys(both, noted)

    @pytest.mark.parametrize(
        ("author", "noted"),
        [
            (Author(), []),
            (Author("55"), ["opted-out-55"]),
            (Author(None, "@Mira_Example"), ["opted-out-@mira_example"]),
            (Author("", ""), []),
        ],
    )
    def test_is_known_by_id_handle_or_both(self, author: Author, noted: list[str]) -> None:
        assert names(author) == noted

    def test_is_known_again_under_a_new_handle_and_by_the_handle_alone(self) -> None:
        own = opt_outs()
        own.heed([post("stop")], NOON)
        for author in (Author("55", "new_handle"), Author(None, "mira_example")):
            assert own.store.notes(names(author))

    def test_stays_noted_since_the_first_time(self) -> None:
        own = opt_outs()
        own.heed([post("stop")], NOON)
        own.heed([post("stop")], LATER)
        assert own.store.note("opted-out-55")["at"] == NOON.isoformat()

    @pytest.mark.parametrize("known", KNOWN, ids=["both", "id", "handle"])
    def test_is_let_in_again_by_nobody(self, known: Author) -> None:
        own = opt_outs()
        own.heed([post("stop")], NOON)
        with pytest.raises(Refused, match=r"asked the bot to be quiet, which X's rules let nobody"):
            own.remove(known)
        assert own.opted_out(MIRA) == own.opted_out(known) == "author"

    @pytest.mark.parametrize(
        "noted", [NOON.isoformat(), {"at": NOON.isoformat(), "names": ["opted-out-55"]}]
    )
    def test_in_an_earlier_release_counts_as_having_asked(self, noted: object) -> None:
        own = opt_outs()
        own.store.set_note("opted-out-55", noted)
        with pytest.raises(Refused):
            own.remove(Author("55"))
        assert own.opted_out(MIRA) == "author"

    def test_after_an_agent_did_it_has_the_last_word(self) -> None:
        own = opt_outs()
        own.add(MIRA, NOON, "U0AGENT")
        own.heed([post("stop", Author("55", "new_handle"))], LATER)
        for known in (*KNOWN, Author(None, "new_handle")):
            assert own.opted_out(known) == "author"
            with pytest.raises(Refused):
                own.remove(known)

    def test_is_not_taken_for_an_agents_where_one_does_it_again(self) -> None:
        own = opt_outs()
        own.heed([post("stop")], NOON)
        own.add(MIRA, LATER, "U0AGENT")
        assert own.opted_out(MIRA) == "author"
        assert own.store.note("opted-out-55")["at"] == NOON.isoformat()

    def test_is_heeded_among_many(self) -> None:
        own = opt_outs()
        others = [post("hello", Author("56")), post("stop"), post("stop it", Author("57"))]
        assert own.heed(others, NOON) == 1
        assert own.store.notes(["opted-out-56", "opted-out-57"]) == {}


class TestAnAuthorWhomAnAgentOptedOut:
    @pytest.mark.parametrize("known", KNOWN, ids=["both", "id", "handle"])
    def test_is_let_in_again_under_all_names_once_one_is(self, known: Author) -> None:
        own = opt_outs()
        own.add(MIRA, NOON, "U0AGENT")
        assert own.opted_out(known) == "agent"
        own.remove(known)
        assert [own.opted_out(one) for one in KNOWN] == [None, None, None]

    def test_stays_noted_since_the_first_time(self) -> None:
        own = opt_outs()
        own.add(MIRA, NOON, "U0AGENT")
        own.add(MIRA, LATER, "U0OTHER")
        noted = own.store.note("opted-out-55")
        assert (noted["at"], noted["who"]) == (NOON.isoformat(), "U0AGENT")


class AskedMeanwhile(MemoryCases):
    """The author asks for it himself between what is read and what is written."""

    def notes(self, names: Sequence[str]) -> dict[str, Any]:
        found = super().notes(names)
        OptOuts(self, lambda _: True).heed([post("stop")], LATER)
        return found


def test_an_author_who_asks_while_an_agent_lets_him_in_again_stays_out() -> None:
    own = OptOuts(AskedMeanwhile(), lambda text: text == "stop")
    own.add(MIRA, NOON, "U0AGENT")
    own.remove(MIRA)
    assert own.opted_out(MIRA) == "author"


def test_posts_that_ask_for_nothing_cost_nothing() -> None:
    own = opt_outs()
    assert own.heed([post("hello")], NOON) == 0
    assert own.heed([], NOON) == 0
    assert not own.store._notes  # type: ignore[attr-defined]


@pytest.mark.parametrize("failure", [Retryable("No."), Conflict("No."), Misconfigured(["No."])])
def test_what_cannot_be_noted_at_intake_is_left_to_triage(
    failure: Failure, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(_posts: object, _now: object) -> None:
        raise failure

    heed_or_leave(failing, [post("my card is 4929")], NOON)
    assert [(record.levelno, record.message) for record in caplog.records] == [
        (logging.WARNING, "Opt-outs among 1 posts are left to triage: No.")
    ]
