"""Liquidation regions: nothing is missed, and every statement about a region can be checked."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from random import Random
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
import yaml
from hypothesis import given, settings

import margincalc as mc
from benchmarks.accounts import EXPRESSED
from benchmarks.accounts import account as written_for
from margincalc.book import Book
from margincalc.kernels import fastest, pricer_named
from margincalc.liquidation.apart import all_pieces
from margincalc.liquidation.isolate import isolate
from margincalc.liquidation.line import Line, along
from margincalc.liquidation.pieces import Pieces
from margincalc.liquidation.region import Region, regions
from margincalc.liquidation.sensitivity import drifts
from margincalc.liquidation.volatility import FRONTIER, Daily, at_volatility, frontier, march
from margincalc.margin.base import MarginResult
from margincalc.portfolio import Portfolio
from margincalc.pricer import using
from margincalc.risk.aging import aged
from tests.books import ANY, CARRIED, margined, portfolio, portfolios
from tests.cli import SAMPLES, STRANGLE
from tests.proving import PROVE, examples

FIXED_PART = 50  # one in so many books is looked at in every run
NODES = 40_001
OTHERS = tuple(sorted({*EXPRESSED} - {"generic-portfolio"}))
SCANNING = pricer_named(fastest())
Floats = npt.NDArray[np.float64]
Written = dict[str, Any]


def lines(book: Portfolio, model: str) -> list[Line]:
    """Return the lines of markets of a portfolio: each underlying alone, then all together."""
    account = margined(book, "portfolio", model)
    own = account.book
    each = [along(own, account.model, 0, u) for u in np.unique(own.underlying[own.underlying >= 0])]
    if len(each) > 1:
        each.append(Line(own, account.model, 0, np.array([1.2, 0.8, 1.0, 0.5])[: len(own.spot)]))
    return each


def missed(line: Line, found: Region, nodes: int) -> list[float]:
    """Return where a scan sees another sign than the region says, beyond rounding.

    The scan is of every node, by the quickest arithmetic there is, which is not the region's.
    """
    x = np.geomspace(*line.domain, nodes)
    with using(SCANNING):
        excess = line.excess(x)
    inside = np.zeros(nodes, bool)
    for low, high in found.intervals.tolist():
        inside |= (x >= low * (1.0 - 1e-12)) & (x <= high * (1.0 + 1e-12))
    for low, high in found.unresolved.tolist():
        inside |= (x >= low) & (x <= high)
    # Rounding is a share of what is held at a multiple, which grows with it.
    noise = 1e3 * line.noise() * np.maximum(x, 1.0) + 1e-9
    wrong = ((excess < -noise) & ~inside) | ((excess > noise) & inside & ~_near(x, found))
    places: list[float] = x[wrong].tolist()
    return places


def _near(x: Floats, found: Region) -> npt.NDArray[np.bool_]:
    """Return which nodes are at an end of an interval, or touch zero."""
    ends = np.concatenate([found.crossings, found.unresolved.ravel()])
    distance = np.abs(x[:, None] / ends - 1.0) if len(ends) else np.ones((len(x), 1))
    near: npt.NDArray[np.bool_] = np.min(distance, axis=1) < 1e-9
    return near


def region(line: Line) -> Region:
    """Return the region of one pool."""
    return regions([line])[0]


def assert_complete(line: Line, nodes: int) -> None:
    assert missed(line, region(line), nodes) == []


# No crossing is missed: random books of one to twelve legs, linear and in coin

SEEDS = [seed for seed in range(1000) if PROVE or seed % FIXED_PART == 0]
LEGS = replace(ANY, positions=12)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_crossing_of_a_scan_model_is_missed(seed: int) -> None:
    own = lines(portfolio(Random(seed), LEGS), "generic-portfolio")
    assert_complete(own[seed % len(own)], NODES)


@pytest.mark.parametrize("model", OTHERS if PROVE else ("derive-pm2", "generic-standard"))
@pytest.mark.parametrize("seed", range(20) if PROVE else range(2))
def test_no_crossing_of_another_family_is_missed(seed: int, model: str) -> None:
    for line in expressed(seed, model):
        assert_complete(line, 2_001)


@settings(max_examples=examples(20))
@given(book=portfolios(ANY))
def test_no_crossing_is_missed(book: Portfolio) -> None:
    for line in lines(book, "generic-portfolio"):
        assert_complete(line, 1_001)


def expressed(seed: int, model: str) -> list[Line]:
    """Return the lines of an account that a model of any family can express."""
    account = margined(
        mc.Portfolio.model_validate(written_for(model, 1 + seed % 6, seed)),
        None,
        model,
        EXPRESSED[model].settings,
    )
    own = account.book
    moving = np.unique(own.underlying[own.underlying >= 0])
    return [along(own, account.model, 0, int(u)) for u in moving]


# Lines that are worked out together are what each is alone


@pytest.mark.parametrize("name", ["btc_short_strangle", "two_underlyings_three_collaterals"])
def test_a_region_does_not_depend_on_what_is_worked_out_with_it(name: str) -> None:
    account = margined(mc.load(SAMPLES / f"{name}.yaml"))
    pools = [along(account.book, account.model, 0, u) for u in range(len(account.book.spot))]
    every = [at_volatility(line, c) for line in pools for c in (0.5, 1.0, 1.7)]
    for line, found in zip(every, regions(every), strict=True):
        alone = region(line)
        assert found.intervals.tolist() == alone.intervals.tolist()
        assert found.certified == alone.certified
        moved = account.book.with_volatility(line.volatility)
        there = region(line._replace(book=moved, volatility=1.0))
        assert there.intervals.tolist() == alone.intervals.tolist()


# What is certified, and what is not


def test_plain_scan_books_are_certified() -> None:
    style = replace(CARRIED, settlements=("linear",), deposits=("cash", "other"), coin=False)
    for seed in range(30):
        for line in lines(portfolio(Random(seed), style), "generic-portfolio"):
            assert region(line).certified


@pytest.mark.parametrize("seed", range(200) if PROVE else range(3))
@pytest.mark.parametrize("model", ["bit-options", "bybit-options", "deribit-sm", "okx-options"])
def test_options_that_need_a_share_of_their_mark_are_certified(model: str, seed: int) -> None:
    for line in expressed(seed, model):
        found = region(line)
        assert found.reason in (
            None,
            "a rate grows with the coins that an inverse contract stands for",
        )
        assert missed(line, found, 4_001) == []


def test_a_put_changes_from_its_least_share_to_one_of_its_mark() -> None:
    """The crossing is where the mark's share binds, deep in the money."""
    put = [{"instrument": "BTC-20DEC26-100000-P", "quantity": -1.0}]
    written = {
        "as_of": "2026-11-20T08:00:00Z",
        "market": {"BTC": {"spot": 100_000.0, "volatility": 0.6}},
        "positions": put,
        "collateral": [{"asset": "USD", "quantity": 100_000.0}],
    }
    account = margined(mc.Portfolio.model_validate(written), "portfolio", "deribit-sm")
    line = along(account.book, account.model, 0, 0)
    found = region(line)
    low = float(found.crossings[0])
    assert found.certified
    assert 1e5 - low * 1e5 > low * 1e5  # the mark is more than the index
    assert missed(line, found, NODES) == []


