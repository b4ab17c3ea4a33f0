"""AWS: the one session of this process, from which all its clients are made.

botocore's own, without boto3 around it: what boto3 adds (resources, S3 transfers) nobody here uses,
and loading it takes a function a sixth of its cold start.
"""

import os
from functools import cache, cached_property
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.credentials import CredentialResolver, EnvProvider
from botocore.loaders import Loader


class Models(Loader):
    """botocore's models of all services.

    Whether it knows a service botocore finds out by a look into the folders of all four hundred,
    once for each kind of model; that takes a function a twelfth of its cold start. The names of the
    folders tell as much.
    """

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002
        """See `botocore.loaders.Loader`; also those that have no model of this kind."""
        return self._services

    @cached_property
    def _services(self) -> list[str]:
        folders = filter(os.path.isdir, self.search_paths)
        return sorted({service.name for folder in folders for service in os.scandir(folder)})


@cache
def session() -> botocore.session.Session:
    """What knows the region and the keys, and has read what all clients share."""
    made = botocore.session.get_session()
    own = made.get_config_variable("data_path")
    made.register_component("data_loader", Models(own.split(os.pathsep) if own else None))
    if EnvProvider.ACCESS_KEY in os.environ:
        # As botocore would find them there first, but only after it has prepared to ask ten others.
        made.register_component("credential_provider", CredentialResolver([EnvProvider()]))
    return made


def client(service: str, config: Config) -> Any:
    """A new client. Raises `botocore.exceptions.NoRegionError` where no region is set."""
    return session().create_client(service, config=config)
