"""From a portfolio through a liquidation engine to its report."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from margincalc.answers.account import Account, info
from margincalc.answers.engine_results import (
    EngineReport,
    LoanLine,
    OptimumLine,
    PoolRun,
    StepLine,
    TradeLine,
)
from margincalc.answers.margining import Rules, margined, parameters_day
from margincalc.answers.optimum import optimum
from margincalc.answers.slippage import Slippage, costs_of, described
from margincalc.arrays import IntArray
from margincalc.book import Kind
from margincalc.errors import InputError, ModelRefusal, input_error
from margincalc.margin.base import Status, status_of
from margincalc.portfolio import Order, Portfolio
from margincalc.simulation.costs import Liquidator
from margincalc.simulation.desk import CONTRACTS, desk_of
from margincalc.simulation.engine import Run, Scene, State, Step, run
from margincalc.simulation.engines import Dated, load_engine
from margincalc.simulation.lending import toxic_threshold, two_step

_NEGLIGIBLE = 1e-12


class Market(NamedTuple):
    """What a liquidation meets.

    Attributes
    ----------
    slippage : how trading moves prices
    liquidator : what acting costs whoever takes over
    fund : what the insurance fund holds
    """

    slippage: Slippage = Slippage()
    liquidator: Liquidator = Liquidator()
    fund: float = 1e6


def engine_report(
    portfolio: Portfolio, rules: Rules, chosen: tuple[str, tuple[str, ...]], market: Market
) -> EngineReport:
    """Liquidate the pools of an account that are below maintenance margin.

    Parameters
    ----------
    chosen : name of the engine, and changes of its parameters
    """
    _refuse_faults(market)
    dated = load_engine(chosen[0], parameters_day(portfolio, rules.effective), chosen[1])
    rules = _with_model(portfolio, rules, dated)
    account, hedges = _with_hedges(portfolio, rules, dated)
    costs = costs_of(market.slippage, _traded(account))
    runs, notes = [], list(account.notes) + list(dated.papers.remarks)
    if portfolio.orders:
        notes.append("open orders are cancelled before anything else")
    for pool in range(account.book.pools):
        desk = desk_of(account.book, account.model, pool, hedges)
        scene = Scene(desk, costs, market.liquidator, market.fund)
        found = run(dated.engine, scene)
        notes += _loan_alone(dated, scene, found.start)
        best = _compared(portfolio, rules, account, scene, found)
        if isinstance(best, str):
            notes.append(best)
            best = None
        runs.append(_pool(account, pool, _Found(scene, found, dated), best))
    return EngineReport(
        *account.heading,
        engine=info(dated.papers),
        slippage=described(market.slippage),
        pools=tuple(runs),
        notes=tuple(note for note in notes if note not in _expected(rules, dated)),
    )


def _expected(rules: Rules, dated: Dated) -> tuple[str, ...]:
    """Return the remark that the engine's own model has its own parameters."""
    own = dated.engine.settings
    return (f"parameters changed: {', '.join(own)}",) if own and rules.settings == own else ()


def _traded(account: Account) -> dict[str, float]:
    """Return the spots of the underlyings that an account has positions in, else of all."""
    book = account.book
    held = sorted(set(book.underlying[book.rows(*CONTRACTS)].tolist()) - {-1})
    names = book.names.underlyings
    return {names[row]: float(book.spot[row]) for row in held or range(len(names))}


def _loan_alone(dated: Dated, scene: Scene, state: State) -> tuple[str, ...]:
    """Say whose engines repay debts, where another is asked to close what has no positions."""
    from margincalc.simulation.lenders import Lender

    if isinstance(dated.engine, Lender) or scene.holds(state) or not scene.owes(state):
        return ()
    return (
        f"the account has debts and no positions, and {dated.papers.name} closes positions: "
        "lenders' engines repay debts, --engine aave-v3 or --engine euler-v1",
    )


class _Found(NamedTuple):
    """A run with where it took place and by whom."""

    scene: Scene
    run: Run
    dated: Dated


def _refuse_faults(market: Market) -> None:
    figures = {
        "--fund": market.fund,
        "--gas": market.liquidator.gas,
        "--flash-fee": market.liquidator.flash_fee,
        "--latency": market.liquidator.latency,
    }
    for place, value in figures.items():
        if not 0.0 <= value <= 1e15:
            raise input_error(place, f"{value:g}", "a number from 0 to 1e15")


def _with_model(portfolio: Portfolio, rules: Rules, dated: Dated) -> Rules:
    """Return the rules, by the engine's own model where none is asked for."""
    if rules.model is not None or portfolio.venues:
        return rules
    own = dated.engine
    if rules.mode is not None and rules.mode != dated.papers.mode:
        return rules
    return rules._replace(model=own.margin, settings=own.settings + rules.settings)


