"""From an account and a request to the report of `hedge`."""

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from margincalc.answers.account import Account
from margincalc.answers.hedge_results import (
    DepositAlone,
    HedgePool,
    HedgeReport,
    HedgeTrade,
    ProfilePoint,
    ReductionAlone,
    ScenarioPrice,
)
from margincalc.answers.lines import mark_price
from margincalc.answers.margining import Rules, known_mode, margined
from margincalc.answers.statement import margin_report
from margincalc.arrays import FloatArray, IntArray
from margincalc.assembly.pools import labels
from margincalc.assembly.what_if import Changes, moved
from margincalc.book import Book
from margincalc.hedge.aims import Request
from margincalc.hedge.catalogue import Catalogue, catalogue, listed, named, unpriced
from margincalc.hedge.cure import Cure, cure
from margincalc.hedge.problem import Problem, problem_of, trimmed
from margincalc.hedge.trial import expressible, quantities
from margincalc.hedge.trial import margined as tried
from margincalc.liquidation.nearest import nearest
from margincalc.portfolio import Portfolio

PROFILE = 61  # points of the picture
WIDTH = 0.3  # of the picture, to either side, unless a wider range is asked for


class _Solved(NamedTuple):
    """A pool of the account with its problem and what was found."""

    pool: int
    problem: Problem
    cure: Cure


def hedge_report(portfolio: Portfolio, rules: Rules, request: Request) -> HedgeReport:
    """Find the cheapest trades and deposits that restore the target in every pool.

    Raises
    ------
    InputError
        If the portfolio, the model or the request is wrong.
    """
    request.refuse_faults()
    account = margined(portfolio, rules, liquidation=True)
    found, refused = _catalogue(account, rules.changes, request)
    solved = [
        _Solved(pool, problem, cure(problem))
        for pool, problem in _problems(account, found, request)
    ]
    pools = tuple(_pool(account, each) for each in solved)
    after = None
    if any(each.cure.z is not None for each in solved):
        after = margin_report(_after(account, found, solved))
    return HedgeReport(
        *account.heading,
        request.aim.target,
        request.aim.initial,
        request.aim.spot,
        request.aim.volatility,
        all(pool.feasible for pool in pools),
        pools,
        margin_report(account),
        after,
        account.notes + refused,
    )


def _catalogue(
    account: Account, changes: Changes, request: Request
) -> tuple[Catalogue, tuple[str, ...]]:
    """Return what may be traded, and notes on what the model refuses."""
    portfolio, mode = account.portfolio, account.mode
    label = labels(known_mode(mode), portfolio.account)
    fixed = bool(request.candidates)
    contracts = account.contracts.values()
    chosen = (
        named(portfolio, request.candidates)
        if fixed
        else listed(portfolio, contracts, request.strikes)
    )
    found = catalogue(portfolio, label, chosen, fixed)
    if changes.moves:
        assembly, book = moved(found.assembly, found.assembly.book, changes)
        found = found.in_market(assembly._replace(book=book))
    lost: set[str] = set()
    for _, problem in _problems(account, found, request):
        known = expressible(problem)
        lost |= {
            contract.name
            for contract, kept in zip(problem.contracts, known, strict=True)
            if not kept
        }
    notes = () if fixed else unpriced(found.candidates, request.strikes)
    if not lost:
        return found, notes
    kept = tuple(name for name in found.candidates if name not in lost)
    which = min(lost) if len(lost) == 1 else f"{len(lost)} candidates, such as {min(lost)}"
    note = f"{account.venue.name} has no rules for {which}"
    return found._replace(candidates=kept), (*notes, note)


def _problems(
    account: Account, found: Catalogue, request: Request
) -> Iterable[tuple[int, Problem]]:
    """Yield the problem of each pool that holds more than a deposit nobody uses."""
    for pool, key in enumerate(account.book.names.keys):
        if key.share != "unallocated":
            source = account.book, pool, account.model
            yield pool, problem_of(source, found, request)


def _after(account: Account, found: Catalogue, solved: Iterable[_Solved]) -> Account:
    """Margin the account with the answers of its pools, those that have one."""
    book = _changed(account.book, found, solved)
    result = account.model.margin(book)
    return replace(
        account,
        portfolio=found.portfolio,
        assembly=found.assembly,
        book=book,
        result=result,
        nearest=nearest(book, account.model, result=result),
    )


