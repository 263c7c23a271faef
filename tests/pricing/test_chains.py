"""Real option chains: Deribit reprices from its own volatilities and gives them back, SPX as well.

A chain's timestamp is that of its first request. The marks of the second currency were read up to
three minutes later, which a volatility of 4 digits of an option expiring today shows: `delay`
recovers that time from the quotes themselves.
"""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from margincalc.arrays import FloatArray
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
# A parity forward carries the rounding of two prices and enters a third.
PRICE_ROUNDINGS = 2.5
MOVED = 0.015  # share of options whose volatility was re-marked while the chain was being read


def coin_price(chain: Chain, forward: FloatArray) -> FloatArray:
    value = black.price(forward, chain.strike, chain.volatility, chain.time, chain.call)
    return value / forward


def volatility_of(chain: Chain, mark: FloatArray, forward: FloatArray) -> FloatArray:
    found = implied_volatility(mark * forward, forward, chain.strike, chain.time, chain.call)
    assert (found.reason != Reason.AT_UPPER_BOUND).all()
    return found.volatility


def corrected_for_delay(chain: Chain, forward: FloatArray) -> Chain:
    """Move each currency to the time at which its quotes agree with their volatilities.

    ``implied**2 * T = published**2 * (T - delay)``, averaged with weights by rounding.
    """
    implied = volatility_of(chain, chain.mark, forward)
    greeks = black.greeks(forward, chain.strike, chain.volatility, chain.time, chain.call)
    price_error = 2.0 * chain.half_digit() * forward / np.maximum(greeks.vega, 1e-300)
    scale = 2.0 * chain.time * YEAR / chain.volatility
    error = scale * (VOLATILITY_HALF_DIGIT + price_error)
    delay = chain.time * YEAR * (1.0 - (implied / chain.volatility) ** 2)
    time = chain.time.copy()
    for currency in ("BTC", "ETH"):
        mine = chain.currency == currency
        used = mine & (implied > 0.0) & (error < 200.0)
        time[mine] -= np.average(delay[used], weights=error[used] ** -2.0) / YEAR
    return replace(chain, time=time)


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
    """Within the rounding of both: the published one lies between those of the price's ends."""
    chain = read_deribit(path)
    forward = parity_forward(chain)
    chain = corrected_for_delay(chain, forward)
    half = PRICE_ROUNDINGS * chain.half_digit()
    low = volatility_of(chain, chain.mark - half, forward) - VOLATILITY_HALF_DIGIT
    high = volatility_of(chain, chain.mark + half, forward) + VOLATILITY_HALF_DIGIT
    outside = (chain.volatility < low) | (chain.volatility > high)
    assert outside.mean() < MOVED
    # Even those were re-marked by little.
    error = np.abs(coin_price(chain, forward) - chain.mark)
    assert error.max() < 0.3 * COIN


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
