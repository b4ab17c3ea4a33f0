"""How a model is measured: figures, slices, costs, intervals, and two models side by side."""

import csv
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from botocore.config import Config
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score

from bot.__main__ import main, parser
from bot.classifier import sagemaker
from bot.classifier.archive import pack
from bot.classifier.artifact import BINARY, Description
from bot.classifier.sagemaker import SageMakerClassifier
from bot.classifier.variants import variant_name
from bot.errors import Failure, Permanent, Refused, Retryable
from bot.learning.evaluating import resampling
from bot.learning.evaluating.comparing import Comparison, compared
from bot.learning.evaluating.costs import costs
from bot.learning.evaluating.evaluation import AT_ONCE, Said, evaluated, said_of, truths_of
from bot.learning.evaluating.measuring import Candidate, measured
from bot.learning.evaluating.mistakes import MISTAKES, mistakes
from bot.learning.evaluating.patience import LONGEST_WAIT, WAITS, PatientClassifier
from bot.learning.evaluating.slices import kinds, share
from bot.learning.labelled import Labelled
from bot.learning.reporting import prose
from bot.learning.training.card import Source
from bot.learning.verbs.evaluate import evaluate
from bot.settings import HOUSE
from tests.examples import ANGRY, CALM, archive, trained
from tests.standins.sagemaker import REFERENCE_ENDPOINT, BlazingTextStandin, throttled


class Numbered:
    """A classifier that reads from a text its probability in hundredths; it knows no «unknown»."""

    normalizer = "plain"

    def __init__(self, model: str = "numbered", threshold: float | None = 0.5) -> None:
        self.model = model
        self.threshold = threshold
        self.asked: list[int] = []

    def probabilities(self, texts: Sequence[str]) -> list[float | None]:
        self.asked.append(len(texts))
        return [self._probability(text) for text in texts]

    def _probability(self, text: str) -> float | None:
        numbers = [int(word) for word in text.split() if word.isdigit()]
        return None if "unknown" in text else numbers[-1] / 100 if numbers else 0.5


def posts(*told: tuple[int, bool]) -> list[Labelled]:
    return [Labelled(f"post {percent}", escalate) for percent, escalate in told]


def said(probabilities: Any, threshold: float = 0.5, model: str = "one") -> Said:
    known = np.ones(len(probabilities), dtype=np.bool_)
    return Said(model, threshold, np.array(probabilities, dtype=np.float64), known)


def random_posts(rows: int, seed: int = 1) -> tuple[Any, Any]:
    """Probabilities with ties, and truths that follow them."""
    chance = np.random.default_rng(seed)
    probabilities = np.round(chance.random(rows), 2)
    return probabilities, chance.random(rows) < probabilities


MIXED = posts((90, True), (80, True), (70, False), (40, True), (20, False), (10, False))


class TestAsking:
    def test_keeps_the_order_over_many_calls(self) -> None:
        rows = posts(*((at % 101, True) for at in range(2 * AT_ONCE + 7)))
        classifier, seen = Numbered(), list[int]()
        found = said_of(rows, classifier, None, seen.append)
        assert found.probabilities.tolist() == [at % 101 / 100 for at in range(len(rows))]
        assert classifier.asked == seen == [AT_ONCE, AT_ONCE, 7]

    def test_takes_the_threshold_that_is_named_before_the_models_own(self) -> None:
        own, named = (said_of(MIXED, Numbered(), line) for line in (None, 0.75))
        assert (own.threshold, int(own.escalates.sum())) == (0.5, 3)
        assert (named.threshold, int(named.escalates.sum())) == (0.75, 2)

    def test_a_text_without_a_known_word_escalates_and_is_counted_apart(self) -> None:
        rows = [*MIXED, Labelled("unknown", escalate=True), Labelled("!!!", escalate=False)]
        found = evaluated(rows, said_of(rows, Numbered(), 0.6), 10)
        assert (found.unknown, found.unknown_needing) == (2, 1)
        assert (found.figures.hits, found.figures.alarms) == (3, 2)
        known = evaluated(MIXED, said_of(MIXED, Numbered(), 0.6), 10)
        assert found.figures.calibration_error == known.figures.calibration_error
        assert found.promises == known.promises
        assert found.spread == known.spread

    def test_a_model_that_is_replaced_on_the_way_is_not_measured(self) -> None:
        class Replaced(Numbered):
            def probabilities(self, texts: Sequence[str]) -> list[float | None]:
                self.model += "*"
                return super().probabilities(texts)

        with pytest.raises(Refused, match=r"changed on the way .* evaluate again"):
            said_of(posts(*[(1, True)] * (AT_ONCE + 1)), Replaced(), None)


