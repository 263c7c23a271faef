"""What holds of every hedge: it holds, it is no dearer than its parts, and HiGHS is not alone."""

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import margincalc as mc
from benchmarks.accounts import EXPRESSED
from margincalc.answers.margining import Rules, rules_of
from margincalc.arrays import FloatArray
from margincalc.assembly.assemble import assemble
from margincalc.assembly.pools import labels
from margincalc.book import Book
from margincalc.hedge.aims import Request
from margincalc.hedge.catalogue import catalogue
from margincalc.hedge.cure import cure
from margincalc.hedge.optimum import Optimum
from margincalc.hedge.problem import Problem, problem_of
from margincalc.hedge.programme import Programme
from margincalc.hedge.trial import shortage
from margincalc.margin.forms import LinearForm
from tests.books import Style, portfolios
from tests.hedge import EXPIRY, after, strangle
from tests.proving import PROVE

NAMED = Style(underlyings=2, positions=4, marks=False)
"""Accounts whose instruments all have names, so that answers can be written down."""

QUICK = settings(
    max_examples=200 if PROVE else 8,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def tight(portfolio: mc.Portfolio, model: str) -> float:
    """Return a target that the account misses by a third."""
    report = mc.margin(portfolio, model=model, mode="portfolio")
    assume(report.margin_ratio is not None and 0.01 < report.margin_ratio < 5.0)
    assume(all(isinstance(position.instrument, str) for position in portfolio.positions))
    return 0.75 * float(report.margin_ratio or 0.0)


@pytest.mark.parametrize("model", ["generic-portfolio", "generic-standard"])
@QUICK
@given(portfolio=portfolios(NAMED))
def test_the_answer_holds_when_it_is_written_down(model: str, portfolio: mc.Portfolio) -> None:
    target = tight(portfolio, model)
    report = mc.hedge(portfolio, aim=mc.Aim(target=target), model=model, mode="portfolio")
    assert report.feasible
    again = mc.margin(after(portfolio, report), model=model, mode="portfolio")
    assert report.after is not None
    assert again.maintenance_margin <= target * again.equity * (1.0 + 1e-9)
    assert again.equity == pytest.approx(report.after.equity, rel=1e-9)
    assert again.maintenance_margin == pytest.approx(report.after.maintenance_margin, rel=1e-9)


@pytest.mark.parametrize("model", ["generic-portfolio", "generic-standard"])
@QUICK
@given(portfolio=portfolios(NAMED))
def test_it_costs_no_more_than_deposit_or_reduction(model: str, portfolio: mc.Portfolio) -> None:
    target = tight(portfolio, model)
    report = mc.hedge(portfolio, aim=mc.Aim(target=target), model=model, mode="portfolio")
    (pool,) = report.pools
    slack = 1e-6 * max(1.0, pool.total_cost)
    assert pool.deposit_alone is not None
    assert pool.total_cost <= pool.deposit_alone.cost + slack
    if pool.reduction_alone is not None:
        assert pool.total_cost <= pool.reduction_alone.cost + slack


@QUICK
@given(portfolio=portfolios(NAMED), kept=st.integers(0, 3))
def test_more_candidates_never_cost_more(portfolio: mc.Portfolio, kept: int) -> None:
    aim = mc.Aim(target=tight(portfolio, "generic-portfolio"))
    every = [str(position.instrument) for position in portfolio.positions]
    some = mc.hedge(portfolio, aim=aim, candidates=every[: kept + 1])
    more = mc.hedge(portfolio, aim=aim, candidates=every)
    whole = mc.hedge(portfolio, aim=aim)
    slack = 1e-6 * max(1.0, some.total_cost)
    assert whole.total_cost <= more.total_cost + slack <= some.total_cost + 2.0 * slack


def test_it_holds_over_a_whole_range() -> None:
    aim = mc.Aim(target=0.8, spot=(-0.2, 0.2), volatility=(-0.2, 0.3), nodes=5)
    problem = problem_with(strangle(), Request(aim))
    found = cure(problem)
    assert found.z is not None
    moves = aim._replace(between=16).moves(refined=True)
    equity = problem.book.spot[0]
    assert np.max(shortage(problem, found.z[None, :], moves)) < 1e-3 * equity
    tried = aim.moves(refined=True)
    assert np.max(shortage(problem, found.z[None, :], tried)) <= 0.0
    assert np.min(shortage(problem, problem.nothing[None, :], tried)) > 0.0


def problem_with(
    portfolio: mc.Portfolio, request: Request, model: str = "generic-portfolio", *more: str
) -> Problem:
    """Return the problem of an account's only pool, with what it holds as candidates."""
    venue = rules_of(portfolio, Rules("portfolio", model, more))
    label = labels("portfolio", portfolio.account)
    written = [*request.candidates] or [str(one.instrument) for one in portfolio.positions]
    found = catalogue(portfolio, label, [*written], fixed=True)
    book = assemble(portfolio, label).book
    return problem_of((book, 0, venue.model), found, request)


@pytest.mark.parametrize("ticket", [0.0, 40.0])
@settings(max_examples=100 if PROVE else 5)
@given(cash=st.integers(115_000, 160_000), lot=st.sampled_from((1.0, 0.5)))
def test_whole_lots_against_every_answer(ticket: float, cash: int, lot: float) -> None:
    names = ("BTC-PERPETUAL", f"BTC-{EXPIRY}-110000-C", f"BTC-{EXPIRY}-90000-P")
    limits = mc.Limits(deposit=0.0, size=3.0, lot=lot)
    costs = mc.Costs(ticket=ticket)
    request = Request(mc.Aim(), costs, limits, names)
    problem = problem_with(strangle(float(cash)), request)
    found = cure(problem)
    every = brute(problem, lot, 3.0)
    best = cheapest(problem, every)
    if best is None:
        assert found.method == "infeasible"
        assert found.missing is not None
        assert found.missing > 0.0
    else:
        assert found.z is not None
        assert problem.total(found.z) == pytest.approx(best, rel=1e-9)


def brute(problem: Problem, lot: float, size: float) -> list[FloatArray]:
    """Return every answer in whole lots."""
    steps = np.arange(-size, size + lot / 2.0, lot)
    found = []
    for net in product(steps, repeat=problem.candidates):
        trades = np.array(net)
        sides = [np.maximum(trades, 0.0), np.maximum(-trades, 0.0), [0.0]]
        found.append(np.concatenate(sides))
    return found


def cheapest(problem: Problem, answers: list[FloatArray]) -> float | None:
    """Return the least cost of those that hold, by margining each of them."""
    missing = np.max(shortage(problem, np.array(answers), problem.aim.moves()), axis=1)
    costs = [problem.total(z) for z, short in zip(answers, missing, strict=True) if short <= 0.0]
    return min(costs, default=None)


def test_offsets_are_solved_with_binaries(capfd: pytest.CaptureFixture[str]) -> None:
    """A charge on the smaller side is not convex; every answer in lots is tried beside it."""
    near, far = "BTC-27NOV26", "BTC-25DEC26"
    portfolio = mc.Portfolio.model_validate(
        {
            "as_of": "2026-11-20T08:00:00Z",
            "market": {"BTC": {"spot": 100_000.0}},
            "positions": [
                {"instrument": near, "quantity": 6.0},
                {"instrument": far, "quantity": -5.0},
            ],
            "collateral": [{"asset": "USD", "quantity": 30_000.0}],
        }
    )
    limits = mc.Limits(deposit=0.0, size=4.0, lot=1.0)
    request = Request(mc.Aim(target=0.7), mc.Costs(), limits, (near, far))
    more = ("charges.roll=0.02", "charges.short_options=0.01")
    problem = problem_with(portfolio, request, "thalex-pm", *more)
    programme = Programme(problem)
    programme.add(problem.aim.moves())
    assert programme.offsets
    found = cure(problem)
    best = cheapest(problem, brute(problem, 1.0, 4.0))
    assert best is not None
    assert found.z is not None
    assert found.method == "optimal"
    assert problem.total(found.z) == pytest.approx(best, rel=1e-9)
    assert capfd.readouterr().out == ""  # HiGHS has a line of its own for one of these


def test_cuts_find_what_all_rows_find() -> None:
    problem = problem_with(strangle(), Request(mc.Aim(spot=(-0.15, 0.15))))
    programme = Programme(problem)
    programme.add(problem.aim.moves())
    lazy, eager = Optimum(programme).solve(), Optimum(programme, eager=True).solve()
    assert problem.total(lazy.z) == pytest.approx(problem.total(eager.z), rel=1e-9)
    assert lazy.rows < eager.rows / 4


def test_prices_are_what_bumping_finds() -> None:
    dear = mc.Costs(deposit=1.0)
    names = ("BTC-PERPETUAL", f"BTC-{EXPIRY}-110000-C", f"BTC-{EXPIRY}-90000-P")
    costs = []
    for cash in (120_000.0, 120_001.0):
        report = mc.hedge(strangle(cash), costs=dear, candidates=names)
        costs.append((report.total_cost, report.pools[0]))
    (before, pool), (bumped, _) = costs
    assert pool.dollar == pytest.approx(before - bumped, rel=1e-4)
    assert pool.deposit == 0.0
    assert pool.scenarios


@pytest.mark.parametrize("model", ["okx-pm", "deribit-pm", "paradex-pm", "derive-pm2"])
def test_a_search_holds_and_costs_no_more(model: str) -> None:
    portfolio = strangle(90_000.0)
    rules: Any = {"model": model, "settings": EXPRESSED[model].settings}
    held = mc.margin(portfolio, **rules).margin_ratio
    assert held is not None
    target = 0.7 * held
    report = mc.hedge(portfolio, aim=mc.Aim(target=target), **rules)
    (pool,) = report.pools
    assert pool.method == "local search"
    assert pool.bound is not None
    assert 0.0 <= pool.bound <= pool.total_cost
    assert pool.not_convex
    assert pool.deposit_alone is not None
    assert pool.total_cost <= pool.deposit_alone.cost * (1.0 + 1e-9)
    again = mc.margin(after(portfolio, report), **rules)
    assert again.maintenance_margin <= target * again.equity * (1.0 + 1e-9)


def test_a_search_is_close_to_the_optimum() -> None:
    """Hide a convex model's form: the search must find nearly what the programme finds."""

    class Hidden:
        def __init__(self, model: Any) -> None:
            self.grids, self.margin, self._model = model.grids, model.margin, model

        def linear(self, book: Book) -> LinearForm:
            form: LinearForm = self._model.linear(book)
            return form._replace(worst=(), without=("all of it",))

    request = Request(mc.Aim(target=0.7), limits=mc.Limits(deposit=0.0))
    problem = problem_with(strangle(150_000.0), request)
    best = cure(problem)
    found = cure(replace(problem, model=Hidden(problem.model)))
    assert best.z is not None
    assert found.z is not None
    assert found.method == "local search"
    assert found.bound is not None
    assert found.bound <= problem.total(best.z) <= problem.total(found.z) * (1.0 + 1e-9)
    assert problem.total(found.z) <= 1.05 * problem.total(best.z)
