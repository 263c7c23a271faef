"""Explain an account's maintenance margin: by position, by Greek, against the sum of its parts."""

from typing import NamedTuple

import numpy as np

from margincalc.answers.account import Account
from margincalc.answers.explain_results import ExplainLine, ExplainPool, ExplainReport, GreekTerms
from margincalc.answers.results import PoolMargin
from margincalc.answers.statement import margin_report
from margincalc.arrays import FloatArray, IntArray
from margincalc.attribution.shapley import Values, shapley
from margincalc.attribution.shares import CURVED, STEPS, Shares, shares
from margincalc.attribution.taylor import Terms, taylor
from margincalc.attribution.weighted import Alone, alone, legs, pooled


class _Explained(NamedTuple):
    """One pool; columns of shape (N,), for its position rows."""

    rows: IntArray
    legs: IntArray
    shares: Shares
    alone: Alone
    values: Values


def explain_report(account: Account, seed: int) -> ExplainReport:
    """Divide the maintenance margin of every pool.

    Parameters
    ----------
    seed : of the orders in which positions arrive, where Shapley's values are sampled
    """
    report = margin_report(account)
    worst = account.result.worst
    terms = None if worst is None else taylor(account.book, account.model, worst)
    found = [_explained(account, pool, seed) for pool in range(account.book.pools)]
    lines = tuple(line for part in found for line in _lines(account, part, terms))
    pools = tuple(
        _pool(margined, part, terms) for margined, part in zip(report.pools, found, strict=True)
    )
    standalone = sum(pool.standalone for pool in pools)
    return ExplainReport(
        *account.heading,
        maintenance_margin=report.maintenance_margin,
        standalone=standalone,
        hedge_benefit=standalone - report.maintenance_margin,
        worst_pnl=None if worst is None else float(np.sum(worst.pnl)),
        terms=None if terms is None else _summed(terms, np.arange(len(account.book.pool))),
        seed=seed,
        positions=lines,
        pools=pools,
        notes=(*account.notes, *_notes(found)),
    )


def _explained(account: Account, pool: int, seed: int) -> _Explained:
    whole = pooled(account.book, account.model, pool)
    found = alone(whole)
    players = legs(whole, found)
    return _Explained(whole.rows, players, shares(whole), found, shapley(whole, players, seed))


def _lines(account: Account, part: _Explained, terms: Terms | None) -> list[ExplainLine]:
    """Return a line for every position, and for each balance that changes anything."""
    book, worst = account.book, account.result.worst
    order = {name: number for number, name in enumerate(account.contracts)}
    shown = [n for n in range(len(part.rows)) if n in part.legs or abs(part.shares.amount[n]) > 0.0]
    shown.sort(key=lambda n: order.get(account.instrument(int(part.rows[n])), len(order)))
    lines = []
    for n in shown:
        row = int(part.rows[n])
        lines.append(
            ExplainLine(
                pool=account.pool(row).title,
                instrument=account.instrument(row),
                quantity=float(book.quantity[row]),
                share=float(part.shares.amount[n]),
                share_low=float(part.shares.low[n]),
                share_high=float(part.shares.high[n]),
                shapley=float(part.values.amount[n]),
                shapley_error=float(part.values.error[n]),
                leave_one_out=float(part.alone.leave_one_out[n]),
                standalone=float(part.alone.standalone[n]),
                worst_pnl=None if worst is None else float(worst.by_position()[row]),
                terms=None if terms is None else _summed(terms, np.array([row])),
            )
        )
    return lines


def _pool(margined: PoolMargin, part: _Explained, terms: Terms | None) -> ExplainPool:
    standalone = float(np.sum(part.alone.standalone))
    scenario = margined.worst_scenario
    return ExplainPool(
        pool=margined.pool,
        maintenance_margin=margined.maintenance_margin,
        standalone=standalone,
        hedge_benefit=standalone - margined.maintenance_margin,
        method=part.shares.method,
        numerical=part.shares.bent,
        orders=part.values.orders,
        worst_scenario=scenario,
        worst_pnl=None if scenario is None else scenario.pnl,
        terms=None if terms is None else _summed(terms, part.rows),
    )


def _summed(terms: Terms, rows: IntArray) -> GreekTerms:
    def total(column: FloatArray) -> float:
        return float(np.sum(column[rows]))

    return GreekTerms(*(total(column) for column in terms))


def _notes(found: list[_Explained]) -> list[str]:
    """Say by which rule shares were made, and where they are not unique or sampled."""
    notes = []
    along = sum(part.shares.method != "euler" for part in found)
    if along:
        notes.append(
            f"{along} of {len(found)} pools do not need twice as much for twice as much: their "
            "shares are Aumann and Shapley's, in 64 steps from nothing to the whole book"
        )
    bent = sum(part.shares.bent for part in found if part.shares.method == "euler")
    if bent:
        step = f"1/{1.0 / STEPS[CURVED]:.0f}"
        notes.append(
            f"{bent} shares are numerical: the requirement bends, and its slope is that over "
            f"{step} of the position up and down"
        )
    tied = sum(int(np.sum(part.shares.high > part.shares.low)) for part in found)
    if tied:
        notes.append(f"{tied} shares are not unique, as scenarios tie: the middle is shown")
    sampled = max((part.values.orders for part in found), default=0)
    if sampled:
        notes.append(f"Shapley's values are sampled over {sampled} orders, with standard errors")
    return notes
