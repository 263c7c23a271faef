"""How probably an account is liquidated before a horizon."""

import re
from typing import NamedTuple

import numpy as np

from margincalc.answers.account import Account
from margincalc.answers.passage_results import PassageLine, PassageReport
from margincalc.arrays import FloatArray, IntArray
from margincalc.book import Book, Kind
from margincalc.errors import input_error, shown
from margincalc.files.history import History as Bars
from margincalc.files.history import read_history
from margincalc.liquidation.dynamics import Diffusion, Dynamics, History, Jumps
from margincalc.liquidation.dynamics import Kind as Law
from margincalc.liquidation.nearest import nearest
from margincalc.liquidation.passage import Walk, met, moment
from margincalc.liquidation.simulate import Passage, Run, mass_by, passage, steps_of
from margincalc.liquidation.surface import one_pool, surface
from margincalc.times import DAYS_PER_YEAR

MOST_STEPS = 2000
MOST_PATHS = 10_000_000
BLOCK_DAYS = 1.0  # of history drawn together; at least five bars
DAILY = 0.04  # deviation of a spot of which no volatility is known
SHARES = (0.1, 0.5, 0.9)
WORST = 0.05
_REACH = 8.0  # deviations on either side of spot that a lattice covers
_MOST_REACH = 3.9  # logarithm of a fiftyfold price
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([mhdw]?)", re.ASCII)
_UNITS = {"m": 1.0 / 1440.0, "h": 1.0 / 24.0, "d": 1.0, "w": 7.0, "": 1.0}


class Odds(NamedTuple):
    """How the probability is asked for.

    Attributes
    ----------
    horizon : such as `7d`, `12h`, `2w`
    law : how spots move
    prices : history file, which the law `history` needs
    drift : expected growth of every spot, per year
    poll : between two looks of the engine, such as `1h`; None where it always watches, or looks
        at every price of a history
    volatility : of every underlying; None: its market's, else that of its options
    correlation : of every two underlyings; a history has its own
    """

    horizon: str = "7d"
    law: Law = "gbm"
    prices: str | None = None
    paths: int = 50_000
    seed: int = 1
    drift: float = 0.0
    poll: str | None = None
    volatility: float | None = None
    correlation: float = 0.8


class _Plan(NamedTuple):
    """What is common to the pools."""

    odds: Odds
    years: float
    poll: float | None
    history: Bars | None
    names: tuple[str, ...]  # of the history's columns
    volatility: FloatArray  # of every underlying of the book


def passage_report(account: Account, odds: Odds) -> PassageReport:
    """Simulate every pool, or use the closed form where it applies.

    Raises
    ------
    InputError
        If an option or the price file is wrong.
    """
    _refuse(odds)
    book = account.book
    held = np.unique(book.underlying[book.underlying >= 0])
    volatility, notes = _volatilities(book, held, odds)
    names = tuple(book.names.underlyings[u] for u in held)
    history = read_history(odds.prices, names) if odds.law == "history" and odds.prices else None
    plan = _Plan(
        odds,
        _days("--within", odds.horizon) / DAYS_PER_YEAR,
        None if odds.poll is None else _days("--poll", odds.poll) / DAYS_PER_YEAR,
        history,
        names,
        volatility,
    )
    even = _even(plan)
    lines = tuple(_line(account, pool, plan, even) for pool in range(book.pools))
    return PassageReport(
        *account.heading,
        horizon_days=float(even[-1]) * DAYS_PER_YEAR,
        dynamics=odds.law,
        volatility={book.names.underlyings[u]: float(volatility[u]) for u in held},
        drift=odds.drift,
        correlation=_correlation(plan, held),
        poll_hours=None if plan.poll is None else plan.poll * DAYS_PER_YEAR * 24.0,
        steps=len(even) - 1,
        paths=odds.paths,
        seed=odds.seed,
        low=max((line.probability for line in lines), default=0.0),
        high=min(sum(line.probability for line in lines), 1.0),
        pools=lines,
        notes=(*account.notes, *notes, *_notes(plan, lines)),
    )