def test_a_cap_on_a_deposit_of_an_account_in_coin_is_a_known_corner() -> None:
    written = {
        "as_of": "2026-11-20T08:00:00Z",
        "currency": "BTC",
        "market": {"BTC": {"spot": 100_000.0, "volatility": 0.6, "settlement": "inverse"}},
        "positions": [{"instrument": "BTC-20DEC26-110000-C", "quantity": -3.0}],
        "collateral": [
            {"asset": "BTC", "quantity": 0.4},
            {"asset": "USDC", "quantity": 110_000.0, "haircut": 0.05, "cap": 0.9},
        ],
    }
    account = margined(mc.Portfolio.model_validate(written))
    line = along(account.book, account.model, 0, 0)
    found = region(line)
    assert found.certified
    assert missed(line, found, NODES) == []


def test_a_charge_that_follows_deltas_is_named() -> None:
    assert "rolling" in str(region(expressed(0, "thalex-pm")[0]).reason)


@pytest.mark.parametrize(
    ("name", "model", "said"),
    [
        ("us_equity_options", None, "early"),
        ("btc_short_strangle", "deribit-pm", "not taken apart"),
    ],
)
def test_what_is_searched_says_why_and_how_closely(name: str, model: str | None, said: str) -> None:
    report = mc.liquidation(mc.load(SAMPLES / f"{name}.yaml"), model=model, frontier=False)
    for own in report.pools[0].regions:
        assert not own.certified
        assert said in str(own.uncertified_because)
        assert 0.0 < own.largest_gap <= 0.0203


