"""AWS: the one session of this process, from which all its clients are made.

botocore's own, without boto3 around it: what boto3 adds (resources, S3 transfers) nobody here uses,
and loading it takes a function a sixth of its cold start.
"""

from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config


@cache
def session() -> botocore.session.Session:
    """What knows the region and the keys, and has read what all clients share."""
    return botocore.session.get_session()


def client(service: str, config: Config) -> Any:
    """A new client. Raises `botocore.exceptions.NoRegionError` where no region is set."""
    return session().create_client(service, config=config)
