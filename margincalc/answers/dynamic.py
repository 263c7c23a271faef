"""`simulate dynamic`: static and dynamic scan ranges side by side on a price history."""

import datetime as dt
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from margincalc.answers.study import Fact, Field, Study, Table, refuse_outside
from margincalc.arrays import FloatArray
from margincalc.errors import input_error, shown
from margincalc.files.prices import Prices
from margincalc.simulation import procyclical
from margincalc.simulation.backtest import backtest
from margincalc.times import DAYS_PER_YEAR, SECONDS_PER_DAY

RULES = (
    Field("symbol", "symbol", "text", 4),
    Field("rule", "rule", "text"),
    Field("mean", "mean", "share"),
    Field("least", "least", "share", 5),
    Field("most", "most", "share", 5),
    Field("last", "now", "share"),
    Field("peak_to_trough", "peak/trough", "factor", 1),
    Field("rise_1", "1 day", "move", 3),
    Field("rise_5", "5 days", "move"),
    Field("rise_20", "20 days", "move", 4),
    Field("rise_30", "30 days", "move", 6),
    Field("breaches", "breaches", "count"),
    Field("expected", "expected", "number", 2),
    Field("kupiec_p", "Kupiec p", "number"),
    Field("christoffersen_p", "Christ. p", "number", 1),
    Field("conditional_p", "joint p", "number", 7),
)
PATH = tuple(
    Field(key, key, "text" if key in ("symbol", "date") else "share")
    for key in ("symbol", "date", "move", "static", "ewma", "floor", "stress", "buffer", "fhs")
)
LIMITS = {
    "decay": (0.5, 0.9999),
    "confidence": (0.8, 0.9999),
    "horizon": (0.01, 60.0),
    "static": (1e-4, 5.0),
    "floor": (0.0, 5.0),
    "stress": (0.0, 5.0),
    "window": (20, 5000),
    "implied": (0.0, 20.0),
    "weight": (0.0, 5.0),
    "depth": (0.0, 1000.0),
}


class DynamicTerms(NamedTuple):
    """How ranges follow the market.

    Attributes
    ----------
    decay : of the exponential weights, a day
    confidence : of a range
    horizon : days that it takes to close out
    static : range that never moves; None for that of the first window, with its buffer
    floor : least range; None for that of the average variance of all days before
    stress : range of a stressed time; None for the worst of the first window
    window : days of filtered history, and before the first range
    implied, weight : implied volatility per year, and the share of it that counts at least
    depth : days that it takes to unwind at a bearable share of volume; its root scales ranges
    """

    decay: float = 0.97
    confidence: float = 0.99
    horizon: float = 1.0
    static: float | None = None
    floor: float | None = None
    stress: float | None = None
    window: int = 250
    implied: float | None = None
    weight: float = 1.0
    depth: float = 1.0


def dynamic_study(histories: tuple[Prices, ...], title: str, terms: DynamicTerms) -> Study:
    """Run every rule over every symbol of a history.

    Raises
    ------
    InputError
        If a term is no possible one, or a history is too short.
    """
    _check(terms, histories)
    rows, paths = [], []
    for history in histories:
        moves, rules = margins(history, terms)
        rows += [_rule(history.symbol, name, rule, moves, terms) for name, rule in rules.items()]
        days = history.moments()[1:].astype("datetime64[D]").astype(str)[terms.window :]
        columns = zip(
            days.tolist(), moves.tolist(), *(r.tolist() for r in _all(rules)), strict=True
        )
        paths += [(history.symbol, *row) for row in columns]

    first = histories[0]
    facts = (
        Fact("days", "Days tested", len(first.price) - 1 - terms.window, "count"),
        Fact("from", "From", str(first.moments()[terms.window + 1])[:10], "text"),
        Fact("to", "To", str(first.moments()[-1])[:10], "text"),
        Fact("confidence", "Confidence", terms.confidence, "share"),
        Fact("decay", "Decay", terms.decay, "number"),
        Fact("half_rise", "5-day rise if volatility trebles", _step(terms), "move"),
    )
    tables = (
        Table("rules", RULES, tuple(rows)),
        Table("path", PATH, tuple(paths), hidden=True),
    )
    notes = (
        "a range is a share of the spot, for a move either way; a breach is a larger move the next"
        " day; p below 0.05 speaks against the rule",
        "buffer, stress and floor are the tools of article 28 of EU regulation 153/2013",
    )
    return Study("dynamic", title, "USD", facts, tables, notes)


