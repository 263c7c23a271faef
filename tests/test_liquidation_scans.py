"""What `liquidation` says of accounts of every kind, against margining them anew in moved markets.

Every scan moves the market by what-if, which rebuilds the book, and margins it: nothing of the
search is in it. Accounts over venues, isolated pools, in coin, and with deposits that move.
"""

from collections.abc import Callable
from copy import deepcopy
from math import exp
from typing import Any, NamedTuple

import numpy as np
import pytest
import yaml

import margincalc as mc
from margincalc.answers import margining
from margincalc.answers.liquidation_results import Interval, LiquidationReport
from margincalc.arrays import FloatArray
from margincalc.liquidation.passage import Walk, met
from tests.cli import SAMPLES

MULTIPLES = (0.7, 1.4)  # of volatility, in the frontier
Written = dict[str, Any]
Paid = Callable[[Written, str, float], None]


class Case(NamedTuple):
    """An account, and how a deposit is paid into one of its pools."""

    written: Written
    mode: Any
    paid: Paid


def sample(name: str) -> Written:
    found: Written = yaml.safe_load((SAMPLES / f"{name}.yaml").read_text("utf-8"))
    return found


def into_cash(written: Written, _: str, amount: float) -> None:
    written["collateral"][0]["quantity"] += amount


def into_venue(written: Written, pool: str, amount: float) -> None:
    (own,) = (deposit for deposit in written["collateral"] if deposit["venue"] == pool)
    own["quantity"] += amount


def into_isolated(written: Written, pool: str, amount: float) -> None:
    (own,) = (held for held in written["positions"] if held["instrument"] == pool)
    own["isolated_margin"] = own.get("isolated_margin", 1_485.0) + amount


def in_coin() -> Written:
    """Short more calls than the coin covers, so that a rise liquidates."""
    written = sample("btc_covered_call_inverse")
    written["positions"][0]["quantity"] = -30
    return written


CASES = {
    "venues": Case(sample("two_venues"), None, into_venue),
    "isolated": Case(sample("isolated_perpetuals"), "isolated", into_isolated),
    "coin": Case(in_coin(), None, into_cash),
    "deposits": Case(sample("two_underlyings_three_collaterals"), None, into_cash),
}
EACH = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def excess(case: Case, **changes: Any) -> dict[str, float]:
    """Margin the account in a changed market, and return the excess of each pool."""
    portfolio = mc.Portfolio.model_validate(case.written)
    rules = margining.Rules(case.mode, changes=mc.what_if(**changes))
    account = margining.margined(portfolio, rules)
    found = (account.result.equity - account.result.maintenance).tolist()
    return dict(zip((key.title for key in account.book.names.keys), found, strict=True))


def answered(case: Case, **asked: Any) -> LiquidationReport:
    asked = {"frontier": False} | asked
    return mc.liquidation(mc.Portfolio.model_validate(case.written), mode=case.mode, **asked)


def held(intervals: tuple[Interval, ...], x: float) -> bool:
    """Whether a multiple is in an interval."""
    return any(
        (one.low is None or one.low <= x) and (one.high is None or x <= one.high)
        for one in intervals
    )


def nodes(crossings: list[float], count: int) -> FloatArray:
    """Return multiples of spot, and both sides of every crossing."""
    beside = [x * exp(side) for x in crossings for side in (-1e-7, 1e-7)]
    return np.concatenate([np.geomspace(0.3, 3.0, count), beside])


@EACH
def test_intervals_of_spot_are_those_of_a_scan(case: Case) -> None:
    spots = {name: own["spot"] for name, own in case.written["market"].items()}
    for pool in answered(case).pools:
        for region in pool.regions:
            name = str(region.underlying)
            for x in nodes([each.multiple for each in region.crossings], 12).tolist():
                there = excess(case, spot=[f"{name}={x * spots[name]!r}"])[pool.pool]
                assert (there < 0.0) == held(region.intervals, x), (pool.pool, name, x)


