"""Option cascades beside dealers with a book of their own, against margining one account at a time.

The plain side knows nothing of walks: each account and the dealers are portfolios, margined anew at
the spot of each node by the function that margins one.
"""

import datetime as dt
import math
from random import Random
from typing import Any, NamedTuple

import numpy as np
import pytest

import margincalc as mc
from margincalc.arrays import FloatArray
from margincalc.book import Book
from margincalc.margin.load import load_model
from margincalc.portfolio import MarketSnapshot
from margincalc.simulation.curves import Response, halts, walk
from margincalc.simulation.population import Held, Rows, populate
from tests.simulation import plain

SPOT, NODES = 100_000.0, 14
NAMES = tuple(
    f"BTC-25DEC26-{strike}-{side}" for strike in (85_000, 95_000, 105_000, 115_000) for side in "CP"
)
HELD = Held(NAMES, ("USD",))
MODEL = "generic-portfolio"


class Holding(NamedTuple):
    """Options by name, and money."""

    options: dict[str, float]
    money: float


def market(spot: float) -> dict[str, Any]:
    return {
        "as_of": "2026-11-20T08:00:00Z",
        "market": {"BTC": {"spot": spot, "volatility": 0.6}},
    }


def portfolio(holding: Holding, spot: float) -> mc.Portfolio:
    positions = [{"instrument": key, "quantity": size} for key, size in holding.options.items()]
    deposit = [{"asset": "USD", "quantity": holding.money}]
    return mc.Portfolio.model_validate(
        {**market(spot), "positions": positions, "collateral": deposit}
    )


def account(rng: Random) -> Holding:
    """Draw an account that has a little more than its maintenance margin."""
    options = {name: rng.choice((-3.0, -1.0, 0.5)) for name in rng.sample(NAMES, rng.randint(1, 2))}
    bare = mc.margin(portfolio(Holding(options, 0.0), SPOT), model=MODEL)
    room = rng.uniform(0.02, 0.5) * (bare.maintenance_margin + 1_000.0)
    return Holding(options, room - bare.excess)


def book(holdings: list[Holding]) -> Book:
    rows = [
        (number, HELD.instruments.index(name), size)
        for number, holding in enumerate(holdings)
        for name, size in holding.options.items()
    ]
    rows += [(number, len(NAMES), holding.money) for number, holding in enumerate(holdings)]
    owner, held, size = (np.array(column) for column in zip(*rows, strict=True))
    names = tuple(f"a{number}" for number in range(len(holdings)))
    columns = Rows(owner, held, size.astype(float), np.full(len(rows), np.nan), names)
    return populate(MarketSnapshot.model_validate(market(SPOT)), HELD, columns).book


def stand(holding: Holding, spot: float) -> tuple[float, float]:
    """Return the excess of one account, and its delta."""
    report = mc.margin(portfolio(holding, spot), model=MODEL)
    return report.excess, report.greeks["BTC"].delta


def roots(sold: FloatArray) -> FloatArray:
    return 2_500.0 * np.sqrt(sold)


@pytest.mark.parametrize("end", [0.78, 1.28], ids=["fall", "rise"])
@pytest.mark.parametrize("seed", [0, 1], ids=["long", "short"])
def test_a_dealer_s_book_sells_what_keeps_it_hedged(seed: int, end: float) -> None:
    rng = Random(seed)
    accounts = [account(rng) for _ in range(5)]
    # Half of the dealers are short gamma and drive the move, half are long of it and hold it.
    side = -1.0 if seed % 2 else 1.0
    dealers = Holding({name: side * rng.uniform(1.0, 6.0) for name in rng.sample(NAMES, 3)}, 0.0)
    factor = np.geomspace(1.0, end, NODES)
    model = load_model(MODEL, dt.date(2026, 11, 20)).model
    way = walk(book(accounts), model, factor, Response(dealers=book([dealers])))
    alone = walk(book(accounts), model, factor)

    nodes = (SPOT * factor).tolist()
    first = stand(dealers, SPOT)[1]
    hedging = [stand(dealers, node)[1] - first for node in nodes]
    assert way.hedging == pytest.approx(hedging, rel=1e-9, abs=1e-12)
    falls = end < 1.0
    assert np.all(np.diff(hedging) * (side if falls else -side) < 0.0)
    holders = [
        plain.Holder(*zip(*(stand(holding, node) for node in nodes), strict=True))
        for holding in accounts
    ]
    shocks = [SPOT * (1.0 + (end - 1.0) * share) for share in (0.1, 0.3, 0.5, 0.7, 0.9)]

    def slow(sold: float) -> float:
        return 2_500.0 * math.sqrt(sold)

    stops = halts(way, np.array(shocks), roots)
    expected = [plain.path(nodes, holders, hedging, shock, slow) for shock in shocks]
    assert stops.stop.tolist() == [each[0] for each in expected]
    assert stops.quantity == pytest.approx([each[1] for each in expected], rel=1e-9, abs=1e-9)
    # Short gamma takes the move at least as far as without dealers.
    still = halts(alone, np.array(shocks), roots).stop
    if side < 0.0:
        assert np.all(stops.stop >= still)
        assert np.any(stops.stop > still)
