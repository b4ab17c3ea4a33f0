"""What a store makes of cases that are too large, and of a newer release's."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot import records
from bot.cases import LONGEST_HISTORY, LONGEST_TOKENS, MOST_LINES, Case, Effect, Entry
from bot.errors import Newer, Refused
from bot.ports import CaseStore
from bot.records import LARGEST, VERSION
from bot.storage.sqlite import Database, SqliteCases
from bot.tweets import LONGEST_TEXT, Author
from bot.verdicts import Verdict, Weight
from tests.contract.conftest import RETENTION
from tests.contract.examples import NOW, a_case, tell, told
from tests.contract.surroundings import TABLE

WORST = "\x01"
"""A character that JSON writes with six."""


def huge(letter: str) -> Case:
    """A case of which everything is as large as it gets, and larger."""
    case = a_case("1", lines=tuple(Entry(NOW, "U1", letter * 400) for _ in range(2 * MOST_LINES)))
    author = Author("55", letter * 50_000, letter * 50_000)
    mentions = frozenset(letter * 500 + str(number) for number in range(500))
    tweet = replace(case.tweet, text=letter * LONGEST_TEXT, author=author, mentions=mentions)
    words = tuple(Weight(letter * 2_000, 0.5) for _ in range(12))
    return replace(
        case,
        tweet=tweet,
        verdict=Verdict(0.9, 0.5, "x" * LONGEST_TOKENS, "starter", words=words),
        history=tuple(Entry(NOW, "bot", f"{n} {letter * 3_000}") for n in range(LONGEST_HISTORY)),
        reasons=(letter * 50_000,) * 2,
        effects=(
            Effect("card", "pending", problem=letter * 50_000, due_at=NOW),
            Effect("reply", "failed", text=letter * 280, withdrawn=letter * 50_000),
        ),
        deeds=tuple("U1 claim 1" for _ in range(50)),
    )


class TestACaseThatIsTooLarge:
    @pytest.mark.parametrize("letter", ["x", "😡", WORST], ids=["ascii", "emoji", "control"])
    def test_is_stored_with_its_text_and_its_card(self, store: CaseStore, letter: str) -> None:
        assert store.add([huge(letter)]) == {"1"}
        kept = store.get(["1"])["1"]
        assert kept.tweet.text == letter * LONGEST_TEXT
        assert store.due(NOW, 10) == ["1"]
        assert (kept.effect("card") or Effect("card", "failed")).state == "pending"

    def test_loses_the_oldest_lines_of_its_story_first_and_says_so(self, store: CaseStore) -> None:
        store.add([a_case("1")])
        lines = tuple(Entry(NOW, "bot", f"{number} {'x' * 3_000}") for number in range(200))
        store.change("1", lambda case: replace(case, history=lines, reasons=("r" * 1_000,)))
        kept = store.get(["1"])["1"]
        first, *_, last = told(kept)
        assert (first, last[:4]) == (records.CUT, "199 ")
        assert kept.reasons == ("r" * 1_000,)

    def test_is_told_of_once_without_a_word_of_it(
        self, store: CaseStore, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "bot")
        store.add([huge("q")])
        store.change("1", tell("claimed"))
        [line] = caplog.records
        assert (line.levelname, "Case 1 is too large" in line.message) == ("WARNING", True)
        assert "qq" not in line.message

    def test_is_every_byte_counted(self) -> None:
        fits = replace(a_case("1"), reasons=("é" * (LARGEST // 2 - 1_000),))
        assert records.from_json(json.loads(records.body(fits))) == fits
        larger = replace(fits, reasons=("é" * (LARGEST // 2),))
        assert len(records.body(larger).encode()) < LARGEST // 2


NEWER = VERSION + 1


@pytest.fixture
def upgrade(store: CaseStore, request: pytest.FixtureRequest) -> Callable[[dict[str, Any]], None]:
    """Writes a record over that of case 1, as a newer release does."""

    def written(changes: dict[str, Any]) -> None:
        record = {**records.to_json(store.get(["1"])["1"]), "version": NEWER, **changes}
        body = json.dumps(record)
        if isinstance(store, SqliteCases):
            with store._database.writing() as connection:
                connection.execute("UPDATE cases SET body = ? WHERE id = '1'", (body,))
            return
        request.getfixturevalue("amazon").dynamodb.update_item(
            TableName=TABLE,
            Key={"id": {"S": "1"}},
            UpdateExpression="SET body = :body",
            ExpressionAttributeValues={":body": {"S": body}},
        )

    return written


class TestANewerReleasesCase:
    @pytest.fixture(autouse=True)
    def cases(self, store: CaseStore) -> None:
        store.add([a_case("1"), a_case("2")])

    def test_is_read_as_far_as_we_can(
        self, store: CaseStore, upgrade: Callable[[dict[str, Any]], None]
    ) -> None:
        upgrade({"mood": "sunny"})
        assert store.get(["1"]) == {"1": a_case("1")}
        assert len(list(store.newest())) == 2

    def test_is_changed_by_nobody_else(
        self, store: CaseStore, upgrade: Callable[[dict[str, Any]], None]
    ) -> None:
        upgrade({"mood": "sunny"})
        with pytest.raises(Newer, match="The record of case 1 is a newer release's"):
            store.change("1", tell("claimed"))
        assert told(store.get(["1"])["1"]) == []
        assert store.change("1", lambda case: case) == a_case("1"), "nothing is written"
        assert told(store.change("2", tell("claimed"))) == ["claimed"]

    def test_is_not_called_damaged_where_we_cannot_read_it(
        self,
        store: CaseStore,
        upgrade: Callable[[dict[str, Any]], None],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        upgrade({"tweet": "elsewhere"})
        with pytest.raises(Newer, match="case 1"):
            store.get(["1"])
        assert [case.id for case in store.newest()] == ["2"]
        assert "damaged" not in caplog.text


def test_a_record_without_a_version_is_of_the_first(tmp_path: Path) -> None:
    store = SqliteCases(Database(tmp_path / "bot.sqlite"), RETENTION)
    store.add([a_case("1")])
    with store._database.writing() as connection:
        connection.execute("UPDATE cases SET body = json_remove(body, '$.version')")
    assert told(store.change("1", tell("claimed"))) == ["claimed"]


@pytest.mark.parametrize("version", ['"2"', "null", "{}"])
def test_a_record_with_a_version_that_is_none_can_be_changed(tmp_path: Path, version: str) -> None:
    store = SqliteCases(Database(tmp_path / "bot.sqlite"), RETENTION)
    store.add([a_case("1")])
    with store._database.writing() as connection:
        connection.execute(
            "UPDATE cases SET body = json_set(body, '$.version', json(?))", (version,)
        )
    assert told(store.change("1", tell("claimed"))) == ["claimed"]


def test_newer_is_what_refuses_us_for_whoever_asks() -> None:
    assert issubclass(Newer, Refused), "an agent is told the sentence"
