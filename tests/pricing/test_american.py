"""American options: fine trees, QuantLib, limits, bounds and symmetry."""

from typing import NamedTuple

import numpy as np
import pytest
import QuantLib as ql
from hypothesis import example, given
from hypothesis import strategies as st

from margincalc.arrays import BoolArray, FloatArray
from margincalc.pricing import _lattice, american, black, black_scholes
from margincalc.pricing.american import Contracts, Dividends
from margincalc.pricing.black_scholes import Market, Option
from tests.proving import PROVE

STRIKE = 100.0


class Draw(NamedTuple):
    """Random options of one strike, arrays of shape (N,)."""

    spot: FloatArray
    rate: FloatArray
    yield_: FloatArray
    volatility: FloatArray
    time: FloatArray
    call: BoolArray

    def option(self) -> Option:
        """Return the contracts."""
        return Option(STRIKE, self.time, self.call)

    def market(self) -> Market:
        """Return what is observed."""
        return Market(self.spot, self.rate, self.yield_)

    def american(self) -> FloatArray:
        """Price them."""
        return american.price(self.option(), self.market(), self.volatility)

    def european(self) -> FloatArray:
        """Price them without early exercise."""
        return black_scholes.price(self.option(), self.market(), self.volatility)


def draw(count: int, seed: int, *, least_rate: float = 0.0) -> Draw:
    rng = np.random.default_rng(seed)
    time = 10.0 ** rng.uniform(-2.0, 0.6, count)
    volatility = rng.uniform(0.08, 1.0, count)
    spot = STRIKE * np.exp(rng.normal(0.0, 1.0, count) * volatility * np.sqrt(time))
    rate = rng.uniform(least_rate, 0.10, count)
    yield_ = np.where(rng.random(count) < 0.3, 0.0, rng.uniform(least_rate, 0.10, count))
    return Draw(spot, rate, yield_, volatility, time, rng.random(count) < 0.5)


class Leg(NamedTuple):
    """One option for a tree; dividends are at its steps."""

    spot: float
    rate: float
    yield_: float
    volatility: float
    time: float
    call: bool
    paid: FloatArray = np.zeros(0)
    share: FloatArray = np.zeros(0)

    def growth(self, time: float, *, before: bool = False) -> float:
        """Return the expected spot over the present one, before or after a dividend of then."""
        alive = self.paid < time - 1e-9 if before else self.paid <= time + 1e-9
        left = float(np.prod(np.where(alive, 1.0 - self.share, 1.0)))
        return left * float(np.exp((self.rate - self.yield_) * time))


def legs_of(
    options: Draw, paid: FloatArray | None = None, share: FloatArray | None = None
) -> list[Leg]:
    """Return options one by one, with the dividends of each, shape (N, D)."""
    none = np.zeros((len(options.spot), 0))
    paid, share = (none if column is None else column for column in (paid, share))
    return [
        Leg(spot, rate, yield_, volatility, time, bool(call), own, part)
        for spot, rate, yield_, volatility, time, call, own, part in zip(
            *options, paid, share, strict=True
        )
    ]


def tree(leg: Leg, steps: int) -> float:
    """Cox, Ross and Rubinstein's tree, corrected by its own error of the European price."""
    dt, side = leg.time / steps, 1.0 if leg.call else -1.0
    up = np.exp(leg.volatility * np.sqrt(dt))
    likely = (1.0 - 1.0 / up) / (up - 1.0 / up)
    discount = np.exp(-leg.rate * dt)
    nodes = leg.spot * up ** np.arange(-steps, steps + 1.0)
    held = np.maximum(side * (nodes[::2] * leg.growth(leg.time) - STRIKE), 0.0)
    free = held.copy()
    for step in range(steps - 1, -1, -1):
        held = discount * (likely * held[1:] + (1.0 - likely) * held[:-1])
        free = discount * (likely * free[1:] + (1.0 - likely) * free[:-1])
        spot, now = nodes[steps - step : steps + step + 1 : 2], step * dt
        for before in (False, True):
            np.maximum(free, side * (spot * leg.growth(now, before=before) - STRIKE), out=free)
    forward = leg.spot * leg.growth(leg.time)
    exact = black.price(forward, STRIKE, leg.volatility, leg.time, leg.call)
    return float(free[0] - held[0] + np.exp(-leg.rate * leg.time) * exact)