def _with_hedges(portfolio: Portfolio, rules: Rules, dated: Dated) -> tuple[Account, IntArray]:
    """Margin the account, in a book that also has what its engine may open to hedge.

    An engine that opens hedges trades the perpetual of each underlying; where the model does not
    list it, it makes do with what is held.

    Returns
    -------
    account
    hedges : instruments of its book
    """
    plain = portfolio.model_copy(update={"orders": ()})
    names = sorted(portfolio.market)
    if getattr(dated.engine, "hedges", False) and portfolio.positions:
        place = portfolio.positions[0].venue  # where there is a pool already
        orders = tuple(
            Order(instrument=f"{name}-PERPETUAL", quantity=1.0, price=0.0, venue=place)
            for name in names
        )
        try:
            account = margined(plain.model_copy(update={"orders": orders}), rules)
        except (InputError, ModelRefusal):
            pass
        else:
            linear = account.book.instruments.is_kind(Kind.FUTURE, Kind.PERPETUAL)
            notes = margined(plain, rules).notes
            return replace(account, notes=notes), np.flatnonzero(linear)
    return margined(plain, rules), np.zeros(0, np.int64)


def _compared(
    portfolio: Portfolio, rules: Rules, account: Account, scene: Scene, found: Run
) -> OptimumLine | str | None:
    """Compare with the optimum, of a single pool that was liquidated and has positions."""
    if not found.steps or account.book.pools != 1 or not scene.holds(found.start):
        return None
    return optimum(portfolio.model_copy(update={"orders": ()}), rules, scene, found)


def _pool(account: Account, pool: int, found: _Found, best: OptimumLine | None) -> PoolRun:
    scene, ran = found.scene, found.run
    first, last = ran.start, ran.last
    before, after = (_initial(scene, state) for state in (first, last))
    moves = [step.move for step in ran.steps]
    return PoolRun(
        pool=account.book.names.keys[pool].title,
        end=ran.end,
        reason=ran.reason,
        acted=bool(ran.steps),
        status_before=_status(scene, first, before),
        status_after=_status(scene, last, after),
        equity_before=first.standing.equity,
        initial_before=before,
        maintenance_before=first.standing.maintenance,
        equity_after=last.standing.equity,
        initial_after=after,
        maintenance_after=last.standing.maintenance,
        seconds=last.seconds,
        cost=sum(move.market + move.liquidator + move.fund - move.others for move in moves),
        market=sum(move.market for move in moves),
        liquidator=sum(move.liquidator for move in moves),
        fund=sum(move.fund for move in moves),
        others=-sum(move.others for move in moves),
        steps=tuple(_step(scene, number, step) for number, step in enumerate(ran.steps, 1)),
        left=tuple(
            TradeLine(name, float(last.quantity[row]), scene.desk.mark(row), None)
            for row, name in enumerate(scene.desk.names)
            if scene.desk.contract[row] and last.quantity[row]
        ),
        loan=_loan(found),
        optimum=best,
    )


def _initial(scene: Scene, state: State) -> float:
    return float(scene.desk.margins(state.quantity[None, :]).initial[0])


def _status(scene: Scene, state: State, initial: float) -> Status:
    """Say where a pool stands; what an engine leaves alone is not under maintenance by rounding."""
    if scene.liquidatable(state):
        return "liquidatable"
    stands = state.standing
    return status_of(max(stands.equity, stands.maintenance), initial, stands.maintenance)


def _step(scene: Scene, number: int, step: Step) -> StepLine:
    move, after = step.move, step.after
    rows = np.flatnonzero(np.abs(move.size) > _NEGLIGIBLE * np.abs(step.before.quantity))
    return StepLine(
        number=number,
        seconds=after.seconds,
        action=move.action,
        trades=tuple(_trade(scene, step, int(row), alone=len(rows) == 1) for row in rows),
        price=move.price,
        trader=-(move.market + move.liquidator + move.fund - move.others),
        market=move.market,
        liquidator=move.liquidator,
        fund=move.fund,
        others=-move.others,
        equity=after.standing.equity,
        maintenance=after.standing.maintenance,
    )


def _trade(scene: Scene, step: Step, row: int, *, alone: bool) -> TradeLine:
    """Return a trade; made alone in the market, its price is the mark less what it cost."""
    desk, size, mark = scene.desk, float(step.move.size[row]), scene.desk.mark(row)
    price = None
    if alone and desk.contract[row] and not step.move.liquidator:
        number = desk.book.instrument[row]
        units = size * float(desk.book.instruments.multiplier[number])
        if not desk.book.instruments.inverse[number]:
            price = mark + step.move.market / units
    return TradeLine(desk.names[row], size, mark, price)


def _loan(found: _Found) -> LoanLine | None:
    """Return the loan that a lender's engine meets, None of other engines."""
    from margincalc.simulation.lenders import FixedSpread, Lender, one_shot_capacity, pledged

    engine, scene, state = found.dated.engine, found.scene, found.run.start
    if not isinstance(engine, Lender):
        return None
    pledge = pledged(scene, state)
    if pledge is None:
        return None
    loan, offer = pledge.loan, engine.offer(pledge, state)
    steps = None
    if isinstance(engine, FixedSpread) and 0.0 < loan.to_health(1.0, offer.bonus) < loan.debt:
        steps = two_step(loan, offer.bonus, engine.close_factor)
    return LoanLine(
        collateral=loan.collateral,
        debt=loan.debt,
        threshold=loan.threshold,
        health=loan.health,
        loan_to_value=loan.loan_to_value,
        bonus=offer.bonus,
        toxic_above=toxic_threshold(offer.bonus),
        toxic=loan.loan_to_value > toxic_threshold(offer.bonus),
        two_steps=None if steps is None else (steps.first, steps.second),
        one_shot=one_shot_capacity(scene, pledge, offer),
    )
