"""`evaluate`: how well a model, or a live endpoint, judges labelled posts."""

import json
import os
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tqdm import tqdm

from bot import settings
from bot.classifier.archive import unpack
from bot.classifier.artifact import described
from bot.errors import Refused
from bot.local.terminal import printable
from bot.thresholds import checked
from bot.verdicts import Classifier
from bot.wiring import Parts

if TYPE_CHECKING:
    from bot.learning.evaluating.measuring import Candidate
    from bot.learning.labelled import Labelled
    from bot.learning.reporting.told import Report

Environment = Mapping[str, str]

MISS_COSTS: Final = 10.0
"""Needless cards that are as bad as one person missed, where nobody says otherwise."""
MOST_MISS_COSTS: Final = 1e6


def add_options(verb: ArgumentParser) -> None:
    """What `evaluate` takes beside `--json`, `--stage` and `--region`."""
    verb.add_argument(
        "data", type=Path, nargs="+", metavar="DATA.csv", help="columns text and escalate"
    )
    which = verb.add_mutually_exclusive_group()
    which.add_argument("--model", type=Path, metavar="FILE", help="this archive; the bot's unsaid")
    which.add_argument("--endpoint", metavar="NAME", help="the model behind a SageMaker endpoint")
    verb.add_argument("--against", type=Path, metavar="FILE", help="compared with this archive")
    verb.add_argument(
        "--threshold", metavar="T", help="from which probability on; the model's own unsaid"
    )
    verb.add_argument(
        "--miss-costs",
        type=float,
        default=MISS_COSTS,
        metavar="N",
        help="needless cards that are as bad as one missed person; 10 unsaid",
    )
    verb.add_argument("--report", type=Path, metavar="report.html", help="a page, and .json beside")


def evaluate(arguments: Namespace, environment: Environment) -> int:
    """Figures of a model on labelled posts, as a sentence a line, a page, and JSON."""
    from bot.learning.reporting import report as reports  # noqa: PLC0415  scikit-learn is slow to load

    _check(arguments)
    report = _measured(arguments, environment)
    if arguments.json:
        print(json.dumps(reports.record(report)))  # noqa: T201
    else:
        print(printable(_plain(report)))  # noqa: T201
    if arguments.report:
        try:
            beside = reports.write(report, arguments.report)
        except OSError as error:
            raise Refused(f"{arguments.report} cannot be written: {error.strerror}.") from None
        print(f"Wrote {arguments.report} and {beside}.", file=sys.stderr)  # noqa: T201
    return 0


def _check(arguments: Namespace) -> None:
    if not 0 < arguments.miss_costs <= MOST_MISS_COSTS:
        raise Refused(
            f"--miss-costs is a number above 0 and up to {MOST_MISS_COSTS:,.0f}: how many needless "
            "cards a miss is worth."
        )
    if arguments.stage and (arguments.model or arguments.endpoint):
        raise Refused(
            "--stage evaluates the stage's own classifier: leave out --model and --endpoint."
        )
    if arguments.report is not None:
        _check_report(arguments)


def _check_report(arguments: Namespace) -> None:
    page: Path = arguments.report
    odd = page.exists() and not page.is_file()
    if not page.name or odd or page.suffix.lower() == ".json":
        raise Refused("--report names the page, such as report.html; its JSON comes to lie beside.")
    read = {
        path.resolve() for path in (*arguments.data, arguments.model, arguments.against) if path
    }
    for written in (page, page.with_suffix(".json")):
        if written.resolve() in read:
            raise Refused(f"--report would write over {written}: name another page.")


def _measured(arguments: Namespace, environment: Environment) -> "Report":
    from bot.learning.evaluating.measuring import measured  # noqa: PLC0415
    from bot.learning.training.card import source  # noqa: PLC0415

    # What is wrong with the models is to be told before half a million rows are read.
    candidates = _candidates(arguments, environment)
    rows = _rows(arguments.data)
    sources = [source(path) for path in arguments.data]
    texts = len(rows) * len(candidates)
    with tqdm(total=texts, unit=" texts", desc="judged", disable=None, leave=False) as bar:
        return measured(rows, sources, candidates, arguments.miss_costs, bar.update)


