"""What `hedge` says: words for what cannot be done, limits kept, and every mode and account."""

import json
import math
from typing import Any

import pytest

import margincalc as mc
from margincalc.assembly.pools import MODES, Mode
from margincalc.assembly.what_if import what_if
from margincalc.errors import InputError
from margincalc.portfolio import Quote
from margincalc.report import render
from margincalc.report.screen import Screen
from tests.cli import ROOT
from tests.hedge import EXPIRY, after, strangle, trades

SAMPLES = ROOT / "sample_portfolios"
CALL = f"BTC-{EXPIRY}-110000-C"
NONE = mc.Limits(deposit=0.0)


def reasons(**limits: Any) -> str:
    """Return why a strangle has no hedge under limits."""
    (pool,) = mc.hedge(strangle(), limits=mc.Limits(**limits)).pools
    assert not pool.feasible
    return "; ".join(pool.reasons)


def test_what_is_missing_is_said_with_the_limit_in_the_way() -> None:
    said = reasons(deposit=100.0, size=0.1)
    assert "more of equity is missing" in said
    assert "at the present market" in said
    assert "without the limit on the deposit there is an answer" in said
    assert "without the limit on the size of trades there is an answer" in said


def test_limits_that_contradict_each_other_are_named() -> None:
    said = reasons(vega=1.0, size=0.1)
    assert "no trades keep to the limit on vega" in said
    limits = mc.Limits(deposit=0.0, budget=0.0, size=0.1)
    (pool,) = mc.hedge(strangle(), limits=limits, candidates=["BTC-PERPETUAL"]).pools
    assert any("several limits" in reason for reason in pool.reasons)


def test_candidates_that_cannot_help_are_said_to() -> None:
    far = mc.hedge(strangle(), limits=NONE, candidates=["BTC-PERPETUAL"])
    (pool,) = far.pools
    assert not far.feasible
    assert far.after is None
    assert pool.missing is not None
    assert pool.nearest
    assert far.to_dict()["feasible"] is False


def test_limits_are_kept() -> None:
    book = strangle()
    free = mc.hedge(book, limits=NONE)
    assert free.feasible
    held = mc.hedge(book, limits=NONE._replace(delta=0.2, new_shorts=False, size=8.0, vega=2.0e5))
    assert held.after is not None
    assert abs(held.after.greeks["BTC"].delta) <= 0.2 + 1e-6
    assert abs(held.after.greeks["BTC"].vega) <= 2.0e5 * (1.0 + 1e-9)
    assert max(abs(size) for size in trades(held).values()) <= 8.0
    assert held.total_cost >= free.total_cost
    budget = mc.hedge(book, limits=mc.Limits(budget=12_000.0))
    assert budget.feasible
    paid = sum(trade.premium + trade.cost for trade in budget.trades) + budget.deposit
    assert paid <= 12_000.0 * (1.0 + 1e-9)


@pytest.mark.parametrize("model", ["generic-portfolio", "deribit-pm"])  # a programme, a search
@pytest.mark.parametrize("more", [2_500.0, 10_000.0])
def test_a_budget_pays_tickets_too(model: str, more: float) -> None:
    def paid(ticket: float, budget: float) -> float:
        """Return what the trades of an answer cost in all, nothing where there is none."""
        limits, aim = mc.Limits(budget=budget, size=20.0, deposit=0.0), mc.Aim(target=0.7)
        costs = mc.Costs(ticket=ticket)
        found = mc.hedge(strangle(80_000.0), limits=limits, costs=costs, aim=aim, model=model)
        return sum(trade.premium + trade.cost for trade in found.trades)

    budget = paid(0.0, math.inf) + more
    whole = paid(2_000.0, budget)
    assert whole <= budget * (1.0 + 1e-9)
    assert whole > 0.0 or (model == "deribit-pm" and more == 2_500.0)


