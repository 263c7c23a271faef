"""Margin answers anew, in full, in every market in which they must hold."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray, IntArray
from margincalc.book import Book
from margincalc.errors import ModelRefusal
from margincalc.hedge.problem import Problem, trimmed
from margincalc.margin.base import MarginModel

ROWS_AT_ONCE = 1 << 15  # position rows of one margin call: bounds memory


def quantities(problem: Problem, answers: FloatArray) -> FloatArray:
    """Return the position rows' quantities under answers (K, 2 C + 1), shape (K, P)."""
    held: FloatArray = problem.book.quantity + (problem.change @ answers.T).T
    if problem.ticket:
        held = held + (problem.toll @ problem.tickets(answers).T).T
    return held


def variants(problem: Problem, answers: FloatArray) -> Book:
    """Return a book of K pools, the problem's own under each answer, without what is not held."""
    book, held = problem.book, quantities(problem, answers)
    pool, row = np.nonzero(held)
    count = len(answers)
    wide = replace(
        book,
        names=book.names._replace(keys=tuple(book.names.keys) * count),
        pool=pool,
        instrument=book.instrument[row],
        quantity=held[pool, row],
        entry=book.entry[row],
        limited=np.repeat(book.limited, count),
        orders=book.orders._replace(
            pool=np.repeat(np.arange(count), len(book.orders.pool)),
            instrument=np.tile(book.orders.instrument, count),
            quantity=np.tile(book.orders.quantity, count),
            price=np.tile(book.orders.price, count),
        ),
    )
    return trimmed(wide)


class Margins(NamedTuple):
    """Figures of answers in markets, shape (K, J) each."""

    equity: FloatArray
    maintenance: FloatArray
    initial: FloatArray


def margined(problem: Problem, answers: FloatArray, moves: FloatArray) -> Margins:
    """Margin answers in full.

    Parameters
    ----------
    answers : shape (K, 2 C + 1)
    moves : multiples of spot and volatility, shape (J, 2)

    Raises
    ------
    ModelRefusal
        If the model cannot express an answer.
    """
    book = variants(problem, answers)
    figures = np.empty((3, len(answers), len(moves)))
    for multiple in np.unique(moves[:, 1]):
        chosen = np.flatnonzero(moves[:, 1] == multiple)
        moved = book if multiple == 1.0 else book.with_volatility(float(multiple))
        figures[:, :, chosen] = _along_spot(problem.model, moved, moves[chosen, 0])
    return Margins(*figures)


def shortage(problem: Problem, answers: FloatArray, moves: FloatArray) -> FloatArray:
    """Return the equity that is missing in each market, negative where some is left, shape (K, J).

    What is asked of initial margin is asked of it in the present market alone.
    """
    equity, maintenance, initial = margined(problem, answers, moves)
    missing = maintenance / problem.aim.target - equity
    if problem.aim.initial is not None:
        present = np.all(moves == 1.0, axis=1)
        more = initial[:, present] / problem.aim.initial - equity[:, present]
        missing[:, present] = np.maximum(missing[:, present], more)
    return missing


def _along_spot(model: MarginModel, book: Book, factors: FloatArray) -> FloatArray:
    """Margin every pool at multiples of spot, shape (3, A, len(factors))."""
    pools = np.repeat(np.arange(book.pools), len(factors))
    multiple = np.tile(factors, book.pools)
    sizes = np.bincount(book.pool, minlength=book.pools)[pools]
    batch = np.cumsum(sizes) // ROWS_AT_ONCE
    figures = np.empty((3, len(pools)))
    for chosen in np.split(np.arange(len(pools)), np.flatnonzero(np.diff(batch)) + 1):
        factor = np.repeat(multiple[chosen, None], len(book.spot), axis=1)
        result = model.margin(book.copies(pools[chosen], factor))
        figures[:, chosen] = result.equity, result.maintenance, result.initial
    return figures.reshape(3, book.pools, len(factors))


def expressible(problem: Problem) -> BoolArray:
    """Return which candidates the model has rules for, bought and sold, shape (C,)."""
    found = np.zeros(problem.candidates, bool)
    _try(problem, np.arange(problem.candidates), found)
    return found


def _try(problem: Problem, chosen: IntArray, found: BoolArray) -> None:
    """Mark candidates of which none is refused; halve until it is plain which are."""
    count = problem.candidates
    answers = np.zeros((2 * len(chosen), 2 * count + 1))
    rows = np.arange(len(chosen))
    answers[rows, chosen] = 1.0
    answers[rows + len(chosen), chosen + count] = 1.0
    try:
        shortage(problem, answers, np.ones((1, 2)))
        found[chosen] = True
    except ModelRefusal:
        if len(chosen) > 1:
            for half in np.array_split(chosen, 2):
                _try(problem, half, found)