def _rows(paths: Sequence[Path]) -> "list[Labelled]":
    from bot.learning.labelled import labelled  # noqa: PLC0415

    size = sum(path.stat().st_size for path in paths if path.is_file())
    with tqdm(total=size, unit="B", unit_scale=True, desc="read", disable=None, leave=False) as bar:
        rows = labelled(paths, bar.update)
    if not rows:
        raise Refused("There is no labelled post in these files: add rows with text and escalate.")
    return rows


def _candidates(arguments: Namespace, environment: Environment) -> "list[Candidate]":
    from bot.learning.evaluating.measuring import Candidate  # noqa: PLC0415

    if arguments.region:
        os.environ["AWS_DEFAULT_REGION"] = arguments.region  # botocore looks nowhere else
    parts = Parts(settings.read({**environment, **_chosen(arguments)}))
    if arguments.threshold is not None:
        threshold: float | None = checked(arguments.threshold)
    else:
        threshold = None if arguments.model or arguments.endpoint else parts.thresholds()
    one = Candidate(_classifier(parts), threshold, _learnt_from(parts.settings))
    if arguments.against is None:
        return [one]
    other = Parts(settings.read({**environment, **_embedded(arguments.against)}))
    return [one, Candidate(other.classifier, None, _learnt_from(other.settings))]


def _classifier(parts: Parts) -> Classifier:
    """An endpoint itself is asked, and waited for; in service a breaker would spare it."""
    endpoint = parts.settings.sagemaker_endpoint
    if parts.settings.classifier != "sagemaker" or not endpoint:
        return parts.classifier
    from bot.classifier import sagemaker  # noqa: PLC0415
    from bot.learning.evaluating.patience import PatientClassifier  # noqa: PLC0415

    hosted = sagemaker.SageMakerClassifier(sagemaker.client(), endpoint, parts.settings.normalizer)
    return PatientClassifier(hosted, parts.wait)


def _learnt_from(chosen: settings.Settings) -> frozenset[str]:
    """The files in the card of an embedded model (`bot.learning.training.card`)."""
    if chosen.classifier != "embedded":
        return frozenset()
    path = chosen.model_path
    with tempfile.TemporaryDirectory() as folder:
        found = described(path) if path.is_dir() else unpack(path, Path(folder))
    return frozenset({found.data, *_hashes(found.card)})


def _hashes(card: Mapping[str, Any]) -> Iterator[str]:
    """Of the files that a card names; one that somebody else wrote may name them otherwise."""
    data = card.get("data")
    files = data.get("files") if isinstance(data, Mapping) else None
    for file in files if isinstance(files, list) else ():
        told = file.get("sha256") if isinstance(file, Mapping) else None
        if isinstance(told, str):
            yield told


def _chosen(arguments: Namespace) -> dict[str, str]:
    """The settings that make the model that was named the bot's own; none where none was."""
    if arguments.endpoint:
        return {"CLASSIFIER": "sagemaker", "SAGEMAKER_ENDPOINT": arguments.endpoint}
    return _embedded(arguments.model) if arguments.model else {}


def _embedded(archive: Path) -> dict[str, str]:
    return {"CLASSIFIER": "embedded", "MODEL_PATH": str(archive.absolute())}


def _plain(report: "Report") -> str:
    from bot.learning.reporting import prose  # noqa: PLC0415

    found = report.result.evaluation
    lines = [
        *report.cautions,
        (
            f"{prose.counted(found.figures.rows, 'post')}, {found.needing:,} of which needed a "
            f"person, judged by {found.model} at {found.figures.threshold:g}:"
        ),
        *(
            f"  {name:<18} {value:>14}  {between}"
            for name, value, between, _ in prose.measures(report.result)
        ),
        prose.advice(found),
    ]
    if report.comparison:
        lines += [*prose.outcome(report.comparison), report.comparison.sentence]
    if report.draws:
        lines.append(f"Seed {report.seed}, {report.draws:,} draws.")
    return "\n".join(lines)
