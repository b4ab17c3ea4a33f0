"""What a stage costs, and the tables of it in docs/aws.md.

After a wanted change: `UPDATE_GOLDEN=1 python -m pytest tests/test_prices.py`, and read the diff.
"""

import os
from dataclasses import replace
from typing import Any

import pytest

from bot.errors import Refused
from bot.local.serverless import functions
from bot.local.stages import prices
from bot.local.stages.prices import Line, Price, Stack
from bot.settings import HOUSE
from bot.twitter.ledger import DOLLAR, PRICES

DOCS = HOUSE / "docs/aws.md"
BEGIN, END = "<!-- made by tests/test_prices.py -->\n", "\n<!-- until here -->"
STACK = Stack(memory=dict.fromkeys(prices.SECONDS, 0.5), standard=2, fifo=2, secrets=3, alarms=10)


def usd(lines: list[Line], what: str) -> float:
    return sum(line.usd for line in lines if line.what.startswith(what))


def test_the_tables_in_the_docs_are_those_of_the_packaged_template(
    template: dict[str, Any],
) -> None:
    before, _, rest = DOCS.read_text("utf-8").partition(BEGIN)
    shown, _, after = rest.partition(END)
    made = prices.markdown(template)
    if os.environ.get("UPDATE_GOLDEN"):
        DOCS.write_text(f"{before}{BEGIN}{made}{END}{after}", "utf-8")
        return
    assert shown == made


def test_each_function_has_a_time_that_its_calls_take() -> None:
    assert set(prices.SECONDS) == {function.name for function in functions()}


def test_a_price_is_for_so_many_units() -> None:
    price = Price(0.40, 1_000_000, "requests", "a page")
    assert price.of(2_500_000) == pytest.approx(1.0)
    assert price.told == "$0.4 / 1,000,000 requests"


def test_what_is_paid_for_is_counted_in_the_packaged_template(template: dict[str, Any]) -> None:
    stack = prices.stack_of(template)
    assert stack.memory["triage"] == 1.0
    assert set(stack.memory) == set(prices.SECONDS)
    assert (stack.standard, stack.fifo, stack.secrets, stack.instance) == (2, 2, 3, None)
    kinds = [body["Type"] for body in template["Resources"].values()]
    assert stack.alarms == kinds.count("AWS::CloudWatch::Alarm")


def test_an_endpoint_that_the_stack_makes_is_paid_for_by_the_hour(
    template: dict[str, Any],
) -> None:
    artifact = {"Type": "String", "Default": "s3://bucket/model.tar.gz"}
    made = {**template, "Parameters": {**template["Parameters"], "ModelDataUrl": artifact}}
    stack = prices.stack_of(made)
    assert stack.instance == "ml.m5.large"
    assert usd(prices.idle(stack), "SageMaker endpoint") == pytest.approx(0.115 * 730)


def test_an_instance_of_unknown_price_is_said_to_be_one() -> None:
    [*_, line] = prices.idle(replace(STACK, instance="ml.p9.large"))
    assert (line.usd, "not known" in line.how) == (0, True)


def test_idle_queues_are_polled_by_five_pollers_three_times_a_minute() -> None:
    assert usd(prices.idle(STACK), "standard queues, polled") == pytest.approx(
        2 * 15 * 43_800 * 0.40 / 1e6
    )


def test_a_call_costs_its_memory_for_its_time() -> None:
    doubled = replace(STACK, memory={**STACK.memory, "triage": 1.0})
    each = [usd(prices.per_million(stack), "triage") for stack in (STACK, doubled)]
    assert each[1] == pytest.approx(2 * each[0])
    assert each[0] == pytest.approx(1e6 * 0.1 * 0.5 * 0.0000133334)


def test_a_tweet_is_skipped_answered_or_escalated() -> None:
    quiet = prices.per_million(STACK, escalated=0, answered=0)
    assert usd(quiet, "notify") == usd(quiet, "reply") == usd(quiet, "FIFO") == 0
    assert usd(quiet, "table, written") == pytest.approx(6 * 0.625)
    answered = prices.per_million(STACK, escalated=0, answered=1)
    assert usd(answered, "table, written") == pytest.approx(17 * 0.625)
    escalated = prices.per_million(STACK, escalated=1, answered=0)
    assert usd(escalated, "table, written") == pytest.approx((18 + 63) * 0.625)


@pytest.mark.parametrize(("escalated", "answered"), [(0.6, 0.5), (-0.1, 0.5), (0.5, -0.1)])
def test_shares_that_do_not_fit_into_one_are_refused(escalated: float, answered: float) -> None:
    with pytest.raises(Refused):
        prices.per_million(STACK, escalated, answered)


def test_x_is_paid_by_the_ledgers_prices() -> None:
    answers = 600_000 * PRICES["reply"] / DOLLAR
    assert prices.total(prices.x_per_million(polled=False)) == answers
    polled = prices.x_per_million(polled=True)
    assert usd(polled, "X: mentions") == 1_000_000 * PRICES["mention"] / DOLLAR
    assert usd(polled, "X: answered posts") == 600_000 * 90 * PRICES["lookup"] / DOLLAR


def test_a_terminals_table_ends_with_the_sum() -> None:
    *_, last = prices.table([Line("one", "how", 1.25), Line("two", "so", 2.5)]).splitlines()
    assert last.split() == ["all", "3.75"]