def _refuse(odds: Odds) -> None:
    """Refuse what cannot be simulated."""
    bounds = (
        ("--paths", odds.paths, 2, MOST_PATHS),
        ("--drift", odds.drift, -10.0, 10.0),
        ("--correlation", odds.correlation, 0.0, 1.0),
        ("--seed", odds.seed, 0, 2**63 - 1),
    )
    for name, value, least, most in bounds:
        if not least <= value <= most:
            raise input_error(name, shown(value), f"a number from {least:,} to {most:,}")
    if odds.volatility is not None and not 0.001 <= odds.volatility <= 10.0:
        raise input_error("--volatility", shown(odds.volatility), "a decimal from 0.001 to 10")
    if (odds.prices is None) == (odds.law == "history"):
        wanted = "--dynamics history and --prices FILE together"
        raise input_error("--prices", shown(odds.prices), wanted)
    if odds.law == "history" and odds.poll is not None:
        wanted = "none with --dynamics history, whose prices are the looks"
        raise input_error("--poll", shown(odds.poll), wanted, "give a history of such intervals")


def _days(option: str, text: str) -> float:
    match = _DURATION.fullmatch(text.strip())
    days = float(match[1]) * _UNITS[match[2]] if match else 0.0
    if not 1.0 / 1440.0 <= days <= 3650.0:
        raise input_error(option, shown(text), "a time such as 7d, 12h or 2w, at most ten years")
    return days


def _even(plan: _Plan) -> FloatArray:
    """Return the times of the steps in years; those of expiries come between."""
    interval = plan.poll if plan.history is None else plan.history.years
    if interval is not None:
        count = max(round(plan.years / interval), 1)
        if count > MOST_STEPS:
            found = f"{count:,} steps to the horizon"
            remedy = "a shorter horizon, or longer bars or intervals between looks"
            raise input_error("--within", found, f"at most {MOST_STEPS:,}", remedy)
        return interval * np.arange(count + 1, dtype=np.float64)
    days = plan.years * DAYS_PER_YEAR
    return np.linspace(0.0, plan.years, int(np.clip(np.ceil(4.0 * days), 12, 180)) + 1)


def _volatilities(book: Book, held: IntArray, odds: Odds) -> tuple[FloatArray, list[str]]:
    """Return a volatility for every underlying, shape (U,), and where it comes from."""
    found, notes = np.full(len(book.spot), DAILY * np.sqrt(DAYS_PER_YEAR)), []
    if odds.volatility is not None:
        return np.full(len(book.spot), odds.volatility), []
    columns = book.instruments
    for u in held:
        name = book.names.underlyings[u]
        options = np.flatnonzero(columns.is_kind(Kind.OPTION) & (columns.underlying == u))
        if not np.isnan(book.volatility[u]):
            found[u], source = book.volatility[u], "its market's"
        elif len(options):
            own = columns.take(options)
            away = np.abs(np.log(own.strike / own.forward)) / np.sqrt(np.maximum(own.time, 1e-4))
            found[u] = own.volatility[int(np.argmin(away))]
            source = "of its option nearest the money"
        else:
            source = "4 % a day, as nothing is said of it"
        if odds.law != "history":
            notes.append(f"{name} moves with a volatility of {found[u] * 100.0:.4g} %, {source}")
    return found, notes


def _law(plan: _Plan, held: IntArray, names: tuple[str, ...]) -> Dynamics:
    drift = np.full(len(held), plan.odds.drift)
    if plan.history is not None:
        columns = [plan.names.index(name) for name in names]
        returns = np.diff(np.log(plan.history.price[:, columns]), axis=0)
        bars = max(round(BLOCK_DAYS / DAYS_PER_YEAR / plan.history.years), 5)
        return History(returns, min(bars, len(returns)), drift)
    jumps = Jumps() if plan.odds.law == "merton" else None
    return Diffusion(drift, plan.volatility[held], plan.odds.correlation, jumps)


def _correlation(plan: _Plan, held: IntArray) -> float | None:
    """Return what every two underlyings are correlated by; None of one alone, or of a history."""
    return plan.odds.correlation if len(held) > 1 and plan.history is None else None


def _reach(plan: _Plan, held: IntArray, law: Dynamics) -> float:
    """Return how far spots go, nearly surely, as a logarithm."""
    deviation = float(np.max(plan.volatility[held], initial=0.0)) * np.sqrt(plan.years)
    extra = 0.0
    if isinstance(law, History):
        bars = plan.years / (plan.history.years if plan.history else plan.years)
        deviation = float(np.max(np.std(law.returns, axis=0))) * np.sqrt(max(bars, 1.0))
        extra = float(np.max(np.abs(law.returns)))
    elif isinstance(law, Diffusion) and law.jumps is not None:
        number = law.jumps.rate * plan.years
        most = number + 5.0 * np.sqrt(number) + 2.0
        extra = most * (abs(law.jumps.mean) + 2.0 * law.jumps.deviation)
    far = _REACH * deviation + extra + abs(plan.odds.drift) * plan.years
    return float(np.clip(far, 0.02, _MOST_REACH))


