"""BlazingText trains on SageMaker, as the reference's notebook has it do, with two channels.

SageMaker developer guide, "BlazingText algorithm" (channels, "Training and validation data format
for the text classification algorithm") and "BlazingText hyperparameters"; SageMaker API reference,
CreateTrainingJob.
"""

import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from bot.classifier.archive import pack, unpack
from bot.classifier.artifact import BINARY
from bot.errors import Refused
from bot.frozen import frozen
from bot.learning.labelled import labelled
from bot.learning.publishing import bucket, roles
from bot.learning.publishing.calibrating import calibrated_description
from bot.learning.publishing.cloud import Cloud
from bot.learning.publishing.endpoints import POLLED, Tell
from bot.learning.publishing.roles import Wait
from bot.learning.training import card, choosing
from bot.learning.training.examples import Example, prepared
from bot.learning.training.fitting import REFERENCE, write
from bot.learning.training.train import Plan
from bot.local.stages.stage import asking

PREFIX: Final = "training/"
"""Of all keys in the bucket that training reads and writes."""
INSTANCE: Final = "ml.c5.4xlarge"
LONGEST: Final = 3 * 3600
"""Seconds, after which SageMaker stops the job."""
_CHANNELS: Final = ("train", "validation")
_NAMES: Final[Mapping[str, str]] = {
    "lr": "learning_rate",
    "epoch": "epochs",
    "wordNgrams": "word_ngrams",
    "dim": "vector_dim",
    "bucket": "buckets",
    "minCount": "min_count",
}
"""What BlazingText calls fastText's settings."""
_EARLY: Final = {"early_stopping": "True", "patience": "4", "min_epochs": "5"}


def hyperparameters() -> dict[str, str]:
    """The reference's."""
    named = {_NAMES[name]: str(value) for name, value in REFERENCE.items()}
    return {"mode": "supervised", **named, **_EARLY}


@frozen
class Job:
    """A training job to be; `tell` is given each new state in a few words."""

    cloud: Cloud
    bucket: str
    role: str
    wait: Wait
    tell: Tell
    now: datetime

    @property
    def name(self) -> str:
        """The job's name, which no other has."""
        return f"tweet-escalator-{self.now:%Y%m%d%H%M%S%f}"

    def trained(self, files: Sequence[Path], name: str, archive: Path) -> None:
        """Trains on four fifths of the labelled posts and writes the archive of the model.

        Calibration, threshold and figures come from the rest. Raises `Refused` where nothing can
        be learnt from them, or the job fails.
        """
        bucket.check(self.cloud, self.bucket)
        rows, sources = labelled(files), [card.source(file) for file in files]
        plan = Plan(name=name)
        ready = prepared(rows, plan.normalizer, plan.seed)
        seen, unseen = choosing.divided(ready.examples, plan.seed)
        story = {
            "made": self.now.isoformat(timespec="seconds"),
            "data": card.data(rows, ready, sources),
            "settings": {"by": f"BlazingText, job {self.name}", **hyperparameters()},
        }
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            self._send(seen, unseen, folder)
            bucket.get(self.cloud, self._made(), folder / "model.tar.gz")
            unpack(folder / "model.tar.gz", folder)
            told = calibrated_description(
                folder / BINARY, unseen, plan, story, card.of_all(sources)
            )
            pack(folder / BINARY, told, archive)

    def _send(self, seen: Sequence[Example], unseen: Sequence[Example], folder: Path) -> None:
        """Uploads both channels."""
        for channel, examples in zip(_CHANNELS, (seen, unseen), strict=True):
            file = folder / f"{channel}.txt"
            write(examples, file)
            with asking(), file.open("rb") as content:
                self.cloud.s3.put_object(
                    Bucket=self.bucket, Key=f"{self._folder}{channel}/{file.name}", Body=content
                )

    @property
    def _folder(self) -> str:
        return f"{PREFIX}{self.name}/"

    def _made(self) -> str:
        """Where the model lies that the job made. Raises `Refused`."""
        here = f"s3://{self.bucket}/{self._folder}"
        asked: dict[str, Any] = {
            "TrainingJobName": self.name,
            "AlgorithmSpecification": {
                "TrainingImage": self.cloud.image,
                "TrainingInputMode": "File",
            },
            "RoleArn": self.role,
            "InputDataConfig": [_channel(name, here) for name in _CHANNELS],
            "OutputDataConfig": {"S3OutputPath": f"{here}output"},
            "ResourceConfig": {
                "InstanceType": INSTANCE,
                "InstanceCount": 1,
                "VolumeSizeInGB": 30,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": LONGEST},
            "HyperParameters": hyperparameters(),
            "Tags": [{"Key": "project", "Value": "tweet-escalator"}],
        }
        roles.once_known(lambda: self.cloud.sagemaker.create_training_job(**asked), self.wait)
        done = self._awaited()
        if done["TrainingJobStatus"] != "Completed":
            why = done.get("FailureReason") or "SageMaker does not say why; its log may."
            raise Refused(f"The training job {self.name} {done['TrainingJobStatus']}: {why}")
        return str(done["ModelArtifacts"]["S3ModelArtifacts"])

    def _awaited(self) -> Mapping[str, Any]:
        told = ""
        while True:
            with asking():
                found = self.cloud.sagemaker.describe_training_job(TrainingJobName=self.name)
            state = found.get("SecondaryStatus", found["TrainingJobStatus"])
            if state != told:
                self.tell(f"{self.name}: {state}")
            told = state
            if found["TrainingJobStatus"] not in {"InProgress", "Stopping"}:
                return dict(found)
            self.wait(POLLED)


def _channel(name: str, here: str) -> dict[str, Any]:
    source = {
        "S3DataType": "S3Prefix",
        "S3Uri": f"{here}{name}/",
        "S3DataDistributionType": "FullyReplicated",
    }
    return {
        "ChannelName": name,
        "ContentType": "text/plain",
        "CompressionType": "None",
        "DataSource": {"S3DataSource": source},
    }
