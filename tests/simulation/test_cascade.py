"""The vectorised cascade is the round-by-round one, exactly; more depth never deepens it."""

import math
from functools import partial
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from margincalc.arrays import FloatArray
from margincalc.pricing.impact import DepthCurve, Linear, SquareRoot
from margincalc.simulation.cascade import Impact, bad_debt, largest, levels, queue
from margincalc.simulation.curves import NEVER, Walk, halts, prices
from tests.proving import PROVE
from tests.simulation import plain

POPULATIONS = 4000 if PROVE else 150
SHOCKS = 25


def population(rng: Random) -> list[plain.Account]:
    """Draw accounts with ties, zero sizes, and whole or broken numbers."""
    coarse = rng.random() < 0.5
    found = []
    for _ in range(rng.randint(0, 40)):
        price = rng.uniform(60.0, 140.0)
        size = rng.choice((0.0, rng.uniform(0.0, 30.0), rng.expovariate(0.1)))
        found.append(plain.Account(round(price) if coarse else price, size))
    return found


def law(rng: Random) -> tuple[Impact, plain.Law]:
    """Draw a law of impact, as it takes columns and as it takes a number."""
    slope = rng.choice((0.0, 0.01, 0.1, 0.5)) * rng.uniform(0.5, 1.5)
    power = rng.choice((1.0, 0.5, 2.4))
    scale = slope * {1.0: 1.0, 0.5: 5.0, 2.4: 0.005}[power]
    if power == 0.5:
        return (lambda sold: scale * np.sqrt(sold)), (lambda sold: scale * math.sqrt(sold))

    def convex(sold: float) -> float:
        return float((scale * np.power(np.array([sold]), power))[0])

    return (lambda sold: scale * np.power(sold, power)), convex


@pytest.mark.parametrize("up", [False, True], ids=["fall", "rise"])
def test_it_equals_the_plain_rounds_exactly(up: bool) -> None:
    rng = Random(20)
    for _ in range(POPULATIONS):
        accounts, (impact, slow) = population(rng), law(rng)
        price = np.array([account.price for account in accounts])
        size = np.array([account.size for account in accounts])
        prices = [account.price for account in accounts] or [100.0]
        shocks = [rng.choice((rng.uniform(50.0, 150.0), rng.choice(prices))) for _ in range(SHOCKS)]
        stops = queue(price, size, impact, up=up).stops(np.array(shocks))
        found = list(zip(*(column.tolist() for column in stops[1:]), strict=True))
        assert found == [plain.linear(accounts, shock, slow, up=up) for shock in shocks]


@given(st.lists(st.tuples(st.floats(1e-3, 1e6), st.floats(0.0, 1e7)), min_size=1, max_size=50))
def test_a_threshold_is_the_largest_price_that_still_liquidates(
    pairs: list[tuple[float, float]],
) -> None:
    price, moved = np.array(pairs).T
    found = largest(price, moved)
    assert np.all(found - moved <= price)
    assert np.all(np.nextafter(found, np.inf) - moved > price)


@pytest.mark.parametrize("up", [False, True], ids=["fall", "rise"])
def test_option_books_equal_the_plain_walk_exactly(up: bool) -> None:
    rng = Random(21)
    for _ in range(POPULATIONS):
        count, width = rng.randint(1, 12), rng.randint(2, 40)
        nodes = [100.0 + (1 if up else -1) * 0.5 * step for step in range(width)]
        holders = [
            plain.Holder(
                [rng.uniform(-0.3, 4.0) for _ in nodes],
                [rng.choice((-1.0, 1.0)) * rng.uniform(0.0, 4.0) for _ in nodes],
            )
            for _ in range(count)
        ]
        hedging = [0.0 if rng.random() < 0.5 else rng.uniform(-3.0, 3.0) for _ in nodes]
        impact, slow = law(rng)
        way = _walk(nodes, holders, hedging)
        shocks = [rng.choice((rng.choice(nodes), rng.uniform(75.0, 125.0))) for _ in range(8)]
        stops = halts(way, np.array(shocks), impact)
        expected = [plain.path(nodes, holders, hedging, shock, slow) for shock in shocks]
        assert [(int(a), bool(c)) for a, c in zip(stops.stop, stops.exhausted, strict=True)] == [
            each[::2] for each in expected
        ]
        ends = prices(way, stops, np.array(shocks), impact)
        assert ends == pytest.approx([each[3] for each in expected], rel=1e-12)