def _all(rules: dict[str, FloatArray]) -> list[FloatArray]:
    return [rules[field.key] for field in PATH[3:]]


def _step(terms: DynamicTerms) -> float:
    return procyclical.step_response(terms.decay, 5, 3.0) - 1.0


def margins(history: Prices, terms: DynamicTerms) -> tuple[FloatArray, dict[str, FloatArray]]:
    """Return the size of each day's move, and the range that each rule had asked the day before.

    Nothing of a day's move is known to its range.
    """
    moves = np.diff(np.log(history.price))
    relative = np.abs(np.expm1(moves))
    early = moves[: terms.window]
    scale = np.sqrt(terms.horizon) * np.sqrt(max(terms.depth, 1.0))
    z = procyclical.quantile(0.5 * (1.0 + terms.confidence))
    variance = procyclical.variances(moves, terms.decay, float(np.mean(early**2)))[:-1]
    ewma = z * np.sqrt(variance)
    if terms.implied is not None:
        ewma = np.maximum(ewma, z * terms.weight * terms.implied / np.sqrt(DAYS_PER_YEAR))
    long_run = z * np.sqrt(np.cumsum(moves**2) / np.arange(1, len(moves) + 1))
    lowest = np.concatenate([long_run[:1], long_run[:-1]])
    floor = lowest if terms.floor is None else np.full(len(moves), terms.floor)
    worst = float(np.max(ewma[: terms.window]))
    stress = worst if terms.stress is None else terms.stress
    fixed = 1.25 * z * float(np.sqrt(np.mean(early**2)))
    static = fixed if terms.static is None else terms.static
    fhs = procyclical.filtered_quantiles(moves, variance, terms.confidence, terms.window)
    rules = {
        "static": np.full(len(moves), static),
        "ewma": ewma * scale,
        "floor": procyclical.floored(ewma, floor) * scale,
        "stress": procyclical.stressed(ewma, stress) * scale,
        "buffer": procyclical.buffered(ewma) * scale,
        "fhs": fhs * scale,
    }
    tested = {name: rule[terms.window :] for name, rule in rules.items()}
    return relative[terms.window :], tested


def next_range(history: Prices, rule: str, terms: DynamicTerms) -> float:
    """Return what a rule asks after the last day: the range of a day that has not come."""
    after = Prices(
        history.symbol,
        np.append(history.time, history.time[-1] + SECONDS_PER_DAY),
        np.append(history.price, history.price[-1]),
    )
    return float(margins(after, terms)[1][rule][-1])


def _rule(
    symbol: str, name: str, margin: FloatArray, moves: FloatArray, terms: DynamicTerms
) -> tuple[Any, ...]:
    leaps = procyclical.leaps(margin)
    tested = backtest(moves * np.sqrt(terms.horizon) > margin, terms.confidence)
    return (
        symbol,
        name,
        leaps.mean,
        float(np.min(margin)),
        float(np.max(margin)),
        float(margin[-1]),
        leaps.peak_to_trough,
        *(leaps.rise.get(days) for days in procyclical.HORIZONS),
        tested.breaches,
        tested.expected,
        tested.kupiec_p,
        tested.christoffersen_p,
        tested.conditional_p,
    )