# Beyond three standard deviations a tree's nodes are too few to know the premium to 1e-4 of it;
# such a price is below 1e-4 of the strike, and a tree of 6,000 steps knows it to this share of it.
TAIL = 5e-8


def test_within_1e_4_of_a_fine_tree() -> None:
    options = draw(60, 1, least_rate=-0.03)
    options = Draw._make(column[:30] for column in options)
    wanted = np.array([tree(leg, 3000) for leg in legs_of(options)])
    # Far from the strike, with much drift and little volatility: 3,000 steps are 0.13 % off, 12,000
    # are 0.02 %, and this is a tree of 34,000.
    wanted[1] = 0.0323265
    error = np.abs(options.american() - wanted)
    assert np.all(error <= 1e-4 * wanted + TAIL * STRIKE)


def quantlib(options: Draw, days: int, row: int) -> float:
    """Andersen, Lake and Offengenden's scheme at high precision, by QuantLib."""
    today = ql.Date(23, 11, 2026)
    ql.Settings.instance().evaluationDate = today
    count = ql.Actual365Fixed()

    def flat(rate: float) -> ql.YieldTermStructureHandle:
        return ql.YieldTermStructureHandle(ql.FlatForward(today, rate, count))

    vol = ql.BlackConstantVol(today, ql.NullCalendar(), float(options.volatility[row]), count)
    process = ql.BlackScholesMertonProcess(
        ql.QuoteHandle(ql.SimpleQuote(float(options.spot[row]))),
        flat(float(options.yield_[row])),
        flat(float(options.rate[row])),
        ql.BlackVolTermStructureHandle(vol),
    )
    kind = ql.Option.Call if options.call[row] else ql.Option.Put
    exercise = ql.AmericanExercise(today, today + days)
    option = ql.VanillaOption(ql.PlainVanillaPayoff(kind, STRIKE), exercise)
    scheme = ql.QdFpAmericanEngine.highPrecisionScheme()
    option.setPricingEngine(ql.QdFpAmericanEngine(process, scheme))
    return float(option.NPV())


def test_within_2e_5_of_quantlib_at_high_precision() -> None:
    options = draw(400, 2)
    days = np.maximum(np.round(options.time * 365.0), 1.0)
    options = options._replace(time=days / 365.0)
    wanted = np.array([quantlib(options, int(days[row]), row) for row in range(400)])
    assert np.all(np.abs(options.american() - wanted) <= 2e-5 * wanted + 2e-7 * STRIKE)


def test_never_below_the_european_price_nor_what_exercise_pays() -> None:
    options = draw(3000, 3, least_rate=-0.05)
    side = np.where(options.call, 1.0, -1.0)
    assert np.all(options.american() >= options.european() * (1.0 - 1e-14))
    assert np.all(options.american() >= side * (options.spot - STRIKE))
    most = np.where(options.call, options.spot, STRIKE)
    carried = np.exp(
        np.maximum(-np.where(options.call, options.yield_, options.rate), 0.0) * options.time
    )
    assert np.all(options.american() <= most * carried * (1.0 + 1e-12))


def test_is_the_european_price_where_exercise_never_pays() -> None:
    options = draw(500, 4)
    for rate, yield_, call in (
        (0.0, 0.0, True),
        (0.0, 0.0, False),
        (0.05, 0.0, True),
        (0.0, 0.05, False),
        (-0.02, 0.01, False),
        (0.03, -0.01, True),
    ):
        own = options._replace(
            rate=np.full(500, rate), yield_=np.full(500, yield_), call=np.full(500, call)
        )
        np.testing.assert_allclose(own.american(), own.european(), rtol=1e-14, atol=1e-300)


def test_put_and_call_mirror_each_other() -> None:
    """A call is the put with spot and strike, rate and yield exchanged."""
    options = draw(500, 5)
    mirrored = american.price(
        Option(options.spot, options.time, ~options.call),
        Market(STRIKE, options.yield_, options.rate),
        options.volatility,
    )
    np.testing.assert_allclose(options.american(), mirrored, rtol=1e-9, atol=1e-12)


def test_difference_of_call_and_put_is_bounded() -> None:
    """``S exp(-q T) - K <= C - P <= S - K exp(-r T)`` of rates and yields of at least zero."""
    options = draw(1000, 6)
    call = options._replace(call=np.ones(1000, bool)).american()
    put = options._replace(call=np.zeros(1000, bool)).american()
    least = options.spot * np.exp(-options.yield_ * options.time) - STRIKE
    most = options.spot - STRIKE * np.exp(-options.rate * options.time)
    slack = 1e-6 * STRIKE
    assert np.all(call - put >= least - slack)
    assert np.all(call - put <= most + slack)


