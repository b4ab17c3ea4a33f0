"""Posts that are to be forgotten, wherever they are on their way."""

import sqlite3
from argparse import Namespace
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.cases import Case
from bot.erasure import Eraser, Erasure
from bot.errors import Refused, Retryable
from bot.local import upkeep
from bot.ports import Outgoing
from bot.storage import sqlite
from bot.tweets import Author, Tweet
from tests.examples import case, parts
from tests.simulation import ANGRY, CALM, Simulation

EDIT = replace(CALM, id="105", text="thanks a lot")
BY_MIRA_AGAIN = Tweet("103", "I am still angry", "103", Author("55", "Mira"), lang="en")


def eraser(bot: Simulation) -> Eraser:
    queues = {"cards": bot.cards, "replies": bot.replies}
    return Eraser(bot.store, queues, bot.tweets, bot.clock)  # type: ignore[arg-type]


def decided(*tweets: Tweet) -> Simulation:
    bot = Simulation()
    bot.arrive(*tweets)
    bot.run_on()
    bot.clock.wait(60)
    return bot


def texts(bot: Simulation) -> dict[str, str]:
    return {case.id: case.tweet.text for case in bot.store.newest()}


class TestAnAuthor:
    @pytest.mark.parametrize("who", ["mira", "@mira", "@MIRA", " Mira ", "55"])
    def test_has_all_own_posts_erased_and_nobody_elses(self, who: str) -> None:
        bot = decided(ANGRY, CALM, BY_MIRA_AGAIN)
        assert eraser(bot).author(who) == Erasure(cases=2, queued=0, unknown=0)
        assert texts(bot) == {"101": "", "102": "thanks", "103": ""}

    @pytest.mark.parametrize("who", ["mir", "otto_", "@55", "101", "@56"])
    def test_that_only_looks_alike_keeps_everything(self, who: str) -> None:
        bot = decided(ANGRY, CALM)
        assert eraser(bot).author(who) == Erasure(0, 0, 0)
        assert texts(bot) == {"101": "I am angry", "102": "thanks"}

    @pytest.mark.parametrize("who", ["", "@", "  "])
    def test_without_a_name_is_refused(self, who: str) -> None:
        bot = decided(replace(ANGRY, author=Author()))
        with pytest.raises(Refused, match="An author is a handle"):
            eraser(bot).author(who)
        assert texts(bot) == {"101": "I am angry"}

    def test_has_the_card_drawn_anew_at_once(self) -> None:
        bot = decided(ANGRY)
        eraser(bot).author("mira")
        bot.notify()
        [(case, _)] = bot.updates.seen
        assert (case.erased, case.tweet.text, case.tweet.author) == (True, "", Author())

    def test_has_posts_taken_off_the_queue_that_cannot_come_back(self) -> None:
        bot = Simulation()
        bot.arrive(ANGRY, CALM)
        assert eraser(bot).author("mira") == Erasure(cases=0, queued=1, unknown=0)
        assert bot.tweets.depth() == (1, 0)
        bot.arrive(ANGRY)  # the poller reads an overlap
        bot.run_on()
        assert texts(bot) == {"101": "", "102": "thanks"}
        assert not bot.slack.happened

    def test_has_a_post_erased_that_is_just_being_decided(self) -> None:
        bot = Simulation()
        bot.arrive(ANGRY)

        def erase() -> None:
            eraser(bot).author("mira")

        bot.desk.classifier.failures.append(erase)  # type: ignore[attr-defined]
        bot.run_on()
        assert texts(bot) == {"101": ""}
        assert not bot.slack.happened

    def test_found_nowhere_twice(self) -> None:
        bot = decided(ANGRY)
        eraser(bot).author("mira")
        assert eraser(bot).author("mira") == Erasure(0, 0, 0)

    def test_has_queued_posts_erased_even_where_the_cases_cannot_be_read(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bot = Simulation()
        bot.arrive(ANGRY, BY_MIRA_AGAIN)

        def unreadable() -> Iterator[Case]:
            raise Retryable("The table is throttled.")

        with monkeypatch.context() as patch:
            patch.setattr(bot.store, "newest", unreadable)
            with pytest.raises(Retryable):
                eraser(bot).author("mira")
        bot.arrive(ANGRY, BY_MIRA_AGAIN)  # the poller reads an overlap
        bot.run_on()
        assert texts(bot) == {"101": "", "103": ""}

    def test_is_found_in_cases_alone_where_the_queue_cannot_be_searched(self) -> None:
        bot = decided(ANGRY)
        bot.arrive(BY_MIRA_AGAIN)
        blind = replace(eraser(bot), backlog=None)
        assert blind.author("mira") == Erasure(cases=1, queued=0, unknown=0)
        assert bot.tweets.depth() == (1, 0)


class TestAPost:
    def test_is_erased_by_its_id(self) -> None:
        bot = decided(ANGRY, CALM)
        assert eraser(bot).posts(["101", "101"]) == Erasure(cases=1, queued=0, unknown=0)
        assert texts(bot) == {"101": "", "102": "thanks"}

    @pytest.mark.parametrize("post_id", ["102", "105"])
    def test_is_erased_by_the_id_of_any_of_its_edits(self, post_id: str) -> None:
        bot = decided(CALM, EDIT)
        assert eraser(bot).posts([post_id]) == Erasure(cases=1, queued=0, unknown=0)
        assert texts(bot) == {"102": ""}

    @pytest.mark.parametrize("post_id", ["102", "105"])
    def test_is_taken_off_the_queue_by_either_id(self, post_id: str) -> None:
        bot = Simulation()
        bot.arrive(EDIT)
        done = eraser(bot).posts([post_id])
        assert (done.cases, done.queued) == (0, 1)
        bot.arrive(EDIT)
        bot.run_on()
        assert set(texts(bot).values()) == {""}

    def test_that_never_came_is_kept_from_coming(self) -> None:
        bot = Simulation()
        assert eraser(bot).posts(["101"]) == Erasure(cases=0, queued=0, unknown=1)
        bot.arrive(ANGRY)
        bot.run_on()
        assert texts(bot) == {"101": ""}
        bot.clock.wait(60)
        assert eraser(bot).posts(["101"]) == Erasure(0, 0, 0)

    @pytest.mark.parametrize("post_id", ["", "@mira", "1 2", "1/2"])
    def test_needs_an_id_and_else_nothing_is_done(self, post_id: str) -> None:
        bot = decided(ANGRY)
        with pytest.raises(Refused, match="is no id of a post"):
            eraser(bot).posts(["101", post_id])
        assert texts(bot) == {"101": "I am angry"}


def test_a_message_nobody_can_read_is_left_where_it_is() -> None:
    bot = Simulation()
    bot.tweets.send([Outgoing("mira")])
    assert eraser(bot).author("mira") == Erasure(0, 0, 0)
    assert bot.tweets.depth() == (1, 0)


class TestTheVerb:
    """`erase`, over a file with one case."""

    @pytest.fixture(autouse=True)
    def _impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sqlite, "SCRUB_WAIT", 0)

    def erase(self, folder: Path) -> int:
        arguments = Namespace(author="river_example", tweet_ids=[], json=False)
        return upkeep.erase(arguments, {"DATA_DIR": str(folder)})

    def test_that_finds_nothing_new_still_cleans_the_file_that_somebody_read(
        self, tmp_path: Path
    ) -> None:
        own = parts(tmp_path)
        own.store.add([case("My zanzibarian parcel!")])
        with closing(sqlite3.connect(own.database.path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM cases").fetchone()
            for _ in range(2):
                with pytest.raises(Retryable, match="still reads or writes it: repeat `erase`"):
                    self.erase(tmp_path)
            assert b"zanzibarian" in bytes_of(tmp_path)
        assert self.erase(tmp_path) == 1
        assert b"zanzibarian" not in bytes_of(tmp_path)

    def test_passes_over_a_case_that_nobody_can_read(self, tmp_path: Path) -> None:
        own = parts(tmp_path)
        damaged = replace(case(), tweet=Tweet("7", "7", "7"))
        own.store.add([case("My zanzibarian parcel!"), damaged])
        own.database.connection().execute("UPDATE cases SET body = 'no JSON' WHERE id = '7'")
        assert self.erase(tmp_path) == 0
        assert b"zanzibarian" not in bytes_of(tmp_path)


def bytes_of(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())