def test_a_certificate_is_not_given_when_the_pieces_are_not_the_model() -> None:
    """A model that states a shape without a kink that it has is found out."""

    class Wrong(NamedTuple):
        true: Any

        @property
        def grids(self) -> Any:
            return self.true.grids

        def margin(self, book: Book) -> MarginResult:
            found: MarginResult = self.true.margin(book)
            spot = np.zeros(book.pools)
            np.maximum.at(spot, book.pool, np.append(book.spot, 0.0)[book.underlying])
            bump = 1e3 * np.maximum(spot / 1e5 - 2.0, 0.0)
            return found._replace(components={**found.components, "bump": bump})

        def linear(self, book: Book) -> Any:
            return self.true.linear(book)

        def shape(self, book: Book) -> Any:
            return self.true.shape(book)

    account = margined(mc.load(STRANGLE))
    line = along(account.book, account.model, 0, 0)
    assert isinstance(all_pieces([line])[0], Pieces)
    (said,) = all_pieces([line._replace(model=Wrong(account.model))])
    assert "no straight line" in str(said)


def test_touching_zero_is_unresolved_and_not_dropped() -> None:
    account = margined(mc.load(STRANGLE))
    line = along(account.book, account.model, 0, 0)
    (pieces,) = all_pieces([line])
    assert isinstance(pieces, Pieces)
    x = np.linspace(0.8, 1.1, 3001)
    for _ in range(6):
        best = x[np.argmax(line.excess(x))]
        x = np.linspace(best * (1 - 1e-3), best * (1 + 1e-3), 2001)
    *others, lowered = pieces.groups
    lowered = lowered._replace(
        line=lowered.line - np.array([1.0, 0.0])[:, None, None] * line.excess(best[None])[0]
    )
    found = isolate(pieces._replace(groups=(*others, lowered)), 0.0)
    assert found is not None
    assert len(found.unresolved) + len(found.low) >= 1
    near = np.concatenate([found.unresolved.ravel(), found.low])
    assert np.min(np.abs(near - best)) < 1e-3


# Volatility, time and sensitivities


def test_the_multiple_of_volatility_liquidates() -> None:
    report = mc.liquidation(mc.load(STRANGLE), frontier=False)
    up = report.pools[0].volatility["up"]
    assert up is not None
    account = margined(mc.load(STRANGLE))
    for multiple, sign in ((up * (1 - 1e-9), 1.0), (up * (1 + 1e-9), -1.0)):
        result = account.model.margin(account.book.with_volatility(multiple))
        assert sign * float((result.equity - result.maintenance)[0]) > 0.0


