"""The account on AWS in which models are kept, trained and hosted; by boto3."""

import json
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import NoRegionError

from bot import amazon
from bot.errors import Refused
from bot.frozen import frozen
from bot.local.stages.stage import asking
from bot.settings import HOUSE

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

REGISTRIES: Final = HOUSE / "aws" / "registries.json"
# A person waits, and an archive of 80 MB goes up at once.
_PATIENCE: Final = Config(
    connect_timeout=5, read_timeout=120, retries={"mode": "standard", "total_max_attempts": 4}
)


@frozen
class Cloud:
    """Clients of one account and region, and what names there are made of."""

    sagemaker: "SageMakerClient"
    s3: "S3Client"
    iam: "IAMClient"
    region: str
    partition: str
    account: str

    def arn(self, service: str, resource: str) -> str:
        """The name of something in this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    @property
    def suffix(self) -> str:
        """What the addresses of AWS end with here."""
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"

    @property
    def registry(self) -> str:
        """The account whose registry has BlazingText's image. Raises `Refused` for an unknown."""
        try:
            return registries()[self.region]
        except KeyError:
            raise Refused(
                f"No registry of BlazingText's image is known for {self.region}: use one of "
                f"{', '.join(registries())}."
            ) from None

    @property
    def image(self) -> str:
        """BlazingText's image, which trains and serves. Raises `Refused` as `registry` does."""
        return f"{self.registry}.dkr.ecr.{self.region}.{self.suffix}/blazingtext:1"


def entered() -> Cloud:
    """The account of this process's credentials and region. Raises `Refused`."""
    try:
        with asking():
            session = _around(amazon.session())
            sts = session.client("sts", config=_PATIENCE)
            account = sts.get_caller_identity()["Account"]
    except NoRegionError:
        raise Refused("No AWS region is set: set AWS_DEFAULT_REGION, say to us-east-1.") from None
    region: str = sts.meta.region_name

    def client(service: Any) -> Any:
        return session.client(service, config=_PATIENCE)

    partition = session.get_partition_for_region(region)
    return Cloud(client("sagemaker"), client("s3"), client("iam"), region, partition, account)


@cache
def _around(session: botocore.session.Session) -> boto3.Session:
    """boto3 adds to a session what it can add only once."""
    return boto3.Session(botocore_session=session)


@cache
def registries() -> Mapping[str, str]:
    """The accounts with BlazingText's image, by region."""
    found: dict[str, str] = json.loads(REGISTRIES.read_text("utf-8"))
    return found