@pytest.mark.parametrize("call", [True, False])
def test_rises_with_volatility_time_and_moneyness(call: bool) -> None:
    grid = np.linspace(0.05, 1.0, 60)
    volatility = american.price(Option(STRIKE, 0.7, call), Market(95.0, 0.05, 0.03), grid)
    time = american.price(Option(STRIKE, 3.0 * grid, call), Market(95.0, 0.05, 0.03), 0.3)
    spot = american.price(Option(STRIKE, 0.7, call), Market(STRIKE * 2.0 * grid, 0.05, 0.03), 0.3)
    assert np.all(np.diff(volatility) > 0.0)
    assert np.all(np.diff(time) > 0.0)
    moves = np.diff(spot) if call else -np.diff(spot)
    assert np.all(moves > 0.0)
    assert np.all(np.diff(np.diff(spot)) > -1e-8)  # convex


def test_limits() -> None:
    spot = np.array([0.0, 1e-9, 80.0, 100.0, 120.0, 1e9])
    for call in (True, False):
        paid = np.maximum(spot - STRIKE if call else STRIKE - spot, 0.0)
        expired = american.price(Option(STRIKE, 0.0, call), Market(spot, 0.05, 0.02), 0.3)
        np.testing.assert_array_equal(expired, paid)
    still = american.price(Option(STRIKE, 1.0, False), Market(spot, 0.05), 0.0)
    np.testing.assert_array_equal(still, np.maximum(STRIKE - spot, 0.0))
    # A certain spot that falls faster than money grows is best exercised at expiry.
    falling = american.price(Option(STRIKE, 1.0, False), Market(100.0, 0.02, 0.30), 0.0)
    assert falling == pytest.approx(100.0 * np.exp(-0.02) - 100.0 * np.exp(-0.30), rel=1e-14)
    # One that rises at first, against the strike's discount, on a day between.
    day = np.log(0.10 / 0.05 * 100.0 / 120.0) / (0.10 - 0.05)
    best = 120.0 * np.exp(-0.05 * day) - 100.0 * np.exp(-0.10 * day)
    rising = american.price(Option(100.0, 20.0, True), Market(120.0, 0.10, 0.05), 0.0)
    assert rising == pytest.approx(best, rel=1e-12)


def test_a_deep_put_is_exercised_at_once() -> None:
    spot = np.linspace(1.0, 75.0, 40)
    value = american.price(Option(STRIKE, 1.0, False), Market(spot, 0.08), 0.2)
    np.testing.assert_array_equal(value, STRIKE - spot)


def test_perpetual_put() -> None:
    """Merton (1973): with no end the boundary is ``K / (1 + sigma**2 / (2 r))``."""
    power = 2.0 * 0.06 / 0.3**2
    edge = STRIKE * power / (1.0 + power)
    wanted = (STRIKE - edge) * (np.array([90.0, 150.0]) / edge) ** -power
    found = american.price(Option(STRIKE, 200.0, False), Market([90.0, 150.0], 0.06), 0.3)
    np.testing.assert_allclose(found, wanted, rtol=5e-4)  # 200 years are the worst of it


def test_a_price_does_not_depend_on_its_neighbours() -> None:
    options = draw(300, 7, least_rate=-0.03)
    every = options.american()
    for row in (0, 1, 17, 130, 299):
        alone = Draw._make(column[row : row + 1] for column in options)
        assert alone.american()[0] == every[row]
    np.testing.assert_array_equal(Draw._make(c[::-1] for c in options).american()[::-1], every)


def dividends(count: int, seed: int, steps: int) -> tuple[Contracts, Dividends, list[Leg]]:
    """Options on spots that pay up to three dividends, each at a step of a tree."""
    options, rng = draw(count, seed), np.random.default_rng(seed)
    paid = np.sort(rng.integers(1, steps - 1, (count, 3)), axis=1) * (options.time / steps)[:, None]
    share = rng.uniform(0.002, 0.03, (count, 3)) * (rng.random((count, 3)) < 0.7)
    share[:, 0] = 0.01
    legs = legs_of(options, paid, share)
    forward = np.array([leg.spot * leg.growth(leg.time) for leg in legs])
    contracts = Contracts(
        options.spot,
        forward,
        options.rate,
        np.full(count, STRIKE),
        options.volatility,
        options.time,
        options.call,
    )
    return contracts, Dividends(paid, share), legs


