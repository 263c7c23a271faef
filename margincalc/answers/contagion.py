"""One shock over several assets, and the same accounts with isolated and with cross collateral."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from margincalc.answers.accounts import Accounts
from margincalc.answers.study import Field
from margincalc.arrays import FloatArray, group_sum
from margincalc.errors import input_error, shown
from margincalc.files.columns import read_columns
from margincalc.portfolio import LEAST
from margincalc.pricing.impact import DepthCurve, Impact, Linear, SquareRoot
from margincalc.risk import greeks
from margincalc.simulation import cascade, firesale
from margincalc.simulation.dealers import Gamma
from margincalc.simulation.population import POSITIONS, isolated

Progress = Callable[[int, int], None]


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


MODES = (
    Field("shock", "shock", "move"),
    Field("mode", "mode", "text"),
    Field("accounts", "accounts hit", "count"),
    Field("pools", "pools", "count", 1),
    Field("whole", "all of it lost", "share"),
    Field("move", "ends at", "move"),
    Field("bad_debt", "bad debt", "money"),
)


def absolute(law: Impact, spot: float) -> cascade.Impact:
    """Return a law of money as one of units, in quote currency."""
    return lambda units: spot * law.peak(units * spot)


def ended_after(accounts: Accounts, terms: Terms, shock: float) -> tuple[firesale.Rounds, float]:
    """Run one shock over all underlyings; return it with what liquidated accounts owe."""
    population, venue = accounts.population, accounts.venue
    assert population is not None
    assert venue is not None
    book = population.book
    impacts = tuple(absolute(terms.law, float(spot)) for spot in book.spot)
    ended = firesale.rounds(book, venue.model, np.full(len(book.spot), shock), impacts)
    owed = float(np.sum(np.maximum(-ended.equity[ended.liquidated], 0.0)))
    return ended, owed


def compared(accounts: Accounts, terms: Terms) -> list[tuple[Any, ...]]:
    """Run the same accounts with isolated and with cross collateral, in rounds."""
    if accounts.population is None or accounts.venue is None:
        found = "a list of prices, which has no pools"
        raise input_error("--against-isolated", found, "accounts with positions and deposits")
    alone, owner = isolated(accounts.population, accounts.venue.model)
    cases = {
        "cross": (accounts, np.arange(accounts.population.book.pools)),
        "isolated": (accounts._replace(population=alone), owner),
    }
    held = np.bincount(owner, minlength=accounts.population.book.pools)
    rows = []
    for shock in _few(terms.shocks):
        for mode, (case, owners) in cases.items():
            ended, owed = ended_after(case, terms, shock)
            lost = np.bincount(owners[ended.liquidated], minlength=len(held))
            hit = lost > 0
            whole = hit if mode == "cross" else lost == held
            share = float(np.sum(whole & hit) / np.sum(hit)) if np.any(hit) else None
            pools = int(np.sum(ended.liquidated))
            end = float(ended.factor[0]) - 1.0
            rows.append((shock, mode, int(np.sum(hit)), pools, share, end, owed))
    return rows


def _few(shocks: FloatArray) -> list[float]:
    """Return at most six of the shocks, evenly chosen."""
    moved = np.sort(shocks[shocks != 0.0])
    chosen = np.unique(np.linspace(0, len(moved) - 1, 6).round().astype(int))
    return [float(moved[place]) for place in chosen] if len(moved) else []


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


def holdings(accounts: Accounts) -> FloatArray:
    """Signed value of each account's delta by underlying, shape (A, U)."""
    assert accounts.population is not None
    book = accounts.population.book
    rows = np.flatnonzero(book.instruments.is_kind(*POSITIONS)[book.instrument])
    value = (book.quantity * greeks(book).delta[book.instrument])[rows]
    under = book.underlying[rows]
    value = value * book.spot[under]
    width = len(book.spot)
    flat = group_sum(value, book.pool[rows] * width + under, book.pools * width)
    return flat.reshape(book.pools, width)
