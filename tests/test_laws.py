"""What must hold of every margin, whatever the account."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import margincalc as mc
from margincalc.answers.account import Account
from margincalc.answers.statement import margin_report
from margincalc.assembly.pools import MODES, Mode
from margincalc.liquidation.moved import excess_at
from margincalc.liquidation.nearest import NEAR, nearest
from margincalc.portfolio import Portfolio
from margincalc.risk import equity, now
from tests import oracle
from tests.books import (
    ANY,
    CARRIED,
    WITH_POOLS,
    Style,
    margined,
    plain,
    portfolio,
    portfolios,
    written,
)

MODELS = ("generic-portfolio", "generic-standard")
SHARED: tuple[Mode, ...] = ("cross", "portfolio")
Floats = npt.NDArray[np.float64]
every_model = pytest.mark.parametrize("model", MODELS)
every_mode = pytest.mark.parametrize("mode", MODES)
shared_modes = pytest.mark.parametrize("mode", SHARED)


def gross(book: Portfolio) -> float:
    """Return the size against which rounding is measured."""
    return oracle.account_of(plain(book), "cross").gross()


def rebuilt(book: Portfolio, **changes: Any) -> Portfolio:
    """Return a portfolio with parts replaced, read again."""
    return Portfolio.model_validate(plain(book) | changes)


def figures(account: Account) -> dict[str, dict[str, float]]:
    """Return equity and every component of each pool, by the pool's name."""
    result = account.result
    columns = {"equity": result.equity}
    columns |= {f"maintenance {name}": part for name, part in result.components.items()}
    columns |= {f"initial {name}": part for name, part in result.initial_components.items()}
    return {
        pool: {name: float(column[number]) for name, column in columns.items()}
        for number, pool in enumerate(account.book.names.pools)
    }


def assert_close(
    found: dict[str, dict[str, float]], expected: dict[str, dict[str, float]], scale: float
) -> None:
    assert found.keys() == expected.keys()
    for pool, columns in expected.items():
        assert found[pool] == pytest.approx(columns, rel=0.0, abs=1e-11 * scale)


# What a report says


@every_model
@every_mode
@given(book=portfolios(WITH_POOLS))
def test_components_sum_to_the_requirement(book: Portfolio, mode: Mode, model: str) -> None:
    report = margin_report(margined(book, mode, model))
    for figures in (report, *report.pools):
        scale = max(1.0, figures.initial_margin)
        for parts, whole in (
            (figures.components, figures.maintenance_margin),
            (figures.initial_components, figures.initial_margin),
        ):
            assert math.fsum(parts.values()) == pytest.approx(whole, rel=0.0, abs=1e-9 * scale)
            # Deposits may offset what the positions would lose; nothing else is negative.
            positive = {name: amount for name, amount in parts.items() if name != "wrong_way"}
            assert all(amount >= -1e-9 * scale for amount in positive.values())
            way = parts.get("wrong_way", 0.0)
            assert way >= -parts.get("scenario_loss", 0.0) - 1e-9 * scale


@every_model
@every_mode
@given(book=portfolios(WITH_POOLS))
def test_ratio_and_status_follow_from_the_amounts(book: Portfolio, mode: Mode, model: str) -> None:
    report = margin_report(margined(book, mode, model))
    for pool in report.pools:
        if pool.equity <= 0.0:
            assert pool.margin_ratio is None
        else:
            assert pool.margin_ratio == pool.maintenance_margin / pool.equity
        assert pool.excess == pool.equity - pool.maintenance_margin
        assert pool.available_funds == pool.equity - pool.initial_margin
        if pool.status == "liquidatable":
            assert pool.excess < 0.0 or pool.equity <= 0.0 < pool.maintenance_margin
        else:
            assert pool.excess >= 0.0
            short = pool.available_funds < -1e-12 * pool.initial_margin
            assert pool.status == ("restricted" if short else "healthy")
    order = ("healthy", "restricted", "liquidatable")
    ratios = [pool.margin_ratio for pool in report.pools]
    assert report.status == max((pool.status for pool in report.pools), key=order.index)
    known = [ratio for ratio in ratios if ratio is not None]
    assert report.margin_ratio == (max(known) if len(known) == len(ratios) else None)


