"""NumPy and the compiled kernels are one calculation: groups and sums to the bit, prices nearly."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.accounts import EXPRESSED, account, exchange
from margincalc import kernels
from margincalc.answers.account import Account
from margincalc.arrays import FloatArray, group_rows, group_sum, group_totals
from margincalc.kernels import compiled, screen, sums
from margincalc.liquidation.nearest import nearest
from margincalc.margin.load import model_names
from margincalc.portfolio import Portfolio
from margincalc.pricer import NUMPY, Pricer, current, using
from margincalc.pricing import black
from tests import books
from tests.books import margined
from tests.proving import examples
from tests.test_every_model import size

EXTREMES = (0.0, 1e-300, 1e-12, 0.37, 1.0, 1e5, 1e15)
GREEKS = ("price", "delta", "gamma", "vega", "theta")


def sums_only() -> Pricer:
    """Return the pricer whose groups and sums alone are compiled: it may change no bit."""
    return replace(compiled(), black=None)


def numbers(found: Account) -> Iterator[tuple[str, FloatArray]]:
    """Yield every amount of a margin."""
    result = found.result
    yield "equity", result.equity
    for parts in (result.components, result.initial_components, result.details):
        yield from parts.items()
    if result.worst is not None:
        yield "worst", result.worst.pnl
        yield "by position", result.worst.by_position()


def under(pricer: Pricer, written: dict[str, Any], model: str) -> Account:
    with using(pricer):
        return margined(Portfolio.model_validate(written), None, model, EXPRESSED[model].settings)


@pytest.mark.parametrize("model", model_names())
def test_every_model_is_margined_alike(model: str) -> None:
    many = exchange(model, 40, range(1, 12))
    plain = under(NUMPY, many, model)
    for pricer, bound in ((sums_only(), 0.0), (compiled(), 1e-12)):
        other = under(pricer, many, model)
        for (name, ours), (_, theirs) in zip(numbers(other), numbers(plain), strict=True):
            assert np.max(np.abs(ours - theirs), initial=0.0) <= bound * size(plain) / 40, name
    assert (plain.pricer, other.pricer) == ("numpy", "compiled")


@given(books.portfolios(books.Style(doubts=True)))
@settings(max_examples=examples(25), deadline=None)
def test_random_accounts_are_margined_alike(book: Portfolio) -> None:
    plain = margined(book)
    with using(sums_only()):
        assert_same(margined(book), plain)


def assert_same(one: Account, other: Account) -> None:
    for (name, ours), (_, theirs) in zip(numbers(one), numbers(other), strict=True):
        assert np.array_equal(ours, theirs), name


def test_liquidation_prices_are_alike() -> None:
    written = account("generic-portfolio", 6)
    prices = []
    for pricer in (NUMPY, sums_only(), compiled()):
        found = under(pricer, written, "generic-portfolio")
        with using(pricer):
            prices.append(nearest(found.book, found.model))
    for side in ("below", "above"):
        plain, summed, whole = (getattr(each, side) for each in prices)
        assert np.array_equal(plain, summed, equal_nan=True)
        np.testing.assert_allclose(whole, plain, rtol=1e-11)


# Prices


def assert_alike(columns: tuple[Any, Any, Any, Any], call: Any) -> None:
    plain = black.greeks_unchecked(*columns, call)
    with using(compiled()):
        other = black.greeks_unchecked(*columns, call)
        alone = black.price_unchecked(*columns, call)
    assert np.array_equal(alone, other.price)
    forward, strike, sigma, time = columns
    per = np.maximum(forward, 1e-300)
    total = forward * np.minimum(sigma * np.sqrt(time), 1e60)
    none = np.ones(len(per))
    scales = (none / np.maximum(per, strike), none, total, none / per, np.minimum(time, 1.0) / per)
    for name, scale in zip(GREEKS, scales, strict=True):
        ours, theirs = getattr(other, name), getattr(plain, name)
        finite = np.isfinite(theirs)
        assert np.array_equal(ours[~finite], theirs[~finite])
        off = np.abs(ours[finite] - theirs[finite]) * scale[finite]
        assert np.max(off, initial=0.0) <= 1e-14, name
    # Where a price is small it is right for its size, too.
    assert np.max(np.abs(other.price - plain.price) / np.maximum(plain.price, 1e-290)) < 1e-12


def test_prices_and_greeks_of_compiled_black_are_numpys() -> None:
    rng = np.random.default_rng(5)
    count = 20_000
    forward = 100.0 * np.exp(rng.normal(0.0, 0.5, count))
    call = rng.random(count) < 0.5
    for spread, sigma, years in ((0.3, 1.0, 2.0), (1e-3, 1.0, 1e-4), (1e-9, 1e-5, 1.0), (3, 3, 5)):
        strike = forward * np.exp(rng.normal(0.0, spread, count))
        sigmas, times = rng.uniform(0, sigma, count), rng.uniform(0, years, count)
        assert_alike((forward, strike, sigmas, times), call)


def test_compiled_black_has_the_limits_of_numpys() -> None:
    axes = (EXTREMES, EXTREMES, (0.0, 1e-12, 0.5, 10.0, 1e3), (0.0, 1e-12, 0.5, 100.0), (0, 1))
    forward, strike, sigma, time, call = np.array(np.meshgrid(*axes)).reshape(5, -1)
    assert_alike((forward, strike, sigma, time), call > 0)


def test_exp_and_log_of_kernels_are_as_good_as_they_say() -> None:
    from margincalc.kernels import _elementary
    from margincalc.kernels._jit import kernel

    @kernel
    def computed(x: FloatArray, high: FloatArray, low: FloatArray, out: FloatArray) -> None:
        for i in range(x.size):
            out[0, i] = _elementary.exp_of_negative(x[i])
            out[1, i] = _elementary.log_of_ratio(high[i], low[i])

    rng = np.random.default_rng(6)
    x = -np.concatenate([rng.uniform(0.0, 700.0, 600), 10.0 ** rng.uniform(-18, 0, 400)])
    low = np.concatenate([rng.uniform(1.0, 2.0, 700), 10.0 ** rng.uniform(-320, 290, 300)])
    high = low * (1.0 + 10.0 ** rng.uniform(-14, 15, 1000))
    out = np.empty((2, 1000))
    computed(x, high, low, out)
    with mp.workdps(40):
        exact = np.array(
            [
                [mp.exp(each) for each in x],
                [mp.log(mp.mpf(h) / mp.mpf(w)) for h, w in zip(high, low, strict=True)],
            ]
        )
        error = [np.max(np.abs(row / true - 1)) for row, true in zip(out, exact, strict=True)]
    assert error[0] < 1.5e-16
    assert error[1] < 3.5e-16


# Groups and sums


@given(st.integers(0, 2**32), st.integers(0, 300), st.integers(1, 40))
@settings(max_examples=examples(50), deadline=None)
def test_groups_and_sums_are_the_same_to_the_bit(seed: int, rows: int, pools: int) -> None:
    rng = np.random.default_rng(seed)
    pool = rng.integers(0, pools, rows)
    runs = seed % 6  # in which pools ascend, as those of positions and then of balances do
    pool = np.concatenate([np.sort(part) for part in np.array_split(pool, runs)]) if runs else pool
    keys = (pool, rng.integers(-1, 3, rows), rng.choice([0.0, -0.0, 0.25, 7.5], rows))
    first, labels = group_rows(*keys)
    values = rng.normal(size=(rows, 5)) * 10.0 ** rng.integers(-9, 9, (rows, 1))
    quantity, instrument = rng.normal(size=rows), rng.integers(0, 7, rows)
    risk = rng.normal(size=(7, 9))
    products = group_sum(quantity[:, None] * risk[instrument], labels, len(first))
    made = compiled().sums
    assert made is not None
    if rows:
        two = made.group_rows(keys[:2])
        assert two is not None
        assert all(np.array_equal(a, b) for a, b in zip(two, group_rows(*keys[:2]), strict=True))
        totals = made.group_totals(values[:, 0], keys[:2])
        assert (totals is None) == (np.sum(np.diff(pool) < 0) > 3)
        if totals is not None:
            assert all(
                np.array_equal(a, b)
                for a, b in zip(totals, group_totals(values[:, 0], *keys[:2]), strict=True)
            )
        found = made.group_rows(keys)
        assert found is not None
        assert np.array_equal(found[0], first)
        assert np.array_equal(found[1], labels)
    for each in (values, values[:, 0], np.asfortranarray(values)):
        assert np.array_equal(
            made.group_sum(each, labels, len(first)), group_sum(each, labels, len(first))
        )
    held = (quantity, instrument)
    assert np.array_equal(made.products(held, risk, labels, len(first)), products)
    where, lowest = made.least(held, risk, labels, len(first))
    assert np.array_equal(where, np.argmin(products, axis=1) if rows else where)
    assert np.array_equal(lowest, products.min(axis=1))


@given(st.integers(0, 2**32), st.integers(0, 300), st.integers(1, 40))
@settings(max_examples=examples(50), deadline=None)
def test_sums_of_what_is_apart_and_of_what_is_short_are_the_same_to_the_bit(
    seed: int, rows: int, pools: int
) -> None:
    rng = np.random.default_rng(seed)
    pool = np.sort(rng.integers(0, pools, rows))
    quantity, instrument = rng.normal(size=rows), rng.integers(0, 9, rows)
    made = compiled().sums
    assert made is not None
    apart, risk = rng.random(9) < 0.3, rng.normal(size=(9, 6))
    where, lowest, alone = made.least_beside((quantity, instrument), risk, apart, pool, pools)
    plain = made.least((quantity, instrument), risk, pool, pools)
    assert np.array_equal(where, plain[0])
    assert np.array_equal(lowest, plain[1])
    kept = np.flatnonzero(~apart[instrument])
    rest = (quantity[kept], instrument[kept])
    assert np.array_equal(alone, made.least(rest, risk, pool[kept], pools)[1])

    series, size = rng.integers(-1, 4, 9), rng.random(9)
    found = made.net_short((quantity, instrument), (series, size, series), pool)
    own = np.flatnonzero(series[instrument] >= 0)
    named = series[instrument[own]]
    first, units = group_totals((quantity * size[instrument])[own], pool[own], named)
    short = np.flatnonzero(units < 0.0)
    expected = pool[own][first[short]], named[first[short]], -units[short]
    assert (found is None) == (rows == 0)
    assert found is None or all(map(np.array_equal, found, expected))


def test_groups_that_are_no_pools_or_too_long_are_numpys() -> None:
    made = compiled().sums
    assert made is not None
    assert made.group_rows((np.array([1, -1]), np.array([0, 0]))) is None
    sparse = np.array([1, 1_000_000] * 5), np.zeros(10, np.int64)
    assert made.group_rows(sparse) is None
    assert made.group_totals(np.zeros(10), sparse) is None
    assert made.group_totals(np.zeros(2), (np.array([1, 1]), np.array([0, 1 << 60]))) is None
    many = np.zeros(1000, np.int64), np.arange(1000), np.arange(1000.0)
    assert made.group_rows(many) is None
    assert made.group_rows((np.array([0.5, 1.5]),)) is None
    held, each = (np.ones(1000), many[0]), (many[0][:1], np.ones(1), many[0][:1])
    assert made.net_short(held, each, many[0]) is None


# Which pricer


def test_a_pricer_is_in_use_only_inside_its_block() -> None:
    assert current() is NUMPY
    with using(sums_only()), using(NUMPY):
        assert current() is NUMPY
    assert current() is NUMPY


def test_values_are_computed_once_for_books_that_share_instruments(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = exchange("generic-portfolio", 3, [5])
    whole = under(NUMPY, written, "generic-portfolio")
    calls = []
    plain = black.price_unchecked

    def counted(*columns: Any) -> FloatArray:
        calls.append(columns)
        return plain(*columns)

    monkeypatch.setattr(black, "price_unchecked", counted)
    with using(replace(NUMPY, known={})):
        again = [whole.model.margin(whole.book) for _ in range(3)]
        part = whole.model.margin(whole.book.restricted(np.flatnonzero(whole.book.pool == 1))[0])
    assert len(calls) == 2  # now, and under the scenarios
    for result in again:
        assert np.array_equal(result.maintenance, whole.result.maintenance)
    assert part.maintenance[1] == whole.result.maintenance[1]


def test_books_that_share_instruments_are_screened(monkeypatch: pytest.MonkeyPatch) -> None:
    model = "generic-portfolio"
    written = exchange(model, 40, [31])
    alone = under(compiled(), written, model)
    calls = []

    def counted(*given: Any) -> None:
        calls.append(given)
        screen.screened(*given)

    monkeypatch.setattr(sums, "screened", counted)
    with using(replace(compiled(), known={})):
        shared = alone.model.margin(alone.book)
    assert len(calls) == 1
    assert shared.worst is not None
    assert alone.result.worst is not None
    assert np.array_equal(shared.worst.scenario, alone.result.worst.scenario)
    for name, component in alone.result.components.items():
        assert np.array_equal(shared.components[name], component)


def test_a_missing_numba_is_an_error_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from margincalc.errors import MissingExtraError

    for name in ("black", "groups"):
        monkeypatch.delattr(kernels, name, raising=False)
        monkeypatch.delitem(sys.modules, f"margincalc.kernels.{name}", raising=False)
    monkeypatch.delitem(sys.modules, "margincalc.kernels._jit", raising=False)
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'margincalc\[scale\]'"):
        compiled()