def test_all_together_by_the_betas_of_the_file() -> None:
    written = deepcopy(CASES["deposits"].written)
    written["market"]["ETH"]["beta"] = 1.4
    case = CASES["deposits"]._replace(written=written)
    (pool,) = answered(case, together=True).pools
    (region,) = (each for each in pool.regions if each.underlying is None)
    assert region.betas == {"BTC": 1.0, "ETH": 1.4}
    assert len(region.crossings) == 2
    assert region.certified
    for x in nodes([each.multiple for each in region.crossings], 15).tolist():
        moves = {"BTC": x, "ETH": 1.0 + 1.4 * (x - 1.0)}
        if region.domain[0] < x < region.domain[1]:
            spots = [
                f"{key}={move * written['market'][key]['spot']!r}" for key, move in moves.items()
            ]
            assert (excess(case, spot=spots)[pool.pool] < 0.0) == held(region.intervals, x), x
    plain = answered(CASES["deposits"], together=True).pools[0].regions[-1]
    assert plain.betas == {"BTC": 1.0, "ETH": 1.0}
    assert plain.crossings[0].multiple < region.crossings[0].multiple


@EACH
def test_multiples_of_volatility_are_those_of_a_scan(case: Case) -> None:
    report = answered(case)
    grid = np.geomspace(0.12, 7.5, 9).tolist()
    scanned = {c: excess(case, vol=[f"{(c - 1.0) * 100.0:+.12f}%"]) for c in grid}
    for pool in report.pools:
        down, up = (pool.volatility[side] or limit for side, limit in (("down", 0.1), ("up", 8.0)))
        liquidated = pool.status == "liquidatable"
        for c, found in scanned.items():
            if down < c < up:
                assert (found[pool.pool] < 0.0) == liquidated, c
        if pool.volatility["up"] is not None:
            beside = [
                excess(case, vol=[f"{(up * x - 1) * 100:+.12f}%"])[pool.pool]
                for x in (0.999, 1.001)
            ]
            assert beside[0] * beside[1] < 0.0


@EACH
def test_the_frontier_is_that_of_a_scan(case: Case) -> None:
    spots = {name: own["spot"] for name, own in case.written["market"].items()}
    report = answered(case, frontier=True, multiples=MULTIPLES)
    for pool in report.pools:
        for frontier in pool.frontiers:
            name = str(frontier.underlying)
            for line in frontier.lines:
                ends = [x for one in line.intervals for x in (one.low, one.high) if x is not None]
                for x in nodes([x for x in ends if 0.05 < x < 20.0], 5).tolist():
                    there = excess(
                        case,
                        spot=[f"{name}={x * spots[name]!r}"],
                        vol=[f"{(line.volatility - 1.0) * 100.0:+.12f}%"],
                    )
                    assert (there[pool.pool] < 0.0) == held(line.intervals, x), (line, x)
            likely = frontier.most_likely
            if likely is not None and likely.distance > 0.0:
                at = {
                    "spot": [f"{name}={(1.0 + likely.move) * spots[name]!r}"],
                    "vol": [f"{(likely.volatility - 1.0) * 100.0:+.12f}%"],
                }
                assert abs(excess(case, **at)[pool.pool]) < 1e-3 * max(abs(pool.equity), 1.0)


@EACH
def test_days_are_those_of_a_scan(case: Case) -> None:
    report = answered(case, horizon=40.0)
    scanned = {days: excess(case, days=days) for days in (0.0, 7.3, 20.1, 34.9, 35.2, 39.0)}
    for pool in report.pools:
        liquidated = pool.status == "liquidatable"
        for days, found in scanned.items():
            if pool.days is None or days < pool.days:
                assert (found[pool.pool] < 0.0) == liquidated, days
        if pool.days is not None:
            after = excess(case, days=pool.days * (1.0 + 1e-9))[pool.pool]
            assert (after < 0.0) != liquidated


@pytest.mark.parametrize("horizon", [0.2, 10.0, 34.9, 35.0, 40.0])
def test_a_horizon_before_the_last_expiry_is_looked_at_to_its_end(horizon: float) -> None:
    """Of a sample that is liquidated within hours, weeks before its options expire."""
    case = Case(sample("just_under_maintenance"), "portfolio", into_cash)
    (whole,), (cut,) = answered(case).pools, answered(case, horizon=horizon).pools
    assert whole.days is not None
    assert whole.days < 0.2
    assert cut.days == pytest.approx(whole.days, rel=1e-9)
    assert answered(case, horizon=0.9 * whole.days).pools[0].days is None


