"""The verbs that deploy a stage, roll it back and remove it; each returns its exit code."""

from argparse import Namespace
from collections.abc import Mapping

Environment = Mapping[str, str]


def deploy(arguments: Namespace, environment: Environment) -> int:
    """Makes a stage, or brings it to what is here."""
    from bot.local.stages import deploying  # noqa: PLC0415  boto3 is slow to load

    return deploying.deploy(arguments, environment)


def rollback(arguments: Namespace, environment: Environment) -> int:
    """Puts a stage back to an earlier release."""
    from bot.local.stages import undoing  # noqa: PLC0415

    return undoing.rollback(arguments, environment)


def remove(arguments: Namespace, environment: Environment) -> int:
    """Takes a stage off AWS, but for what is protected."""
    from bot.local.stages import undoing  # noqa: PLC0415

    return undoing.remove(arguments, environment)