def test_no_likelier_point_is_on_the_edge() -> None:
    account = margined(mc.load(STRANGLE))
    line, daily = along(account.book, account.model, 0, 0), Daily()
    point = frontier(line, daily, march([line], FRONTIER)[0]).nearest
    assert point is not None
    for c in np.exp(np.linspace(-0.5, 0.5, 41)):
        for x in region(at_volatility(line, float(c))).crossings.tolist():
            assert daily.distance(x, float(c)) >= point.distance * (1.0 - 1e-9)


def test_expiries_settle_and_the_margin_falls_away() -> None:
    report = mc.liquidation(mc.load(STRANGLE), frontier=False)
    (cliff,) = report.cliffs
    assert cliff.days == pytest.approx(35.0)
    assert cliff.maintenance_after == 0.0 < cliff.maintenance_before
    assert len(cliff.expired) == 2


def bumped(written: Written, number: int, change: Callable[[Written], None]) -> float:
    """Return a liquidation price of a changed account."""
    book = deepcopy(written)
    change(book)
    report = mc.liquidation(mc.Portfolio.model_validate(book), frontier=False)
    return float(report.pools[0].regions[0].crossings[number].price or 0.0)


def deposited(amount: float) -> Callable[[Written], None]:
    def change(book: Written) -> None:
        book["collateral"][0]["quantity"] += amount

    return change


def bought(row: int, size: float, mark: float) -> Callable[[Written], None]:
    """Return the change of buying at the mark: an option is paid for, a future entered."""

    def change(book: Written) -> None:
        own = book["positions"][row]
        if own["instrument"][-1] in "CP":
            deposited(-size * mark)(book)
        elif "entry_price" in own:
            whole = own["quantity"] * own["entry_price"] + size * mark
            own["entry_price"] = whole / (own["quantity"] + size)
        own["quantity"] += size

    return change


@pytest.mark.parametrize("name", ["btc_short_strangle", "eth_gamma_hedged_perp"])
def test_sensitivities_are_those_of_bumped_accounts(name: str) -> None:
    written = yaml.safe_load((SAMPLES / f"{name}.yaml").read_text("utf-8"))
    account = mc.Portfolio.model_validate(written)
    marks = {line.instrument: line.mark_price for line in mc.margin(account).positions}
    report = mc.liquidation(account, frontier=False)
    for number, crossing in enumerate(report.pools[0].regions[0].crossings):
        slopes = crossing.sensitivity
        assert slopes is not None
        up, down = (bumped(written, number, deposited(amount)) for amount in (10.0, -10.0))
        assert slopes.deposit == pytest.approx((up - down) / 20.0, rel=1e-5)
        for row, line in enumerate(written["positions"]):
            title = line["instrument"]
            up, down = (
                bumped(written, number, bought(row, size, marks[title])) for size in (1e-3, -1e-3)
            )
            assert slopes.positions[title] == pytest.approx((up - down) / 2e-3, rel=1e-4)


@pytest.mark.parametrize("name", ["btc_short_strangle", "eth_gamma_hedged_perp"])
def test_sensitivities_to_volatility_and_time_are_those_of_bumped_books(name: str) -> None:
    account = margined(mc.load(SAMPLES / f"{name}.yaml"))
    line = along(account.book, account.model, 0, 0)
    columns = account.book.instruments
    for number, x in enumerate(region(line).crossings.tolist()):
        (slopes,) = drifts(line, np.array([x]), 1.0)

        def root(book: Book, number: int = number) -> float:
            return float(region(line._replace(book=book)).crossings[number])

        moved = [
            replace(columns, volatility=np.where(columns.volatility > 0, columns.volatility + h, 0))
            for h in (1e-3, -1e-3)
        ]
        up, down = (root(replace(account.book, instruments=each)) for each in moved)
        assert slopes.volatility == pytest.approx((up - down) / 2e-3, rel=1e-3)
        later = root(aged(account.book, 1e-3))
        assert slopes.day == pytest.approx((later - x) / 1e-3, rel=1e-2)
