"""Where a model goes, by what the command line and the settings say."""

from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path

from bot.errors import Refused
from bot.learning.publishing.bucket import split
from bot.learning.publishing.destinations import Destination, Laptop, OwnEndpoint
from bot.learning.publishing.endpoints import INSTANCE, Hosting
from bot.learning.publishing.stages import Packaged, StackEndpoint, deployed_by_make
from bot.local.stages import stage, stagefile
from bot.settings import Settings

Environment = Mapping[str, str]
Host = Callable[[str], Hosting]
"""Whoever works at the endpoint of that name."""


def destination(
    arguments: Namespace, environment: Environment, chosen: Settings, host: Host
) -> Destination:
    """The place. Raises `Refused` where what is said does not go together."""
    if arguments.endpoint is not None and not stagefile.ENDPOINT.fullmatch(arguments.endpoint):
        raise Refused(f"«{arguments.endpoint}» is no endpoint's name: give it without ARN or URL.")
    if arguments.stage and arguments.endpoint:
        raise Refused("Say --stage or --endpoint: a stage knows its endpoint.")
    if not arguments.stage and (arguments.deploy or arguments.hosted):
        raise Refused("--deploy and --hosted are about a stage: name it with --stage.")
    if arguments.stage:
        return _of_stage(arguments, chosen, host)
    if arguments.endpoint:
        return _own(arguments, arguments.endpoint, chosen, host)
    return _laptop(environment, chosen)


def _laptop(environment: Environment, chosen: Settings) -> Laptop:
    if chosen.classifier == "sagemaker":
        raise Refused(
            f"This machine asks the endpoint {chosen.sagemaker_endpoint}: publish to it with "
            "--endpoint, or set CLASSIFIER to embedded."
        )
    if environment.get("MODEL_PATH"):
        raise Refused(
            "MODEL_PATH names this machine's model, and what is published would not be used: take "
            "it out of .env or the environment."
        )
    return Laptop(chosen)


def _own(arguments: Namespace, endpoint: str, chosen: Settings, host: Host) -> OwnEndpoint:
    for file in sorted(stage.FILES.glob("*.env")):
        if endpoint == stage.stack_name(file.stem) and "MODEL_DATA_URL" in _values(file):
            raise Refused(
                f"{endpoint} belongs to the stack of stage {file.stem}, which would undo it: "
                f"publish with --stage {file.stem}."
            )
    return OwnEndpoint(
        host(endpoint),
        arguments.bucket,
        arguments.role,
        arguments.instance_type or INSTANCE,
        chosen.normalizer,
    )


def _of_stage(arguments: Namespace, chosen: Settings, host: Host) -> Destination:
    """By what stands in the stage's file, which is what it is deployed with next."""
    name: str = arguments.stage
    file: Path = stage.FILES / f"{name}.env"
    values = _values(file)
    deploy = deployed_by_make if arguments.deploy else None
    packaged = Packaged(name, file, deploy)
    made, existing = values.get("MODEL_DATA_URL"), values.get("SAGEMAKER_ENDPOINT")
    if arguments.hosted and existing:
        raise Refused(
            f"{file.name} names the endpoint {existing}: take SAGEMAKER_ENDPOINT out of it before "
            "the stage makes one of its own."
        )
    embedded = values.get("CLASSIFIER") == "embedded" or not (made or existing)
    if arguments.hosted and embedded:
        if not (arguments.bucket or made):
            raise Refused("Name the bucket for models, too, with --bucket.")
    elif embedded:
        return packaged
    elif existing:
        return _own(arguments, existing, chosen, host)
    bucket = arguments.bucket or split(made or "")[0]
    return StackEndpoint(
        name,
        file,
        deploy,
        host(stage.stack_name(name)),
        bucket,
        chosen.normalizer,
        packaged if embedded else None,
    )


def _values(file: Path) -> dict[str, str]:
    """What a stage is deployed with next. Raises `Refused` where that is not known here."""
    found = stagefile.read(file)
    if found is None:
        raise Refused(
            f"There is no aws/stages/{file.name} here, which says what the stage is deployed with: "
            "take it from whoever deployed it."
        )
    return found
