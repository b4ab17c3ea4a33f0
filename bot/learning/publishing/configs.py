"""What is made for an endpoint that goes over to a model, as what serves there has it.

SageMaker API reference: CreateModel, CreateEndpointConfig, DescribeEndpointConfig.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import field
from datetime import datetime
from typing import Any, Final

from bot.errors import Refused
from bot.frozen import frozen
from bot.learning.publishing.artifacts import Artifact
from bot.learning.publishing.cloud import Cloud
from bot.learning.publishing.roles import Wait, once_known
from bot.local.stages.stage import asking

TAGS: Final[Any] = [{"Key": "project", "Value": "tweet-escalator"}]
_NETWORK: Final = ("VpcConfig", "EnableNetworkIsolation")
_SHORT: Final = 33
"""Letters of an endpoint's name in the names of what is made for it: 63 hold all the rest."""


@frozen
class Kept:
    """What a new configuration shares with the one in service, and a new model with its model."""

    config: Mapping[str, Any]
    network: Mapping[str, Any] = field(default_factory=dict)

    @property
    def captures(self) -> str | None:
        """The `s3://` address below which it keeps what it is asked; None where it does not."""
        told = self.config.get("DataCaptureConfig", {})
        found: str | None = told.get("DestinationS3Uri") if told.get("EnableCapture") else None
        return found


@frozen
class Serving:
    """An artifact for an endpoint: where its archive lies, and by which role it is read."""

    artifact: Artifact
    url: str
    role: str


def fresh(instance: str) -> Kept:
    """What an endpoint begins with: one such machine."""
    machines = {"InstanceType": instance, "InitialInstanceCount": 1, "InitialVariantWeight": 1.0}
    return Kept({"ProductionVariants": [machines]})


def archive(cloud: Cloud, config: str) -> str | None:
    """The `s3://` address of the archive that a configuration serves. Raises `Refused`."""
    with asking():
        [variant, *_] = _described(cloud, config)["ProductionVariants"]
        model = cloud.sagemaker.describe_model(ModelName=variant["ModelName"])
    return model.get("PrimaryContainer", {}).get("ModelDataUrl")


def kept(cloud: Cloud, before: Mapping[str, Any]) -> Kept:
    """All but the model of what serves, as DescribeEndpoint tells it.

    Raises `Refused` where several models serve.
    """
    with asking():
        config = _described(cloud, before["EndpointConfigName"])
        variants = config["ProductionVariants"]
        if len(variants) != 1 or config.get("ShadowProductionVariants"):
            raise Refused(
                f"The endpoint {before['EndpointName']} has several variants: somebody compares "
                "models there. Publish to an endpoint of one."
            )
        if "ModelName" not in variants[0]:
            raise Refused(
                f"The endpoint {before['EndpointName']} hosts inference components, which have "
                "their models themselves: publish to an endpoint without."
            )
        model = dict(cloud.sagemaker.describe_model(ModelName=variants[0]["ModelName"]))
    creating = cloud.sagemaker.meta.service_model.operation_model("CreateEndpointConfig")
    names = set(creating.input_shape.members if creating.input_shape else ())
    shared = {name: value for name, value in config.items() if name in names and value}
    # An endpoint that scales by itself may have more machines by now than it began with.
    count = before["ProductionVariants"][0].get("CurrentInstanceCount")
    own = {**variants[0], **({"InitialInstanceCount": count} if count else {})}
    network = {name: model[name] for name in _NETWORK if model.get(name)}
    return Kept({**shared, "ProductionVariants": [own]}, network)


def made(
    cloud: Cloud, endpoint: str, serving: Serving, like: Kept, now: datetime, wait: Wait
) -> str:
    """A new configuration, as `like` but for the model, and that model; the name of both.

    Raises `Refused`, and then neither is there.
    """
    name = f"{endpoint[:_SHORT]}-{serving.artifact.id}-{now:%Y%m%d%H%M%S%f}"
    _model(cloud, name, serving, like.network, wait)
    variant = {
        **like.config["ProductionVariants"][0],
        "VariantName": serving.artifact.variant,
        "ModelName": name,
    }
    told = {**like.config, "EndpointConfigName": name, "ProductionVariants": [variant]}
    try:
        with asking():
            cloud.sagemaker.create_endpoint_config(**told, Tags=TAGS)
    except Refused:
        forget(cloud, name)
        raise
    return name


def _model(
    cloud: Cloud, name: str, serving: Serving, network: Mapping[str, Any], wait: Wait
) -> None:

    def make() -> None:
        container: Any = {"Image": cloud.image, "ModelDataUrl": serving.url}
        cloud.sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=serving.role,
            PrimaryContainer=container,
            Tags=TAGS,
            **network,
        )

    once_known(make, wait)


def forget(cloud: Cloud, name: str) -> None:
    """Configuration and model of that name, made for nothing, go as far as they can."""
    with suppress(Refused), asking():
        cloud.sagemaker.delete_endpoint_config(EndpointConfigName=name)
    with suppress(Refused), asking():
        cloud.sagemaker.delete_model(ModelName=name)


def _described(cloud: Cloud, config: str) -> dict[str, Any]:
    return dict(cloud.sagemaker.describe_endpoint_config(EndpointConfigName=config))
