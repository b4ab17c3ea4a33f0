"""`publish` on a laptop and into a stage's package: the gate, the record, where the model goes."""

import json
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bot import settings
from bot.classifier.archive import unpack
from bot.classifier.embedded import EmbeddedClassifier
from bot.learning.evaluating.comparing import Comparison
from bot.learning.evaluating.resampling import Between
from bot.learning.metrics import Judged, figures
from bot.learning.publishing import gate, record, stages
from bot.learning.publishing.artifacts import opened
from bot.learning.publishing.gate import Trial
from bot.settings import HOUSE
from bot.wiring import Parts
from tests.publishing import OURS, Engineer, account, archive, house, posts, table
from tests.standins import aws
from tests.standins.stage import STAGE, deploy


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two archives, `better` and `worse`, and a test set."""
    folder = tmp_path_factory.mktemp("models")
    archive(folder / "better")
    archive(folder / "worse", replace(OURS, name="worse"), worse=True)
    table(folder / "test.csv")
    return folder


@pytest.fixture
def better(models: Path) -> Path:
    return models / "better/model.tar.gz"


@pytest.fixture
def worse(models: Path) -> Path:
    return models / "worse/model.tar.gz"


@pytest.fixture
def test_set(models: Path) -> Path:
    return models / "test.csv"


@pytest.fixture
def engineer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Engineer]:
    with house(tmp_path, monkeypatch):
        yield Engineer(tmp_path, capsys)


def own(folder: Path) -> Parts:
    return Parts(settings.read({"DATA_DIR": str(folder / "data")}))


def note(folder: Path) -> Any:
    return own(folder).store.note("publication")


class TestOnALaptop:
    def test_the_bot_has_the_model_at_its_next_start_without_a_setting(
        self, engineer: Engineer, better: Path, test_set: Path
    ) -> None:
        row = engineer.publishes(better, "--test", test_set)
        chosen = settings.read({"DATA_DIR": str(engineer.folder / "data")})
        assert chosen.model_path == engineer.folder / "data/model.tar.gz"
        assert Parts(chosen).classifier.threshold == 0.4
        assert row["model"] == opened(better).name
        assert row["next"] == ["The bot takes it when it starts next."]

    def test_a_model_path_that_is_set_still_wins(self, engineer: Engineer, better: Path) -> None:
        (engineer.folder / "data").mkdir()
        (engineer.folder / "data/model.tar.gz").write_bytes(better.read_bytes())
        own = {"DATA_DIR": str(engineer.folder / "data"), "MODEL_PATH": str(better)}
        assert settings.read(own).model_path == better

    def test_what_would_not_be_used_is_refused(
        self,
        engineer: Engineer,
        better: Path,
        test_set: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("MODEL_PATH", str(better))
        assert "MODEL_PATH names this machine's model" in engineer.refused(
            better, "--test", test_set
        )
        monkeypatch.delenv("MODEL_PATH")
        monkeypatch.setenv("SAGEMAKER_ENDPOINT", "harbor")
        assert "asks the endpoint harbor" in engineer.refused(better, "--test", test_set)

    @pytest.mark.parametrize(
        ("line", "says"),
        [
            (["{better}"], "frozen test set with --test"),
            (["--test", "{test}"], "Name a model archive"),
            (["{test}", "--test", "{test}"], "is no model archive"),
            (["gone.tar.gz", "--test", "{test}"], "There is no model archive gone.tar.gz"),
            (["{better}", "--deploy"], "name it with --stage"),
            (["--train-on", "here", "x.csv", "--test", "{test}"], "--train-on sagemaker"),
        ],
    )
    def test_what_does_not_go_together_is_one_sentence(
        self, engineer: Engineer, models: Path, line: list[str], says: str
    ) -> None:
        names = {"better": models / "better/model.tar.gz", "test": models / "test.csv"}
        said = engineer.refused(*(word.format(**names) for word in line))
        assert says in said
        assert len(said.splitlines()) == 1

    def test_a_test_set_of_one_label_is_refused(self, engineer: Engineer, better: Path) -> None:
        one = table(engineer.folder / "one.csv", [row for row in posts() if row[1]])
        assert "needs posts of both labels" in engineer.refused(better, "--test", one)


class TestTheGate:
    def test_a_model_that_is_not_better_needs_force_and_a_reason(
        self, engineer: Engineer, better: Path, worse: Path, test_set: Path
    ) -> None:
        engineer.publishes(better, "--test", test_set)
        said = engineer.refused(worse, "--test", test_set)
        assert "worse-" in said
        assert "was not published: its PR-AUC is" in said
        assert Parts(
            settings.read({"DATA_DIR": str(engineer.folder / "data")})
        ).classifier.model == ("better")
        row = engineer.publishes(worse, "--test", test_set, "--force", "a demo of what goes wrong")
        assert row["forced"] == "a demo of what goes wrong"
        assert note(engineer.folder)["objections"][0].startswith("its PR-AUC is")

    def test_a_better_one_needs_none_and_force_is_then_not_recorded(
        self, engineer: Engineer, better: Path, worse: Path, test_set: Path
    ) -> None:
        engineer.publishes(worse, "--test", test_set, "--force", "nothing better yet")
        row = engineer.publishes(better, "--test", test_set, "--force", "not needed")
        assert row["forced"] is None
        figures = note(engineer.folder)["figures"]
        assert figures["new"]["pr_auc"] > figures["old"]["pr_auc"]

    def test_what_serves_already_may_be_put_there_again(
        self, engineer: Engineer, better: Path, test_set: Path
    ) -> None:
        engineer.publishes(better, "--test", test_set)
        assert engineer.publishes(better, "--test", test_set)["forced"] is None

    def test_another_test_set_is_refused(
        self, engineer: Engineer, better: Path, worse: Path, test_set: Path
    ) -> None:
        engineer.publishes(worse, "--test", test_set, "--force", "a start")
        other = table(engineer.folder / "other.csv", posts()[2:])
        assert "the test set is not the one" in engineer.refused(better, "--test", other)
        row = engineer.publishes(better, "--test", other, "--force", "more languages in it")
        assert row["forced"] == "more languages in it"

    def test_the_ranking_decides_and_chance_is_not_held_against_the_verdicts(
        self, models: Path, test_set: Path
    ) -> None:
        rows = gate.test_set(test_set)
        good = EmbeddedClassifier(models / "better/model.tar.gz")
        bad = EmbeddedClassifier(models / "worse/model.tar.gz")
        assert gate.tried(rows, good, bad).objection is None
        assert gate.tried(rows, good, None).objection is None
        assert gate.tried(rows, bad, good).objection
        strict = replace(OURS, threshold=0.9999)
        archive(models / "strict", strict)
        never = EmbeddedClassifier(models / "strict/model.tar.gz")
        assert gate.tried(rows, never, bad).objection is None
        assert gate.tried(rows, bad, never).old

    @pytest.mark.parametrize("reason", ["", "  "])
    def test_no_reason_is_no_force(
        self, engineer: Engineer, better: Path, worse: Path, test_set: Path, reason: str
    ) -> None:
        engineer.publishes(better, "--test", test_set)
        said = engineer.refused(worse, "--test", test_set, "--force", reason)
        assert "was not published" in said

    def test_a_reason_has_to_fit_into_the_record(
        self, engineer: Engineer, better: Path, test_set: Path
    ) -> None:
        asked = (better, "--test", test_set, "--force", "x" * 1001)
        assert "at most 1000 characters" in engineer.refused(*asked)
        assert not (engineer.folder / "data/model.tar.gz").exists()

    def test_a_model_that_learnt_from_the_test_set_is_refused(
        self, engineer: Engineer, test_set: Path, tmp_path: Path
    ) -> None:
        digest = gate.test_set(test_set).digest
        story = {"data": {"files": [{"name": "test.csv", "sha256": digest}]}}
        learnt = archive(tmp_path / "learnt", replace(OURS, card=story))
        assert "learnt from the test set itself" in engineer.refused(learnt, "--test", test_set)
        odd = archive(tmp_path / "odd", replace(OURS, card={"data": {"files": 5}}))
        assert engineer.publishes(odd, "--test", test_set)["forced"] is None


class TestTheRecord:
    def test_of_a_strange_model_holds_nothing_strange(
        self, engineer: Engineer, test_set: Path, tmp_path: Path
    ) -> None:
        long: Any = ["x" * 500_000]
        strange = replace(OURS, data=long[0], card={"baseline": {"scores": long}})
        engineer.publishes(archive(tmp_path / "strange", strange), "--test", test_set)
        assert len(json.dumps(note(engineer.folder))) < 4_000

    def test_needs_a_name_before_anything_is_touched(
        self,
        engineer: Engineer,
        better: Path,
        test_set: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def nobody() -> str:
            raise KeyError("getpwuid(): uid not found: 1234")

        monkeypatch.setattr("getpass.getuser", nobody)
        assert "say it with --by NAME" in engineer.refused(better, "--test", test_set)
        assert not (engineer.folder / "data/model.tar.gz").exists()

    def test_of_an_endpoint_is_not_that_of_a_laptop_which_does_not_ask_it(
        self, engineer: Engineer, better: Path, test_set: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SAGEMAKER_ENDPOINT", "harbor")
        monkeypatch.setenv("CLASSIFIER", "embedded")
        engineer.publishes(better, "--test", test_set)
        assert engineer.types("--list", "--endpoint", "harbor")[1] == ""

    def test_tells_what_was_published_when_by_whom_and_on_what(
        self, engineer: Engineer, better: Path, test_set: Path, tmp_path: Path
    ) -> None:
        baseline = {"scores": [0.1] * 10, "unknown": 0.2, "mistakes": 0.1}
        (tmp_path / "own").mkdir()
        told = replace(unpack(better, tmp_path), data="cafe", card={"baseline": baseline})
        made = archive(tmp_path / "own", told)
        engineer.publishes(made, "--test", test_set, "--by", "mira")
        found = note(engineer.folder)
        assert (found["who"], found["data"], found["rows"]) == ("mira", "cafe", 64)
        assert found["baseline"] == baseline
        assert (found["model"], found["id"]) == (opened(made).name, opened(made).id)
        assert len(found["test"]) == 64
        assert found["where"] == "this machine"

    def test_remembers_the_last_twenty(
        self, engineer: Engineer, better: Path, test_set: Path
    ) -> None:
        engineer.publishes(better, "--test", test_set)
        store = own(engineer.folder).store
        latest = store.note("publication")
        for number in range(30):
            record.kept(store, "publication", {**latest, "who": str(number)})
        found = store.note("publication")
        assert [one["who"] for one in found["before"]] == [str(n) for n in range(28, 8, -1)]
        assert "before" not in found["before"][0]

    def test_remembers_what_drift_measures_an_earlier_model_by(
        self, engineer: Engineer, better: Path, test_set: Path
    ) -> None:
        engineer.publishes(better, "--test", test_set)
        store = own(engineer.folder).store
        baseline = {"scores": None, "unknown": 0.2, "mistakes": 0.1}
        record.kept(store, "publication", {**store.note("publication"), "baseline": baseline})
        record.kept(store, "publication", store.note("publication"))
        [earlier, _] = store.note("publication")["before"]
        assert (earlier["name"], earlier["baseline"]) == ("better", baseline)
        rows = [json.loads(line) for line in engineer.types("--list", "--json")[1].splitlines()]
        assert {tuple(row) for row in rows} == {tuple(record.brief({}))}

    def test_is_listed(self, engineer: Engineer, better: Path, worse: Path, test_set: Path) -> None:
        assert engineer.types("--list")[2] == "Nothing was published yet.\n"
        engineer.publishes(worse, "--test", test_set, "--force", "a start", "--by", "jo")
        engineer.publishes(better, "--test", test_set, "--by", "mira")
        code, out, _ = engineer.types("--list")
        first, second = out.splitlines()
        assert code == 0
        assert f"{opened(better).name} to this machine, by mira: PR-AUC" in first
        assert second.endswith("forced: a start") is False, "there was nothing to beat"
        rows = [json.loads(line) for line in engineer.types("--list", "--json")[1].splitlines()]
        assert [row["who"] for row in rows] == ["mira", "jo"]


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with aws.moto_server() as url:
        yield url


class TestAStageWhoseFunctionsHoldTheModel:
    @pytest.fixture
    def file(
        self, engineer: Engineer, moto: str, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[Path]:
        with account(moto, engineer.folder, monkeypatch):
            deploy(moto)
            file = engineer.folder / f"aws/stages/{STAGE}.env"
            file.parent.mkdir(parents=True)
            file.write_text("# mine\nREGION=us-east-1\n")
            yield file

    def test_names_the_model_in_its_file_for_the_next_deployment(
        self, engineer: Engineer, file: Path, better: Path, test_set: Path
    ) -> None:
        row = engineer.publishes(better, "--stage", STAGE, "--test", test_set)
        named = f"models/{opened(better).name}.tar.gz"
        assert file.read_text() == f"# mine\nREGION=us-east-1\nMODEL_FILE={named}\n"
        assert (engineer.folder / named).read_bytes() == better.read_bytes()
        assert row["next"] == [f"{STAGE}.env names it. Next: `make deploy STAGE={STAGE}`."]

    def test_is_compared_with_the_model_it_was_packaged_with(
        self, engineer: Engineer, file: Path, better: Path, worse: Path, test_set: Path
    ) -> None:
        line = ("--stage", STAGE, "--test", test_set)
        (engineer.folder / "build").mkdir()
        (engineer.folder / "build/model.tar.gz").write_bytes(better.read_bytes())
        assert "was not published" in engineer.refused(worse, *line)
        assert "MODEL_FILE" not in file.read_text()

    def test_is_compared_with_that_one_or_not_published(
        self, engineer: Engineer, file: Path, worse: Path, test_set: Path
    ) -> None:
        file.write_text("REGION=us-east-1\nMODEL_FILE=models/gone-1a2b3c4d.tar.gz\n")
        said = engineer.refused(worse, "--stage", STAGE, "--test", test_set)
        assert "models/gone-1a2b3c4d.tar.gz" in said
        assert "is not here to be compared with" in said

    def test_is_not_compared_with_what_served_before_a_colleagues_publication(
        self, engineer: Engineer, file: Path, better: Path, worse: Path, test_set: Path
    ) -> None:
        line, mine = ("--stage", STAGE, "--test", test_set), file.read_text()
        engineer.publishes(better, *line, "--by", "mira")
        theirs = file.read_text()
        file.write_text(mine)
        said = engineer.refused(worse, *line)
        assert f"mira published {opened(better).name} to the functions of stage" in said
        file.write_text(theirs)
        assert engineer.publishes(better, *line)["forced"] is None

    def test_whose_settings_are_not_here_is_not_touched(
        self, engineer: Engineer, file: Path, better: Path, test_set: Path
    ) -> None:
        file.unlink()
        said = engineer.refused(better, "--stage", STAGE, "--test", test_set, "--deploy")
        assert f"There is no aws/stages/{STAGE}.env here" in said
        assert not file.exists()

    def test_is_deployed_apart_from_the_answer(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr(stages, "HOUSE", tmp_path)
        (tmp_path / "Makefile").write_text("deploy:\n\t@echo to $(STAGE) $(YES)\n")
        assert stages.deployed_by_make("prod")
        assert capfd.readouterr() == ("", "to prod 1\n")

    def test_has_a_record_of_its_own(
        self, engineer: Engineer, file: Path, better: Path, test_set: Path
    ) -> None:
        assert file
        engineer.publishes(better, "--stage", STAGE, "--test", test_set, "--by", "mira")
        assert note(engineer.folder) is None, "that of this machine"
        assert "by mira" in engineer.types("--list", "--stage", STAGE)[1]

    def test_keeps_its_file_where_the_deployment_fails(
        self,
        engineer: Engineer,
        file: Path,
        better: Path,
        test_set: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        before, deployed = file.read_text(), []

        def fails(stage: str) -> bool:
            deployed.append((stage, "MODEL_FILE" in file.read_text()))
            return False

        monkeypatch.setattr("bot.learning.publishing.choosing.deployed_by_make", fails)
        line = (better, "--stage", STAGE, "--test", test_set, "--deploy")
        assert "failed: what stopped it stands above" in engineer.refused(*line)
        assert deployed == [(STAGE, True)]
        assert file.read_text() == before
        assert engineer.types("--list", "--stage", STAGE)[1] == ""


class TestThePackage:
    @pytest.fixture
    def clone(self, tmp_path: Path) -> Path:
        """What the end of aws/dependencies.sh needs, and no more."""
        script = (HOUSE / "aws/dependencies.sh").read_text()
        begin, end = script.index("\nmodel=\n"), script.index("\nfind bot handlers")
        (tmp_path / "aws/stages").mkdir(parents=True)
        (tmp_path / "part.sh").write_text(f"set -eu\n{script[begin:end]}")
        return tmp_path

    def packs(self, clone: Path, stage: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["sh", "part.sh"],  # noqa: S607
            cwd=clone,
            env={"STAGE": stage, "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )

    def test_has_the_stages_own_model_and_else_the_starter(
        self, clone: Path, better: Path, worse: Path, tmp_path: Path
    ) -> None:
        for folder, source in (("models", better), ("build", worse)):
            (clone / folder).mkdir()
            (clone / folder / "model.tar.gz").write_bytes(source.read_bytes())
        (clone / "aws/stages/prod.env").write_text("MODEL_FILE='models/model.tar.gz'\n")
        (clone / "aws/stages/eu.env").write_text(" export MODEL_FILE = models/model.tar.gz\n")
        named = {}
        for stage in ("prod", "eu", "dev", ""):
            done = self.packs(clone, stage)
            assert done.returncode == 0, done.stderr
            named[stage] = json.loads((tmp_path / "build/model/model.json").read_text())["name"]
        assert named == {"prod": "better", "eu": "better", "dev": "worse", "": "worse"}

    def test_has_of_an_archive_the_model_and_its_description_alone(
        self, clone: Path, better: Path
    ) -> None:
        (clone / "secret").write_text("mine")
        (clone / "build").mkdir()
        with tarfile.open(clone / "build/model.tar.gz", "w:gz") as tar:
            tar.add(better.with_name("model.bin"), "model.bin")
            tar.add(better.with_name("model.bin"), "more/model.bin")
            link = tarfile.TarInfo("model.json")
            link.type, link.linkname = tarfile.SYMTYPE, str(clone / "secret")
            tar.addfile(link)
        assert self.packs(clone, "").returncode == 0
        assert [one.name for one in (clone / "build/model").iterdir()] == ["model.bin"]
        with tarfile.open(clone / "build/model.tar.gz", "w:gz") as tar:
            tar.add(better.with_name("model.bin"), "other.bin")
        done = self.packs(clone, "")
        assert (done.returncode, done.stdout) == (1, "build/model.tar.gz holds no model.bin.\n")

    def test_is_not_made_with_another_model_than_the_one_published(self, clone: Path) -> None:
        (clone / "aws/stages/prod.env").write_text("MODEL_FILE=models/own-1a2b3c4d.tar.gz\n")
        done = self.packs(clone, "prod")
        assert done.returncode == 1
        assert done.stdout.startswith("models/own-1a2b3c4d.tar.gz is not here: copy it")


class TestAModelThatFindsMorePeople:
    """Its F1 is lower beyond chance, for its threshold is drawn to find nearly all."""

    TRUTHS = np.tile([True] * 30 + [False] * 170, 3)

    def trial(self, found: int, needless: int) -> Trial:
        new = figures(Judged(self._said(found, needless), self.TRUTHS), 0.5)
        old = figures(Judged(self._said(20, 5), self.TRUTHS), 0.5)
        better, worse = Between(0.05, 0.01, 0.09), Between(-0.2, -0.3, -0.1)
        return Trial(new, old, Comparison("new", "old", 600, 0, 90, 0.0, worse, better))

    def _said(self, found: int, needless: int) -> NDArray[np.float64]:
        one = [0.9] * found + [0.1] * (30 - found) + [0.9] * needless + [0.1] * (170 - needless)
        return np.tile(one, 3)

    def test_may_take_the_place(self) -> None:
        assert self.trial(found=29, needless=100).objection is None

    def test_may_not_where_it_finds_no_more(self) -> None:
        assert "its F1 is" in str(self.trial(found=20, needless=100).objection)
