"""`train`: a model from labelled posts; what it takes."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bot.normalize import EMOJI, NORMALIZERS, PLAIN

WAYS: Final = ("usual", "search", "autotune", "reference")
LABEL_WEIGHT: Final = 3.0
"""For how many rows of a file an agent's word counts: it is about this brand, and about today."""


def add_options(verb: ArgumentParser) -> None:
    """The arguments of `train`."""
    verb.add_argument(
        "data",
        type=Path,
        nargs="+",
        metavar="DATA.csv",
        help="CSV or JSON lines with text and escalate; several are put together",
    )
    verb.add_argument("--output", type=Path, required=True, metavar="model.tar.gz")
    verb.add_argument("--name", help="what verdicts call the model; own-… unsaid")
    verb.add_argument("--seed", type=int, default=0, help="the same seed, the same model; 0 unsaid")
    verb.add_argument(
        "--settings",
        choices=WAYS,
        default="usual",
        help="of fastText: usual, found by cross-validation, by fastText itself, the reference's",
    )
    verb.add_argument(
        "--minutes", type=float, default=5, metavar="M", help="for search and autotune; 5 unsaid"
    )
    verb.add_argument(
        "--normalizer", choices=[*NORMALIZERS], help=f"{EMOJI} unsaid; {PLAIN} by the reference"
    )
    _add_labels(verb)
    _add_test(verb)
    _add_aims(verb)


def _add_labels(verb: ArgumentParser) -> None:
    verb.add_argument(
        "--with-labels", action="store_true", help="learn from what agents corrected, too"
    )
    verb.add_argument(
        "--label-weight",
        type=float,
        default=LABEL_WEIGHT,
        metavar="W",
        help=f"for how many rows an agent's word counts; {LABEL_WEIGHT:g} unsaid",
    )


def _add_test(verb: ArgumentParser) -> None:
    group = verb.add_argument_group("a test set that training never sees")
    test = group.add_mutually_exclusive_group()
    test.add_argument("--test", type=Path, metavar="FILE", help="this one; its texts are left out")
    test.add_argument("--hold-out", type=float, metavar="SHARE", help="of the data, such as 0.2")
    group.add_argument(
        "--newest", action="store_true", help="hold out the newest posts, not some at random"
    )
    group.add_argument(
        "--write-test", type=Path, metavar="FILE", help="where what is held out is kept"
    )


def _add_aims(verb: ArgumentParser) -> None:
    group = verb.add_argument_group("what the threshold is to bring about (0.5 unsaid)")
    aim = group.add_mutually_exclusive_group()
    aim.add_argument(
        "--miss-costs", type=float, metavar="N", help="as much as N needless cards: least cost"
    )
    aim.add_argument("--recall", type=float, metavar="R", help="find at least that share: 0.95")
    aim.add_argument("--cards-a-day", type=float, metavar="N", help="at most so many")
    group.add_argument(
        "--posts-a-day", type=float, metavar="N", help="with --cards-a-day; of the data unsaid"
    )


def train(arguments: Namespace, environment: Mapping[str, str]) -> int:
    """Trains, measures and writes the artifact; says how good it is."""
    from bot.learning.training.verb import train as work  # noqa: PLC0415  scikit-learn loads slowly

    return work(arguments, environment)