@given(book=portfolios(Style(pools=True, positions=3, underlyings=2)), mode=st.sampled_from(MODES))
def test_no_report_holds_what_is_no_number(book: Portfolio, mode: Mode) -> None:
    reports = (
        mc.margin(book, mode=mode),
        mc.greeks(book, mode=mode),
        mc.check(book, mode=mode),
        mc.compare(book),
        mc.scenarios(book),
    )
    for report in reports:
        json.dumps(report.to_dict(), allow_nan=False)


@every_model
@given(book=portfolios(WITH_POOLS))
def test_isolated_pools_sum_to_the_account(book: Portfolio, model: str) -> None:
    isolated = margin_report(margined(book, "isolated", model))
    cross = margin_report(margined(book, "cross", model))
    scale = gross(book)
    before_limits = isolated.equity - isolated.shortfall
    assert before_limits == pytest.approx(cross.equity, rel=0.0, abs=1e-11 * scale)
    for pool in isolated.pools:
        parts = pool.collateral_value + pool.option_value + pool.spot_value + pool.unrealised
        assert pool.equity - pool.shortfall == pytest.approx(parts, rel=0.0, abs=1e-11 * scale)
        if not pool.pool.endswith("unallocated"):
            assert pool.equity >= 0.0
            assert pool.shortfall >= 0.0
            assert pool.shortfall == 0.0 or pool.equity == 0.0
            if pool.worst_scenario is not None:
                assert pool.worst_scenario.pnl >= -pool.equity


# One account is the exchange with one account


def exchange(rng: Random, accounts: int) -> tuple[Portfolio, list[str]]:
    """Draw one portfolio of many venues, each of which stands for an account, in one market."""
    style = Style(underlyings=3, positions=40, coin=False)
    base = written(rng, style)
    pool = base["positions"]
    names = [f"account {number}" for number in range(accounts)]
    positions, deposits = [], []
    for name in names:
        for held in rng.sample(pool, min(rng.randint(1, 5), len(pool))):
            scaled = held["quantity"] * rng.uniform(-2.0, 2.0)
            positions.append(held | {"quantity": scaled, "venue": name})
        for _ in range(rng.randint(1, 4)):
            deposit = rng.choice(base["collateral"])
            scaled = abs(deposit["quantity"]) * rng.uniform(0.01, 0.4)
            deposits.append(deposit | {"quantity": scaled, "venue": name})
    whole = base | {"positions": positions, "collateral": deposits}
    return Portfolio.model_validate(whole), names


def alone(whole: Portfolio, name: str) -> Portfolio:
    """Return the file that one account of an exchange would write."""
    return whole.model_copy(
        update={
            "account": name,
            "positions": tuple(held for held in whole.positions if held.venue == name),
            "collateral": tuple(held for held in whole.collateral if held.venue == name),
        }
    )


def exact(account: Account, pool: int) -> list[Any]:
    """Return every number of a pool, for comparison to the last bit."""
    result = account.result
    columns = [result.equity, *result.components.values(), *result.initial_components.values()]
    numbers: list[Any] = [float(column[pool]) for column in columns]
    if result.worst is not None:
        mine = result.worst.pool == pool
        worst = result.worst
        for column in (worst.underlying, worst.scenario, worst.pnl):
            numbers += column[mine].tolist()
        numbers += worst.by_position()[account.book.pool == pool].tolist()
    return numbers


@every_model
@every_mode
def test_an_account_equals_its_row_among_a_thousand_exactly(mode: Mode, model: str) -> None:
    whole, names = exchange(Random(7), 1000)
    together = margined(whole, mode, model)
    row = {name: number for number, name in enumerate(together.book.names.pools)}
    assert len(row) >= len(names)
    for name in names[:: 1 if (mode, model) == ("portfolio", "generic-portfolio") else 20]:
        single = margined(alone(whole, name), mode, model)
        for number, pool in enumerate(single.book.names.pools):
            assert exact(single, number) == exact(together, row[pool]), pool


@every_model
@every_mode
def test_the_order_of_accounts_is_irrelevant_exactly(mode: Mode, model: str) -> None:
    whole, names = exchange(Random(8), 200)
    shuffled = Random(9).sample(names, len(names))
    parts = [alone(whole, name) for name in shuffled]
    other = whole.model_copy(
        update={
            "positions": tuple(held for part in parts for held in part.positions),
            "collateral": tuple(held for part in parts for held in part.collateral),
        }
    )
    one, two = margined(whole, mode, model), margined(other, mode, model)
    row = {name: number for number, name in enumerate(two.book.names.pools)}
    for number, name in enumerate(one.book.names.pools):
        assert exact(one, number) == exact(two, row[name])


