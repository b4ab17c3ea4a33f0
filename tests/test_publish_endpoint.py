"""`publish` to endpoints of SageMaker: made, updated, and back where that fails; against moto."""

import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot import amazon
from bot.classifier.variants import variant_name
from bot.errors import Refused
from bot.learning.publishing import cloud as clouds
from bot.learning.publishing import destinations, roles
from bot.learning.publishing.artifacts import Artifact, opened
from bot.learning.publishing.cloud import Cloud
from bot.local.serverless import load
from bot.local.stages import stagefile
from bot.settings import HOUSE
from tests.publishing import BUCKET, OURS, Engineer, account, archive, house, posts, table
from tests.standins import aws
from tests.standins.hosting import Hosting, hosting
from tests.standins.sagemaker import BlazingTextStandin
from tests.standins.stage import STAGE, deploy

ENDPOINT = "Harbor-Triage"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two archives, `better` and `worse`, each with its unpacked model, and a test set."""
    folder = tmp_path_factory.mktemp("models")
    archive(folder / "better")
    archive(folder / "worse", replace(OURS, name="worse"), worse=True)
    table(folder / "test.csv")
    return folder


@pytest.fixture(scope="module")
def better(models: Path) -> Artifact:
    return opened(models / "better/model.tar.gz")


@pytest.fixture(scope="module")
def worse(models: Path) -> Artifact:
    return opened(models / "worse/model.tar.gz")


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with aws.moto_server() as url:
        yield url


@pytest.fixture
def engineer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Engineer]:
    with house(tmp_path, monkeypatch):
        yield Engineer(tmp_path, capsys)


@pytest.fixture
def cloud(engineer: Engineer, moto: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with account(moto, engineer.folder, monkeypatch) as entered:
        yield entered


@pytest.fixture
def play(
    cloud: Cloud, models: Path, moto: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Hosting]:
    assert cloud
    with BlazingTextStandin(models / "worse/model.bin") as runtime, hosting(moto, runtime) as made:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", runtime.url)
        yield made


def line(models: Path, artifact: Artifact, *more: str) -> tuple[str | Path, ...]:
    return (artifact.file, "--endpoint", ENDPOINT, "--test", models / "test.csv", *more)


@pytest.fixture
def serving(engineer: Engineer, play: Hosting, models: Path, worse: Artifact) -> dict[str, Any]:
    """An endpoint there that serves the worse model; what is recorded of that."""
    assert play
    return engineer.publishes(*line(models, worse, "--bucket", BUCKET))


def in_service(cloud: Cloud) -> tuple[Any, Any]:
    """The endpoint's state and its configuration, as SageMaker tells them."""
    found = cloud.sagemaker.describe_endpoint(EndpointName=ENDPOINT)
    config = cloud.sagemaker.describe_endpoint_config(
        EndpointConfigName=found["EndpointConfigName"]
    )
    return found, config


