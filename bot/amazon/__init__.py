"""AWS: the one session of this process, from which all its clients are made.

botocore's own, without boto3 around it: what boto3 adds (resources, S3 transfers) nobody here uses,
and loading it takes a function a sixth of its cold start.
"""

import os
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

import botocore.session
from botocore.config import Config
from botocore.credentials import CredentialResolver, EnvProvider
from botocore.loaders import Loader, create_loader

PACKED: Final = "aws-data"
"""The folder in which `aws/dependencies.sh` puts what functions need of botocore's data."""


class Models(Loader):
    """botocore's models of all services.

    Whether it knows a service botocore finds out by a look into the folders of all four hundred,
    once for each kind of model; that takes a function a twelfth of its cold start. The names of the
    folders tell as much.
    """

    def is_builtin_path(self, path: str) -> bool:
        """See `botocore.loaders.Loader`; what the package has of botocore's data is botocore's.

        Addresses of anybody else's data it would take for the only ones, whatever its rules say.
        """
        return super().is_builtin_path(path) or PACKED in Path(path).parts

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
    made.lazy_register_component("data_loader", lambda: _models(made))
    if EnvProvider.ACCESS_KEY in os.environ:
        # As botocore would find them there first, but only after it has prepared to ask ten others.
        made.register_component("credential_provider", CredentialResolver([EnvProvider()]))
    return made


def _models(of: botocore.session.Session) -> Models:
    paths = create_loader(of.get_config_variable("data_path")).search_paths
    return Models(paths, include_default_search_paths=False)


def client(service: str, config: Config) -> Any:
    """A new client. Raises `botocore.exceptions.NoRegionError` where no region is set."""
    return session().create_client(service, config=config)
