"""What the package has of botocore's data says what botocore's own says."""

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.loaders import Loader
from botocore.regions import EndpointResolver
from botocore.session import Session, get_session

from aws.data import MODEL, SERVICES, write
from bot import amazon
from bot.settings import HOUSE
from tests.stacks import Stack
from tests.unpacked import DEPENDENCIES

PACKED = f"{DEPENDENCIES}/{amazon.PACKED}"
BUILTIN = Loader(
    [Loader.BUILTIN_DATA_PATH], include_default_search_paths=False, include_default_extras=False
)
VERSIONS = {service: BUILTIN.determine_latest_version(service, MODEL) for service in SERVICES}
MODELS = {service: f"{service}/{version}/{MODEL}" for service, version in VERSIONS.items()}


@pytest.fixture(scope="module")
def packed(archive: zipfile.ZipFile) -> dict[str, Any]:
    """The files of the package by their names in botocore's data."""
    folder = f"{PACKED}/"
    return {
        name.removeprefix(folder).removesuffix(".json"): json.loads(archive.read(name))
        for name in archive.namelist()
        if name.startswith(folder)
    }


def test_the_package_has_the_models_and_the_addresses_of_the_services_it_calls(
    archive: zipfile.ZipFile, packed: dict[str, Any]
) -> None:
    sources = [
        archive.read(name).decode()
        for name in archive.namelist()
        if re.fullmatch(r"bot/.*\.py", name)
    ]
    called = {
        service
        for source in sources
        for service in re.findall(r"\b(?:amazon\.|_)client\(\s*\"([\w-]+)\"", source)
    }
    assert called == set(SERVICES)
    assert packed.keys() == {"endpoints", *MODELS.values()}


def test_every_function_is_told_where_it_lies(stack: Stack) -> None:
    functions = stack.of_type("AWS::Lambda::Function").values()
    told = {one["Environment"]["Variables"]["AWS_DATA_PATH"] for one in functions}
    assert told == {f"/var/task/{PACKED}"}


@pytest.mark.parametrize("service", SERVICES)
def test_a_packed_model_lacks_nothing_but_its_documentation(
    service: str, packed: dict[str, Any]
) -> None:
    lost = set(missing(BUILTIN.load_data(MODELS[service]), packed[MODELS[service]]))
    assert lost
    assert {path[-1] for path in lost} == {"documentation"}


def missing(whole: Any, part: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where something of the whole is not in the part; both are alike in all else."""
    if isinstance(whole, dict):
        assert part.keys() <= whole.keys()
        for name, value in whole.items():
            if name in part:
                yield from missing(value, part[name], (*path, name))
            else:
                assert isinstance(value, str)
                yield (*path, name)
    else:
        assert part == whole, path


def test_every_region_of_every_partition_has_the_addresses_that_botocore_knows(
    packed: dict[str, Any],
) -> None:
    own, theirs = (
        EndpointResolver(data) for data in (packed["endpoints"], BUILTIN.load_data("endpoints"))
    )
    prefixes = {packed[model]["metadata"]["endpointPrefix"] for model in MODELS.values()}
    assert own.get_available_partitions() == theirs.get_available_partitions()
    compared = 0
    for partition in theirs.get_available_partitions():
        known = theirs.get_available_endpoints("ec2", partition)
        for region in (*known, f"{known[0][:-1]}9", "fips-us-east-1"):
            for prefix in prefixes:
                found = [
                    [
                        resolver.construct_endpoint(prefix, region, partition),
                        resolver.construct_endpoint(
                            prefix, region, partition, use_fips_endpoint=True
                        ),
                    ]
                    for resolver in (own, theirs)
                ]
                assert found[0] == found[1]
                compared += 1
    assert compared > 100


CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "dynamodb": ("GetItem", {"TableName": "cases", "Key": {"id": {"S": "1"}}}),
    "sagemaker-runtime": ("InvokeEndpoint", {"EndpointName": "harbor", "Body": b""}),
    "secretsmanager": ("GetSecretValue", {"SecretId": "web"}),
    "sqs": ("ListQueues", {}),
}
REGIONS = [
    *("us-east-1", "eu-central-1", "ap-southeast-5", "us-gov-west-1", "cn-north-1"),
    *("us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1", "eusc-de-east-1", "us-east-9"),
]
WAYS = [(fips, dual) for fips in (False, True) for dual in (False, True)]


@pytest.fixture
def sessions(
    archive: zipfile.ZipFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Session, Session]:
    """A function's session, and one of botocore's alone; their account has a number."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_ACCOUNT_ID", "123456789012")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    archive.extractall(tmp_path, [one for one in archive.namelist() if one.startswith(PACKED)])
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path / PACKED))
    own: Session = amazon.session.__wrapped__()
    assert own.get_component("data_loader").search_paths[0] == str(tmp_path / PACKED)
    monkeypatch.delenv("AWS_DATA_PATH")
    return own, get_session()


