import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.classifier.artifact import Description
from bot.classifier.calibration import calibrated
from bot.classifier.variants import LONGEST, described, variant_name
from bot.errors import Refused
from bot.normalize import EMOJI, NORMALIZERS, PLAIN

NAMED = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
"""SageMaker API reference, ProductionVariant, `VariantName`."""
ID = "1a2b3c4d"

shares = st.floats(0, 1)
slopes = st.floats(-99, 99)
descriptions = st.builds(
    Description,
    name=st.text(max_size=80),
    normalizer=st.sampled_from(list(NORMALIZERS)),
    threshold=st.none() | shares,
    calibration=st.none() | st.tuples(slopes, slopes),
)


def test_a_name_can_be_read_by_people() -> None:
    description = Description(
        name="starter", normalizer=EMOJI, threshold=0.37, calibration=(0.81, -0.12)
    )
    assert variant_name(description, ID) == "te1-emoji1-t0p37-s0p81-om0p12-1a2b3c4d-starter"
    assert described("te1-emoji1-t0p37-s0p81-om0p12-1a2b3c4d-starter") == Description(
        name="starter-1a2b3c4d", normalizer=EMOJI, threshold=0.37, calibration=(0.81, -0.12)
    )


def test_a_long_name_is_cut_and_an_odd_one_made_plain() -> None:
    told = described(variant_name(Description(name="Harbor's NEW one, of spring 2026!"), ID))
    assert told
    assert told.name == "harbor-s-new-one-of-1a2b3c4d"


def test_what_a_model_has_not_is_not_told() -> None:
    assert variant_name(Description(name="", normalizer=PLAIN), ID) == "te1-plain-tnone-1a2b3c4d"
    assert described("te1-plain-tnone-1a2b3c4d") == Description(
        name="model-1a2b3c4d", normalizer=PLAIN
    )


@given(descriptions)
def test_every_model_has_a_name_that_sagemaker_takes(description: Description) -> None:
    name = variant_name(description, ID)
    assert NAMED.fullmatch(name)
    assert len(name) <= LONGEST


@given(descriptions, shares)
def test_a_name_tells_all_that_verdicts_need(description: Description, raw: float) -> None:
    told = described(variant_name(description, ID))
    assert told
    assert told.normalizer == description.normalizer
    assert told.threshold == pytest.approx(description.threshold, abs=1e-6)
    assert bool(told.calibration) == bool(description.calibration)
    if told.calibration and description.calibration:
        there, here = calibrated(raw, *told.calibration), calibrated(raw, *description.calibration)
        assert there == pytest.approx(here, abs=1e-5)


@pytest.mark.parametrize(
    "name",
    [
        "AllTraffic",
        "",
        "variant-1",
        "te2-plain-t0p5-1a2b3c4d",
        "te1-klingon-t0p5-1a2b3c4d",
        "te1-plain-t0p5-1a2b3c4",
        "te1-plain-t0p5-s1-1a2b3c4d",
        "te1-plain-thalf-1a2b3c4d",
    ],
)
def test_another_name_says_nothing(name: str) -> None:
    assert described(name) is None


@pytest.mark.parametrize("calibration", [(1000.0, 0.0), (999.9999999, 0.0), (1.0, float("nan"))])
def test_a_calibration_out_of_reason_is_refused(calibration: tuple[float, float]) -> None:
    with pytest.raises(Refused, match="out of reason"):
        variant_name(Description(calibration=calibration), ID)
