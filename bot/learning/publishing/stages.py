"""A model for a deployed stage: a line in its file, and a deployment that takes it."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bot.classifier.embedded import EmbeddedClassifier
from bot.errors import Failure, Refused
from bot.frozen import frozen
from bot.learning.publishing import bucket
from bot.learning.publishing.artifacts import Artifact
from bot.learning.publishing.checks import difference
from bot.learning.publishing.destinations import Destination, copied, embedded, hosted
from bot.learning.publishing.endpoints import Hosting
from bot.learning.publishing.hosted import AsHosted
from bot.local.stages import stagefile
from bot.settings import HOUSE
from bot.verdicts import Classifier

MODELS: Final = HOUSE / "models"
"""Archives that stages are packaged with, each under its own name."""
STARTER: Final = HOUSE / "build" / "model.tar.gz"

Deploy = Callable[[str], bool]
"""Deploys a stage, and says whether that went well."""


@frozen
class Packaged:
    """A stage whose functions hold the model; `file` is the stage's, `deploy` None to leave it."""

    stage: str
    file: Path
    deploy: Deploy | None

    @property
    def where(self) -> str:
        """See `Destination`."""
        return f"the functions of stage {self.stage}"

    def serving(self) -> Classifier | None:
        """See `Destination`."""
        named = (stagefile.read(self.file) or {}).get(stagefile.MODEL_FILE)
        if named and not (HOUSE / named).is_file():
            raise Refused(
                f"{named}, by which stage {self.stage} judges, is not here to be compared with: "
                "copy it from where it was published."
            )
        return embedded(HOUSE / named if named else STARTER)

    def judging(self, artifact: Artifact) -> Classifier:
        """See `Destination`."""
        return EmbeddedClassifier(artifact.file)

    def put(self, artifact: Artifact, texts: Sequence[str]) -> list[str]:  # noqa: ARG002
        """See `Destination`."""
        kept = MODELS / f"{artifact.name}.tar.gz"
        copied(artifact.file, kept)
        lines = {stagefile.MODEL_FILE: kept.relative_to(HOUSE).as_posix()}
        return _into_stage(self.stage, self.file, lines, self.deploy, lambda: None)


@frozen
class StackEndpoint:
    """A stage whose stack makes the endpoint from `MODEL_DATA_URL`.

    CloudFormation owns it, so it goes over by a deployment and by nothing else. `before` judges
    in a stage that has no such endpoint yet.
    """

    stage: str
    file: Path
    deploy: Deploy | None
    hosting: Hosting
    bucket: str
    normalizer: str
    before: Packaged | None = None

    @property
    def where(self) -> str:
        """See `Destination`."""
        return f"the endpoint {self.hosting.endpoint} of stage {self.stage}"

    def serving(self) -> Classifier | None:
        """See `Destination`."""
        if self.before:
            return self.before.serving()
        return hosted(self.hosting, self.normalizer)

    def judging(self, artifact: Artifact) -> Classifier:
        """See `Destination`."""
        return AsHosted(artifact)

    def put(self, artifact: Artifact, texts: Sequence[str]) -> list[str]:
        """See `Destination`."""
        url = bucket.put(self.hosting.cloud, artifact, self.bucket)
        lines = {"MODEL_DATA_URL": url, "MODEL_VARIANT": artifact.variant, "CLASSIFIER": None}

        def check() -> str | None:
            return difference(artifact, self.hosting.endpoint, texts)

        return _into_stage(self.stage, self.file, lines, self.deploy, check)


def outdated(place: Destination, latest: Mapping[str, Any] | None) -> str | None:
    """A sentence where a stage's file here is not that of its last publication.

    Somebody published from another machine, and what is compared with is not what serves.
    """
    if not isinstance(place, Packaged) or not latest or latest["where"] != place.where:
        return None
    named = (stagefile.read(place.file) or {}).get(stagefile.MODEL_FILE, "")
    if Path(named).name == f"{latest['model']}.tar.gz":
        return None
    return (
        f"{latest['who']} published {latest['model']} to {place.where}, and {place.file.name} here "
        "names another: bring it up to date"
    )


def _into_stage(
    stage: str,
    file: Path,
    lines: dict[str, str | None] | dict[str, str],
    deploy: Deploy | None,
    check: Callable[[], str | None],
) -> list[str]:
    """The lines into the stage's file; then it is deployed, or it is said how to.

    What fails is undone: the lines, and the deployment that went well by itself. Raises `Refused`.
    """
    before = stagefile.read(file) or {}
    stagefile.change(file, dict(lines))
    command = f"make deploy STAGE={stage}"
    if deploy is None:
        return [f"{file.name} names it. Next: `{command}`."]
    deployed = deploy(stage)
    wrong = _said(check) if deployed else f"`{command}` failed: what stopped it stands above."
    if wrong is None:
        return [f"Stage {stage} is deployed with it."]
    stagefile.change(file, {name: before.get(name) for name in lines})
    back = f"{file.name} names the model from before again"
    if not deployed:
        raise Refused(f"{wrong} {back}; CloudFormation goes back by itself.")
    again = "and it is deployed" if deploy(stage) else f"but `{command}` failed: do it again"
    raise Refused(f"{wrong} {back}, {again}.")


def _said(check: Callable[[], str | None]) -> str | None:
    try:
        return check()
    except Failure as failure:
        return str(failure)


def deployed_by_make(stage: str) -> bool:
    """`make deploy` for the stage, asking nothing; it says itself what it does."""
    command = ["make", "--no-print-directory", "deploy", f"STAGE={stage}", "YES=1"]
    # To standard error: the answer of `publish` alone is for programs.
    return subprocess.run(command, cwd=HOUSE, check=False, stdout=2).returncode == 0  # noqa: S603
