"""Past cases under another model or threshold."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import tryouts
from bot.__main__ import parser
from bot.cases import Case, Label
from bot.errors import Refused
from bot.notices import Incident
from bot.policy import MUTED, Rules, WordRule
from bot.probes import AUTHOR
from bot.rejudging import Side, Tally, Terms, by_threshold, judged, rejudged
from bot.tweets import typed
from bot.verdicts import Verdict
from tests.examples import ANGRY, CALM, NOON, archive, case, parts
from tests.fakes import MemoryCases

DAY = timedelta(days=1)
TERMS = Terms(Rules(), 0.15)


def past(number: int, probability: float, label: bool | None = None, **changes: Any) -> Case:
    """A case of so many days ago, by a model whose threshold was 0.5."""
    at = NOON - number * DAY
    verdict = Verdict(probability, 0.5, "a parcel", "old")
    given = label if label is None else Label(label, "U1", NOON, "old")
    made = case(received_at=at, decided_at=at, verdict=verdict, label=given, **changes)
    return replace(made, tweet=replace(made.tweet, id=str(number), root_id=str(number)))


def turns(found: Sequence[Case], value: float, terms: Terms = TERMS) -> list[str]:
    return [one.turn for one in rejudged(found, by_threshold(value), terms)]


class TestACase:
    def test_goes_the_other_way_where_its_probability_lies_between_the_thresholds(self) -> None:
        found = [past(number, p) for number, p in enumerate((0.3, 0.4, 0.5, 0.6))]
        assert turns(found, 0.4) == ["stay", "more", "stay", "stay"]
        assert turns(found, 0.6) == ["stay", "stay", "fewer", "stay"]

    def test_that_a_rule_decides_stays(self) -> None:
        always = Rules(always=(WordRule("A rule says so.", ("a parcel",)),))
        never = Rules(never=(WordRule("A rule says so.", ("a parcel",)),))
        for rules in (always, never):
            assert turns([past(1, 0.3), past(2, 0.7)], 0.5, Terms(rules, 0.15)) == ["stay"] * 2

    def test_that_goes_on_with_a_persons_conversation_stays_there(self) -> None:
        [one] = rejudged([past(1, 0.7, thread="9")], by_threshold(0.9), TERMS)
        assert one.routes == ("escalate", "escalate")

    def test_whose_author_is_muted_stays_skipped(self) -> None:
        [one] = rejudged([past(1, 0.3, reasons=(MUTED,))], by_threshold(0.1), TERMS)
        assert one.routes == ("skip", "skip")

    def test_that_the_bot_may_not_answer_would_be_skipped(self) -> None:
        terms = replace(TERMS, refusal=lambda _case: "It is too old.")
        [one] = rejudged([past(1, 0.7)], by_threshold(0.9), terms)
        assert one.routes == ("escalate", "skip")

    def test_of_which_no_word_was_known_escalates_by_any_threshold(self) -> None:
        unknown = replace(past(1, 0.5), verdict=Verdict(0.5, 0.5, "xyzzy", "old", known=False))
        [one] = rejudged([unknown], by_threshold(1.0), TERMS)
        assert (one.turn, one.after.probability) == ("stay", 1.0)

    def test_is_judged_with_others_in_one_call_as_they_are_read(self) -> None:
        read: list[int] = []
        calls: list[int] = []

        def newest() -> Any:
            for number in range(7):
                read.append(number)
                yield past(number, 0.7)

        def judge(some: Sequence[Case]) -> Sequence[Verdict]:
            calls.append(len(some))
            return by_threshold(0.9)(some)

        found = rejudged(newest(), judge, TERMS, at_once=3)
        assert next(found).turn == "fewer"
        assert (len(read), calls) == (3, [3])
        assert (len(list(found)), calls) == (6, [3, 3, 1])


def test_what_was_no_post_or_is_gone_is_left_out() -> None:
    probe = replace(
        past(1, 0.9), tweet=replace(past(1, 0.9).tweet, source="webhook", author=AUTHOR)
    )
    tried = tryouts.labelled(
        MemoryCases(), replace(past(2, 0.9), tweet=typed("x", "tried-1")), True, "U1", NOON
    )
    notice = case(route="notice", notice=Incident("burst", NOON))
    gone = [past(3, 0.9, erased=True), replace(past(4, 0.9), verdict=None)]
    assert [one.id for one in judged([probe, tried, notice, *gone, past(5, 0.9)])] == ["5"]


class TestATally:
    def test_says_on_which_side_the_labels_are(self) -> None:
        found = [
            *(past(n, 0.7, label) for n, label in enumerate((True, True, False, None))),
            *(past(n, 0.2, label) for n, label in enumerate((True, False), 4)),
            past(6, 0.95, label=True),
        ]
        tally = Tally()
        for one in rejudged(found, by_threshold(0.9), TERMS):
            tally.add(one)
        assert tally.side("fewer") == Side(cases=4, labelled=3, needed=2)
        assert tally.side("more") == Side()
        assert tally.side("stay") == Side(cases=3, labelled=3, needed=2)
        assert tally.whole == Side(7, 6, 4)
        assert (tally.missed_before, tally.missed_after) == (1, 3)

    @pytest.mark.parametrize(("value", "more"), [(0.9, -0.5), (0.1, 0.25), (0.5, 0.0)])
    def test_says_how_many_more_cards_a_day_there_would_be(self, value: float, more: float) -> None:
        tally = Tally()
        for one in rejudged([past(0, 0.7), past(2, 0.3), past(4, 0.7)], by_threshold(value), TERMS):
            tally.add(one)
        assert (tally.days, tally.cards_a_day) == (4.0, more)

    def test_of_a_few_minutes_counts_them_as_a_day(self) -> None:
        tally = Tally()
        for one in rejudged([past(0, 0.7)], by_threshold(0.9), TERMS):
            tally.add(one)
        assert (tally.days, tally.cards_a_day) == (1.0, -1.0)


def work(folder: Path, *given: str) -> int:
    """The verb, over a bot whose model is the small one."""
    model = folder / "model.tar.gz"
    environment = {
        "DATA_DIR": str(folder),
        "MODEL_PATH": str(model if model.exists() else archive(folder)),
    }
    arguments = parser().parse_args(["rejudge", *given])
    code: int = arguments.work(arguments, environment)
    return code


def posts(folder: Path) -> None:
    """Four posts of the last days, which an older model took for the opposite of what they are."""
    found = [
        past(1, 0.2, label=True, route="reply"),
        past(2, 0.3, route="reply"),
        past(3, 0.9, label=False),
        past(40, 0.9),
    ]
    texts = (ANGRY, ANGRY, CALM, CALM)
    kept = [
        replace(one, tweet=replace(one.tweet, text=text))
        for one, text in zip(found, texts, strict=True)
    ]
    parts(folder).store.add(kept)


class TestTheVerb:
    def rows(
        self, folder: Path, capsys: pytest.CaptureFixture[str], *given: str
    ) -> tuple[list[Any], Any]:
        assert work(folder, "--json", *given) == 0
        *rows, last = map(json.loads, capsys.readouterr().out.splitlines())
        return rows, last["summary"]

    def test_tries_a_threshold_on_the_probabilities_that_there_are(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        posts(tmp_path)
        [row], summary = self.rows(tmp_path, capsys, "--threshold", "0,25")
        assert (row["tweet_id"], row["before"]["route"], row["after"]["route"]) == (
            *("2", "reply", "escalate"),
        )
        assert (row["after"]["probability"], row["after"]["model"]) == (0.3, "old")
        assert (summary["cases"], summary["newly_escalate"]["cases"]) == (4, 1)
        assert summary["by"] == "the threshold 0.25"

    def test_tries_another_model(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        posts(tmp_path)
        model = archive(tmp_path)
        rows, summary = self.rows(tmp_path, capsys, "--model", str(model))
        assert [row["after"]["model"] for row in rows] == ["small"] * 4
        assert [row["label"] for row in rows] == [True, None, False, None]
        assert summary["newly_escalate"] == {"cases": 2, "labelled": 1, "needed_a_person": 1}
        assert summary["no_longer_escalate"] == {"cases": 2, "labelled": 1, "needed_a_person": 0}
        assert (summary["missed_before"], summary["missed_after"]) == (1, 0)
        assert summary["by"] == "small at the threshold 0.5"

    def test_tries_another_model_at_another_threshold(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        posts(tmp_path)
        model = str(archive(tmp_path))
        _, summary = self.rows(tmp_path, capsys, "--model", model, "--threshold", "0")
        assert summary["no_longer_escalate"]["cases"] == 0
        assert summary["by"] == "small at the threshold 0"

    def test_tries_the_model_in_service_where_neither_is_named(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        posts(tmp_path)
        parts(tmp_path).thresholds.choose(0.001, "U1", NOON)
        _, summary = self.rows(tmp_path, capsys)
        assert summary["by"] == "small at the threshold 0.001"

    @pytest.mark.parametrize(
        ("given", "cases"),
        [
            (["--since", "2026-10-30"], 3),
            (["--since", "2026-10-30", "--until", "2026-10-30"], 1),
            (["--until", "9999-12-31"], 4),
            (["--until", "2026-10-31T11:59"], 2),
            (["--until", "2026-10-31T13:00+01:00"], 3),
            (["--limit", "2"], 2),
            (["--since", "2027-01-01"], 0),
        ],
    )
    def test_looks_at_a_range(
        self,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        given: list[str],
        cases: int,
    ) -> None:
        posts(tmp_path)
        _, summary = self.rows(tmp_path, capsys, "--threshold", "0.5", *given)
        assert summary["cases"] == cases

    def test_sends_to_the_bot_only_what_it_might_answer(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        asked = replace(past(1, 0.7).tweet, answer=True, kind="mention", mentions=frozenset({"9"}))
        retweet = replace(asked, id="2", root_id="2", retweet=True)
        found = [past(1, 0.7), past(2, 0.7)]
        tweets = zip(found, (asked, retweet), strict=True)
        parts(tmp_path).store.add([replace(one, tweet=tweet) for one, tweet in tweets])
        rows, _ = self.rows(tmp_path, capsys, "--threshold", "0.9")
        assert [row["after"]["route"] for row in rows] == ["reply", "skip"]

    def test_needs_no_model_to_try_a_threshold(self, tmp_path: Path) -> None:
        posts(tmp_path)
        (tmp_path / "model.tar.gz").write_bytes(b"no model")
        assert work(tmp_path, "--threshold", "0.9") == 0

    def test_tells_people_what_would_change(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        posts(tmp_path)
        assert work(tmp_path, "--threshold", "0.25") == 0
        header, row, *summary = capsys.readouterr().out.splitlines()
        assert header.split() == ["case", "came", "in", "(UTC)", "p(escalate)", *header.split()[5:]]
        assert row.split()[:9] == (
            ["2", "2026-10-31", "12:00", "0.30", "→", "0.30", "reply", "→", "escalate"]
        )
        assert row.index("0.30") == header.index("p(escalate)")
        assert row.index("reply") == header.index("route")
        assert summary == [
            "4 cases of 39 days, judged again by the threshold 0.25:",
            "  newly escalate            1  (none labelled)",
            "  no longer escalate        0  (none labelled)",
            "  stay                      3  (2 labelled: 1 needed a person, 1 did not)",
            "Cards: as many a day as now.",
            (
                "Needed a person, said agents: 1. Missed of these: 1 as they were judged, 1 by the "
                "threshold 0.25."
            ),
        ]

    def test_tells_whom_a_threshold_would_miss_and_whom_the_one_of_then_did(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        needed = Label(True, "U1", NOON, "m")
        found = [replace(past(n, 0.7), label=needed) for n in (1, 2)]
        parts(tmp_path).store.add([*found, replace(past(3, 0.2), label=needed)])
        work(tmp_path, "--threshold", "0.9")
        assert capsys.readouterr().out.endswith(
            "Missed of these: 1 as they were judged, 3 by the threshold 0.9.\n"
        )

    @pytest.mark.parametrize(
        ("given", "sentence"),
        [
            (["--threshold", "60%"], "A threshold is a number from 0 to 1"),
            (["--since", "last week"], "«last week» is no day: write 2026-11-02"),
            (["--since", "0001-01-01T00:00+14:00"], "is no day: write 2026-11-02"),
            (["--since", "2026-11-02", "--until", "2026-11-01"], "--since lies after --until"),
            (["--limit", "0"], "1 at least"),
        ],
    )
    def test_refuses_what_it_cannot_read(
        self, tmp_path: Path, given: list[str], sentence: str
    ) -> None:
        with pytest.raises(Refused, match=sentence):
            work(tmp_path, *given)