class TestFigures:
    def test_are_those_of_the_verdicts_at_the_threshold(self) -> None:
        found = evaluated(MIXED, said_of(MIXED, Numbered(), None), 10)
        counted = found.figures
        assert (counted.hits, counted.misses, counted.alarms, counted.passed) == (2, 1, 1, 2)
        assert found.recall is not None
        assert (found.recall.part, found.recall.whole) == (2, 3)
        assert counted.recall == pytest.approx(2 / 3)
        assert found.needing == 3

    def test_promises_are_what_was_said_and_what_came_true(self) -> None:
        rows = posts((12, True), (14, False), (95, True))
        found = evaluated(rows, said_of(rows, Numbered(), None), 10).promises
        assert [(round(one.said, 3), one.true.part, one.true.whole) for one in found] == [
            (0.13, 1, 2),
            (0.95, 1, 1),
        ]

    def test_the_spread_counts_every_known_post_once_at_its_side(self) -> None:
        rows = posts((0, False), (4, False), (5, True), (100, True))
        spread = evaluated(rows, said_of(rows, Numbered(), None), 10).spread
        assert (spread.others[0], spread.needing[1], spread.needing[-1]) == (2, 1, 1)
        assert sum(spread.needing + spread.others) == 4

    def test_of_one_side_alone_tell_no_ranks(self) -> None:
        rows = posts((90, True), (10, True))
        report = measured(rows, [], [Candidate(Numbered())], 10)
        assert report.result.evaluation.figures.roc_auc is None
        assert (report.result.f1, report.result.pr_auc, report.draws) == (None, None, 0)
        assert report.cautions[0].startswith("All 2 posts needed a person.")
        assert "one side alone" in prose.advice(report.result.evaluation)

    def test_of_twelve_posts_come_with_a_warning_in_plain_words(self) -> None:
        report = measured(MIXED * 2, [], [Candidate(Numbered())], 10)
        [caution] = report.cautions
        assert caution == (
            "There are only 12 posts. Chance alone moves every figure here by many points: judge "
            "nothing by them, and label at least 200."
        )

    def test_of_one_post_count_it_as_one(self) -> None:
        report = measured(posts((90, True)), [], [Candidate(Numbered())], 10)
        assert [one.split(".")[0] for one in report.cautions] == [
            "The one post needed a person",
            "There is only 1 post",
        ]

    def test_on_what_a_model_has_learnt_from_come_with_a_warning(self) -> None:
        sources = [Source("seen.csv", "ab"), Source("new.csv", "cd")]
        candidates = [Candidate(Numbered(), None, frozenset({"ab", "ef"}))]
        caution, *_ = measured(MIXED, sources, candidates, 10).cautions
        assert caution.startswith("numbered has learnt from seen.csv.")


class TestIntervals:
    def test_of_a_share_are_wilsons(self) -> None:
        # Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I.
        found = share(81, 263)
        assert found is not None
        assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)
        assert share(0, 0) is None

    def test_of_few_posts_are_wide(self) -> None:
        few, many = share(3, 4), share(300, 400)
        assert few is not None
        assert many is not None
        assert few.high - few.low > 5 * (many.high - many.low)

    @given(st.integers(0, 50))
    @settings(max_examples=15, deadline=None)
    def test_are_drawn_from_the_figures_of_the_library(self, seed: int) -> None:
        probabilities, truths = random_posts(60, seed)
        weights = np.random.default_rng(seed).integers(0, 4, 60).astype(np.float64)
        ranked = resampling._Ranked.of(truths, said(probabilities))
        assert ranked.pr_auc(weights) == pytest.approx(
            average_precision_score(truths, probabilities, sample_weight=weights)
        )
        assert ranked.f1(weights) == pytest.approx(
            f1_score(truths, probabilities >= 0.5, sample_weight=weights)
        )

    def test_are_the_same_from_the_same_seed_and_hold_the_figure(self) -> None:
        probabilities, truths = random_posts(400)
        one, same, other = (
            resampling.drawn(truths, [said(probabilities)], seed) for seed in (3, 3, 4)
        )
        assert one is not None
        assert same is not None
        assert other is not None
        assert one.pr_auc_drawn.tolist() == same.pr_auc_drawn.tolist()
        assert one.pr_auc_drawn.tolist() != other.pr_auc_drawn.tolist()
        held = resampling.between(one.f1[0], one.f1_drawn[:, 0])
        assert held.low < held.value < held.high


