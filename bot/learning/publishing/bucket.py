"""Model archives in S3: each under the name of what is in it, so that none is ever overwritten.

Amazon S3 user guide, "Conditional writes" (`If-None-Match: *`).
"""

import re
from pathlib import Path
from typing import Final

from botocore.exceptions import ClientError

from bot.errors import Refused
from bot.learning.publishing.artifacts import Artifact
from bot.learning.publishing.cloud import Cloud
from bot.local.stages.stage import asking

_URL: Final = re.compile(r"s3://([^/]+)/(.+)")
_DIGEST: Final = "digest"
_THERE: Final = frozenset({"PreconditionFailed", "412"})


def key_of(artifact: Artifact) -> str:
    """Where the archive lies in its bucket."""
    return f"models/{artifact.name}.tar.gz"


def put(cloud: Cloud, artifact: Artifact, bucket: str) -> str:
    """Puts the archive there, unless it is there already, and returns its `s3://` address.

    Raises `Refused` where AWS refuses it, or another archive has its name.
    """
    key = key_of(artifact)
    check(cloud, bucket)
    with asking():
        try:
            with artifact.file.open("rb") as content:
                cloud.s3.put_object(
                    Bucket=bucket,
                    Key=key,
                    Body=content,
                    IfNoneMatch="*",
                    Metadata={_DIGEST: artifact.digest},
                )
        except ClientError as error:
            if error.response["Error"]["Code"] not in _THERE:
                raise
            found = cloud.s3.head_object(Bucket=bucket, Key=key)["Metadata"].get(_DIGEST)
            if found != artifact.digest:
                raise Refused(
                    f"s3://{bucket}/{key} is another model's archive: give this one another name."
                ) from None
    return f"s3://{bucket}/{key}"


def check(cloud: Cloud, bucket: str) -> None:
    """Raises `Refused` where SageMaker could not read from the bucket: none, or far away."""
    with asking():
        try:
            found = cloud.s3.get_bucket_location(Bucket=bucket).get("LocationConstraint")
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchBucket":
                raise Refused(f"There is no bucket {bucket}: make it, or name another.") from None
            raise
    # S3 API reference, GetBucketLocation: nothing said is us-east-1, and EU was once eu-west-1.
    there = {None: "us-east-1", "EU": "eu-west-1"}.get(found, found)
    if there != cloud.region:
        raise Refused(
            f"The bucket {bucket} is in {there}, and SageMaker in {cloud.region} reads no other "
            "region's: name a bucket there."
        )


def get(cloud: Cloud, url: str, file: Path) -> None:
    """Writes what lies at the address into the file. Raises `Refused`."""
    bucket, key = split(url)
    with asking():
        cloud.s3.download_file(bucket, key, str(file))


def split(url: str) -> tuple[str, str]:
    """Bucket and key of an `s3://` address. Raises `Refused` where it is none."""
    found = _URL.fullmatch(url)
    if not found:
        raise Refused(f"{url} is no address s3://BUCKET/KEY.")
    return found[1], found[2]
