"""AWS: the one session of this process, from which all its clients are made.

botocore's own, without boto3 around it: what boto3 adds (resources, S3 transfers) nobody here uses,
and loading it takes a function a sixth of its cold start.
"""

from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.loaders import Loader


class Models(Loader):
    """botocore's models of all services.

    Whether it knows a service botocore finds out by a look into the folders of all four hundred,
    once for each kind of model; that takes a function a twelfth of its cold start. The names of the
    folders tell as much.
    """

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002
        """See `botocore.loaders.Loader`; also those that have no model of this kind."""
        folders = filter(Path.is_dir, map(Path, self.search_paths))
        return sorted({service.name for folder in folders for service in folder.iterdir()})


@cache
def session() -> botocore.session.Session:
    """What knows the region and the keys, and has read what all clients share."""
    made = botocore.session.get_session()
    made.register_component("data_loader", Models())
    return made


def client(service: str, config: Config) -> Any:
    """A new client. Raises `botocore.exceptions.NoRegionError` where no region is set."""
    return session().create_client(service, config=config)
