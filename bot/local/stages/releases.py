"""The releases of a stage that the framework keeps in its bucket.

What it uploads, and under which keys: osls, `lib/plugins/aws/deploy/lib/upload-artifacts.js`.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from bot.errors import Refused
from bot.frozen import frozen
from bot.local.serverless import service
from bot.local.stages import stacks, stage
from bot.local.stages.inventory import Template

_KEY: Final = re.compile(r"(?P<folder>.+/(?P<at>\d+)-[^/]+)/compiled-cloudformation-template\.json")
BUCKET: Final = "ServerlessDeploymentBucketName"
"""The output of a stack that names it."""


@frozen
class Release:
    """What was deployed once; `timestamp` in milliseconds since 1970, `folder` in the bucket."""

    timestamp: int
    folder: str
    template: Template

    @property
    def told(self) -> str:
        """Its time, its commit where it is known, and the number to ask for it by."""
        at = datetime.fromtimestamp(self.timestamp / 1000, UTC)
        commit = self.template.get("Outputs", {}).get("Release", {}).get("Value", "")
        return f"{at:%Y-%m-%d %H:%M:%S} UTC  TO={self.timestamp}  {commit}".rstrip()


def kept(bucket: str, name: str) -> list[Release]:
    """The stage's releases, newest first."""
    client = stage.client("s3")
    found: list[Release] = []
    with stage.asking():
        pages = client.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=f"serverless/{service()}/{name}/"
        )
        keys = [one["Key"] for page in pages for one in page.get("Contents", ())]
        for key in filter(None, map(_KEY.fullmatch, keys)):
            body = client.get_object(Bucket=bucket, Key=key[0])["Body"].read()
            found.append(Release(int(key["at"]), key["folder"], stacks.parsed(body)))
    return sorted(found, key=lambda release: release.timestamp, reverse=True)


def chosen(found: Sequence[Release], current: str | None, timestamp: int | None) -> Release:
    """The one of that time, else the one before the current. Raises `Refused` for none."""
    if timestamp is not None:
        for release in found:
            if release.timestamp == timestamp:
                return release
        raise Refused(f"There is no release {timestamp}: the list shows those that are kept.")
    deployed = [release for release in found if release.folder == current]
    earlier = [one for one in found if deployed and one.timestamp < deployed[0].timestamp]
    if not earlier:
        raise Refused("There is no release before the deployed one: name another with TO=….")
    return earlier[0]
