import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.__main__ import parser
from bot.settings import HOUSE
from bot.tweets import Author
from bot.twitter.optouts import names
from tests.examples import ANGRY, CALM, archive, parts

Replies = Callable[..., tuple[int, str]]

FEW = """
default = "en"
[en]
stop = { alone = ["stop"], anywhere = ["opt out"] }
[[en.intents]]
name = "general"
texts = ["a {name}", "b {name}", "c {name}", "d {name} example.com"]
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archive(tmp_path_factory.mktemp("model"))


@pytest.fixture
def replies(tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> Replies:
    """Runs `replies` with these words, settings and file of texts."""

    def run(*words: str, texts: str | None = None, **settings: str) -> tuple[int, str]:
        path = tmp_path / "replies.toml"
        path.write_text(texts or (HOUSE / "replies.toml").read_text("utf-8"), "utf-8")
        arguments = parser().parse_args(["replies", *words])
        environment = {
            "DATA_DIR": str(tmp_path),
            "MODEL_PATH": str(model),
            "REPLIES_PATH": str(path),
            **settings,
        }
        code: int = arguments.work(arguments, environment)
        return code, capsys.readouterr().out

    return run


def rows(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


class TestCheck:
    def test_lists_intents_languages_and_lengths(self, replies: Replies) -> None:
        code, told = replies("check")
        assert code == 0
        assert "en    general      12 texts, at most " in told
        assert "de    no texts" in told
        code, told = replies("check", "--json")
        found = {(row["language"], row.get("intent")): row for row in rows(told)}
        assert found["en", "thanks"]["texts"] == 8
        assert 150 < found["en", "thanks"]["longest"] <= 280
        assert found["nl", None]["texts"] == 0

    def test_tells_every_problem(self, replies: Replies) -> None:
        code, told = replies("check", texts=FEW.replace("a {name}", "a").replace("b {name}", ""))
        assert code == 1
        first, second, third = told.splitlines()
        assert first.startswith("replies.toml: en, general, text 1 holds neither")
        assert second.startswith("replies.toml: en, general, text 2 is empty")
        assert third.startswith("replies.toml: en, general, text 4 holds a link (example.com)")
        code, told = replies("check", "--json", texts=FEW)
        assert code == 1
        assert "ALLOW_LINKS=1" in rows(told)[0]["problem"]

    def test_tells_that_there_is_no_file_to_read(self, replies: Replies, tmp_path: Path) -> None:
        code, told = replies("check", REPLIES_PATH=str(tmp_path / "none.toml"))
        assert code == 1
        assert "There is no file" in told

    def test_tells_what_links_cost(self, replies: Replies) -> None:
        code, told = replies("check", texts=FEW, ALLOW_LINKS="1")
        assert code == 0
        assert "text 4 holds a link: $0.20 each time" in told
        assert "text 3" not in told
        code, told = replies("check", "--json", texts=FEW, ALLOW_LINKS="1")
        assert rows(told)[1] == {"language": "en", "intent": "general", "text": 4, "usd": 0.2}


class TestTry:
    def test_shows_what_would_be_sent(self, replies: Replies) -> None:
        code, told = replies("try", CALM, "--handle", "@river", "--name", "River 🌊")
        assert code == 0
        assert told.startswith("reply     The model")
        assert "intent    order" in told
        assert "@river" in told
        assert "of 280 characters, $0.010" in told

    def test_shows_the_same_as_an_object(self, replies: Replies) -> None:
        [row] = rows(replies("try", "--json", CALM, "--handle", "river", "--lang", "en")[1])
        assert row["route"] == "reply"
        assert not row["escalate"]
        assert row["confidence"] > 0.5
        assert not row["opts_out"]
        assert row["intent"] == "order"
        assert "@river" in row["answer"]
        assert row["length"] == len(row["answer"])
        assert row["usd"] == 0.01

    def test_shows_the_same_variant_for_the_same_text(self, replies: Replies) -> None:
        texts = [CALM, CALM, *(f"{CALM} {'so ' * n}" for n in range(1, 8))]
        shown = [rows(replies("try", "--json", text)[1])[0]["answer"] for text in texts]
        assert shown[0] == shown[1]
        assert len(set(shown)) > 2

    def test_shows_that_a_post_needs_a_person(self, replies: Replies) -> None:
        code, told = replies("try", ANGRY)
        assert code == 0
        assert told.startswith("escalate  The model thinks it needs a person (")
        assert "answer" not in told.splitlines()[-1]
        [row] = rows(replies("try", "--json", ANGRY)[1])
        assert row["escalate"]
        assert row["answer"] is row["intent"] is row["usd"] is None

    def test_shows_that_a_rule_decides(self, replies: Replies) -> None:
        [row] = rows(replies("try", "--json", CALM + " said my lawyer")[1])
        assert row["route"] == "escalate"
        assert "legal" in row["reasons"][0]

    def test_shows_that_the_language_is_not_served(self, replies: Replies) -> None:
        assert "its language (de)" in replies("try", CALM, "--lang", "de")[1]

    def test_shows_that_an_author_opts_out(self, replies: Replies) -> None:
        [row] = rows(replies("try", "--json", f"opt out, {CALM}")[1])
        assert row["opts_out"]
        assert row["route"] == "skip"
        assert row["answer"] is None
        told = replies("try", f"opt out, {CALM}")[1]
        assert told.startswith("skip ")
        assert "opts out  The bot never answers its author again" in told

    def test_shows_nothing_while_replies_are_off(self, replies: Replies) -> None:
        told = replies("try", CALM, AUTO_REPLY="off")[1]
        assert told.startswith("skip ")
        assert "Automatic replies are off." in told

    def test_shows_what_a_link_costs(self, replies: Replies) -> None:
        texts = FEW.replace("{name}", "{name} example.com")
        [row] = rows(replies("try", "--json", CALM, texts=texts, ALLOW_LINKS="1")[1])
        assert row["usd"] == 0.2

    def test_keeps_nothing(self, replies: Replies, tmp_path: Path) -> None:
        replies("try", f"stop. {CALM}")
        replies("try", "stop", "--handle", "river")
        store = parts(tmp_path).store
        assert list(store.newest()) == []
        assert store.notes(names(Author(handle="river"))) == {}
