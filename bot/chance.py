"""What is more than chance: of shares that are counted on few posts. Closed forms, no tables."""

import math
from collections.abc import Sequence
from typing import Final

DOUBTED: Final = 1.645
CERTAIN: Final = 2.326
"""Standard deviations that chance exceeds one time in twenty, and one time in a hundred."""
BINS: Final = 10
_BY_CHANCE: Final = 21.67
"""The 99 % point of the chi-squared distribution with `BINS` - 1 degrees of freedom."""


def shift(counts: Sequence[int], shares: Sequence[float]) -> float:
    """The population stability index of these counts against those shares.

    By rule of thumb a change below 0.1 is little, above 0.25 significant (Yurdakul and Naranjo,
    "Statistical properties of the population stability index", Journal of Risk Model Validation
    14(4), 2020). Half a post is added to each bin on either side, or an empty one were an infinity.
    """
    posts = sum(counts)
    whole = posts + len(counts) / 2
    now = [(count + 0.5) / whole for count in counts]
    then = [(share * posts + 0.5) / whole for share in shares]
    return math.fsum((a - b) * math.log(a / b) for a, b in zip(now, then, strict=True))


def shift_by_chance(posts: int, compared_with: int | None) -> float:
    """What chance alone lets the index exceed one time in a hundred, over `BINS` bins.

    It is then distributed as chi-squared times the sum of one over each number of posts (ibid.);
    None are many.
    """
    return _BY_CHANCE * (1 / posts + (1 / compared_with if compared_with else 0))


def exceeds(found: int, of: int, promised: float, promised_of: int | None, sigmas: float) -> bool:
    """Whether a share is above the one that was promised by more than so much chance.

    Wilson's score interval of a share, and Newcombe's of a difference where the promised one was
    itself counted, on `promised_of` posts (Newcombe, "Interval estimation for the difference
    between independent proportions", Statistics in Medicine 17, 1998, method 10).
    """
    share = found / of
    below = share - _wilson(share, of, sigmas)[0]
    above = _wilson(promised, promised_of, sigmas)[1] - promised if promised_of else 0.0
    return share - promised > math.hypot(below, above)


def _wilson(share: float, of: int, sigmas: float) -> tuple[float, float]:
    square = sigmas * sigmas / of
    middle = share + square / 2
    half = math.sqrt(square * (share * (1 - share) + square / 4))
    return (middle - half) / (1 + square), (middle + half) / (1 + square)
