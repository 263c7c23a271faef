"""What a population of accounts is put through: shocks, depth, dealers; read from their texts."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray
from margincalc.errors import input_error, shown
from margincalc.files.columns import read_columns
from margincalc.portfolio import LEAST
from margincalc.pricing.impact import DepthCurve, Impact, Linear, SquareRoot
from margincalc.simulation import cascade
from margincalc.simulation.dealers import Gamma

Progress = Callable[[int, int], None]
MOST_SHOCKS = 100_001


class Terms(NamedTuple):
    """What a cascade runs with.

    Attributes
    ----------
    shocks : shape (M,), relative moves
    law : of impact, in money
    fund : insurance, in the account currency
    volatility : relative rise of implied volatility per million of vega bought back
    progress : told how far a long run has come
    margin : relative rise of linear accounts' maintenance per relative move
    dealers : who hedge their gamma beside the accounts
    limit : leverage to which holders sell down, beside the accounts' liquidation
    """

    shocks: FloatArray
    law: Impact
    fund: float = 0.0
    volatility: float = 0.0
    progress: Progress | None = None
    margin: float = 0.0
    dealers: Gamma | None = None
    limit: float | None = None


def absolute(law: Impact, spot: float) -> cascade.Impact:
    """Return a law of money as one of units, in quote currency."""
    return lambda units: spot * law.peak(units * spot)


def shocks_of(text: str) -> FloatArray:
    """Read relative moves: `-0.3:0.3:61`, or `-5%,-0.1`.

    Raises
    ------
    InputError
        If they are no moves between -0.95 and 5, or more than `MOST_SHOCKS`.
    """
    wanted = "FROM:TO:COUNT such as -30%:30%:61, or moves such as -0.05,-0.1; each over -0.95"
    try:
        if ":" in text:
            low, high, count = text.split(":")
            found = np.linspace(_move(low), _move(high), min(int(count), MOST_SHOCKS + 1))
        else:
            found = np.array([_move(part) for part in text.split(",")])
    except ValueError:
        raise input_error("--shocks", shown(text), wanted) from None
    if not 1 <= len(found) <= MOST_SHOCKS or not np.all((found > -0.95) & (found < 5.0)):
        raise input_error("--shocks", shown(text), wanted)
    return np.unique(np.round(found, 12))


def _move(text: str) -> float:
    """Read a relative move, a decimal or a percentage."""
    own = text.strip()
    move = float(own.removesuffix("%")) / (100.0 if own.endswith("%") else 1.0)
    if not abs(move) < np.inf:
        raise ValueError("a finite number")
    return move


def dealers_of(text: str | Path | None) -> Gamma | None:
    """Read dealers' net gamma: a number, money per move of 1 %, or a table `spot`, `gamma`.

    Raises
    ------
    InputError
    """
    if text is None:
        return None
    try:
        number = float(str(text))
    except ValueError:
        table = read_columns(text)
        table.refuse_unknown(("spot", "gamma"))
        table.need("spot", "gamma", example="spot,gamma")
        spot = table.numbers("spot", least=LEAST)
        if np.any(np.diff(spot) <= 0.0):
            raise input_error(
                table.name, "spots out of order", "each above the one before"
            ) from None
        return Gamma(spot, table.numbers("gamma"))
    if not abs(number) < 1e15:
        raise input_error("--dealers", shown(text), "money per move of 1 %, or a file")
    return Gamma(np.ones(1), np.array([number]))


def law_of(text: str, left: float = 1.0) -> Impact:
    """Read a law of impact in money.

    `1%=20e6` is a straight line through a depth, two such points a curve through both, and
    `sqrt:0.04,5e9` the square-root law of a day's volatility and volume.

    Raises
    ------
    InputError
    """
    wanted = "1%=20e6, two such points as in 0.5%=15e6,5%=40e6, or sqrt:VOLATILITY,VOLUME"
    if not 0.0 < left <= 1.0:
        raise input_error("--depth-left", shown(left), "a share over 0 and up to 1")
    try:
        law = _law(text, left)
    except ValueError:
        raise input_error("--depth", shown(text), wanted) from None
    return law


def _law(text: str, left: float) -> Impact:
    if text.startswith("sqrt:"):
        volatility, volume = (_positive(part) for part in text[5:].split(","))
        return SquareRoot(volatility, volume * left)
    points = [_point(part) for part in text.split(",")]
    if len(points) == 1:
        (distance, depth), *_ = points
        return Linear(distance, depth * left)
    near, far = sorted(points)
    if near[0] == far[0] or near[1] >= far[1]:
        raise ValueError("a deeper book further away")
    return DepthCurve.through(near, far).stressed(left)


def _point(text: str) -> tuple[float, float]:
    """Read a distance and the depth within it."""
    distance, _, amount = text.partition("=")
    share = _positive(distance.rstrip("% ")) * (0.01 if "%" in distance else 1.0)
    return share, _positive(amount)


def _positive(text: str) -> float:
    value = float(text)
    if not 0.0 < value < 1e30:
        raise ValueError("a positive number")
    return value


def depth_of(law: Impact) -> float:
    """Money whose sale takes the whole price, as 1 % of it does: 100 times the depth to 1 %."""
    low, high = 0.0, 1.0
    while float(law.peak(np.array([high]))[0]) < 0.01 and high < 1e18:
        high *= 2.0
    for _ in range(100):
        middle = 0.5 * (low + high)
        below = float(law.peak(np.array([middle]))[0]) < 0.01
        low, high = (middle, high) if below else (low, middle)
    return 100.0 * high