@pytest.mark.parametrize("currency", ["USD", "BTC"])
def test_funding_alone_liquidates_when_the_closed_form_says(currency: str) -> None:
    """Long q at entry = spot: what is paid by then is what cash exceeds maintenance by.

    In money ``cash - 3 d f q S = m q S`` with the rate f of eight hours; an inverse contract of
    notional N pays ``3 d f N / S`` coins, and needs ``m N / S``.
    """
    funding, rate, spot = 0.0003, 0.05, 100_000.0
    inverse = currency == "BTC"
    quantity, cash = (200_000.0, 0.14) if inverse else (2.0, 14_000.0)
    notional = quantity / spot if inverse else quantity * spot
    written: Written = {
        "currency": currency,
        "as_of": "2026-11-20T08:00:00Z",
        "market": {
            "BTC": {
                "spot": spot,
                "settlement": "inverse" if inverse else "linear",
                "perpetual": {"funding_rate": funding},
            }
        },
        "positions": [{"instrument": "BTC-PERPETUAL", "quantity": quantity, "entry_price": spot}],
        "collateral": [{"asset": currency, "quantity": cash}],
    }
    (pool,) = mc.liquidation(
        mc.Portfolio.model_validate(written),
        mode="cross",
        settings=[f"delta_one.maintenance={rate}"],
        frontier=False,
    ).pools
    assert pool.days == pytest.approx(
        (cash - rate * notional) / (3.0 * funding * notional), rel=1e-9
    )
    written["market"]["BTC"]["perpetual"]["funding_rate"] = -funding
    received = mc.liquidation(
        mc.Portfolio.model_validate(written),
        mode="cross",
        settings=[f"delta_one.maintenance={rate}"],
        frontier=False,
    )
    assert received.pools[0].days is None


def test_isolated_pools_are_liquidated_as_probably_as_their_own_barriers_are_met() -> None:
    case = CASES["isolated"]
    portfolio = mc.Portfolio.model_validate(case.written)
    lines = {line.pool: line for line in mc.passage(portfolio, mode=case.mode).pools}
    for pool in answered(case).pools:
        for region in pool.regions:
            assert region.spot is not None
            walk = Walk(region.spot, 0.0, 0.04 * 365.0**0.5, 7.0 / 365.0)
            below, above = (
                next((each.price for each in region.crossings if (each.move < 0.0) == down), None)
                for down in (True, False)
            )
            assert lines[pool.pool].method == "closed form"
            assert lines[pool.pool].probability == pytest.approx(met(walk, below, above), rel=1e-9)


@pytest.mark.parametrize("name", ["venues", "coin", "deposits"])
def test_odds_are_those_of_paths_margined_one_by_one(name: str) -> None:
    """Looked at once, at the horizon: the share of paths that are liquidated there."""
    case, paths, days = CASES[name], 60, 20.0
    portfolio = mc.Portfolio.model_validate(case.written)
    odds = mc.Odds(horizon="20d", poll="20d", paths=10_000, volatility=1.2, correlation=1.0)
    report = mc.passage(portfolio, mode=case.mode, odds=odds)
    deviation = 1.2 * (days / 365.0) ** 0.5
    # Evenly spaced quantiles of the one normal that moves all spots: no noise of a sample.
    from scipy.stats import norm

    moves = np.exp(deviation * norm.ppf((np.arange(paths) + 0.5) / paths) - 0.5 * deviation**2)
    fallen = dict.fromkeys((line.pool for line in report.pools), 0)
    for move in moves.tolist():
        there = excess(case, spot=[f"{(move - 1.0) * 100.0:+.12f}%"], days=days)
        for pool in fallen:
            fallen[pool] += there[pool] < 0.0
    now = excess(case)
    for line in report.pools:
        expected = 1.0 if now[line.pool] < 0.0 else fallen[line.pool] / paths
        assert line.probability == pytest.approx(
            expected, abs=4.0 * line.standard_error + 1.0 / paths
        )


@EACH
def test_a_deposit_moves_prices_as_paying_it_in_does(case: Case) -> None:
    for number, pool in enumerate(answered(case).pools):
        for row, region in enumerate(pool.regions):
            for place, crossing in enumerate(region.crossings):
                assert crossing.sensitivity is not None
                size = 1e-5 * abs(pool.equity)
                moved = []
                for amount in (size, -size):
                    written = deepcopy(case.written)
                    case.paid(written, pool.pool, amount)
                    other = answered(case._replace(written=written)).pools[number].regions[row]
                    moved.append(float(other.crossings[place].price or 0.0))
                slope = (moved[0] - moved[1]) / (2.0 * size)
                assert crossing.sensitivity.deposit == pytest.approx(slope, rel=1e-3)
