"""A BlazingText endpoint asked through boto3, over its stand-in with a real model."""

import csv
import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from bot.classifier import sagemaker
from bot.classifier.archive import pack, unpack
from bot.classifier.artifact import Description
from bot.classifier.embedded import EmbeddedClassifier
from bot.classifier.sagemaker import SageMakerClassifier
from bot.classifier.variants import variant_name
from bot.errors import Failure, Permanent, Retryable, Unknown
from bot.local.serverless import functions
from bot.settings import HOUSE
from bot.verdicts import judge, line_of
from tests.examples import ANGRY, CALM, archive
from tests.standins.sagemaker import (
    REFERENCE_ENDPOINT,
    BlazingTextStandin,
    garbage,
    model_error,
    not_ready,
    throttled,
    unavailable,
    wrong_number,
)
from tests.standins.server import Fault

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

BY_NAME = {function.name: function for function in functions()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("model")
    archive(made)
    return made


@pytest.fixture
def endpoint(folder: Path) -> Iterator[BlazingTextStandin]:
    with BlazingTextStandin(folder / "model.bin") as standin:
        yield standin


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


def runtime_at(url: str, seconds: float = 5) -> "SageMakerRuntimeClient":
    once = Config(retries={"total_max_attempts": 1}, read_timeout=seconds)
    made: SageMakerRuntimeClient = boto3.client("sagemaker-runtime", endpoint_url=url, config=once)
    return made


@pytest.fixture
def classifier(endpoint: BlazingTextStandin) -> Iterator[SageMakerClassifier]:
    runtime = runtime_at(endpoint.url)
    yield SageMakerClassifier(runtime, REFERENCE_ENDPOINT, "plain")
    runtime.close()


def verdict(*pairs: tuple[str, float]) -> Fault:
    """An endpoint that gives these labels to one text."""
    labels = {"label": [label for label, _ in pairs], "prob": [p for _, p in pairs]}
    return Fault(status=200, body=[labels])


class TestAsking:
    def test_takes_one_call_for_a_batch_and_keeps_its_order(
        self, endpoint: BlazingTextStandin, classifier: SageMakerClassifier
    ) -> None:
        angry, calm, again = classifier.probabilities([ANGRY, CALM, ANGRY])
        assert angry is not None
        assert calm is not None
        assert calm < 0.5 < angry == again
        assert endpoint.batch_sizes == [3]
        [call] = endpoint.requests
        assert call.json() == {"instances": [ANGRY, CALM, ANGRY], "configuration": {"k": 2}}

    def test_makes_no_call_for_nothing(
        self, endpoint: BlazingTextStandin, classifier: SageMakerClassifier
    ) -> None:
        assert classifier.probabilities([]) == []
        assert endpoint.requests == []

    def test_says_what_the_same_model_says_embedded(
        self, folder: Path, classifier: SageMakerClassifier
    ) -> None:
        texts = [ANGRY, CALM, "you lost it", "thanks angry parcel"]
        embedded = EmbeddedClassifier(folder / "model.tar.gz").probabilities(texts)
        assert classifier.probabilities(texts) == pytest.approx(embedded)

    def test_takes_two_calls_for_more_than_an_endpoint_reads_at_once(
        self, endpoint: BlazingTextStandin, classifier: SageMakerClassifier
    ) -> None:
        texts = [f"{ANGRY} " * 700] * 100 + [f"{CALM} " * 700] * 100
        found = classifier.probabilities(texts)
        assert [p is not None and p > 0.5 for p in found] == [True] * 100 + [False] * 100
        assert len(endpoint.batch_sizes) == 2
        assert all(len(call.body) <= 4_000_000 for call in endpoint.requests)

    def test_asks_for_a_text_alone_that_is_too_long_itself(
        self,
        endpoint: BlazingTextStandin,
        classifier: SageMakerClassifier,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(sagemaker, "LARGEST_REQUEST", 60)
        assert len(classifier.probabilities([CALM * 3, CALM, ANGRY, CALM * 3])) == 4
        assert endpoint.batch_sizes == [1, 1, 1, 1]


class TestReading:
    @pytest.mark.parametrize(
        ("fault", "probability"),
        [
            (verdict(("__label__1", 0.8), ("__label__0", 0.2)), 0.8),
            (verdict(("__label__0", 0.8), ("__label__1", 0.2)), 0.2),
            (verdict(("__label__10", 0.8), ("__label__1", 0.2)), 0.2),
            (verdict(("__label__1", 0.8)), 0.8),
            (verdict(("__label__0", 0.8)), 0.2),
        ],
    )
    def test_takes_the_probability_of_the_whole_label(
        self,
        endpoint: BlazingTextStandin,
        classifier: SageMakerClassifier,
        fault: Fault,
        probability: float,
    ) -> None:
        endpoint.faults.append(fault)
        assert classifier.probabilities(["hi"]) == [pytest.approx(probability)]

    @pytest.mark.parametrize(("said", "shown"), [(1.0000098943710327, 1.0), (-0.00001, 0.0)])
    def test_ends_in_a_verdict_between_nought_and_one(
        self, endpoint: BlazingTextStandin, classifier: SageMakerClassifier, said: float, shown: int
    ) -> None:
        endpoint.faults.append(verdict(("__label__1", said), ("__label__0", 1 - said)))
        [judged] = judge(["Hi!"], classifier, None)
        assert judged.probability == shown
        assert 0 <= judged.confidence <= 1

    @pytest.mark.parametrize(
        "fault",
        [
            garbage(),
            garbage(b""),
            garbage(b"null"),
            garbage(b"5"),
            garbage(b'{"label": 1}'),
            garbage(b'["__label__1"]'),
            garbage(b'[{"label": "__label__1", "prob": 0.9}]'),
            garbage(b'[{"label": ["__label__1"], "prob": []}]'),
            garbage(b'[{"label": ["__label__1"], "prob": [NaN]}]'),
            garbage(b'[{"label": ["__label__1"], "prob": ["high"]}]'),
            garbage(b"[null]"),
            wrong_number(0),
            wrong_number(2),
            verdict(("__label__10", 0.9)),
            verdict(("__label__10", 0.9), ("__label__0", 0.1)),
        ],
    )
    def test_gives_up_on_what_no_blazing_text_says(
        self, endpoint: BlazingTextStandin, classifier: SageMakerClassifier, fault: Fault
    ) -> None:
        endpoint.faults.append(fault)
        with pytest.raises(Permanent):
            classifier.probabilities(["hi"])


class TestFailures:
    @pytest.mark.parametrize(
        ("fault", "kind"),
        [
            (throttled(), Retryable),
            (not_ready(), Retryable),
            (unavailable(), Retryable),
            (model_error(500), Retryable),
            (model_error(503), Retryable),
            (Fault(status=500), Retryable),
            (Fault("html", 502), Retryable),
            (Fault(status=429), Retryable),
            (model_error(400), Permanent),
            (Fault(status=403, headers={"x-amzn-errortype": "AccessDeniedException"}), Permanent),
            (Fault("lost"), Unknown),
            (Fault("drop"), Unknown),
            (Fault(status=200, body=b"[", headers={"Content-Length": "99"}), Unknown),
        ],
    )
    def test_are_told_apart(
        self,
        endpoint: BlazingTextStandin,
        classifier: SageMakerClassifier,
        fault: Fault,
        kind: type[Failure],
    ) -> None:
        endpoint.faults.append(fault)
        with pytest.raises(Failure) as failed:
            classifier.probabilities(["hi"])
        assert type(failed.value) is kind
        assert REFERENCE_ENDPOINT in str(failed.value)

    def test_name_what_to_check_where_there_is_no_such_endpoint(
        self, endpoint: BlazingTextStandin
    ) -> None:
        runtime = runtime_at(endpoint.url)
        with pytest.raises(Permanent, match="SAGEMAKER_ENDPOINT"):
            SageMakerClassifier(runtime, "another", "plain").probabilities(["hi"])
        runtime.close()

    def test_of_a_slow_endpoint_come_in_time(self, endpoint: BlazingTextStandin) -> None:
        endpoint.faults.append(Fault("hang"))
        runtime = runtime_at(endpoint.url, seconds=0.05)
        with pytest.raises(Unknown):
            SageMakerClassifier(runtime, REFERENCE_ENDPOINT, "plain").probabilities(["hi"])
        runtime.close()

    def test_where_nobody_listens_may_pass(self) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            runtime = runtime_at(f"http://127.0.0.1:{unused.getsockname()[1]}")
            with pytest.raises(Retryable):
                SageMakerClassifier(runtime, "any", "plain").probabilities(["hi"])
            runtime.close()

    def test_of_the_moment_are_tried_a_second_time_by_the_processs_own_client(
        self, endpoint: BlazingTextStandin, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", endpoint.url)
        runtime = sagemaker.client.__wrapped__()
        endpoint.faults.append(throttled())
        own = SageMakerClassifier(runtime, REFERENCE_ENDPOINT, "plain")
        assert len(own.probabilities([CALM])) == 1
        endpoint.fail_every(1, status=503)
        with pytest.raises(Retryable):
            own.probabilities([CALM])
        assert [json.loads(call.body)["instances"] for call in endpoint.requests] == [[CALM]] * 4
        runtime.close()

    @pytest.mark.parametrize(
        ("said", "after"), [("7", 7), ("", None), ("-1", None), ("Fri, 31 Dec 2026", None)]
    )
    def test_say_how_long_to_wait_where_the_endpoint_does(
        self,
        endpoint: BlazingTextStandin,
        classifier: SageMakerClassifier,
        said: str,
        after: float | None,
    ) -> None:
        endpoint.faults.append(replace(throttled(), headers={"Retry-After": said}, status=429))
        with pytest.raises(Retryable) as failed:
            classifier.probabilities(["hi"])
        assert failed.value.after == after

    @pytest.mark.parametrize(
        ("fault", "whole"),
        [
            (model_error(400), False),
            (garbage(), True),
            (wrong_number(2), True),
            (Fault(status=403, headers={"x-amzn-errortype": "AccessDeniedException"}), True),
        ],
    )
    def test_that_stay_are_the_endpoints_or_a_texts(
        self,
        endpoint: BlazingTextStandin,
        classifier: SageMakerClassifier,
        fault: Fault,
        *,
        whole: bool,
    ) -> None:
        endpoint.faults.append(fault)
        with pytest.raises(Permanent) as failed:
            classifier.probabilities(["hi"])
        assert failed.value.mendable is whole


def test_the_processs_own_client_gives_up_before_its_function_does() -> None:
    chosen: Any = sagemaker.client.__wrapped__().meta.config
    once = chosen.connect_timeout + chosen.read_timeout
    longest = once * chosen.retries["total_max_attempts"]
    assert longest < BY_NAME["tweetApi"].timeout
    assert 2 * longest < BY_NAME["triage"].timeout, "it asks for the verdicts, and for their words"


OURS = Description(name="small", normalizer="emoji-1", threshold=0.3, calibration=(0.5, -1.0))
VARIANT = variant_name(OURS, "1a2b3c4d")
FOREIGN = "AllTraffic"


class TestAVariantOfOurs:
    @pytest.fixture
    def published(self, endpoint: BlazingTextStandin) -> BlazingTextStandin:
        endpoint.variant = VARIANT
        return endpoint

    @pytest.mark.usefixtures("published")
    def test_brings_its_calibration_threshold_normalizer_and_name(
        self, folder: Path, classifier: SageMakerClassifier
    ) -> None:
        pack(folder / "model.bin", OURS, archive := folder / "ours.tar.gz")
        embedded = EmbeddedClassifier(archive)
        texts = [ANGRY, CALM, "you lost it"]
        hosted, own = judge(texts, classifier, None), judge(texts, embedded, None)
        assert [one.probability for one in hosted] == pytest.approx(
            [one.probability for one in own]
        )
        assert {one.threshold for one in hosted} == {0.3}
        assert {one.model for one in hosted} == {"small-1a2b3c4d"}
        assert [one.escalate for one in hosted] == [one.escalate for one in own]

    def test_is_asked_once_more_where_the_texts_were_normalized_for_another(
        self, published: BlazingTextStandin, classifier: SageMakerClassifier
    ) -> None:
        first = judge(["😡 you lost my parcel"], classifier, None)
        assert first[0].tokens == "enraged face you lost my parcel"
        asked = [call.json()["instances"] for call in published.requests]
        assert asked == [["you lost my parcel"], ["enraged face you lost my parcel"]]
        judge(["😡 you lost my parcel"], classifier, None)
        assert len(published.requests) == 3, "from now on it is known"

    @pytest.mark.usefixtures("published")
    def test_yields_to_a_threshold_that_is_set(self, classifier: SageMakerClassifier) -> None:
        assert judge([ANGRY], classifier, 0.9)[0].threshold == 0.9

    @pytest.mark.usefixtures("published")
    def test_tells_its_threshold_before_any_text_was_judged(
        self, classifier: SageMakerClassifier
    ) -> None:
        assert line_of(classifier, None) == 0.3
        assert line_of(classifier, 0.8) == 0.8

    def test_counts_for_its_own_answers_only(
        self, published: BlazingTextStandin, classifier: SageMakerClassifier
    ) -> None:
        judge([ANGRY], classifier, None)
        published.variant = FOREIGN
        [after] = judge([ANGRY], classifier, None)
        assert (after.threshold, after.model) == (0.5, REFERENCE_ENDPOINT)
        assert classifier.normalizer == "plain"

    def test_that_changes_amid_a_batch_judges_all_of_it_at_last(
        self,
        published: BlazingTextStandin,
        classifier: SageMakerClassifier,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(sagemaker, "LARGEST_REQUEST", 1)
        whole = classifier.probabilities([ANGRY, CALM])
        published.variant = FOREIGN
        raw = classifier.probabilities([ANGRY, CALM])
        changes = replace(garbage(), body=[{"label": ["__label__1", "__label__0"], "prob": [1, 0]}])
        published.faults.append(replace(changes, headers={HEADER: FOREIGN}))
        published.variant = VARIANT
        assert classifier.probabilities([ANGRY, CALM]) == whole != raw

    def test_is_never_mixed_with_another_while_both_answer(
        self,
        published: BlazingTextStandin,
        classifier: SageMakerClassifier,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(sagemaker, "LARGEST_REQUEST", 1)
        texts = [ANGRY, CALM, "you lost it"]
        whole = classifier.probabilities(texts)
        told = replace(garbage(), body=[{"label": ["__label__1", "__label__0"], "prob": [1, 0]}])
        ours, theirs = (replace(told, headers={HEADER: name}) for name in (VARIANT, FOREIGN))
        published.faults += [theirs, ours, theirs]
        assert classifier.probabilities(texts) == whole
        published.faults += [theirs, ours] * 20
        with pytest.raises(Retryable, match="now by one model, now by another"):
            classifier.probabilities(texts[:2])

    def test_does_not_hide_an_endpoint_that_is_down(
        self, published: BlazingTextStandin, classifier: SageMakerClassifier
    ) -> None:
        published.faults.append(throttled())
        assert line_of(classifier, None) == 0.5, "nothing is known of it, and nobody waits"
        published.faults.append(throttled())
        with pytest.raises(Retryable):
            judge([ANGRY], classifier, None)


HEADER = "x-Amzn-Invoked-Production-Variant"
STARTER = HOUSE / "build/model.tar.gz"


@pytest.mark.skipif(not STARTER.exists(), reason="`make setup` makes the starter model")
def test_an_artifact_says_of_5000_tweets_the_same_embedded_and_behind_an_endpoint(
    tmp_path: Path,
) -> None:
    description = unpack(STARTER, tmp_path)
    with (HOUSE / "bot/learning/corpus.csv").open(encoding="utf-8") as file:
        texts = [row["text"] for row in islice(csv.DictReader(file), 5000)]
    variant = variant_name(description, "00000000")
    with BlazingTextStandin(tmp_path / "model.bin", variant=variant) as standin:
        runtime = runtime_at(standin.url)
        hosted = judge(texts, SageMakerClassifier(runtime, REFERENCE_ENDPOINT, "plain"), None)
        runtime.close()
    embedded = judge(texts, EmbeddedClassifier(STARTER), None)
    assert [one.tokens for one in hosted] == [one.tokens for one in embedded]
    known = [pair for pair in zip(hosted, embedded, strict=True) if pair[1].known]
    assert len(known) > 4900
    for there, here in known:
        assert there.probability == pytest.approx(here.probability, abs=1e-5)
        assert (there.escalate, there.threshold) == (here.escalate, here.threshold)