class TestSlices:
    def test_are_by_length_always(self) -> None:
        rows = [Labelled("x" * length, escalate=True) for length in (1, 20, 21, 280, 281, 9_000)]
        found = kinds(rows, truths_of(rows), truths_of(rows))
        assert found.keys() == {"length"}
        assert [(one.name, one.rows) for one in found["length"]] == [
            ("0 to 20", 2),
            ("21 to 70", 1),
            ("141 to 280", 1),
            ("281 and more", 2),
        ]

    def test_are_by_language_and_hour_where_the_file_tells_them(self) -> None:
        at = datetime(2026, 11, 2, 9, 59, tzinfo=UTC)
        rows = [
            Labelled("post 90", escalate=True, at=at, language="de"),
            Labelled("post 10", escalate=True, at=at, language="de"),
            Labelled("post 90", escalate=False),
        ]
        found = kinds(rows, truths_of(rows), said_of(rows, Numbered(), None).escalates)
        german, untold = found["language"]
        assert (german.name, german.rows, untold.name, untold.rows) == ("de", 2, "not told", 1)
        assert german.recall is not None
        assert german.recall.value == 0.5
        assert untold.recall is None
        [morning] = found["hour"]
        assert (morning.name, morning.rows) == ("09", 2)

    def test_rare_languages_stand_together(self) -> None:
        rows = [Labelled("post", escalate=True, language=f"l{at:02}") for at in range(20)]
        found = kinds(rows, truths_of(rows), truths_of(rows))["language"]
        assert [one.rows for one in found] == [1] * 12 + [8]
        assert found[-1].name == "others"


class TestCosts:
    def test_count_a_miss_as_so_many_needless_cards(self) -> None:
        found = costs_of(MIXED, 10)
        assert (found.now.cards, found.now.needless, found.now.missed) == (500, 1000 / 6, 1000 / 6)
        assert found.now.cost == pytest.approx(1000 / 6 + 10 * 1000 / 6)

    def test_are_what_counting_at_each_threshold_gives(self) -> None:
        probabilities, truths = random_posts(300)
        found = costs(truths, probabilities, np.ones(300, dtype=np.bool_), 0.5, 7)
        for point in found.points[::10]:
            cards = probabilities >= point.threshold
            missed, needless = (truths & ~cards).sum(), (~truths & cards).sum()
            assert point.cost == pytest.approx((needless + 7 * missed) / 0.3)
            assert point.cards == pytest.approx(cards.sum() / 0.3)
        assert found.cheapest.cost == min(point.cost for point in found.points)
        assert found.near[0] <= found.cheapest.threshold <= found.near[1]

    def test_a_dear_miss_lowers_the_cheapest_threshold(self) -> None:
        assert costs_of(MIXED, 10).cheapest.threshold <= 0.4
        assert costs_of(MIXED, 0.1).cheapest.threshold > 0.7

    def test_what_is_unknown_is_a_card_at_every_threshold(self) -> None:
        rows = [*MIXED, Labelled("unknown", escalate=False)]
        found = costs_of(rows, 10)
        assert found.points[-1].cards == pytest.approx(1000 / 7)
        assert found.points[-1].needless == pytest.approx(1000 / 7)

    def test_the_advice_says_whether_the_threshold_is_good_enough(self) -> None:
        rows = posts(*[(60, True)] * 50, *[(20, False)] * 50)
        well = evaluated(rows, said_of(rows, Numbered(), 0.5), 10)
        assert "0.50, is as good as any" in prose.advice(well)
        badly = evaluated(rows, said_of(rows, Numbered(), 0.9), 10)
        assert prose.advice(badly) == (
            "At 0.90, in force, 1,000 posts make 0 cards, 0 of them needless, and 500 people are "
            "missed. Cheapest on these posts would be 0.60: 1,000 posts make 500 cards, 0 of them "
            "needless, and 0 people are missed. Anything from 0.21 to 0.60 is nearly as good."
        )

    def test_the_advice_counts_one_card_and_one_person_as_one(self) -> None:
        rows = posts((60, True), *[(20, False)] * 999)
        told = prose.advice(evaluated(rows, said_of(rows, Numbered(), 0.9), 10))
        assert "0 cards, 0 of them needless, and 1 person is missed." in told
        assert "1,000 posts make 1 card, 0 of them needless" in told