def equities(rng: Random, accounts: int) -> Portfolio:
    """Draw accounts of listed American options, of stocks with other numbers of dividends."""
    dates = ("2026-12-01", "2027-01-15", "2027-02-20")
    market = {
        name: {
            "spot": 100.0 + 10.0 * count,
            "rate": 0.05,
            "volatility": 0.4,
            "dividends": [{"date": date, "amount": 1.0} for date in dates[:count]],
        }
        for count, name in enumerate(("AAA", "BBB", "CCC", "DDD"))
    }
    positions = [
        {
            "instrument": f"{rng.choice('ABCD') * 3:<6}270319{rng.choice('CP')}{strike:05d}000",
            "quantity": float(rng.choice([-3, -2, -1, 1, 2])),
            "venue": f"account {number}",
        }
        for number in range(accounts)
        for strike in rng.sample(range(80, 140, 5), 3)
    ]
    as_of = "2026-11-20T08:00:00Z"
    return Portfolio.model_validate({"as_of": as_of, "market": market, "positions": positions})


def test_an_account_of_american_options_equals_its_row_exactly() -> None:
    whole = equities(Random(3), 12)
    together = margined(whole)
    for number, name in enumerate(together.book.names.pools):
        assert exact(margined(alone(whole, name)), 0) == exact(together, number)


@every_model
def test_liquidation_prices_are_those_of_the_account_alone_exactly(model: str) -> None:
    whole, _ = exchange(Random(11), 25)
    together = margined(whole, "cross", model)
    prices = nearest(together.book, together.model)
    for number, name in enumerate(together.book.names.pools):
        single = margined(alone(whole, name), "cross", model)
        own = nearest(single.book, single.model)
        mine = prices.pool == number
        np.testing.assert_array_equal(prices.below[mine], own.below)
        np.testing.assert_array_equal(prices.above[mine], own.above)


# What a file may say in another way


@every_model
@shared_modes
@given(book=portfolios(), order=st.randoms(use_true_random=False))
def test_the_order_of_positions_is_irrelevant(
    book: Portfolio, order: Random, mode: Mode, model: str
) -> None:
    file = plain(book)
    for section in ("positions", "collateral"):
        file[section] = order.sample(file[section], len(file[section]))
    other = Portfolio.model_validate(file)
    expected = figures(margined(book, mode, model))
    assert_close(figures(margined(other, mode, model)), expected, gross(book))


@every_model
@every_mode
@given(book=portfolios(WITH_POOLS), share=st.floats(0.05, 0.95))
def test_splitting_a_position_changes_nothing(
    book: Portfolio, share: float, mode: Mode, model: str
) -> None:
    file = plain(book)
    first, *others = file["positions"]
    sums = ("quantity", "unsettled", "isolated_margin")
    halves = [
        first | {key: first[key] * part for key in sums if first[key] is not None}
        for part in (share, 1.0 - share)
    ]
    other = rebuilt(book, positions=[*halves, *others])
    expected = figures(margined(book, mode, model))
    assert_close(figures(margined(other, mode, model)), expected, gross(book))


def scaled(book: Portfolio, factor: float) -> Portfolio:
    """Return an account with more of everything that it holds."""
    file = plain(book)
    keys = ("quantity", "unsettled", "isolated_margin", "cap")
    for section in ("positions", "collateral"):
        for held in file[section]:
            held.update({key: held[key] * factor for key in keys if held.get(key) is not None})
            for tier in held.get("tiers", ()):
                tier["up_to"] = tier["up_to"] and tier["up_to"] * factor
    return Portfolio.model_validate(file)


@every_model
@every_mode
@given(book=portfolios(WITH_POOLS), factor=st.floats(0.01, 50.0))
def test_margins_grow_with_the_account(
    book: Portfolio, factor: float, mode: Mode, model: str
) -> None:
    expected = {
        pool: {name: amount * factor for name, amount in columns.items()}
        for pool, columns in figures(margined(book, mode, model)).items()
    }
    found = figures(margined(scaled(book, factor), mode, model))
    assert_close(found, expected, gross(book) * factor)


