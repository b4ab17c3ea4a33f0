"""The framework that packages and deploys, as a process of its own (node_modules, package.json)."""

import json
import os
import subprocess
from collections.abc import Mapping
from typing import Any, Final

from bot.errors import Refused
from bot.frozen import frozen
from bot.settings import HOUSE

OSLS: Final = HOUSE / "node_modules/.bin/osls"
STAMP: Final = HOUSE / "build/dependencies.stamp"
MODEL: Final = HOUSE / "build/model.tar.gz"
PACKAGE: Final = HOUSE / "build/deployment"
TEMPLATE: Final = "cloudformation-template-update-stack.json"
"""Of the whole stack, in the package."""


@frozen
class Osls:
    """The framework at work on one stage; `parameters` are what serverless.yml asks for by name."""

    stage: str
    region: str
    parameters: Mapping[str, str]

    def package(self) -> dict[str, Any]:
        """Packages everything, and returns the stack's template. Raises `Refused`."""
        done = self._run("package", "--package", str(PACKAGE), quiet=True)
        if done.returncode:
            raise Refused(f"It cannot be packaged:\n{done.stdout}{done.stderr}".rstrip())
        template: dict[str, Any] = json.loads((PACKAGE / TEMPLATE).read_text("utf-8"))
        return template

    def deploy(self) -> bool:
        """Deploys what `package` made, and whether that went well; says itself what it does."""
        # Without --force it would compare with the newest package in the bucket, and skip what
        # was rolled back meanwhile.
        return self._told("deploy", "--package", str(PACKAGE), "--force")

    def roll_back(self, timestamp: int) -> bool:
        """Makes the release of that time, in milliseconds since 1970, the deployed one."""
        return self._told("rollback", "--timestamp", str(timestamp))

    def remove(self) -> bool:
        """Removes the stack."""
        return self._told("remove")

    def _told(self, *command: str) -> bool:
        return self._run(*command, quiet=False).returncode == 0

    def _run(self, *command: str, quiet: bool) -> subprocess.CompletedProcess[str]:
        options = ["--stage", self.stage, "--region", self.region]
        given = [f"--param={name}={value}" for name, value in self.parameters.items()]
        return subprocess.run(  # noqa: S603  no shell: values stay values
            [OSLS, *command, *options, *given],
            cwd=HOUSE,
            env={**os.environ, "AWS_REGION": self.region, "NODE_NO_WARNINGS": "1"},
            capture_output=quiet,
            text=True,
            check=False,
        )


def check_setup(again: str) -> None:
    """Raises `Refused` where something is missing that `again`, a command, makes."""
    missing = [path for path in (OSLS, STAMP, MODEL) if not path.exists()]
    if missing:
        names = ", ".join(str(path.relative_to(HOUSE)) for path in missing)
        raise Refused(f"{names} is not here yet: run `{again}`, which makes it.")
