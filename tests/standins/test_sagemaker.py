"""SageMaker's stand-in, seen through boto3."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import fasttext
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.standins import sagemaker
from tests.standins.sagemaker import BlazingTextStandin
from tests.standins.server import Fault


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    texts = folder / "train.txt"
    angry, calm = "__label__1 i am very angry you lost it", "__label__0 thanks i am happy with it"
    texts.write_text("\n".join([angry, calm] * 40))
    trained = fasttext.train_supervised(
        str(texts), thread=1, seed=1, epoch=40, lr=0.5, dim=8, bucket=500, wordNgrams=2, verbose=0
    )
    trained.save_model(str(folder / "model.bin"))
    return folder / "model.bin"


@pytest.fixture
def endpoint(model: Path) -> Iterator[BlazingTextStandin]:
    with BlazingTextStandin(model) as standin:
        yield standin


@pytest.fixture
def runtime(endpoint: BlazingTextStandin) -> Any:
    session = boto3.Session("testing", "testing", region_name="us-east-1")
    once = Config(retries={"total_max_attempts": 1}, read_timeout=2)
    return session.client("sagemaker-runtime", endpoint_url=endpoint.url, config=once)


def classify(runtime: Any, texts: list[str], name: str = "customer-support-slugify") -> Any:
    asked = {"instances": texts, "configuration": {"k": 2}}
    answer = runtime.invoke_endpoint(
        EndpointName=name, ContentType="application/json", Body=json.dumps(asked)
    )
    return json.load(answer["Body"])


class TestSageMaker:
    def test_answers_as_the_model_does(
        self, endpoint: BlazingTextStandin, runtime: Any, model: Path
    ) -> None:
        texts = ["i am very angry", "thanks", ""]
        verdicts = classify(runtime, texts)
        labels, probabilities = fasttext.load_model(str(model)).predict(texts[0], k=2)
        assert verdicts[0] == {"label": list(labels), "prob": pytest.approx(list(probabilities))}
        assert [verdict["label"][0] for verdict in verdicts[:2]] == ["__label__1", "__label__0"]
        assert endpoint.batch_sizes == [3]

    def test_gives_one_label_where_none_asked_for_two(self, runtime: Any) -> None:
        answer = runtime.invoke_endpoint(
            EndpointName="customer-support-slugify",
            ContentType="application/json",
            Body=json.dumps({"instances": ["thanks"]}),
        )
        assert json.load(answer["Body"])[0]["label"] == ["__label__0"]

    def test_takes_json_lines(self, runtime: Any) -> None:
        answer = runtime.invoke_endpoint(
            EndpointName="customer-support-slugify",
            ContentType="application/jsonlines",
            Body='{"source": "i am very angry", "k": 2}\n{"source": "thanks", "k": 2}\n',
        )
        lines = [json.loads(line) for line in answer["Body"].read().splitlines()]
        assert [line["label"][0] for line in lines] == ["__label__1", "__label__0"]

    def test_knows_one_endpoint_by_name(self, runtime: Any) -> None:
        with pytest.raises(runtime.exceptions.ValidationError, match="Endpoint other of account"):
            classify(runtime, ["hi"], "other")

    @pytest.mark.parametrize(
        ("fault", "code", "status"),
        [
            (sagemaker.throttled(), "ThrottlingException", 400),
            (sagemaker.not_ready(), "ModelNotReadyException", 429),
            (sagemaker.model_error(503), "ModelError", 424),
            (sagemaker.unavailable(), "ServiceUnavailable", 503),
            (Fault(status=500), "500", 500),
        ],
    )
    def test_fails_as_aws_does(
        self, endpoint: BlazingTextStandin, runtime: Any, fault: Fault, code: str, status: int
    ) -> None:
        endpoint.faults.append(fault)
        with pytest.raises(ClientError) as failed:
            classify(runtime, ["hi"])
        assert failed.value.response["Error"]["Code"] == code
        assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
        assert failed.value.response.get("OriginalStatusCode") == (503 if status == 424 else None)

    def test_may_answer_nonsense_or_too_little(
        self, endpoint: BlazingTextStandin, runtime: Any
    ) -> None:
        endpoint.faults += [sagemaker.wrong_number(1), sagemaker.garbage()]
        assert len(classify(runtime, ["one", "two"])) == 1
        with pytest.raises(ValueError, match="Expecting value"):
            classify(runtime, ["one", "two"])

    def test_serves_many_at_once(self, endpoint: BlazingTextStandin, runtime: Any) -> None:
        endpoint.fail_every(7, status=500)

        def succeeds(_: int) -> bool:
            try:
                return len(classify(runtime, ["thanks"])) == 1
            except ClientError:
                return False

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(succeeds, range(70))) == 60
