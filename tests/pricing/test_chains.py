"""Real option chains: Deribit reprices from its own volatilities and gives them back, SPX as well.

What a Deribit row leaves open is bounded by what it says: its mark and its volatility are rounded,
its forward is that of put and call parity within the rounding of both marks (the published one
lags), and it was read some time after the chain's timestamp, which is that of the first request.
"""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from margincalc.arrays import BoolArray, FloatArray, IntArray
from margincalc.pricing import black
from margincalc.pricing.implied import Reason, implied_volatility
from tests.pricing.chains import (
    VOLATILITY_HALF_DIGIT,
    YEAR,
    Chain,
    deribit_files,
    parity_forward,
    read_deribit,
    read_spx,
)

COIN = 1e-4
QUIET = "20260117T091401Z"
MOMENTS = np.arange(-4.0, 332.0, 2.0)  # seconds from a chain's timestamp at which rows were read
# Pairs whose call and put no single moment explains: one was marked anew before the other was read.
APART = {QUIET: 0, "20260205T042952Z": 9, "20260205T212937Z": 0, "20260822T035045Z": 2}
FORWARDS = np.linspace(0.0, 1.0, 21)  # tried between the ends of a parity forward's rounding


def coin_price(chain: Chain, forward: FloatArray) -> FloatArray:
    value = black.price(forward, chain.strike, chain.volatility, chain.time, chain.call)
    return value / forward


class Pairs(NamedTuple):
    """Rows of calls and of puts of the same strike and expiry, shape (N,)."""

    chain: Chain
    call: IntArray
    put: IntArray

    def of(self, currency: str) -> "Pairs":
        """Those of one currency."""
        return self.where(self.chain.currency[self.call] == currency)

    def where(self, chosen: BoolArray) -> "Pairs":
        """Those chosen, shape (N,)."""
        return Pairs(self.chain, self.call[chosen], self.put[chosen])

    def agree(self, moment: float) -> BoolArray:
        """Whether both volatilities come back, each to its rounding, by one forward, shape (N,)."""
        chain, half = self.chain, self.chain.half_digit()[self.call]
        coin = chain.mark[self.call] - chain.mark[self.put]
        ends = [chain.strike[self.call] / (1.0 - coin - 2.0 * side * half) for side in (-1, 1)]
        forward = ends[0][:, None] + (ends[1] - ends[0])[:, None] * FORWARDS
        call, put = (self._back(rows, forward, moment) for rows in (self.call, self.put))
        together: BoolArray = np.any(call & put, axis=1)
        return together

    def _back(self, rows: IntArray, forward: FloatArray, moment: float) -> BoolArray:
        chain = self.chain
        columns = (chain.strike, chain.time - moment / YEAR, chain.mark, chain.half_digit())
        strike, time, mark, half = (np.repeat(each[rows], FORWARDS.size) for each in columns)
        call, flat = np.repeat(chain.call[rows], FORWARDS.size), forward.ravel()
        low, high = (
            implied_volatility(np.maximum(price, 0.0) * flat, flat, strike, time, call).volatility
            for price in (mark - half, mark + half)
        )
        published = np.repeat(chain.volatility[rows], FORWARDS.size)
        digit = VOLATILITY_HALF_DIGIT * (1.0 + 1e-9)
        inside = (published >= low - digit) & (published <= high + digit)
        return inside.reshape(forward.shape)

    def moment(self) -> float:
        """When they were read: the moment at which most of those soon to expire agree."""
        soon = self.where(self.chain.time[self.call] < 7.0 / 365.0)
        return float(MOMENTS[np.argmax([np.sum(soon.agree(moment)) for moment in MOMENTS])])

    def ever_agree(self) -> BoolArray:
        """Whether they agree at any moment, each at its own, shape (N,)."""
        found = np.zeros(len(self.call), bool)
        for moment in MOMENTS:
            found[~found] = self.where(~found).agree(moment)
        return found


def read_pairs(path: Path) -> Pairs:
    chain = read_deribit(path)
    key = list(zip(chain.currency, chain.expiry, chain.strike, chain.call, strict=True))
    row = {each: number for number, each in enumerate(key)}
    calls = [number for number, each in enumerate(key) if each[3]]
    puts = [row[(*key[number][:3], np.False_)] for number in calls]
    return Pairs(chain, np.array(calls, np.int64), np.array(puts, np.int64))


@pytest.mark.parametrize("path", deribit_files(), ids=lambda path: path.name[:16])
def test_deribit_reprices_from_its_own_volatilities_by_the_parity_forward(path: Path) -> None:
    chain = read_deribit(path)
    assert len(chain.strike) >= 1356
    error = np.abs(coin_price(chain, parity_forward(chain)) - chain.mark)
    assert error.max() < COIN, chain.name[error.argmax()]


def test_the_quiet_chain_reprices_by_its_published_forward() -> None:
    chain = read_deribit(deribit_files()[0])
    error = np.abs(coin_price(chain, chain.underlying) - chain.mark)
    assert error.max() < COIN, chain.name[error.argmax()]


@pytest.mark.parametrize("path", deribit_files(), ids=lambda path: path.name[:16])
def test_deribit_marks_give_their_published_volatilities_back(path: Path) -> None:
    """Every one of the quiet chain, and of the others all but a few marked anew in between."""
    pairs = read_pairs(path)
    assert 2 * len(pairs.call) == len(pairs.chain.strike)
    missed = 0
    for currency in ("BTC", "ETH"):
        mine = pairs.of(currency)
        # Rows of one response are of one moment, but for a few of which the mark was older.
        together = mine.agree(mine.moment())
        assert together.mean() > 0.97
        missed += int(np.sum(~mine.where(~together).ever_agree()))
    assert missed == APART[path.name.partition(".")[0]]


def test_at_the_timestamp_itself_bitcoin_is_back_and_another_volatility_is_not() -> None:
    (path,) = (each for each in deribit_files() if each.name.startswith(QUIET))
    bitcoin = read_pairs(path).of("BTC")
    assert np.sum(~bitcoin.agree(0.0)) == 1
    assert np.all(bitcoin.agree(-3.0))
    other = bitcoin.chain.volatility + 2e-4
    assert bitcoin._replace(chain=replace(bitcoin.chain, volatility=other)).agree(-3.0).mean() < 0.1


def test_spx_reprices_from_its_published_volatilities() -> None:
    listed = read_spx(date(2026, 1, 30))
    assert listed.price.size == 949
    assert np.abs(listed.repriced() - listed.price).max() < 0.05


def test_spx_prices_give_their_published_volatilities_back() -> None:
    """Within the rounding of volatility, forward and discount factor, all as printed."""
    listed = read_spx(date(2026, 1, 30))
    found = implied_volatility(
        listed.price / listed.discount, listed.forward, listed.strike, listed.time, listed.call
    )
    arguments = (listed.forward, listed.strike, listed.volatility, listed.time, listed.call)
    greeks = black.greeks(*arguments)
    printed = 0.005 * np.abs(greeks.delta) + 0.5e-4 * greeks.price
    allowed = 0.5e-4 + 1.2 * printed / greeks.vega
    near = greeks.vega > 20.0
    assert near.sum() > 700
    assert (found.reason[near] == Reason.FOUND).all()
    assert (np.abs(found.volatility - listed.volatility) <= allowed)[near].all()