def test_a_profile_that_is_not_there_is_one_sentence(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cloud
    monkeypatch.setenv("AWS_PROFILE", "of-somebody-else")
    amazon.session.cache_clear()
    with pytest.raises(Refused, match=r"profile \(of-somebody-else\) could not be found"):
        clouds.entered()
    amazon.session.cache_clear()


class TestANewEndpoint:
    def test_is_made_in_real_time_from_the_archive_in_the_bucket(
        self,
        engineer: Engineer,
        play: Hosting,
        cloud: Cloud,
        models: Path,
        better: Artifact,
    ) -> None:
        row = engineer.publishes(*line(models, better, "--bucket", BUCKET))
        found, config = in_service(cloud)
        [variant] = config["ProductionVariants"]
        assert found["EndpointStatus"] == "InService"
        assert variant["VariantName"] == variant_name(OURS, better.id) == play.runtime.variant
        assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.m5.large", 1)
        model = cloud.sagemaker.describe_model(ModelName=variant["ModelName"])
        assert model["PrimaryContainer"] == {
            "Image": "811284229777.dkr.ecr.us-east-1.amazonaws.com/blazingtext:1",
            "ModelDataUrl": f"s3://{BUCKET}/models/{better.name}.tar.gz",
        }
        kept = cloud.s3.get_object(Bucket=BUCKET, Key=f"models/{better.name}.tar.gz")
        assert kept["Body"].read() == better.file.read_bytes()
        assert row["where"] == f"the endpoint {ENDPOINT}"

    @pytest.mark.usefixtures("play")
    def test_has_a_role_that_reads_its_archive_and_little_else(
        self, engineer: Engineer, cloud: Cloud, models: Path, better: Artifact
    ) -> None:
        engineer.publishes(*line(models, better, "--bucket", BUCKET))
        name = roles.name(cloud, "model", ENDPOINT)
        told = cloud.iam.get_role_policy(RoleName=name, PolicyName="model")["PolicyDocument"]
        policy: Any = told if isinstance(told, dict) else json.loads(told)
        rights = {
            action: statement["Resource"]
            for statement in policy["Statement"]
            for action in aslist(statement["Action"])
        }
        log = (
            f"arn:aws:logs:us-east-1:{cloud.account}:log-group:/aws/sagemaker/Endpoints/{ENDPOINT}"
        )
        assert rights == {
            "s3:GetObject": [f"arn:aws:s3:::{BUCKET}/models/{better.name}.tar.gz"],
            "ecr:BatchCheckLayerAvailability": ECR,
            "ecr:BatchGetImage": ECR,
            "ecr:GetDownloadUrlForLayer": ECR,
            "ecr:GetAuthorizationToken": "*",
            "logs:CreateLogGroup": f"{log}:*",
            "logs:CreateLogStream": f"{log}:*",
            "logs:DescribeLogStreams": f"{log}:*",
            "logs:PutLogEvents": f"{log}:*",
            "cloudwatch:PutMetricData": "*",
        }
        trust: Any = cloud.iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        [statement] = trust["Statement"]
        assert statement["Principal"] == {"Service": "sagemaker.amazonaws.com"}

    @pytest.mark.usefixtures("play")
    def test_takes_the_role_that_is_named_and_makes_none(
        self, engineer: Engineer, cloud: Cloud, models: Path, better: Artifact
    ) -> None:
        role = "arn:aws:iam::123456789012:role/of-ours"
        engineer.publishes(*line(models, better, "--bucket", BUCKET, "--role", role))
        _, config = in_service(cloud)
        called = config["ProductionVariants"][0]["ModelName"]
        assert cloud.sagemaker.describe_model(ModelName=called)["ExecutionRoleArn"] == role
        assert cloud.iam.list_roles()["Roles"] == []

    def test_waits_until_its_role_is_known_everywhere(
        self, engineer: Engineer, play: Hosting, models: Path, better: Artifact
    ) -> None:
        play.late = 3
        engineer.publishes(*line(models, better, "--bucket", BUCKET))
        play.late = 99
        asked = (better.file, "--endpoint", "other", "--test", models / "test.csv")
        assert "Could not assume role" in engineer.refused(*asked, "--bucket", BUCKET)

    @pytest.mark.parametrize("reason", ["the container did not answer its ping", ""])
    def test_that_cannot_start_is_taken_away_with_all_that_was_made_for_it(
        self,
        engineer: Engineer,
        play: Hosting,
        cloud: Cloud,
        models: Path,
        better: Artifact,
        reason: str,
    ) -> None:
        play.failures = [reason]
        said = engineer.refused(*line(models, better, "--bucket", BUCKET))
        assert (reason or "does not say why") in said
        assert "was taken away again" in said
        assert cloud.sagemaker.list_endpoints()["Endpoints"] == []
        assert cloud.sagemaker.list_models()["Models"] == []
        assert cloud.sagemaker.list_endpoint_configs()["EndpointConfigs"] == []
        assert engineer.types("--list", "--endpoint", ENDPOINT)[1] == ""

    def test_that_is_refused_leaves_nothing_behind(
        self,
        engineer: Engineer,
        play: Hosting,
        cloud: Cloud,
        models: Path,
        better: Artifact,
    ) -> None:
        play.refusal = "The account-level service limit is 0 Instances."
        asked = line(models, better, "--bucket", BUCKET)
        assert "limit is 0 Instances" in engineer.refused(*asked)
        play.refusal = ""
        engineer.refused(*asked, "--instance-type", "no machine")
        assert cloud.sagemaker.list_models()["Models"] == []
        assert cloud.sagemaker.list_endpoint_configs()["EndpointConfigs"] == []

    def test_has_a_role_that_no_other_endpoints_publication_sets(self, cloud: Cloud) -> None:
        long = "an-endpoint-whose-name-is-as-long-as-that-of-any-other-"
        abroad = replace(cloud, region="eu-west-1")
        for where, name in ((cloud, f"{long}1"), (cloud, f"{long}2"), (abroad, f"{long}1")):
            roles.serving(where, name, [f"s3://{BUCKET}/{name}.tar.gz"], None)
        named = [role["RoleName"] for role in cloud.iam.list_roles()["Roles"]]
        assert len(named) == len(set(named)) == 3
        assert all(len(name) <= roles.LONGEST for name in named)

    @pytest.mark.parametrize("name", ["", "arn:aws:sagemaker:us-east-1:1:endpoint/harbor"])
    @pytest.mark.usefixtures("cloud")
    def test_has_to_be_named(
        self, engineer: Engineer, models: Path, better: Artifact, name: str
    ) -> None:
        asked = (better.file, "--endpoint", name, "--test", models / "test.csv")
        assert "is no endpoint's name" in engineer.refused(*asked)
        assert not (engineer.folder / "data/model.tar.gz").exists()

    @pytest.mark.usefixtures("play")
    def test_is_measured_as_it_judges_what_it_does_not_know_included(
        self, engineer: Engineer, better: Artifact
    ) -> None:
        unknown = [("zebra quokka", True), ("wombat numbat", False), ("ibex", True)]
        frozen = table(engineer.folder / "frozen.csv", [*posts(), *unknown * 5])
        asked = (better.file, "--endpoint", ENDPOINT, "--test", frozen)
        engineer.publishes(*asked, "--bucket", BUCKET)
        engineer.publishes(*asked)
        [_, before] = engineer.types("--list", "--endpoint", ENDPOINT, "--json")[1].splitlines()
        code, _, said = engineer.types(*asked)
        first, second = (line for line in said.splitlines() if "PR-AUC" in line)
        assert first.partition(": ")[2].startswith(second.partition(": ")[2].rstrip("."))
        assert (code, json.loads(before)["forced"]) == (0, None)

    @pytest.mark.usefixtures("play")
    def test_needs_a_bucket_where_the_model_can_lie(
        self, engineer: Engineer, models: Path, better: Artifact
    ) -> None:
        assert "with --bucket" in engineer.refused(*line(models, better))
        said = engineer.refused(*line(models, better, "--bucket", "nobodys"))
        assert "There is no bucket nobodys" in said
        elsewhere = aws.client("s3", clouds.entered().s3.meta.endpoint_url)
        place: Any = {"LocationConstraint": "eu-west-1"}
        elsewhere.create_bucket(Bucket="far-away", CreateBucketConfiguration=place)
        said = engineer.refused(*line(models, better, "--bucket", "far-away"))
        assert "The bucket far-away is in eu-west-1" in said


ECR = "arn:aws:ecr:us-east-1:811284229777:repository/blazingtext"


def aslist(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


@pytest.mark.usefixtures("serving")
class TestAnEndpointThatIsThere:
    def test_goes_over_to_a_better_model_and_keeps_all_else(
        self,
        engineer: Engineer,
        play: Hosting,
        cloud: Cloud,
        models: Path,
        worse: Artifact,
        better: Artifact,
    ) -> None:
        capture: Any = {
            "EnableCapture": True,
            "InitialSamplingPercentage": 10,
            "DestinationS3Uri": f"s3://{BUCKET}/seen",
            "CaptureOptions": [{"CaptureMode": "Input"}],
        }
        grown = self.reconfigured(cloud, play, capture)
        row = engineer.publishes(*line(models, better))
        found, config = in_service(cloud)
        [variant] = config["ProductionVariants"]
        assert found["EndpointConfigName"] != grown
        assert variant["VariantName"] == better.variant
        assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.c5.xlarge", 3)
        assert config["DataCaptureConfig"] == capture
        assert row["f1"] == 1.0
        role = cloud.iam.get_role_policy(
            RoleName=roles.name(cloud, "model", ENDPOINT), PolicyName="model"
        )
        for name in (better.name, worse.name):
            assert f"models/{name}.tar.gz" in json.dumps(role["PolicyDocument"])
        policy: Any = role["PolicyDocument"]
        captured = [one for one in policy["Statement"] if "s3:PutObject" in one["Action"]]
        assert [one["Resource"] for one in captured] == [f"arn:aws:s3:::{BUCKET}/seen/*"]

    def reconfigured(self, cloud: Cloud, play: Hosting, capture: Any) -> str:
        """Somebody gave it other machines; the name of that configuration."""
        _, config = in_service(cloud)
        machines = {"InstanceType": "ml.c5.xlarge", "InitialInstanceCount": 3}
        variants: Any = [{**config["ProductionVariants"][0], **machines}]
        cloud.sagemaker.create_endpoint_config(
            EndpointConfigName="grown", ProductionVariants=variants, DataCaptureConfig=capture
        )
        cloud.sagemaker.update_endpoint(EndpointName=ENDPOINT, EndpointConfigName="grown")
        while in_service(cloud)[0]["EndpointStatus"] != "InService":
            pass
        assert play.updates[-1] == "grown"
        return "grown"

    def test_is_asked_live_what_it_says_of_the_test_set(
        self, engineer: Engineer, play: Hosting, models: Path, better: Artifact, worse: Artifact
    ) -> None:
        engineer.publishes(*line(models, better))
        asked = len(play.runtime.requests)
        said = engineer.refused(*line(models, worse))
        assert "was not published: its PR-AUC is" in said
        assert len(play.runtime.requests) > asked
        assert len(play.updates) == 2, "nothing was touched"

    @pytest.mark.parametrize("reason", ["The primary container did not pass its ping.", ""])
    def test_whose_update_fails_serves_what_it_did_before(
        self,
        engineer: Engineer,
        play: Hosting,
        cloud: Cloud,
        models: Path,
        better: Artifact,
        reason: str,
    ) -> None:
        before, _ = in_service(cloud)
        play.failures = [reason]
        said = engineer.refused(*line(models, better))
        after, _ = in_service(cloud)
        assert f"{ENDPOINT} did not take the model (InService): {reason}" in said
        assert f"{ENDPOINT} serves what it did before." in said
        assert after["EndpointConfigName"] == before["EndpointConfigName"]
        self.serves_nothing_more(cloud)

    def serves_nothing_more(self, cloud: Cloud) -> None:
        """Only what is in service is there."""
        found, config = in_service(cloud)
        configs = cloud.sagemaker.list_endpoint_configs()["EndpointConfigs"]
        assert [one["EndpointConfigName"] for one in configs] == [found["EndpointConfigName"]]
        left = cloud.sagemaker.list_models()["Models"]
        [variant] = config["ProductionVariants"]
        assert [one["ModelName"] for one in left] == [variant["ModelName"]]

    def test_that_takes_no_other_model_keeps_nothing_of_it(
        self, engineer: Engineer, play: Hosting, cloud: Cloud, models: Path, better: Artifact
    ) -> None:
        play.refusal = "An Application AutoScaling scalable target exists for a variant."
        assert "AutoScaling scalable target" in engineer.refused(*line(models, better))
        self.serves_nothing_more(cloud)

    def test_that_somebody_else_brings_to_another_model_meanwhile_stays_there(
        self,
        engineer: Engineer,
        cloud: Cloud,
        models: Path,
        better: Artifact,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        before = in_service(cloud)[0]["EndpointConfigName"]

        def meanwhile(*_: object) -> str:
            cloud.sagemaker.update_endpoint(EndpointName=ENDPOINT, EndpointConfigName="theirs")
            while in_service(cloud)[0]["EndpointStatus"] != "InService":
                pass
            return "It answers by another model."

        variants: Any = in_service(cloud)[1]["ProductionVariants"]
        cloud.sagemaker.create_endpoint_config(
            EndpointConfigName="theirs", ProductionVariants=variants
        )
        monkeypatch.setattr(destinations, "difference", meanwhile)
        said = engineer.refused(*line(models, better))
        assert "Somebody has brought it to theirs meanwhile, and so it stays." in said
        assert in_service(cloud)[0]["EndpointConfigName"] == "theirs" != before

    def test_that_answers_otherwise_than_the_artifact_goes_back(
        self,
        engineer: Engineer,
        play: Hosting,
        cloud: Cloud,
        models: Path,
        better: Artifact,
        worse: Artifact,
    ) -> None:
        before, _ = in_service(cloud)
        play.instead = models / "worse/model.bin"
        said = engineer.refused(*line(models, better))
        assert "gives other probabilities than the artifact: they differ by up to" in said
        assert f"{ENDPOINT} serves what it did before." in said
        after, config = in_service(cloud)
        assert after["EndpointConfigName"] == before["EndpointConfigName"]
        assert config["ProductionVariants"][0]["VariantName"] == worse.variant
        assert len(play.updates) == 3

    def test_that_does_not_answer_after_an_update_goes_back(
        self, engineer: Engineer, play: Hosting, cloud: Cloud, models: Path, better: Artifact
    ) -> None:
        before, _ = in_service(cloud)
        play.deaf = True
        said = engineer.refused(*line(models, better))
        assert f"The endpoint {ENDPOINT} is not answering now" in said
        assert in_service(cloud)[0]["EndpointConfigName"] == before["EndpointConfigName"]

    def test_keeps_its_model_where_putting_it_there_again_fails(
        self, engineer: Engineer, play: Hosting, cloud: Cloud, models: Path, worse: Artifact
    ) -> None:
        play.failures = ["no machines"]
        engineer.refused(*line(models, worse))
        _, config = in_service(cloud)
        called = config["ProductionVariants"][0]["ModelName"]
        assert cloud.sagemaker.describe_model(ModelName=called)["ModelName"] == called

    def test_in_a_network_of_ones_own_stays_there_and_needs_a_role(
        self, engineer: Engineer, cloud: Cloud, models: Path, better: Artifact
    ) -> None:
        network: Any = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
        _, config = in_service(cloud)
        image: Any = {"Image": "blazingtext:1", "ModelDataUrl": f"s3://{BUCKET}/else.tar.gz"}
        role = "arn:aws:iam::123456789012:role/of-ours"
        cloud.sagemaker.create_model(
            ModelName="inside", ExecutionRoleArn=role, PrimaryContainer=image, VpcConfig=network
        )
        [variant] = config["ProductionVariants"]
        variants: Any = [{**variant, "ModelName": "inside"}]
        cloud.sagemaker.create_endpoint_config(
            EndpointConfigName="inside", ProductionVariants=variants
        )
        cloud.s3.upload_file(str(better.file), BUCKET, "else.tar.gz")
        cloud.sagemaker.update_endpoint(EndpointName=ENDPOINT, EndpointConfigName="inside")
        while in_service(cloud)[0]["EndpointStatus"] != "InService":
            pass
        forced = ("--force", "it is the same one")
        assert "name a role that may enter it" in engineer.refused(*line(models, better, *forced))
        engineer.publishes(*line(models, better, *forced, "--role", role))
        called = in_service(cloud)[1]["ProductionVariants"][0]["ModelName"]
        assert cloud.sagemaker.describe_model(ModelName=called)["VpcConfig"] == network

    def test_that_can_go_neither_on_nor_back_is_told_of_in_one_sentence(
        self, engineer: Engineer, play: Hosting, models: Path, better: Artifact
    ) -> None:
        play.failures, play.broken = ["out of machines"], True
        said = engineer.refused(*line(models, better))
        assert "did not take the model (Failed): out of machines" in said
        assert "It could not go back to" in said
        assert "serves what it did before" not in said

    def test_is_left_alone_while_it_is_being_changed(
        self, engineer: Engineer, play: Hosting, cloud: Cloud, models: Path, better: Artifact
    ) -> None:
        found, _ = in_service(cloud)
        cloud.sagemaker.update_endpoint(
            EndpointName=ENDPOINT, EndpointConfigName=found["EndpointConfigName"]
        )
        play._under_way[ENDPOINT] = (99, found["EndpointConfigName"], "Updating")
        assert f"{ENDPOINT} is Updating" in engineer.refused(*line(models, better))

    def test_that_is_dead_has_to_be_deleted_first(
        self, engineer: Engineer, play: Hosting, cloud: Cloud, models: Path, better: Artifact
    ) -> None:
        play.failures, play.broken = ["out of machines"], True
        found, _ = in_service(cloud)
        cloud.sagemaker.update_endpoint(
            EndpointName=ENDPOINT, EndpointConfigName=found["EndpointConfigName"]
        )
        while in_service(cloud)[0]["EndpointStatus"] != "Failed":
            pass
        assert f"delete-endpoint --endpoint-name {ENDPOINT}" in engineer.refused(
            *line(models, better)
        )

    def test_may_be_the_one_that_a_stage_asks_and_is_recorded_there(
        self, engineer: Engineer, play: Hosting, models: Path, better: Artifact
    ) -> None:
        deploy(play.url, SAGEMAKER_ENDPOINT=ENDPOINT)
        file = engineer.folder / f"aws/stages/{STAGE}.env"
        file.parent.mkdir(parents=True)
        file.write_text(f"REGION=us-east-1\nSAGEMAKER_ENDPOINT={ENDPOINT}\n")
        before = file.read_text()
        engineer.publishes(better.file, "--stage", STAGE, "--test", models / "test.csv")
        assert play.runtime.variant == better.variant
        assert file.read_text() == before
        [row] = engineer.types("--list", "--stage", STAGE, "--json")[1].splitlines()
        assert json.loads(row)["model"] == better.name

    def test_with_several_variants_is_refused(
        self, engineer: Engineer, cloud: Cloud, models: Path, better: Artifact
    ) -> None:
        _, config = in_service(cloud)
        [variant] = config["ProductionVariants"]
        variants: Any = [variant, {**variant, "VariantName": "other"}]
        cloud.sagemaker.create_endpoint_config(
            EndpointConfigName="compared", ProductionVariants=variants
        )
        cloud.sagemaker.update_endpoint(EndpointName=ENDPOINT, EndpointConfigName="compared")
        while in_service(cloud)[0]["EndpointStatus"] != "InService":
            pass
        assert "somebody compares models" in engineer.refused(*line(models, better))

    def test_may_get_the_same_archive_again_and_it_is_not_written_twice(
        self, engineer: Engineer, cloud: Cloud, models: Path, worse: Artifact
    ) -> None:
        key = f"models/{worse.name}.tar.gz"
        first = cloud.s3.head_object(Bucket=BUCKET, Key=key)["LastModified"]
        engineer.publishes(*line(models, worse))
        assert cloud.s3.head_object(Bucket=BUCKET, Key=key)["LastModified"] == first
        cloud.s3.put_object(Bucket=BUCKET, Key=key, Body=b"else", Metadata={"digest": "another"})
        assert "is another model's archive" in engineer.refused(*line(models, worse))


class TestAStageWhoseStackMakesTheEndpoint:
    @pytest.fixture
    def file(self, engineer: Engineer, play: Hosting) -> Path:
        """The file of a stage that is deployed with an endpoint of its own."""
        name = f"tweet-escalator-{STAGE}"
        deploy(play.url, SAGEMAKER_ENDPOINT=name)
        file = engineer.folder / f"aws/stages/{STAGE}.env"
        file.parent.mkdir(parents=True)
        file.write_text(f"REGION=us-east-1\nMODEL_DATA_URL=s3://{BUCKET}/old.tar.gz\n# mine\n")
        return file

    @pytest.fixture
    def endpoint(self, play: Hosting, cloud: Cloud, file: Path, worse: Artifact) -> str:
        """That endpoint, as the stack made it of the old archive."""
        assert file
        cloud.s3.upload_file(str(worse.file), BUCKET, "old.tar.gz")
        self.made(cloud, f"s3://{BUCKET}/old.tar.gz", "AllTraffic", "first")
        called = f"tweet-escalator-{STAGE}"
        cloud.sagemaker.create_endpoint(EndpointName=called, EndpointConfigName="first")
        self.awaited(cloud, called)
        assert play.runtime.variant == "AllTraffic"
        return called

    def made(self, cloud: Cloud, url: str, variant: str, name: str) -> None:
        image: Any = {"Image": "blazingtext:1", "ModelDataUrl": url}
        role = "arn:aws:iam::123456789012:role/of-the-stack"
        cloud.sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer=image)
        machines = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        variants: Any = [{"VariantName": variant, "ModelName": name, **machines}]
        cloud.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)

    def awaited(self, cloud: Cloud, endpoint: str) -> None:
        while (
            cloud.sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"]
            != "InService"
        ):
            pass

    def stacks(self, cloud: Cloud, endpoint: str, file: Path) -> Any:
        """`make deploy`, as far as the endpoint goes."""
        count: list[str] = []

        def deploys(stage: str) -> bool:
            lines = dict(one.split("=", 1) for one in file.read_text().splitlines() if "=" in one)
            count.append(stage)
            name = f"deployed-{len(count)}"
            variant = lines.get("MODEL_VARIANT", "AllTraffic")
            self.made(cloud, lines["MODEL_DATA_URL"], variant, name)
            cloud.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=name)
            self.awaited(cloud, endpoint)
            return True

        return deploys

    @pytest.mark.usefixtures("endpoint")
    def test_gets_it_by_the_next_deployment_and_by_nothing_else(
        self, engineer: Engineer, play: Hosting, file: Path, models: Path, better: Artifact
    ) -> None:
        row = engineer.publishes(better.file, "--stage", STAGE, "--test", models / "test.csv")
        assert file.read_text() == (
            "REGION=us-east-1\n# mine\n"
            f"MODEL_DATA_URL=s3://{BUCKET}/models/{better.name}.tar.gz\n"
            f"MODEL_VARIANT={better.variant}\n"
        )
        assert row["next"] == [f"{STAGE}.env names it. Next: `make deploy STAGE={STAGE}`."]
        assert play.updates == ["first"], "CloudFormation owns the endpoint"

    def test_is_published_to_by_its_stage_alone(
        self, engineer: Engineer, endpoint: str, models: Path, better: Artifact, play: Hosting
    ) -> None:
        asked = (better.file, "--endpoint", endpoint, "--test", models / "test.csv")
        assert f"publish with --stage {STAGE}" in engineer.refused(*asked)
        assert play.updates == ["first"]

    def test_is_not_made_beside_the_one_that_the_stage_names(
        self, engineer: Engineer, play: Hosting, models: Path, better: Artifact
    ) -> None:
        deploy(play.url, SAGEMAKER_ENDPOINT=ENDPOINT)
        file = engineer.folder / f"aws/stages/{STAGE}.env"
        file.parent.mkdir(parents=True)
        file.write_text(f"REGION=us-east-1\nSAGEMAKER_ENDPOINT={ENDPOINT}\n")
        asked = (better.file, "--stage", STAGE, "--test", models / "test.csv", "--hosted")
        assert "take SAGEMAKER_ENDPOINT out" in engineer.refused(*asked, "--bucket", BUCKET)

    def test_is_deployed_and_checked_where_that_is_asked_for(
        self,
        engineer: Engineer,
        play: Hosting,
        cloud: Cloud,
        file: Path,
        endpoint: str,
        models: Path,
        better: Artifact,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        deploys = self.stacks(cloud, endpoint, file)
        monkeypatch.setattr("bot.learning.publishing.choosing.deployed_by_make", deploys)
        asked = (better.file, "--stage", STAGE, "--test", models / "test.csv", "--deploy")
        row = engineer.publishes(*asked)
        assert row["next"] == [f"Stage {STAGE} is deployed with it."]
        assert play.runtime.variant == better.variant

    def test_goes_back_where_the_endpoint_answers_otherwise(
        self,
        engineer: Engineer,
        play: Hosting,
        cloud: Cloud,
        file: Path,
        endpoint: str,
        models: Path,
        better: Artifact,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        deploys = self.stacks(cloud, endpoint, file)
        monkeypatch.setattr("bot.learning.publishing.choosing.deployed_by_make", deploys)
        play.instead = models / "worse/model.bin"
        asked = (better.file, "--stage", STAGE, "--test", models / "test.csv", "--deploy")
        said = engineer.refused(*asked)
        assert "gives other probabilities than the artifact" in said
        assert f"{STAGE}.env names the model from before again, and it is deployed." in said
        assert "MODEL_VARIANT" not in file.read_text()
        assert f"MODEL_DATA_URL=s3://{BUCKET}/old.tar.gz" in file.read_text()
        assert play.runtime.variant == "AllTraffic"

    def test_may_begin_with_the_model_that_was_in_its_functions(
        self, engineer: Engineer, play: Hosting, models: Path, better: Artifact
    ) -> None:
        deploy(play.url)
        file = engineer.folder / f"aws/stages/{STAGE}.env"
        file.parent.mkdir(parents=True)
        file.write_text("REGION=us-east-1\nCLASSIFIER=embedded\n")
        asked = (better.file, "--stage", STAGE, "--test", models / "test.csv", "--hosted")
        assert "with --bucket" in engineer.refused(*asked)
        engineer.publishes(*asked, "--bucket", BUCKET)
        assert f"MODEL_VARIANT={better.variant}" in file.read_text()
        assert "CLASSIFIER" not in file.read_text()


class TestTrainingOnSageMaker:
    def test_runs_the_references_job_and_publishes_what_it_makes(
        self,
        engineer: Engineer,
        play: Hosting,
        cloud: Cloud,
        models: Path,
        better: Artifact,
    ) -> None:
        seen: dict[str, Any] = {}

        def train(channels: dict[str, Any]) -> bytes:
            seen.update(channels)
            return bare(better)

        play.train = train
        data = table(engineer.folder / "posts.csv", posts()[::-1])
        code, _, err = engineer.types(
            *("--train-on", "sagemaker", data, "--name", "harbor", "--bucket", BUCKET),
            *("--endpoint", ENDPOINT, "--test", models / "test.csv"),
        )
        assert code == 0, err
        [job] = cloud.sagemaker.list_training_jobs()["TrainingJobSummaries"]
        told = cloud.sagemaker.describe_training_job(TrainingJobName=job["TrainingJobName"])
        assert told["HyperParameters"] == {
            "mode": "supervised",
            "learning_rate": "0.05",
            "epochs": "10",
            "word_ngrams": "2",
            "vector_dim": "10",
            "buckets": "2000000",
            "min_count": "5",
            "early_stopping": "True",
            "patience": "4",
            "min_epochs": "5",
        }
        image = "811284229777.dkr.ecr.us-east-1.amazonaws.com/blazingtext:1"
        assert told["AlgorithmSpecification"]["TrainingImage"] == image
        assert set(seen) == {"train", "validation"}
        lines = {name: self.read(cloud, channel) for name, channel in seen.items()}
        assert (len(lines["train"]), len(lines["validation"])) == (51, 13)
        assert all(one.startswith(("__label__1 ", "__label__0 ")) for one in lines["train"])
        assert not set(lines["train"]) & set(lines["validation"])
        assert f"{job['TrainingJobName']}: Completed" in err
        [kept] = (engineer.folder / "models").iterdir()
        made = opened(kept)
        assert made.description.name == "harbor"
        assert made.description.calibration
        assert made.description.card["baseline"]["scores"]
        assert play.runtime.variant == made.variant

    def read(self, cloud: Cloud, channel: Any) -> list[str]:
        bucket, _, prefix = channel["DataSource"]["S3DataSource"]["S3Uri"][5:].partition("/")
        assert channel["ContentType"] == "text/plain"
        [found] = cloud.s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
        body = cloud.s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read()
        return str(body.decode()).splitlines()

    @pytest.mark.usefixtures("play")
    def test_sends_nothing_to_a_bucket_from_which_it_could_not_read(
        self, engineer: Engineer, cloud: Cloud, models: Path
    ) -> None:
        place: Any = {"LocationConstraint": "eu-west-1"}
        cloud.s3.create_bucket(Bucket="far-away", CreateBucketConfiguration=place)
        data = table(engineer.folder / "posts.csv")
        said = engineer.refused(
            *("--train-on", "sagemaker", data, "--bucket", "far-away", "--endpoint", ENDPOINT),
            *("--test", models / "test.csv"),
        )
        assert "The bucket far-away is in eu-west-1" in said
        assert "Contents" not in cloud.s3.list_objects_v2(Bucket="far-away")

    def test_that_fails_says_why(self, engineer: Engineer, play: Hosting, models: Path) -> None:
        play.failures = ["AlgorithmError: no rows"]
        data = table(engineer.folder / "posts.csv")
        said = engineer.refused(
            *("--train-on", "sagemaker", data, "--bucket", BUCKET, "--endpoint", ENDPOINT),
            *("--test", models / "test.csv"),
        )
        assert "Failed: AlgorithmError: no rows" in said
        assert play.updates == []

    @pytest.mark.usefixtures("play")
    def test_has_a_role_of_its_own_below_one_prefix(
        self, engineer: Engineer, cloud: Cloud, models: Path
    ) -> None:
        data = table(engineer.folder / "posts.csv")
        engineer.types(
            *("--train-on", "sagemaker", data, "--bucket", BUCKET, "--endpoint", ENDPOINT),
            *("--test", models / "test.csv"),
        )
        policy: Any = cloud.iam.get_role_policy(
            RoleName=roles.name(cloud, "training", BUCKET), PolicyName="model"
        )["PolicyDocument"]
        where = [one["Resource"] for one in policy["Statement"]]
        assert where[:2] == [f"arn:aws:s3:::{BUCKET}/training/*", f"arn:aws:s3:::{BUCKET}"]


def bare(artifact: Artifact) -> bytes:
    """The archive as BlazingText writes it: a model, and nothing said of it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        tar.add(artifact.file.with_name("model.bin"), "model.bin")
    return packed.getvalue()


def test_the_registries_are_those_that_packaging_knows() -> None:
    assert clouds.registries()["eu-central-1"] == "813361260812"
    assert "require('./registries.json')" in (HOUSE / "aws/endpoint.js").read_text()


def test_a_stack_calls_its_variant_what_publish_wrote_and_else_as_everybody_does() -> None:
    [variant] = load(HOUSE / "aws/endpoint.yml")["EndpointConfig"]["Properties"][
        "ProductionVariants"
    ]
    assert variant["VariantName"] == "${param:MODEL_VARIANT, 'AllTraffic'}"
    assert "MODEL_VARIANT" in stagefile.known()
