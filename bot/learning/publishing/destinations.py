"""Where a model can be put into service, and what serves there now; stages: `stages`."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from bot.classifier import sagemaker
from bot.classifier.embedded import EmbeddedClassifier
from bot.classifier.sagemaker import SageMakerClassifier
from bot.errors import Refused
from bot.frozen import frozen
from bot.learning.publishing import bucket, configs, roles
from bot.learning.publishing.artifacts import Artifact
from bot.learning.publishing.checks import difference
from bot.learning.publishing.endpoints import Hosting
from bot.learning.publishing.hosted import AsHosted
from bot.settings import Settings
from bot.verdicts import Classifier


class Destination(Protocol):
    """A place."""

    @property
    def where(self) -> str:
        """What it is called for people."""
        ...

    def serving(self) -> Classifier | None:
        """What judges there now; None where nothing does yet. Raises `Refused`."""
        ...

    def judging(self, artifact: Artifact) -> Classifier:
        """The artifact as it would judge there."""
        ...

    def put(self, artifact: Artifact, texts: Sequence[str]) -> list[str]:
        """Puts the artifact there, and says what comes next.

        An endpoint's answers to the texts are compared with the artifact's own. Raises `Refused`
        where it failed; then what was in service is so again.
        """
        ...


@frozen
class Laptop:
    """The bot on this machine."""

    settings: Settings
    where: str = "this machine"

    def serving(self) -> Classifier | None:
        """See `Destination`."""
        return embedded(self.settings.model_path)

    def judging(self, artifact: Artifact) -> Classifier:
        """See `Destination`."""
        return EmbeddedClassifier(artifact.file)

    def put(self, artifact: Artifact, texts: Sequence[str]) -> list[str]:  # noqa: ARG002
        """See `Destination`."""
        copied(artifact.file, self.settings.own_model)
        return ["The bot takes it when it starts next."]


@frozen
class OwnEndpoint:
    """An endpoint that no stack owns. `bucket` and `role` are None to take or make what fits."""

    hosting: Hosting
    bucket: str | None
    role: str | None
    instance: str
    normalizer: str

    @property
    def where(self) -> str:
        """See `Destination`."""
        return f"the endpoint {self.hosting.endpoint}"

    def serving(self) -> Classifier | None:
        """See `Destination`."""
        found = self.hosting.found()
        if found:
            self.hosting.check_state(found["EndpointStatus"])
        return hosted(self.hosting, self.normalizer)

    def judging(self, artifact: Artifact) -> Classifier:
        """See `Destination`."""
        return AsHosted(artifact)

    def put(self, artifact: Artifact, texts: Sequence[str]) -> list[str]:
        """See `Destination`."""
        cloud, endpoint = self.hosting.cloud, self.hosting.endpoint
        before = self.hosting.found()
        like = configs.kept(cloud, before) if before else configs.fresh(self.instance)
        self._check_role(like)
        archive = configs.archive(cloud, before["EndpointConfigName"]) if before else None
        url = bucket.put(cloud, artifact, self._bucket(archive))
        # Should it go back, new machines would read the earlier archive.
        archives = list(dict.fromkeys(one for one in (url, archive) if one))
        role = self.role or roles.serving(cloud, endpoint, archives, like.captures)
        serving = configs.Serving(artifact, url, role)

        def check() -> str | None:
            return difference(artifact, endpoint, texts)

        if before:
            self.hosting.update(before, serving, like, check)
            return [f"{endpoint} serves it now."]
        self.hosting.create(serving, self.instance, check)
        return [
            f"{endpoint} is there: one {self.instance}, which costs until it is deleted.",
            f"SAGEMAKER_ENDPOINT={endpoint} lets a bot ask it.",
        ]

    def _check_role(self, like: configs.Kept) -> None:
        if "VpcConfig" in like.network and self.role is None:
            raise Refused(
                f"The model of {self.hosting.endpoint} runs in a network of yours: name a role "
                "that may enter it with --role."
            )

    def _bucket(self, archive: str | None) -> str:
        if self.bucket:
            return self.bucket
        if archive is None:
            raise Refused(
                f"The endpoint {self.hosting.endpoint} is not there yet: name the bucket for "
                "models, too, with --bucket."
            )
        return bucket.split(archive)[0]


def embedded(archive: Path) -> Classifier | None:
    """The model in an archive; None where there is none."""
    return EmbeddedClassifier(archive) if archive.exists() else None


def hosted(hosting: Hosting, normalizer: str) -> Classifier | None:
    """The model behind an endpoint; None where there is none."""
    if hosting.found() is None:
        return None
    return SageMakerClassifier(sagemaker.client(), hosting.endpoint, normalizer)


def copied(file: Path, target: Path) -> None:
    """Makes a copy, whole or not at all. Raises `Refused`."""
    unfinished = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(file, unfinished)
        unfinished.replace(target)
    except OSError as error:
        raise Refused(f"{target} cannot be written: {error.strerror}.") from None
