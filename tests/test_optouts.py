import logging
from datetime import timedelta

import pytest

from bot.errors import Conflict, Failure, Misconfigured, Retryable
from bot.tweets import Author, Tweet
from bot.twitter.optouts import OptOuts, heed_or_leave, names
from tests.examples import NOON
from tests.fakes import MemoryCases

MIRA = Author("55", "Mira_Example", "Mira Example")
LATER = NOON + timedelta(days=1)


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

    @pytest.mark.parametrize(
        "known", [MIRA, Author("55"), Author(None, "@mira_example")], ids=["both", "id", "handle"]
    )
    def test_may_be_answered_again_under_all_names_once_one_is_let_in(self, known: Author) -> None:
        own = opt_outs()
        own.add(MIRA, NOON)
        own.remove(known)
        assert not own.opted_out(MIRA)
        assert not own.opted_out(Author("55"))

    def test_of_an_earlier_release_may_be_answered_again_too(self) -> None:
        own = opt_outs()
        own.store.set_note("opted-out-55", NOON.isoformat())
        own.remove(Author("55"))
        assert not own.opted_out(MIRA)

    def test_is_heeded_among_many(self) -> None:
        own = opt_outs()
        others = [post("hello", Author("56")), post("stop"), post("stop it", Author("57"))]
        assert own.heed(others, NOON) == 1
        assert own.store.notes(["opted-out-56", "opted-out-57"]) == {}


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
