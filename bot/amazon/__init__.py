"""AWS: the one session of this process, from which all its clients are made.

botocore's own, without boto3 around it: what boto3 adds (resources, transfers to S3) nobody here
uses, and loading it takes a function a sixth of its cold start.
"""

from functools import cache
from typing import Any, Final

import botocore.session
from botocore.config import Config
from botocore.loaders import Loader

SERVICES: Final = ("dynamodb", "sagemaker-runtime", "secretsmanager", "sqs")
"""Those that have clients here."""


class Models(Loader):
    """botocore's models of `SERVICES`.

    Whether it knows a service botocore finds out by looking into the folders of all four hundred,
    once for each kind of model.
    """

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002
        """See `botocore.loaders.Loader`."""
        return list(SERVICES)


@cache
def session() -> botocore.session.Session:
    """What knows the region and the keys, and has read what all clients share."""
    made = botocore.session.get_session()
    made.register_component("data_loader", Models())
    return made


def client(service: str, config: Config) -> Any:
    """A new client. Raises `botocore.exceptions.NoRegionError` where no region is set."""
    return session().create_client(service, config=config)
