"""What `train` is told to do is looked at before half a million rows are read."""

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bot.errors import Refused

MOST_MINUTES: Final = 24 * 60
MOST_WEIGHT: Final = 100
MOST_SEED: Final = 2**31 - 2
"""fastText counts in 32 bits, and one more is the seed of the folds."""


def check(arguments: Namespace) -> None:
    """Raises `Refused` for numbers out of reason, or where a file would be written over."""
    if not 0 <= arguments.seed <= MOST_SEED:
        raise Refused(f"--seed is a whole number from 0 to {MOST_SEED}.")
    if not 0 < arguments.minutes <= MOST_MINUTES:
        raise Refused(f"--minutes is a number above 0 and up to {MOST_MINUTES}, a day.")
    if not 0 < arguments.label_weight <= MOST_WEIGHT:
        raise Refused(f"--label-weight is a number above 0 and up to {MOST_WEIGHT}.")
    if arguments.posts_a_day is not None and arguments.cards_a_day is None:
        raise Refused("--posts-a-day goes with --cards-a-day: say how many cards there may be.")
    _check_test(arguments)
    _check_files(arguments)


def _check_test(arguments: Namespace) -> None:
    if not (arguments.newest or arguments.write_test) or arguments.hold_out is not None:
        return
    if arguments.test:
        raise Refused("--newest and --write-test go with --hold-out: leave out --test.")
    raise Refused("Say with --hold-out which share is to be held out, such as 0.2.")


def _check_files(arguments: Namespace) -> None:
    known: list[Path] = [*arguments.data, *([arguments.test] if arguments.test else [])]
    for option, path in (("--output", arguments.output), ("--write-test", arguments.write_test)):
        if path is None:
            continue
        if not path.name or (path.exists() and not path.is_file()):
            raise Refused(f"{option} names {path}, which is no file: name one to be written.")
        if _among(path, known):
            raise Refused(f"{option} would write over {path}: name another file.")
        if option == "--write-test" and path.exists():
            raise Refused(
                f"{path} is there already: a test set is kept, so that models can be compared; "
                "take it with --test, or name another file."
            )
        known.append(path)


def _among(path: Path, known: Sequence[Path]) -> bool:
    return path.resolve() in {one.resolve() for one in known}
