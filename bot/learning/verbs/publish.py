"""The verb that puts a model into service, and tells what was published."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path

Environment = Mapping[str, str]


def add_options(verb: ArgumentParser) -> None:
    """The arguments of `publish` but for those of every verb."""
    verb.add_argument("model", type=Path, nargs="?", metavar="MODEL.tar.gz")
    verb.add_argument(
        "--train-on",
        nargs="+",
        metavar=("sagemaker", "DATA.csv"),
        help="let BlazingText train the model there first, on these labelled posts",
    )
    verb.add_argument("--name", default="own", help="what a model trained there is called")
    verb.add_argument("--endpoint", metavar="NAME", help="an endpoint of SageMaker, there or not")
    verb.add_argument(
        "--hosted", action="store_true", help="the stage makes an endpoint of it from now on"
    )
    verb.add_argument("--bucket", metavar="NAME", help="of S3, for models and training")
    verb.add_argument("--role", metavar="ARN", help="SageMaker's role; else one is made")
    verb.add_argument("--instance-type", metavar="TYPE", help="of a new endpoint")
    verb.add_argument("--test", type=Path, metavar="FILE", help="the frozen test set, labelled")
    verb.add_argument("--force", metavar="REASON", help="publish all the same; it is recorded")
    verb.add_argument("--by", metavar="NAME", help="who publishes, if not who is signed in here")
    verb.add_argument("--deploy", action="store_true", help="deploy the stage, asking nothing")
    verb.add_argument("--list", action="store_true", help="what was published, and nothing more")


def publish(arguments: Namespace, environment: Environment) -> int:
    """Puts a model into service where it beats the one there, or is forced to; its exit code."""
    from bot.learning.publishing import desk  # noqa: PLC0415  scikit-learn is slow to load

    return desk.publish(arguments, environment)
