"""What an endpoint's production variant is called, so that each answer tells how to read it.

An endpoint serves `model.bin` and knows nothing of what stands beside it. It does name the variant
that answered (SageMaker Runtime API reference, InvokeEndpoint, `InvokedProductionVariant`), and a
variant is replaced with its model: so normalizer, threshold and calibration travel in its name and
change at the very moment the model does. A name has at most 63 letters, digits and hyphens, of
which no hyphen is its last (SageMaker API reference, ProductionVariant, `VariantName`).
"""

import re
from typing import Final

from bot.classifier.artifact import Description
from bot.errors import Refused
from bot.normalize import NORMALIZERS

LONGEST: Final = 63
LONGEST_NAME: Final = 20
"""Letters of the model's own name, of which long numbers leave fewer."""
ID_DIGITS: Final = 8
_SPELT: Final = {name.replace("-", ""): name for name in NORMALIZERS}
_NUMBER: Final = r"m?\d{1,3}(?:p\d{1,6})?"
_OURS: Final = re.compile(
    rf"te1-(?P<normalizer>[a-z0-9]+)-t(?P<threshold>{_NUMBER}|none)"
    rf"(?:-s(?P<slope>{_NUMBER})-o(?P<offset>{_NUMBER}))?"
    rf"-(?P<id>[0-9a-f]{{{ID_DIGITS}}})(?:-(?P<name>[a-z0-9-]+))?"
)
"""`te1` is the form of the name: such as te1-emoji1-t0p37-s0p81-om0p12-1a2b3c4d-starter."""


def variant_name(description: Description, identity: str) -> str:
    """The variant's name for a model; `identity` are eight hexadecimal digits of its content.

    Numbers are kept to six decimals, which moves no probability by more than 0.00001. Raises
    `Refused` where a calibration is none.
    """
    normalizer = description.normalizer.replace("-", "")
    threshold = "none" if description.threshold is None else _spelt(description.threshold)
    parts = ["te1", normalizer, f"t{threshold}"]
    if description.calibration:
        slope, offset = description.calibration
        parts += [f"s{_spelt(slope)}", f"o{_spelt(offset)}"]
    known = "-".join([*parts, identity])
    name = re.sub(r"[^a-z0-9]+", "-", description.name.lower()).strip("-")
    return f"{known}-{name[:LONGEST_NAME]}"[:LONGEST].rstrip("-")


def described(variant: str) -> Description | None:
    """What a variant's name says of its model; None for a name that is not ours.

    The model is called by its name, as far as that is told, and its id: `starter-1a2b3c4d`. That is
    what it is called wherever it is published.
    """
    found = _OURS.fullmatch(variant)
    if not found or found["normalizer"] not in _SPELT:
        return None
    calibration = (_read(found["slope"]), _read(found["offset"])) if found["slope"] else None
    return Description(
        name=f"{found['name'] or 'model'}-{found['id']}",
        normalizer=_SPELT[found["normalizer"]],
        threshold=None if found["threshold"] == "none" else _read(found["threshold"]),
        calibration=calibration,
    )


def _spelt(number: float) -> str:
    text = f"{abs(number):.6f}".rstrip("0").rstrip(".")
    if not float(text) < 1000:  # noqa: PLR2004  three digits; what is no number fails here, too
        raise Refused(f"The model's threshold or calibration is out of reason: {number:g}.")
    return f"{'m' if number < 0 else ''}{text.replace('.', 'p')}"


def _read(spelt: str) -> float:
    return float(spelt.replace("m", "-").replace("p", "."))