def test_a_budget_that_tickets_use_up_is_named() -> None:
    limits = mc.Limits(budget=25_000.0, size=20.0, deposit=0.0, new_shorts=False)
    assert mc.hedge(strangle(), limits=limits._replace(budget=40_000.0)).feasible
    (pool,) = mc.hedge(strangle(), limits=limits, costs=mc.Costs(ticket=24_000.0)).pools
    assert not pool.feasible
    assert "without the budget there is an answer" in pool.reasons


def test_lots_of_the_file_are_kept() -> None:
    report = mc.hedge(strangle(lot=0.25), limits=NONE)
    assert report.feasible
    assert all(size % 0.25 == 0.0 for size in trades(report).values())


def test_quoted_prices_are_costs() -> None:
    book = strangle()
    mark = next(trade for trade in mc.hedge(book, limits=NONE).trades if trade.instrument == CALL)
    quoted = book.model_copy(
        update={
            "quotes": {
                CALL: Quote(volatility=0.6, bid=mark.mark_price - 10.0, ask=mark.mark_price + 30.0)
            }
        }
    )
    report = mc.hedge(quoted, limits=NONE)
    trade = next(trade for trade in report.trades if trade.instrument == CALL)
    assert trade.quantity > 0.0
    assert trade.cost == pytest.approx(30.0 * trade.quantity, rel=1e-9)


def test_initial_margin_can_be_asked_for() -> None:
    book = strangle()
    plain = mc.hedge(book)
    both = mc.hedge(book, aim=mc.Aim(initial=1.0))
    assert plain.after is not None
    assert both.after is not None
    assert both.after.initial_margin <= both.after.equity
    assert plain.after.initial_margin > plain.after.equity
    assert both.total_cost >= plain.total_cost


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "name", ["isolated_perpetuals", "two_venues", "btc_covered_call_inverse", "us_equity_options"]
)
def test_every_mode_and_account(name: str, mode: Mode) -> None:
    portfolio = mc.load(SAMPLES / f"{name}.yaml")
    report = mc.hedge(portfolio, aim=mc.Aim(target=0.2), mode=mode)
    assert report.feasible
    assert report.after is not None
    for pool in report.after.pools:
        if any(own.pool == pool.pool for own in report.pools):
            assert pool.maintenance_margin <= 0.2 * pool.equity * (1.0 + 1e-9)
    json.dumps(report.to_dict(), allow_nan=False)
    for width in (80, 200):
        lines = render(report, "table", Screen(width)).splitlines()
        assert max(map(len, lines)) <= width
    assert render(report, "csv").startswith("level,name,account")


def test_nothing_is_done_where_nothing_is_wrong() -> None:
    report = mc.hedge(strangle(1e6))
    (pool,) = report.pools
    assert (pool.method, pool.trades, report.total_cost) == ("none needed", (), 0.0)


def test_what_if_comes_first() -> None:
    changes = what_if(spot=("+5%",))
    moved = mc.hedge(strangle(150_000.0), changes=changes)
    assert moved.before.equity == mc.margin(strangle(150_000.0), changes=changes).equity
    assert moved.feasible


def test_the_answer_can_be_written_down() -> None:
    book = strangle(settlement="inverse")
    report = mc.hedge(book, limits=NONE)
    again = mc.margin(after(book, report))
    assert report.after is not None
    assert again.equity == pytest.approx(report.after.equity, rel=1e-12)
    assert again.margin_ratio == pytest.approx(report.after.margin_ratio, rel=1e-9)


@pytest.mark.parametrize("cost", [math.inf, math.nan, -1.0])
@pytest.mark.parametrize("name", mc.Costs._fields)
def test_costs_are_amounts(name: str, cost: float) -> None:
    said = f"--.*{name.partition('_')[2] or name}.*\n    found {cost:g}; wanted a number from 0"
    with pytest.raises(InputError, match=said):
        mc.hedge(strangle(), costs=mc.Costs(**{name: cost}))


def test_tickets_without_a_size_ask_for_one() -> None:
    with pytest.raises(InputError, match="--max-size"):
        mc.hedge(strangle(), costs=mc.Costs(ticket=10.0), limits=NONE)