def model_text(histories: tuple[Prices, ...], rule: str, terms: DynamicTerms, name: str) -> str:
    """Return a scan model, as TOML, whose ranges are what a rule asks now.

    Every symbol's underlying is its part before a slash or a dash; the rest of the model is that
    of `generic-portfolio`.

    Raises
    ------
    InputError
        If there is no such rule, two symbols are of one underlying, or a range is too wide.
    """
    from margincalc.margin.load import load_model, model_file

    if rule not in [field.key for field in PATH[3:]]:
        known = ", ".join(field.key for field in PATH[3:])
        raise input_error("--rule", shown(rule), f"one of {known}")
    bases = _bases(histories)
    last = max(float(history.time[-1]) for history in histories)
    base = load_model("generic-portfolio", dt.date.max)
    text = model_file("generic-portfolio", base.effective).read_text("utf-8")
    _, _, rest = text.partition("[parameters.scope]")
    day = dt.datetime.fromtimestamp(last, dt.UTC).date().isoformat()
    title = f'name = {_quoted(name)}\ntitle = "Scan ranges by {rule}, {day}"\nfamily = "scan"\n'
    source = f"ranges by {rule}, {terms.confidence:g} over {terms.horizon:g} days, from a history"
    lines = [
        title + f'mode = "portfolio"\neffective = {day}\nproof = "own"\n',
        f'[[sources]]\nwhat = "{source}"\nurl = "margincalc simulate dynamic"\nread = {day}\n',
        "[parameters.scope]" + rest.rstrip() + "\n",
    ]
    for underlying, history in zip(bases, histories, strict=True):
        lines.append(_underlying(underlying, next_range(history, rule, terms)))
    return "\n".join(lines)


def _bases(histories: tuple[Prices, ...]) -> list[str]:
    """Return the underlying of each symbol; without a symbol it is bitcoin."""
    bases = [own.symbol.replace("/", "-").partition("-")[0] or "BTC" for own in histories]
    for base in bases:
        if bases.count(base) > 1:
            remedy = "choose one with --symbol"
            raise input_error("--symbol", f"several symbols of {shown(base)}", "one", remedy)
    return bases


def _quoted(text: str) -> str:
    """Return a text as TOML has it, whatever is in it."""
    return json.dumps(text, ensure_ascii=False)


def _underlying(base: str, size: float) -> str:
    """Return one underlying's grid and tails."""
    if not 0.0 < size < 0.95:
        raise input_error("--rule", f"a range of {size:.3g} of {shown(base)}", "one from 0 to 0.95")
    key = base if base.isascii() and base.isalnum() else _quoted(base)
    moves = ", ".join(f"{size * step / 4.0:.6f}" for step in range(-4, 5))
    return (
        f"[parameters.underlyings.{key}.grid]\nspot = [{moves}] # relative move\n"
        "volatility = [-0.25, 0.0, 0.5] # relative move of a 30-day volatility\n\n"
        f"[parameters.underlyings.{key}.tails]\nspot = [-0.66, -0.33, 0.5, 1.0, 2.0] # relative\n"
        f"volatility = 0.5 # relative move of a 30-day volatility\ncover = {size:.6f} # a share\n"
    )


def title_of(source: str | Path, histories: tuple[Prices, ...]) -> str:
    """Name what was studied."""
    names = ", ".join(history.symbol for history in histories if history.symbol)
    return f"{Path(str(source)).name}{f': {names}' if names else ''}"


def _check(terms: DynamicTerms, histories: tuple[Prices, ...]) -> None:
    """Refuse terms that no range follows, and histories too short to test one."""
    refuse_outside(terms._asdict(), LIMITS)
    for history in histories:
        if len(history.price) < terms.window + 50:
            found = f"{len(history.price)} prices of {history.symbol or 'it'}"
            wanted = f"at least {terms.window + 50}, for a window of {terms.window}"
            raise input_error("FILE", found, wanted, "shorten --window, or give a longer history")