class _Seen(Exception):
    """What a client was about to call, and for which region and service it signed."""


def address(session: Session, service: str, region: str, way: tuple[bool, bool]) -> str:
    def seen(request: Any, **_: object) -> None:
        scope = re.search(rb"Credential=\w+/\d+/([^,]*)", request.headers["Authorization"])
        raise _Seen(request.url, scope and scope[1])

    fips, dual = way
    config = Config(use_fips_endpoint=fips, use_dualstack_endpoint=dual)
    operation, given = CALLS[service]
    try:
        client: Any = session.create_client(service, region_name=region, config=config)
        client.meta.events.register("before-send", seen)
        client._make_api_call(operation, given)
    except (_Seen, BotoCoreError) as told:
        return repr(told)
    raise AssertionError("nothing was sent")


@pytest.mark.parametrize("service", SERVICES)
def test_a_function_calls_the_addresses_that_botocore_would_call(
    service: str, sessions: tuple[Session, Session]
) -> None:
    found, right = (
        {(region, way): address(one, service, region, way) for region in REGIONS for way in WAYS}
        for one in sessions
    )
    assert found == right
    sent = [told for told in right.values() if told.startswith("_Seen(")]
    assert len(set(sent)) >= len(REGIONS)


def test_what_a_developer_added_to_botocore_at_home_is_not_packed(tmp_path: Path) -> None:
    strange = tmp_path / ".aws/models/sqs/2099-01-01/service-2.json"
    strange.parent.mkdir(parents=True)
    strange.write_text("{}")
    subprocess.run(
        [sys.executable, "-m", "aws.data", tmp_path / "packed"],
        cwd=HOUSE,
        env={**os.environ, "HOME": str(tmp_path)},
        check=True,
    )
    assert not (tmp_path / "packed/sqs/2099-01-01").exists()


def test_a_session_reads_what_aws_data_path_names_and_the_rest_of_botocores_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path)
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    loader = amazon.session.__wrapped__().get_component("data_loader")
    for name in ("endpoints", MODELS["sqs"]):
        assert Path(loader.load_data_with_path(name)[1]).is_relative_to(tmp_path)
    rest = f"sqs/{VERSIONS['sqs']}/endpoint-rule-set-1"
    for name in ("partitions", rest):
        assert loader.load_data_with_path(name)[1].startswith(Loader.BUILTIN_DATA_PATH)
    assert loader.load_service_model("s3", MODEL)["metadata"]["serviceId"] == "S3"


def test_a_folder_of_somebodys_own_is_found_as_botocore_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_DATA_PATH", f"~/own{os.pathsep}$HOME/other")
    loader = amazon.session.__wrapped__().get_component("data_loader")
    assert loader.search_paths[:2] == [str(tmp_path / "own"), str(tmp_path / "other")]
    assert not loader.is_builtin_path(str(tmp_path / "own/endpoints"))


def test_without_aws_data_path_all_is_botocores_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DATA_PATH", raising=False)
    loader = amazon.session.__wrapped__().get_component("data_loader")
    assert loader.load_data_with_path("endpoints")[1].startswith(Loader.BUILTIN_DATA_PATH)