@given(book=portfolios(WITH_POOLS), power=st.integers(-6, 6), mode=st.sampled_from(MODES))
def test_margins_grow_exactly_by_powers_of_two(book: Portfolio, power: int, mode: Mode) -> None:
    expected = {
        pool: {name: amount * 2.0**power for name, amount in columns.items()}
        for pool, columns in figures(margined(book, mode, MODELS[0])).items()
    }
    assert figures(margined(scaled(book, 2.0**power), mode, MODELS[0])) == expected


# What more positions and more scenarios do


@every_model
@given(book=portfolios(), cut=st.integers(0, 6))
def test_netting_never_costs(book: Portfolio, cut: int, model: str) -> None:
    file = plain(book)
    assume(len(file["positions"]) > 1)
    cut %= len(file["positions"])
    one = rebuilt(book, positions=file["positions"][:cut], collateral=[])
    two = rebuilt(book, positions=file["positions"][cut:], collateral=[])
    both = rebuilt(book, collateral=[])
    parts = [margined(part, "cross", model).result.maintenance.sum() for part in (one, two)]
    together = margined(both, "cross", model).result.maintenance.sum()
    assert together <= sum(parts) + 1e-11 * gross(both)


@given(
    book=portfolios(),
    spot=st.lists(st.floats(-0.9, 3.0), max_size=4),
    volatility=st.lists(st.floats(-0.9, 3.0), max_size=2),
)
def test_more_scenarios_never_lower_a_scan(
    book: Portfolio, spot: Sequence[float], volatility: Sequence[float]
) -> None:
    fewer = margined(book, settings=["grid.spot=[-0.1, 0.1]", "grid.volatility=[0.0]"])
    more = margined(
        book,
        settings=[
            f"grid.spot=[-0.1, 0.1, {', '.join(map(repr, spot))}]",
            f"grid.volatility=[0.0, {', '.join(map(repr, volatility))}]",
        ],
    )
    # The loss is split into what deposits add and the rest, and the two sum to it but for rounding.
    slack = 1e-13 * gross(book)
    assert np.all(more.result.maintenance >= fewer.result.maintenance - slack)


# Liquidation prices


SIMPLE = Style(positions=2, underlyings=2, days=(30, 60, 120))


@every_model
@given(book=portfolios(ANY))
def test_at_a_liquidation_price_the_excess_is_nothing_and_turns(
    book: Portfolio, model: str
) -> None:
    account = margined(book, "cross", model)
    prices = nearest(account.book, account.model)
    scale = gross(book)
    for number, pool in enumerate(prices.pool):
        underlying = prices.underlying[number]
        for price in (prices.below[number], prices.above[number]):
            if math.isnan(price):
                continue
            at = price / account.book.spot[underlying]
            steps = at * np.array([1.0 - 1e-6, 1.0, 1.0 + 1e-6])
            left, here, right = excess_along(account, int(pool), int(underlying), steps)
            assert abs(here) <= 1e-11 * scale * max(at, 1.0)
            slack = 1e-11 * scale * max(at, 1.0)
            assert min(left, right) <= slack
            assert max(left, right) >= -slack


@every_model
@given(book=portfolios(SIMPLE))
def test_no_crossing_lies_between_spot_and_the_nearest_prices(book: Portfolio, model: str) -> None:
    account = margined(book, "cross", model)
    prices = nearest(account.book, account.model)
    slack = 1e-11 * gross(book)
    for number, pool in enumerate(prices.pool):
        underlying = int(prices.underlying[number])
        spot = account.book.spot[underlying]
        below, above = prices.below[number] / spot, prices.above[number] / spot
        # Beyond, the nodes of the ladder are far apart, and two crossings may hide between them.
        low = np.nanmax([NEAR[0], below * (1.0 + 1e-9)])
        high = np.nanmin([NEAR[-1], above * (1.0 - 1e-9)])
        steps = np.concatenate([np.geomspace(low, 1.0, 60), np.geomspace(1.0, high, 60)])
        found = excess_along(account, int(pool), underlying, steps)
        here = found[60] >= -slack
        assert np.all(found >= -slack) if here else np.all(found <= slack)


def excess_along(account: Account, pool: int, underlying: int, steps: Floats) -> Floats:
    """Return the excess of a pool at multiples of one spot."""
    moves = np.ones((len(steps), len(account.book.spot)))
    moves[:, underlying] = steps
    return excess_at(account.book, account.model, np.full(len(steps), pool), moves)


# Greeks


SPREAD = replace(ANY, days=(7, 14, 30, 60, 365))
PLAIN = replace(CARRIED, days=(7, 14, 30, 60, 365))