def _line(account: Account, pool: int, plan: _Plan, even: FloatArray) -> PassageLine:
    book = one_pool(account.book, pool)
    held = np.unique(book.underlying[book.underlying >= 0])
    names = tuple(book.names.underlyings[u] for u in held)
    law = _law(plan, held, names)
    watched = plan.poll is None and plan.history is None
    expiries = book.instruments.time[book.instruments.is_kind(Kind.OPTION, Kind.FUTURE)]
    times = steps_of(iter(expiries), float(even[-1]), len(even) - 1) if watched else even
    grid = surface(book, account.model, times, _reach(plan, held, law))
    run = Run(times, plan.odds.paths, plan.odds.seed, watched)
    found = passage(grid, law, run)
    probability = float(np.mean(found.probability))
    error = float(np.std(found.probability, ddof=1) / np.sqrt(plan.odds.paths))
    days = [
        None if t is None else t * DAYS_PER_YEAR
        for t in mass_by(found, times, tuple(share * probability for share in SHARES))
    ]
    method = "simulation"
    exact = _exact(account, pool, plan, book)
    if exact is not None:
        method, (probability, days), error = "closed form", exact, 0.0
    elif probability == 0.0:
        days = [None] * len(SHARES)
    room = 1.96 * error if probability > 0.0 or exact else 3.0 / plan.odds.paths
    equity, shortfall, negative = _at_breach(found)
    return PassageLine(
        pool=account.book.names.keys[pool].title,
        underlyings=names,
        method=method,
        probability=probability,
        standard_error=error,
        low=max(probability - room, 0.0),
        high=min(probability + room, 1.0),
        days={f"{share:g}": day for share, day in zip(SHARES, days, strict=True)},
        equity_at_breach=equity,
        expected_shortfall=shortfall,
        negative_equity=negative,
        interpolation_error=grid.error,
    )


def _at_breach(found: Passage) -> tuple[float | None, float | None, float]:
    """Return mean equity at the first breach, its worst twentieth, and how probably it is none."""
    whole = float(np.sum(found.mass))
    if whole <= 0.0:
        return None, None, 0.0
    order = np.argsort(found.equity, kind="stable")
    equity, mass = found.equity[order], found.mass[order]
    before = np.concatenate([[0.0], np.cumsum(mass)[:-1]])
    tail = np.clip(WORST * whole - before, 0.0, mass)
    mean = float(np.sum(equity * mass) / whole)
    negative = float(np.sum(mass[equity < 0.0]))
    return mean, float(np.sum(equity * tail) / np.sum(tail)), negative


def _exact(
    account: Account, pool: int, plan: _Plan, book: Book
) -> tuple[float, list[float | None]] | None:
    """Return the closed form and its moments, None where barriers move or there are several."""
    held = np.unique(book.underlying[book.underlying >= 0])
    columns = book.instruments
    moving = columns.is_kind(Kind.OPTION, Kind.FUTURE) | (columns.funding != 0.0)
    if len(held) != 1 or np.any(moving[book.instrument]) or plan.odds.law != "gbm":
        return None
    if plan.poll is not None:  # the correction for it is off by much where looks are few
        return None
    if account.result.equity[pool] < account.result.maintenance[pool]:
        return None
    near = nearest(book, account.model)
    spot = float(book.spot[held[0]])
    walk = Walk(spot, plan.odds.drift, float(plan.volatility[held[0]]), plan.years)
    low, high = (
        None if np.isnan(price) else float(price) for price in (near.below[0], near.above[0])
    )
    whole = met(walk, low, high)
    moments = (moment(walk, low, high, share * whole) if whole > 0.0 else None for share in SHARES)
    return whole, [None if t is None else t * DAYS_PER_YEAR for t in moments]


def _notes(plan: _Plan, lines: tuple[PassageLine, ...]) -> list[str]:
    notes = ["volatility of options stays by strike; what expires is settled in money"]
    if plan.history is not None:
        unseen = "nothing is seen between two prices of the history"
        notes.append(f"{unseen}: the odds are a lower bound")
    if plan.odds.law == "merton":
        notes.append("jumps: ten a year, -6 % on average with a deviation of 6 %, on all spots")
    if any(len(line.underlyings) > 1 for line in lines):
        notes.append("several underlyings: the excess is summed over their own moves")
    return notes