def test_strikes_are_added_or_said_to_be_unpriced() -> None:
    report = mc.hedge(strangle(), limits=NONE, strikes=[120_000.0])
    assert report.pools[0].candidates > mc.hedge(strangle(), limits=NONE).pools[0].candidates
    assert not report.notes
    sample = mc.load(SAMPLES / "btc_short_strangle.yaml")
    (note,) = mc.hedge(sample, strikes=[120_000.0]).notes
    assert "120000" in note


def test_a_reduction_is_found_where_rules_have_no_form() -> None:
    report = mc.hedge(strangle(150_000.0), aim=mc.Aim(target=0.2), model="deribit-sm")
    (pool,) = report.pools
    assert pool.method == "local search"
    assert pool.reduction_alone is not None
    assert pool.total_cost <= pool.reduction_alone.cost * (1.0 + 1e-9)


def test_a_deposit_beyond_the_limits_says_so() -> None:
    limits = mc.Limits(deposit=1_000.0, delta=0.5)
    (pool,) = mc.hedge(strangle(), aim=mc.Aim(target=0.5), limits=limits).pools
    assert pool.deposit_alone is not None
    assert pool.deposit_alone.deposit > 1_000.0
    assert "deposit" in pool.deposit_alone.beyond
    (free,) = mc.hedge(strangle(), aim=mc.Aim(target=0.5)).pools
    assert free.deposit_alone is not None
    assert free.deposit_alone.beyond == ()


def test_what_only_adds_leaves_a_bound_that_is_worth_something() -> None:
    """The liquidity add-on has no linear form, and the scan below it bounds what a cure costs."""
    sizes = ('liquidity.rule="impact"', "liquidity.volume=20000.0")
    report = mc.hedge(strangle(), aim=mc.Aim(target=0.5), settings=sizes)
    (pool,) = report.pools
    assert pool.method == "local search"
    assert pool.bound is not None
    assert 0.5 * pool.total_cost < pool.bound <= pool.total_cost


def test_an_account_of_orders_alone_needs_nothing() -> None:
    content = {
        "as_of": "2026-11-20T08:00:00Z",
        "market": {"BTC": {"spot": 100_000.0}},
        "orders": [{"instrument": "BTC-PERPETUAL", "quantity": 1.0, "price": 90_000.0}],
    }
    report = mc.hedge(mc.Portfolio.model_validate(content))
    assert [pool.method for pool in report.pools] == ["none needed"]
    assert report.after is not None
    assert (report.after.equity, report.after.maintenance_margin) == (0.0, 0.0)


def test_a_ticket_is_paid_from_equity() -> None:
    limits = mc.Limits(size=3.0, deposit=0.0)
    report = mc.hedge(strangle(140_000.0), costs=mc.Costs(ticket=500.0), limits=limits)
    (pool,) = report.pools
    assert pool.trades
    assert report.after is not None
    paid = report.before.equity - report.after.equity
    assert paid == pytest.approx(pool.trade_cost, rel=1e-9)
    assert pool.trade_cost >= 500.0 * len(pool.trades)
    assert report.after.margin_ratio is not None
    assert report.after.margin_ratio <= 0.9 * (1.0 + 1e-9)


def test_what_is_sold_repays_a_debt_of_the_account() -> None:
    """Selling shares on margin takes the interest margin of the loan with it, as `--close` does."""
    portfolio = mc.load(SAMPLES / "us_equity_options.yaml")
    limits = mc.Limits(deposit=0.0)
    report = mc.hedge(portfolio, aim=mc.Aim(target=0.1), limits=limits)
    (pool,) = report.pools
    assert pool.trades
    assert report.after is not None
    trades = [f"{trade.instrument} {trade.quantity!r}" for trade in pool.trades]
    again = mc.margin(portfolio, changes=mc.what_if(add=trades))
    assert report.after.maintenance_margin == pytest.approx(again.maintenance_margin, rel=1e-9)