def sums(account: Account, greek: str) -> dict[str, float]:
    """Return a Greek by underlying, over all pools."""
    report = margin_report(account)
    return {name: float(getattr(line, greek)) for name, line in report.greeks.items()}


def worth(account: Account, factor: Floats | None = None) -> float:
    """Return the equity of all pools, with spots multiplied."""
    book = account.book if factor is None else account.book.shifted(factor)
    return float(np.sum(equity(book, now(book))))


@given(book=portfolios(SPREAD))
def test_delta_and_gamma_are_differences_in_spot(book: Portfolio) -> None:
    account = margined(book, "cross")
    delta, gamma = sums(account, "delta"), sums(account, "gamma")
    scale = gross(book)
    for number, name in enumerate(account.book.names.underlyings):
        spot, points = account.book.spot[number], []
        for step in (-2, -1, 0, 1, 2):
            factor = np.ones(len(account.book.spot))
            factor[number] += step * 1e-3
            points.append(worth(account, factor))
        width = spot * 1e-3
        slope = (points[0] - 8 * points[1] + 8 * points[3] - points[4]) / (12 * width)
        bend = -points[0] + 16 * points[1] - 30 * points[2] + 16 * points[3] - points[4]
        assert delta.get(name, 0.0) == pytest.approx(slope, rel=1e-5, abs=1e-7 * scale / spot)
        expected = bend / (12 * width**2)
        assert gamma.get(name, 0.0) == pytest.approx(expected, rel=1e-4, abs=1e-5 * scale / spot**2)


@given(book=portfolios(SPREAD))
def test_vega_is_a_difference_in_volatility(book: Portfolio) -> None:
    account = margined(book, "cross")
    columns = account.book.instruments
    vega = sums(account, "vega")
    for number, name in enumerate(account.book.names.underlyings):
        ends = []
        for step in (-1e-4, 1e-4):
            moved = columns.volatility + np.where(columns.underlying == number, step, 0.0)
            shifted = replace(account.book, instruments=replace(columns, volatility=moved))
            ends.append(float(np.sum(equity(shifted, now(shifted)))))
        expected = (ends[1] - ends[0]) / 2e-4
        assert vega.get(name, 0.0) == pytest.approx(expected, rel=1e-5, abs=1e-8 * gross(book))


@given(book=portfolios(PLAIN))
def test_theta_is_what_a_minute_brings(book: Portfolio) -> None:
    file = plain(book)
    ends = []
    for seconds in (-60.0, 60.0):
        moment = file["as_of"].timestamp() + seconds
        later = rebuilt(book, as_of=type(file["as_of"]).fromtimestamp(moment, file["as_of"].tzinfo))
        ends.append(worth(margined(later, "cross")))
    expected = (ends[1] - ends[0]) / (120.0 / (365.0 * 86400.0))
    theta = math.fsum(sums(margined(book, "cross"), "theta").values())
    assert theta == pytest.approx(expected, rel=1e-5, abs=1e-7 * gross(book))


@given(book=portfolios(PLAIN))
def test_rho_is_a_difference_in_the_rate(book: Portfolio) -> None:
    rho = sums(margined(book, "cross"), "rho")
    for name in book.market:
        ends = []
        for step in (-1e-5, 1e-5):
            market = plain(book)["market"]
            market[name]["rate"] += step
            ends.append(worth(margined(rebuilt(book, market=market), "cross")))
        expected = (ends[1] - ends[0]) / 2e-5
        assert rho.get(name, 0.0) == pytest.approx(expected, rel=1e-5, abs=1e-8 * gross(book))


@every_mode
def test_greeks_of_pools_and_expiries_sum_to_the_account(mode: Mode) -> None:
    for seed in range(20):
        report = margin_report(margined(portfolio(Random(seed), WITH_POOLS), mode))
        for name, whole in report.greeks.items():
            for greek in ("delta", "gamma", "vega", "theta", "rho"):
                expiries = report.greeks_by_expiry[name].values()
                pools = [pool.greeks[name] for pool in report.pools if name in pool.greeks]
                for parts in (expiries, pools):
                    numbers = [float(getattr(part, greek)) for part in parts]
                    size = math.fsum(abs(number) for number in numbers)
                    expected = pytest.approx(getattr(whole, greek), rel=0.0, abs=1e-10 * size)
                    assert math.fsum(numbers) == expected