def costs_of(rows: Sequence[Labelled], miss_costs: float) -> Any:
    return evaluated(rows, said_of(rows, Numbered(), None), miss_costs).costs


class TestMistakes:
    def test_are_the_surest_ones_of_each_way_once_each(self) -> None:
        rows = posts(*((at, True) for at in range(30)), *((99 - at, False) for at in range(30)))
        rows += posts((0, True), (60, True))
        found = mistakes(rows, said_of(rows, Numbered(), None), Numbered())
        missed = [one.probability for one in found if one.escalate]
        needless = [one.probability for one in found if not one.escalate]
        assert missed == [at / 100 for at in range(MISTAKES)]
        assert needless == [(99 - at) / 100 for at in range(MISTAKES)]

    def test_come_with_the_words_that_moved_them(self) -> None:
        rows = posts((90, False))
        [found] = mistakes(rows, said_of(rows, Numbered(), None), Numbered())
        assert found.words[0].words == "90"
        assert found.words[0].weight > 0

    def test_what_the_model_does_not_know_is_no_mistake_of_its(self) -> None:
        rows = [Labelled("unknown", escalate=False)]
        assert mistakes(rows, said_of(rows, Numbered(), None), Numbered()) == []


class TestComparing:
    def test_finds_the_better_model(self) -> None:
        probabilities, truths = random_posts(600)
        worse = np.random.default_rng(5).permutation(probabilities)
        found = versus(truths, said(probabilities, model="A"), said(worse, model="B"))
        assert found.better == "one"
        assert found.sentence == "A is better."
        assert found.p_value < 0.001
        assert found.pr_auc is not None
        assert found.pr_auc.low > 0

    def test_shows_no_difference_of_a_model_from_itself(self) -> None:
        probabilities, truths = random_posts(200)
        found = versus(truths, said(probabilities), said(probabilities))
        assert (found.only_one, found.only_other, found.p_value) == (0, 0, 1.0)
        assert found.better is None
        assert found.sentence == "No difference is shown."

    def test_uses_each_models_own_threshold(self) -> None:
        truths = np.array([True] * 40 + [False] * 40)
        scores = np.array([0.8] * 40 + [0.2] * 40)
        found = versus(truths, said(scores, 0.5), said(scores, 0.1))
        assert (found.only_one, found.only_other) == (40, 0)
        # McNemar's exact test: 40 heads of 40 throws, both ways.
        assert found.p_value == pytest.approx(2 * 0.5**40)

    def test_says_so_where_each_is_better_at_something(self) -> None:
        chance = np.random.default_rng(2)
        truths = chance.random(2_000) < 0.5
        decided = np.clip(truths * 0.3 + chance.random(2_000) * 0.7, 0, 1)
        timid = decided * 0.1 + truths * 0.1
        found = versus(truths, said(decided), said(timid))
        assert found.better is None
        assert found.at_odds
        assert found.sentence.startswith("Each is better at something")

    def test_needs_both_sides_for_ranks_only(self) -> None:
        truths = np.ones(30, dtype=np.bool_)
        found = versus(truths, said([0.9] * 30), said([0.1] * 30))
        assert (found.f1, found.pr_auc, found.better) == (None, None, "one")


def versus(truths: Any, one: Said, other: Said) -> Comparison:
    return compared(truths, one, other, resampling.drawn(truths, [one, other]))


class TestPatience:
    def test_asks_again_and_waits_longer_each_time(self) -> None:
        classifier, waited = Failing(3), list[float]()
        assert PatientClassifier(classifier, waited.append).probabilities(["post 7"]) == [0.07]
        assert waited == [1.0, 2.0, 4.0]

    def test_waits_as_long_as_it_is_asked_to_within_reason(self) -> None:
        waited: list[float] = []
        for after in (20, 9_999):
            PatientClassifier(Failing(1, after), waited.append).probabilities(["post 7"])
        assert waited == [20, LONGEST_WAIT]

    def test_ends(self) -> None:
        waited: list[float] = []
        with pytest.raises(Retryable):
            PatientClassifier(Failing(99), waited.append).probabilities(["post 7"])
        assert waited == list(WAITS)

    def test_does_not_ask_again_what_will_never_work(self) -> None:
        waited: list[float] = []
        with pytest.raises(Permanent):
            PatientClassifier(Failing(1, error=Permanent("No.")), waited.append).probabilities(
                ["a"]
            )
        assert waited == []


