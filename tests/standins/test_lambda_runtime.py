"""Lambda's stand-in, running handlers under AWS's own runtime client."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.standins.lambda_runtime import FunctionFailed, LambdaFunction

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("awslambdaric") is None,
    reason="AWS's Lambda runtime client (awslambdaric) exists for Linux alone",
)

HANDLER = """
import os, time

calls = []

def handler(event, context):
    calls.append(event)
    match event.get("do"):
        case "raise":
            raise ValueError("bad event")
        case "die":
            print("last words", flush=True)
            os._exit(3)
        case "loop":
            time.sleep(60)
    return {
        "calls": len(calls),
        "event": event,
        "left": context.get_remaining_time_in_millis(),
        "name": context.function_name,
        "setting": os.environ.get("SETTING"),
        "home": os.environ.get("HOME"),
    }
"""


@pytest.fixture
def function(tmp_path: Path) -> Iterator[LambdaFunction]:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "demo.py").write_text(HANDLER)
    with LambdaFunction("tasks.demo.handler", {"SETTING": "on"}, tmp_path) as standin:
        yield standin


class TestLambda:
    def test_runs_a_handler_in_a_process_that_stays(self, function: LambdaFunction) -> None:
        first, second = function.invoke({"text": "hé"}, 5), function.invoke({})
        assert first["event"] == {"text": "hé"}
        assert (first["calls"], second["calls"], function.starts) == (1, 2, 1)
        assert 4000 < first["left"] <= 5000
        assert (first["name"], first["setting"], first["home"]) == (
            "tasks-demo-handler",
            "on",
            None,
        )

    def test_tells_what_a_handler_raised(self, function: LambdaFunction) -> None:
        with pytest.raises(FunctionFailed, match="ValueError: bad event") as failed:
            function.invoke({"do": "raise"})
        assert failed.value.error["errorType"] == "ValueError"
        assert function.invoke({})["calls"] == 2

    def test_starts_again_after_a_crash(self, function: LambdaFunction) -> None:
        with pytest.raises(FunctionFailed, match="last words") as failed:
            function.invoke({"do": "die"})
        assert failed.value.error["errorType"] == "Runtime.ExitError"
        assert (function.invoke({})["calls"], function.starts) == (1, 2)

    def test_kills_a_handler_that_takes_too_long(self, function: LambdaFunction) -> None:
        function.invoke({})
        with pytest.raises(FunctionFailed, match=r"timed out after 0\.20 seconds"):
            function.invoke({"do": "loop"}, 0.2)
        assert (function.invoke({})["calls"], function.starts) == (1, 2)

    def test_tells_why_a_handler_cannot_be_imported(self, tmp_path: Path) -> None:
        with (
            LambdaFunction("missing.handler", cwd=tmp_path) as function,
            pytest.raises(FunctionFailed, match="Unable to import module 'missing'"),
        ):
            function.invoke({})

    def test_refuses_what_lambda_cannot_carry(self, function: LambdaFunction) -> None:
        with pytest.raises(ValueError, match="Lambda takes events of"):
            function.invoke({"text": "x" * 6_500_000})
        assert len(function.invoke({"text": "x" * 3_000_000})["event"]["text"]) == 3_000_000
        with pytest.raises(FunctionFailed, match="ResponseSizeTooLarge"):
            function.invoke({"text": "x" * 6_291_400})