def _changed(book: Book, found: Catalogue, solved: Iterable[_Solved]) -> Book:
    """Return the account's book with the answers in it, of the catalogue's instruments."""
    whole = found.assembly.book
    number = {name: row for row, name in enumerate(whole.names.instruments)}
    own = [number[found.renamed.get(name, name)] for name in book.names.instruments]
    answered = {each.pool: each for each in solved if each.cure.z is not None}
    kept = [row for row in range(len(book.pool)) if int(book.pool[row]) not in answered]
    rows = [
        (int(book.pool[row]), own[book.instrument[row]], book.quantity[row], book.entry[row])
        for row in kept
    ]
    for pool, (_, problem, answer) in answered.items():
        assert answer.z is not None, "it has an answer"
        held = quantities(problem, answer.z[None, :])[0]
        names = problem.book.names.instruments
        rows += [
            (pool, number[names[problem.book.instrument[row]]], held[row], problem.book.entry[row])
            for row in np.flatnonzero(held)
        ]
    rows.sort(key=lambda row: row[:2])
    pools, instruments, amounts, entries = np.array(rows, np.float64).reshape(-1, 4).T
    ordered = np.array([own[row] for row in book.orders.instrument], np.int64)
    return trimmed(
        replace(
            whole,
            names=whole.names._replace(keys=book.names.keys),
            pool=pools.astype(np.int64),
            instrument=instruments.astype(np.int64),
            quantity=amounts,
            entry=entries,
            limited=book.limited,
            orders=book.orders._replace(instrument=ordered),
        )
    )


def _pool(account: Account, solved: _Solved) -> HedgePool:
    """Draw the report of one pool."""
    problem, found = solved.problem, solved.cure
    key = account.book.names.keys[solved.pool]
    z = problem.nothing if found.z is None else found.z
    trades = _Trades(account, problem)
    solution = found.solution
    priced = solution is not None and found.z is not None
    return HedgePool(
        pool=key.title,
        venue=key.venue or None,
        feasible=found.z is not None,
        method=found.method,
        deposit=float(z[-1]),
        trade_cost=problem.trade_cost(z),
        total_cost=problem.total(z),
        bound=found.bound,
        left=found.worst if found.z is not None else None,
        trades=trades.of(z),
        deposit_alone=None
        if found.alone is None
        else DepositAlone(
            float(found.alone[-1]), problem.total(found.alone), problem.broken(found.alone)
        ),
        reduction_alone=None
        if found.reduction is None
        else ReductionAlone(trades.of(found.reduction), problem.total(found.reduction)),
        dollar=solution.dollar if priced and solution else None,
        scenarios=tuple(_prices(account, found)) if priced else (),
        not_convex=found.programme.without,
        missing=found.missing,
        nearest=() if found.nearest is None else trades.of(found.nearest),
        reasons=found.reasons,
        candidates=problem.candidates,
        markets=len(problem.aim.moves(refined=True)),
        rounds=solution.rounds if solution else 0,
        rows=solution.rows if solution else 0,
        profile=tuple(_profile(problem, z)),
    )


class _Trades:
    """Lines of a pool's trades."""

    def __init__(self, account: Account, problem: Problem) -> None:
        self._problem = problem
        self._pool = problem.book.names.keys[0].title
        # A mark is read off a margined account; only terms and book are looked at.
        assembly = account.assembly._replace(contracts=problem.contracts)
        self._marked = replace(account, book=problem.book, assembly=assembly)

    def of(self, z: FloatArray) -> tuple[HedgeTrade, ...]:
        """Return the trades of an answer, the dearest first."""
        problem, count = self._problem, self._problem.candidates
        net = problem.traded(z)
        cost = problem.cost[:-1] * z[:-1]
        rows: IntArray = np.flatnonzero(net)
        lines = [
            HedgeTrade(
                self._pool,
                problem.contracts[index].name,
                float(net[index]),
                float(problem.held[index]),
                mark_price(self._marked, int(problem.row[index])),
                float(net[index] * problem.price[index]),
                float(cost[index] + cost[index + count]) + problem.ticket,
            )
            for index in rows
        ]
        return tuple(sorted(lines, key=lambda line: -line.cost))


def _prices(account: Account, found: Cure) -> Iterable[ScenarioPrice]:
    """Yield what each scenario that binds costs, the dearest first."""
    assert found.solution is not None, "only a programme has prices"
    for node, index, scenario, worth in sorted(found.solution.scenarios, key=lambda line: -line[3]):
        market = found.programme.nodes[node]
        scan = market.scans[index]
        yield ScenarioPrice(
            account.book.names.underlyings[scan.underlying],
            float(market.move[0] - 1.0),
            float(market.move[1] - 1.0),
            scan.scenarios.label(scenario),
            worth,
        )


def _profile(problem: Problem, z: FloatArray) -> Iterable[ProfilePoint]:
    """Yield the figures of a pool along spot, before and after."""
    low, high = problem.aim.spot
    moves = np.round(np.linspace(min(-WIDTH, 1.2 * low), max(WIDTH, 1.2 * high), PROFILE), 6)
    moves = np.maximum(moves, -0.98)
    nodes = np.stack([1.0 + moves, np.ones(len(moves))], axis=1)
    equity, maintenance, _ = tried(problem, np.stack([problem.nothing, z]), nodes)
    for index, move in enumerate(moves):
        yield ProfilePoint(
            float(move),
            float(equity[0, index]),
            float(maintenance[0, index]),
            float(equity[1, index]),
            float(maintenance[1, index]),
        )