# The hardest of `dividends(40, seed, 3000)`, by seed and row: by `fine` below. Coarser trees differ
# from one another by as much as a price may err.
FINE = {
    (8, 1): 25.335471,
    (8, 7): 0.5437150,
    (8, 11): 0.06580546,
    (108, 0): 6.621920,
    (108, 13): 0.5853893,
    (108, 18): 5.135099,
    (108, 20): 2.019254,
    (108, 26): 0.1966108,
    (108, 35): 0.1376370,
}


def fine(leg: Leg) -> float:
    """Mean of two trees of many steps, whose errors of either sign are nearly as large as ours."""
    return 0.5 * (tree(leg, 9000) + tree(leg, 12000))


@pytest.mark.parametrize("seed", sorted({seed for seed, _ in FINE}))
def test_dividends_within_1e_4_of_fine_trees(seed: int) -> None:
    rows = np.array([row for own, row in FINE if own == seed])
    contracts, paid, _ = dividends(40, seed, 3000)
    wanted = np.array([FINE[seed, row] for row in rows.tolist()])
    found = american.price_unchecked(contracts.part(rows), paid.part(rows))
    assert np.all(np.abs(found / wanted - 1.0) <= 1e-4)


@pytest.mark.skipif(not PROVE, reason="two minutes: make prove")
def test_forty_more_with_dividends_within_1e_4_of_fine_trees() -> None:
    contracts, paid, legs = dividends(40, 208, 3000)
    wanted = np.array([fine(leg) for leg in legs])
    found = american.price_unchecked(contracts, paid)
    assert np.all(np.abs(found - wanted) <= 1e-4 * wanted + TAIL * STRIKE)


def test_prices_with_dividends_do_not_depend_on_their_neighbours() -> None:
    contracts, paid, _ = dividends(70, 9, 500)
    every = american.price_unchecked(contracts, paid)
    _lattice._KNOWN.clear()  # otherwise the answers would be remembered
    for row in (0, 33, 69):
        one = np.array([row])
        assert american.price_unchecked(contracts.part(one), paid.part(one))[0] == every[row]


def test_a_call_is_exercised_before_a_large_dividend() -> None:
    """Roll, Geske and Whaley's case, by the bound of exercising just before it."""
    numbers = (np.array([value]) for value in (120.0, 108.0, 0.0, STRIKE, 0.05, 0.5))
    market = Contracts._make([*numbers, np.array([True])])
    paid = Dividends(np.array([[0.25]]), np.array([[0.10]]))
    assert american.price_unchecked(market, paid)[0] == pytest.approx(20.0, abs=1e-3)
    assert american.price_unchecked(market)[0] >= 20.0


def test_shares_leave_what_cash_would_leave() -> None:
    amounts, times = np.array([1.0, 2.0]), np.array([0.1, 0.6])
    share = american.shares(amounts, times, 50.0, 0.04)
    left = 50.0 - np.sum(amounts * np.exp(-0.04 * times))
    assert 50.0 * np.prod(1.0 - share) == pytest.approx(left, rel=1e-14)


@given(
    st.floats(0.0, 1e4),
    st.floats(0.0, 5.0),
    st.floats(0.0, 30.0),
    st.floats(-0.5, 0.5),
    st.floats(-0.5, 0.5),
    st.booleans(),
)
@example(spot=5e-324, volatility=0.0, time=4.3e-284, rate=-0.5, yield_=0.0, call=True)
@example(spot=1.0, volatility=0.0, time=1.0, rate=5e-324, yield_=0.5, call=True)
@example(spot=4e-322, volatility=0.2, time=1.0, rate=5e-324, yield_=0.5, call=True)
@example(spot=200.0, volatility=0.2, time=1.0, rate=1e-310, yield_=2e-310, call=False)
def test_any_finite_arguments_make_a_finite_price(
    spot: float, volatility: float, time: float, rate: float, yield_: float, call: bool
) -> None:
    value = float(
        american.price(Option(STRIKE, time, call), Market(spot, rate, yield_), volatility)
    )
    side = 1.0 if call else -1.0
    assert np.isfinite(value)
    assert value >= max(side * (spot - STRIKE), 0.0)


def test_refuses_what_cannot_be_priced() -> None:
    with pytest.raises(ValueError, match="volatility"):
        american.price(Option(STRIKE, 1.0, True), Market(100.0), -0.1)
