"""`--stage NAME`: a verb of the command line at work on a deployed stage."""

import re
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from bot import process
from bot.errors import Refused
from bot.settings import SECRETS

Environment = Mapping[str, str]
Work = Callable[[Namespace, Environment], int]

_HINT: Final = re.compile(r"`python -m bot ([^`]+)`")


def add_options(verb: ArgumentParser) -> None:
    """Gives a verb `--stage` and `--region`."""
    verb.add_argument("--stage", metavar="NAME", help="on the stage deployed under this name")
    verb.add_argument("--region", metavar="REGION", help="where that stage is, such as us-east-1")


def on_stage(work: Work, opened: Sequence[str] = ()) -> Work:
    """`work`, which with `--stage` is given the stage's environment instead of this machine's.

    What the secrets `opened` (names of `bot.settings.SECRETS`) hold stands in it; the other verbs
    need no right to read them.
    """

    def either(arguments: Namespace, own: Environment) -> int:
        if arguments.stage is None:
            return work(arguments, own)
        from bot.local.stages import stage  # noqa: PLC0415  botocore is slow to load

        try:
            found = stage.environment(arguments.stage, stage.enter(arguments, own))
            for name in opened:
                found |= process.held(SECRETS[name], found)
            return work(arguments, found)
        except Refused as refusal:
            raise Refused(hints(str(refusal), arguments.stage)) from None

    return either


def hints(sentence: str, stage: str) -> str:
    """The sentence with the verbs that it names in the form that works on the stage."""
    return _HINT.sub(
        lambda hint: hint[0] if "--stage" in hint[1] else f"{hint[0][:-1]} --stage {stage}`",
        sentence,
    )
