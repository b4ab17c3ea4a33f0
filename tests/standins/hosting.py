"""SageMaker's hosting and training as moto plays them, with what moto lacks.

moto knows no UpdateEndpoint, and lets a model take another's name; its endpoints are in service at
once, its training jobs done at once, and no model answers. Here changes take a few looks and may
fail, and a real model answers: that of the archive in moto's S3.
SageMaker API reference: UpdateEndpoint, DescribeEndpoint (`EndpointStatus`, `FailureReason`),
DescribeTrainingJob.
"""

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moto.core.responses import ActionResult
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import FakeEndpoint, FakeTrainingJob, Model, SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse

from tests.standins import aws
from tests.standins.sagemaker import BlazingTextStandin, throttled

LOOKS = 2
"""How often an endpoint is still under way when it is looked at."""


@dataclass
class Hosting:
    """What becomes of endpoints and jobs.

    `failures` are the reasons for which the next changes fail, an empty one where SageMaker does
    not say; `broken` does it for good. `instead` is a model that answers in place of the one that
    is published; a `deaf` endpoint is in service and answers nobody from the next update on.
    `refusal` is what SageMaker says to the next calls that make or update an endpoint, and does
    nothing. `train` makes the archive of a training job. A new role is not known yet to so many
    calls as are `late`.
    """

    url: str
    runtime: BlazingTextStandin
    failures: list[str] = field(default_factory=list)
    broken: bool = False
    instead: Path | None = None
    deaf: bool = False
    late: int = 0
    refusal: str = ""
    train: Callable[[dict[str, Any]], bytes] | None = None
    updates: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._under_way: dict[str, tuple[int, str, str]] = {}

    def refuse(self) -> None:
        if self.refusal:
            raise ValidationError(message=self.refusal)

    def begin(self, backend: SageMakerModelBackend, name: str, config: str, status: str) -> None:
        endpoint = backend.endpoints[name]
        if self.deaf:
            self.runtime.fail_every(1, **vars(throttled()))
        self.updates.append(config)
        self._under_way[name] = (LOOKS, config, status)
        endpoint.endpoint_status = status

    def look(self, backend: SageMakerModelBackend, name: str) -> None:
        if name not in self._under_way:
            return
        left, config, status = self._under_way[name]
        self._under_way[name] = (left - 1, config, status)
        if left == 0:
            del self._under_way[name]
            self._end(backend, backend.endpoints[name], config, status)

    def _end(
        self, backend: SageMakerModelBackend, endpoint: FakeEndpoint, config: str, status: str
    ) -> None:
        reason = self.failures.pop(0) if self.failures else None
        if reason is not None:
            failed = self.broken or status == "Creating"
            endpoint.endpoint_status = "Failed" if failed else "InService"
            endpoint.failure_reason = reason or None  # type: ignore[assignment]
            return
        chosen = backend.endpoint_configs[config]
        endpoint.endpoint_config_name = config
        endpoint.production_variants = endpoint._process_production_variants(
            chosen.production_variants
        )
        endpoint.endpoint_status, endpoint.failure_reason = "InService", None
        self._serve(backend, endpoint.endpoint_name, chosen.production_variants[0])

    def _serve(
        self, backend: SageMakerModelBackend, endpoint: str, variant: dict[str, Any]
    ) -> None:
        archive = backend._models[variant["ModelName"]].primary_container["ModelDataUrl"]
        with tempfile.TemporaryDirectory() as folder:
            binary = self.instead or _unpacked(self.url, archive, Path(folder))
            self.runtime.goes_over(binary, variant["VariantName"])
        self.runtime.endpoint = endpoint

    def done(self, job: FakeTrainingJob) -> None:
        """A training job that went well leaves its archive where it said."""
        if self.failures:
            job.training_job_status = job.secondary_status = "Failed"
            job.failure_reason = self.failures.pop(0)  # type: ignore[attr-defined]
        elif self.train:
            bucket, _, key = job.model_artifacts["S3ModelArtifacts"][5:].partition("/")
            body = self.train({one["ChannelName"]: one for one in job.input_data_config})
            aws.client("s3", self.url).put_object(Bucket=bucket, Key=key, Body=body)


def _unpacked(url: str, archive: str, folder: Path) -> Path:
    bucket, _, key = archive[5:].partition("/")
    packed = folder / "model.tar.gz"
    aws.client("s3", url).download_file(bucket, key, str(packed))
    subprocess.run(["tar", "-xzf", packed, "-C", folder, "model.bin"], check=True)  # noqa: S607
    return folder / "model.bin"


@contextmanager
def hosting(url: str, runtime: BlazingTextStandin) -> Iterator[Hosting]:
    """moto's SageMaker at `url`, whose endpoints answer by `runtime`."""
    play = Hosting(url, runtime)
    create, describe = (
        SageMakerModelBackend.create_endpoint,
        SageMakerModelBackend.describe_endpoint,
    )
    create_job = SageMakerModelBackend.create_training_job
    create_model = SageMakerModelBackend.create_model

    def modelled(self: SageMakerModelBackend, model_name: str, **named: Any) -> Model:
        if play.late:
            play.late -= 1
            raise ValidationError(message=f"Could not assume role {named['execution_role_arn']}.")
        if model_name in self._models:
            arn = self._models[model_name].arn
            raise ValidationError(message=f"Cannot create already existing model {arn}.")
        return create_model(self, model_name, **named)

    def created(self: SageMakerModelBackend, *args: Any, **named: Any) -> FakeEndpoint:
        play.refuse()
        endpoint = create(self, *args, **named)
        play.begin(self, endpoint.endpoint_name, endpoint.endpoint_config_name, "Creating")
        return endpoint

    def described(self: SageMakerModelBackend, endpoint_name: str) -> dict[str, Any]:
        found = describe(self, endpoint_name)
        play.look(self, endpoint_name)
        return found

    def update_endpoint(self: SageMakerResponse) -> ActionResult:
        play.refuse()
        backend, name = self.sagemaker_backend, self._get_param("EndpointName")
        status = describe(backend, name)["EndpointStatus"]
        if status != "InService":
            raise ValidationError(message=f"Cannot update endpoint in status {status}.")
        backend.describe_endpoint_config(config := self._get_param("EndpointConfigName"))
        play.begin(backend, name, config, "Updating")
        return ActionResult({"EndpointArn": backend.endpoints[name].arn})

    def trained(self: SageMakerModelBackend, **named: Any) -> FakeTrainingJob:
        job = create_job(self, **named)
        play.done(job)
        return job

    backend: Any = SageMakerModelBackend
    response: Any = SageMakerResponse
    backend.create_endpoint, backend.describe_endpoint = created, described
    backend.create_model = modelled
    backend.create_training_job, response.update_endpoint = trained, update_endpoint
    try:
        yield play
    finally:
        backend.create_endpoint, backend.describe_endpoint = create, describe
        backend.create_training_job, backend.create_model = create_job, create_model
        del response.update_endpoint