def _walk(nodes: list[float], holders: list[plain.Holder], hedging: list[float]) -> Walk:
    excess = np.array([holder.excess for holder in holders])
    failed = excess < 0.0
    breach = np.where(failed.any(axis=1), failed.argmax(axis=1), NEVER)
    rows = np.arange(len(holders))
    at = np.where(breach == NEVER, 0, breach)
    flow = np.array([holder.flow for holder in holders])[rows, at]
    return Walk(
        np.array(nodes),
        breach,
        flow,
        flow,
        np.zeros(len(holders)),
        np.array(hedging),
        np.ones(len(nodes)),
    )


def test_dense_accounts_repeat_a_shock_one_over_one_minus_r_times() -> None:
    spacing, density, spot = 1e-3, 8.0, 100.0
    price: FloatArray = spot - spacing * np.arange(1.0, 100_000.0)
    size = np.full(len(price), density * spacing)
    for slope, shock in ((0.05, 5.0), (0.1, 5.0), (0.1, 1.0), (0.12, 5.0)):
        line = queue(price, size, partial(np.multiply, slope))
        stop = float(line.stops(np.array([spot - shock])).price[0])
        feeds_itself = slope * density
        if shock / (1.0 - feeds_itself) > spot:
            assert stop < price[-1]  # all are sold, and it was not enough
            continue
        moved = shock / (1.0 - feeds_itself)
        assert spot - stop == pytest.approx(moved, abs=5.0 * spacing / (1.0 - feeds_itself))
        level = levels(line, np.array([spot, 50.0]))
        assert level.reproduction[0] == pytest.approx(feeds_itself, rel=1e-3)


LAWS = st.one_of(
    st.builds(SquareRoot, st.just(0.04), st.floats(10.0, 1e5), st.just(1.0)),
    st.builds(Linear, st.just(0.04), st.floats(10.0, 1e5), st.just(1.0)),
    st.builds(DepthCurve, st.floats(10.0, 1e5), st.floats(0.3, 1.0)),
)
BOOKS = st.lists(st.tuples(st.floats(50.0, 150.0), st.floats(0.0, 100.0)), max_size=30)


@given(BOOKS, LAWS, st.floats(1.0, 50.0), st.floats(60.0, 140.0), st.booleans())
def test_more_depth_never_means_a_deeper_cascade(
    book: list[tuple[float, float]], law: SquareRoot, more: float, shock: float, up: bool
) -> None:
    price, size = np.array(book).reshape(-1, 2).T
    shallow = queue(price, size, lambda sold: 100.0 * law.peak(sold), up=up)
    deep = queue(price, size, lambda sold: 100.0 * law.peak(sold / more), up=up)
    one, other = (line.stops(np.array([shock])) for line in (shallow, deep))
    side = -1.0 if up else 1.0
    assert other.accounts[0] <= one.accounts[0]
    assert side * (other.price[0] - one.price[0]) >= -1e-9


@given(BOOKS, LAWS, st.booleans())
def test_the_critical_shock_is_where_the_curve_first_doubles(
    book: list[tuple[float, float]], law: SquareRoot, up: bool
) -> None:
    price, size = np.array(book).reshape(-1, 2).T
    line = queue(price, size, lambda sold: 100.0 * law.peak(sold), up=up)
    critical = line.critical(100.0)
    grid = np.linspace(1e-4, 0.6, 300)
    stops = line.stops(100.0 * (1.0 + grid if up else 1.0 - grid))
    doubled = np.abs(100.0 - stops.price) > 2.0 * (100.0 * grid) * (1.0 + 1e-9)
    first = grid[np.argmax(doubled)] if doubled.any() else np.inf
    assert critical <= first if critical is not None else not doubled.any()


@given(BOOKS, st.lists(st.floats(40.0, 160.0), min_size=1, max_size=8), st.booleans())
def test_bad_debt_is_what_each_owes_at_the_price(
    book: list[tuple[float, float]], prices: list[float], up: bool
) -> None:
    bankrupt, size = np.array(book).reshape(-1, 2).T
    side = -1.0 if up else 1.0
    found = bad_debt(bankrupt, size, np.array(prices), side)
    slow = [sum(max(0.0, side * (at - price)) * units for at, units in book) for price in prices]
    assert found == pytest.approx(slow, rel=1e-9, abs=1e-7)