class Failing(Numbered):
    def __init__(
        self, times: int, after: float | None = None, error: Failure | None = None
    ) -> None:
        super().__init__()
        self._left, self._error = times, error or Retryable("Not now.", after)

    def probabilities(self, texts: Sequence[str]) -> list[float | None]:
        if self._left:
            self._left -= 1
            raise self._error
        return super().probabilities(texts)


class TestVerb:
    @pytest.fixture
    def data(self, tmp_path: Path) -> Path:
        rows = [(ANGRY, "yes"), (CALM, "0"), ("i am very angry", "True "), ("thanks", "no")] * 30
        path = tmp_path / "data.csv"
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([("text", "escalate"), *rows, ("thanks", "1")])
        return path

    @pytest.fixture
    def model(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
        return archive(tmp_path)

    def test_prints_figures_and_writes_page_and_json(
        self, data: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        page = tmp_path / "new" / "report.html"
        assert main(["evaluate", str(data), "--model", str(model), "--report", str(page)]) == 0
        printed = capsys.readouterr().out
        assert "121 posts, 61 of which needed a person, judged by small at 0.5:" in printed
        assert "Seed 0, 1,000 draws." in printed
        told = json.loads(page.with_suffix(".json").read_text())
        assert told["result"]["evaluation"]["figures"]["misses"] == 1
        assert page.read_text().startswith("<!doctype html>")

    def test_prints_the_same_as_json(
        self, data: Path, model: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        asked = ["evaluate", str(data), "--model", str(model), "--against", str(model), "--json"]
        assert main(asked) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["comparison"]["sentence"] == "No difference is shown."
        assert (told["comparison"]["one"], told["comparison"]["other"]) == (
            "small",
            "small (--against)",
        )
        assert told["sources"][0]["name"] == "data.csv"

    def test_says_when_the_model_has_learnt_from_the_file(
        self, data: Path, tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        digest = hashlib.sha256(data.read_bytes()).hexdigest()
        card = {"data": {"files": [{"name": "data.csv", "sha256": digest}]}}
        pack(
            model.with_name(BINARY), Description(name="learnt", card=card), tmp_path / "own.tar.gz"
        )
        assert main(["evaluate", str(data), "--model", str(tmp_path / "own.tar.gz")]) == 0
        assert "learnt has learnt from data.csv." in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("option", "says"),
        [
            (["--miss-costs", "0"], "--miss-costs is a number above 0"),
            (["--miss-costs", "nan"], "--miss-costs is a number above 0"),
            (["--threshold", "7"], "A threshold is a number from 0 to 1"),
            (["--against", "absent.tar.gz"], "There is no model at"),
            (["--miss-costs", "inf"], "--miss-costs is a number above 0"),
            (["--report", "report.json"], "--report names the page"),
            (["--report", ""], "--report names the page"),
            (["--report", "/dev/null"], "--report names the page"),
        ],
    )
    def test_refuses_what_makes_no_sense(
        self,
        data: Path,
        model: Path,
        option: list[str],
        says: str,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        assert main(["evaluate", str(data), "--model", str(model), *option]) == 2
        assert says in capsys.readouterr().err

    @pytest.mark.parametrize("page", ["data.csv", "data.html", "small.tar.gz"])
    def test_writes_its_report_over_nothing_it_reads(
        self, data: Path, model: Path, page: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        rows = data.rename(data.with_suffix(".json")) if page.endswith("html") else data
        read = model.rename(data.with_name("small.tar.gz"))
        before = rows.read_bytes(), read.read_bytes()
        asked = ["--model", str(read), "--report", str(data.with_name(page))]
        assert main(["evaluate", str(rows), *asked]) == 2
        assert "--report would write over" in capsys.readouterr().err
        assert (rows.read_bytes(), read.read_bytes()) == before

    @pytest.mark.parametrize("told", [[], {"files": 5}, {"files": ["x", {"sha256": [1]}]}])
    def test_takes_a_card_that_names_its_files_otherwise(
        self, data: Path, tmp_path: Path, model: Path, told: object
    ) -> None:
        described = Description(name="odd", card={"data": told})
        pack(model.with_name(BINARY), described, tmp_path / "own.tar.gz")
        assert main(["evaluate", str(data), "--model", str(tmp_path / "own.tar.gz")]) == 0

    def test_refuses_a_file_without_a_post(
        self, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "empty.csv").write_text("text,escalate\n")
        assert main(["evaluate", str(tmp_path / "empty.csv"), "--model", str(model)]) == 2
        assert "There is no labelled post in these files" in capsys.readouterr().err


def test_other_verbs_do_not_wait_for_the_libraries_of_this_one() -> None:
    code = "import bot.__main__, sys; print(*sys.modules)"
    asked = [sys.executable, "-c", code]
    run = subprocess.run(asked, cwd=HOUSE, capture_output=True, text=True, check=True)
    assert not {"matplotlib", "numpy", "scipy", "sklearn"} & set(run.stdout.split())


class TestEndpoint:
    @pytest.fixture(autouse=True)
    def aws(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "testing")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
        sagemaker.client.cache_clear()
        yield
        sagemaker.client.cache_clear()

    @pytest.fixture
    def data(self, tmp_path: Path) -> Path:
        rows = [(ANGRY, "1"), (CALM, "0"), ("thanks", "1")] * 400
        path = tmp_path / "data.csv"
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([("text", "label"), *rows])
        return path

    def test_is_measured_as_the_model_behind_it_is(
        self,
        data: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        served = Description(name="served", threshold=0.25)
        with BlazingTextStandin(
            trained(tmp_path), variant=variant_name(served, "1a2b3c4d")
        ) as endpoint:
            monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", endpoint.url)
            asked = ["evaluate", str(data), "--endpoint", REFERENCE_ENDPOINT, "--json"]
            assert main(asked) == 0
            assert max(endpoint.batch_sizes) == AT_ONCE
        told = json.loads(capsys.readouterr().out)["result"]["evaluation"]
        figures = told["figures"]
        assert (told["model"], figures["threshold"]) == ("served-1a2b3c4d", 0.25)
        assert (figures["hits"], figures["misses"], figures["passed"]) == (400, 400, 400)

    def test_of_a_stage_is_measured_at_the_stages_threshold(
        self,
        data: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        arguments = parser().parse_args(["evaluate", str(data), "--stage", "live", "--json"])
        stage = {"SAGEMAKER_ENDPOINT": REFERENCE_ENDPOINT, "ESCALATION_THRESHOLD": "0.01"}
        with BlazingTextStandin(trained(tmp_path)) as endpoint:
            monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", endpoint.url)
            evaluate(arguments, {"DATA_DIR": str(tmp_path / "data"), **stage})
        told = json.loads(capsys.readouterr().out)["result"]["evaluation"]
        assert (told["model"], told["figures"]["threshold"]) == (REFERENCE_ENDPOINT, 0.01)

    def test_of_a_stage_is_the_stages_own(self, data: Path) -> None:
        given = ["evaluate", str(data), "--stage", "live", "--model", "other.tar.gz"]
        with pytest.raises(Refused, match="leave out --model and --endpoint"):
            evaluate(parser().parse_args(given), {})

    def test_is_asked_again_while_it_does_not_answer(self, tmp_path: Path) -> None:
        waited: list[float] = []
        with BlazingTextStandin(trained(tmp_path)) as endpoint:
            endpoint.faults += [throttled(), throttled()]
            once = Config(retries={"total_max_attempts": 1})
            runtime = boto3.client("sagemaker-runtime", endpoint_url=endpoint.url, config=once)
            hosted = SageMakerClassifier(runtime, REFERENCE_ENDPOINT, "plain")
            found = said_of(
                [Labelled(ANGRY, escalate=True)], PatientClassifier(hosted, waited.append), None
            )
            runtime.close()
        assert found.escalates.tolist() == [True]
        assert waited == [1.0, 2.0]

    def test_that_is_not_there_is_named(
        self,
        data: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        with BlazingTextStandin(trained(tmp_path)) as endpoint:
            monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", endpoint.url)
            assert main(["evaluate", str(data), "--endpoint", "other"]) == 2
        assert "The endpoint other refuses our calls" in capsys.readouterr().err
