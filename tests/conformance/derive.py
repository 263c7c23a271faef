"""Derive's cases, schema of the reference's CASES.md: a portfolio, its parameters, net margins.

A case becomes a portfolio file's content and a model's tables, so that it takes the way that every
account takes. What a case calls by its own names is read from the result, never recomputed.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from margincalc.arrays import FloatArray
from margincalc.assembly.assemble import assemble
from margincalc.assembly.pools import labels
from margincalc.book import Book, Kind
from margincalc.margin.base import MarginModel, MarginResult
from margincalc.margin.derive_groups import at_rate, expiries_of, groups_of
from margincalc.margin.derive_pm2 import Pm2
from margincalc.margin.derive_shocks import BASIS
from margincalc.margin.load import FAMILIES
from margincalc.portfolio import Portfolio
from margincalc.risk import now
from margincalc.times import SECONDS_PER_YEAR
from tests.conformance.schema import refuse_unknown

Case = Mapping[str, Any]
Computed = dict[str, Any]

AS_OF = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
MOST_RATE, MOST_VOLATILITY = 2.0, 10.0  # per year; a file may not say more, a venue's test does
LEAST_STRIKE = 1e-200  # stands for none
LEAST_PRICE = 1e-12  # of a perpetual whose feed has none
_LABELS = labels("portfolio", "account")


def _numbers(value: Any) -> Any:
    """Read every number of a case, some of which are written as texts."""
    if isinstance(value, Mapping):
        return {key: _numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    if isinstance(value, bool) or value is None:
        return value
    try:
        return float(value)
    except ValueError:
        return value


def _expiry(seconds: float) -> str:
    """Name the expiry some seconds from now; what has expired has expired now."""
    return (AS_OF + dt.timedelta(seconds=max(seconds, 0.0))).isoformat()


class _Beyond(NamedTuple):
    """What no file may say of an instrument: a column and its value."""

    instrument: str
    column: str
    value: float


class _Written(NamedTuple):
    """The content of a portfolio file while it is being written, and what it cannot say."""

    stable: float
    content: dict[str, Any]
    beyond: list[_Beyond]


def _written(cash: float, stable: float) -> _Written:
    deposits = [{"asset": "USDC", "quantity": cash}] if cash else []
    content = {
        "account": "account",
        "currency": "USDC",
        "as_of": AS_OF,
        "stable_price": stable,
        "market": {},
        "instruments": {},
        "collateral": deposits,
        "positions": [],
    }
    return _Written(stable, content, [])


def _add_market(written: _Written, name: str, feeds: Case, positions: Case) -> None:
    """Write one underlying's market, options and perpetual.

    Raises
    ------
    ValueError
        If two feeds are of one expiry, or an option's expiry has none.
    """
    quoted = [_expiry(row["seconds_to_expiry"]) for row in feeds["expiries"]]
    wanted = {_expiry(row["seconds_to_expiry"]) for row in positions["options"] if row["amount"]}
    if len(set(quoted)) < len(quoted) or wanted - set(quoted):
        raise ValueError(f"{name}: one feed for each expiry is wanted")
    own: dict[str, Any] = {
        "spot": feeds["spot"]["price"],
        "confidence": feeds["spot"]["confidence"],
        "expiries": {_expiry(row["seconds_to_expiry"]): _quoted(row) for row in feeds["expiries"]},
    }
    written.content["market"][name] = own
    rates = {row["seconds_to_expiry"]: row.get("rate", 0.0) for row in feeds["expiries"]}
    fitted = {row["seconds_to_expiry"] for row in feeds["expiries"] if row.get("svi")}
    for number, option in enumerate(positions["options"]):
        if option["amount"]:
            svi = option["seconds_to_expiry"] in fitted
            key = f"{name} option {number:04d}"
            _add_option(written, name, key, option, svi)
            rate = rates.get(option["seconds_to_expiry"], 0.0)
            if abs(rate) > MOST_RATE:
                written.beyond.append(_Beyond(key, "rate", rate))
    perp = positions["perp"]
    if perp["amount"]:  # without a balance its profit does not count either
        own["perpetual"] = {
            "mark": max(feeds["perp"]["price"], LEAST_PRICE),
            "confidence": feeds["perp"]["confidence"],
        }
        written.content["positions"].append(
            {
                "instrument": {"kind": "perpetual", "underlying": name},
                "quantity": perp["amount"],
                "unsettled": perp["unrealized_pnl"] + perp["unrealized_funding"],
            }
        )


def _quoted(row: Case) -> dict[str, Any]:
    """Write an expiry: its forward in parts, and the least confidence of its feeds."""
    feeds = ("forward_confidence", "rate_confidence", "vol_confidence")
    fixed, variable = row.get("forward_fixed", 0.0), row.get("forward_variable", row.get("forward"))
    if row["seconds_to_expiry"] <= 0.0:
        fixed, variable = fixed + variable, 0.0  # nothing moves a settlement price
    quoted: dict[str, Any] = {
        "forward": {"fixed": fixed, "variable": variable},
        "confidence": min(row[feed] for feed in feeds if feed in row),
    }
    if "rate" in row:
        quoted["rate"] = min(max(row["rate"], -MOST_RATE), MOST_RATE)
    if row.get("svi"):
        quoted["svi"] = {("time" if k == "tau_years" else k): v for k, v in row["svi"].items()}
    return quoted


def _add_option(written: _Written, name: str, key: str, option: Case, svi: bool) -> None:
    written.content["instruments"][key] = {
        "kind": "option",
        "underlying": name,
        "expiry": _expiry(option["seconds_to_expiry"]),
        "strike": option["strike"] or LEAST_STRIKE,
        "type": option["type"],
    }
    position = {"instrument": key, "quantity": option["amount"]}
    if not svi:
        stated = option["mark_vol"] if option.get("svi_vol") is None else option["svi_vol"]
        position["volatility"] = stated if 0.0 < stated <= MOST_VOLATILITY else MOST_VOLATILITY
        if position["volatility"] != stated:
            written.beyond.append(_Beyond(key, "volatility", stated))
    written.content["positions"].append(position)


def _add_deposit(written: _Written, underlying: str, row: Case) -> None:
    """Write a deposit of PMRM_2; one that does not offset moves with nothing but is doubted."""
    if not row["amount"]:
        return
    written.content["collateral"].append(
        {
            "asset": row["name"],
            "quantity": row["amount"],
            "price": row["price"] / written.stable,  # a feed's price is not in settlement money
            "haircut": {
                "maintenance": row["mm_haircut"],
                "initial": min(row["mm_haircut"] + row["im_haircut_extra"], 1.0),
            },
            "moves_with": underlying,
            "beta": 1.0 if row["offsets_spot_risk"] else 0.0,
            "confidence": row["confidence"],
        }
    )


def _add_base(written: _Written, underlying: str, amount: float) -> None:
    if amount:
        written.content["collateral"].append({"asset": underlying, "quantity": amount})


class _Answer(NamedTuple):
    """A margined case, one pool."""

    model: MarginModel
    book: Book
    result: MarginResult

    def detail(self, name: str) -> float:
        return self._only(self.result.details[name])

    def part(self, name: str, *, initial: bool = False) -> float:
        parts = self.result.initial_components if initial else self.result.components
        return self._only(parts[name])

    def _only(self, amount: FloatArray) -> float:
        """Return the one pool's amount; an account that holds nothing is no pool."""
        return float(amount[0]) if self.book.pools else 0.0

    def extra(self, name: str) -> float:
        """Return what initial margin adds to a contingency of the maintenance margin."""
        return self.part(name, initial=True) - self.part(name)

    def margins(self) -> Computed:
        return {
            "net_initial_margin": self.detail("net_initial_margin"),
            "net_maintenance_margin": self.detail("net_maintenance_margin"),
            "mtm_incl_cash": self.detail("mark_to_market"),
            "portfolio_mtm_incl_cash": self.detail("mark_to_market"),
        }


def _answer(written: _Written, model: MarginModel) -> _Answer:
    book = assemble(Portfolio.model_validate(written.content), _LABELS).book
    number = {name: row for row, name in enumerate(book.names.instruments)}
    for instrument, column, value in written.beyond:
        changed = getattr(book.instruments, column).copy()
        changed[number[instrument]] = value
        book = replace(book, instruments=replace(book.instruments, **{column: changed}))
    return _Answer(model, book, model.margin(book))


def _tables(case: Case) -> dict[str, Any]:
    return {**case["parameters"], "scenarios": case["scenarios"]}


def pmrm1(case: Case) -> Computed:
    """Compute a case of the first portfolio manager."""
    refuse_unknown(case)
    case = _numbers(case)
    written = _written(case["positions"]["cash"], case["feeds"]["stable"]["price"])
    _add_market(written, "ETH", case["feeds"], case["positions"])
    _add_base(written, "ETH", case["positions"]["base"]["amount"])
    answer = _answer(written, FAMILIES["derive_pm1"](_tables(case)))
    return {
        **answer.margins(),
        **_scenarios(answer),
        "perp_contingency": -answer.part("delta_one"),
        "base_contingency": -answer.part("base_asset"),
        "option_contingency": -answer.part("short_options"),
        "oracle_contingency_im": -answer.part("oracle_confidence", initial=True),
    }


def pmrm2(case: Case) -> Computed:
    """Compute a case of the second portfolio manager."""
    refuse_unknown(case)
    case = _numbers(case)
    written = _written(case["positions"]["cash"], case["feeds"]["stable"]["price"])
    _add_market(written, "ETH", case["feeds"], case["positions"])
    for row in case["positions"]["collaterals"]:
        _add_deposit(written, "ETH", row)
    answer = _answer(written, FAMILIES["derive_pm2"](_tables(case)))
    contingencies = ("delta_one", "short_options", "collateral_haircut")
    doubt = answer.part("oracle_confidence", initial=True)
    return {
        **answer.margins(),
        **_scenarios(answer),
        **_marks(case, answer),
        **_expiries(case, answer),
        "mm_contingency_total": sum(answer.part(name) for name in contingencies),
        "im_contingency_extra_total": sum(answer.extra(name) for name in contingencies) + doubt,
        "perp_contingency_mm": -answer.part("delta_one"),
        "perp_contingency_im_extra": -answer.extra("delta_one"),
        "collateral_contingency_mm": -answer.part("collateral_haircut"),
        "collateral_contingency_im_extra": -answer.extra("collateral_haircut"),
        "option_contingency_mm": -answer.part("short_options"),
        "option_contingency_im_extra": -answer.extra("short_options"),
        "oracle_contingency_im": -doubt,
    }


def _scenarios(answer: _Answer) -> Computed:
    """Return the weighted profit and loss of every scenario, and which binds."""
    worst, grid = answer.result.worst, answer.model.grids[0]
    assert worst is not None
    assert worst.every is not None
    if not len(worst.pnl):  # money alone
        return {
            "scenario_pnl": [0.0] * (grid.size - 1),
            "basis_contingency_pnl": 0.0,
            "worst_scenario": "basis_contingency",
        }
    pnl = [float(amount) for amount in worst.every[0] * grid.weight]
    bound = int(worst.scenario[0])
    named = "basis_contingency" if grid.label(bound) == BASIS else bound
    return {
        "scenario_pnl": pnl[:-1],
        "basis_contingency_pnl": pnl[-1],
        "worst_scenario": named,
    }


def _marks(case: Case, answer: _Answer) -> Computed:
    """Return the parts of the mark-to-market as the venue's own reference prints them."""
    book = answer.book
    worth = book.quantity * now(_discounted(book))[book.instrument]
    kind = book.kind
    cash = case["positions"]["cash"]
    perp = case["positions"]["perp"]
    deposits = float(np.sum(worth[kind == Kind.COLLATERAL])) - cash
    settled = float(np.sum(worth[kind == Kind.SETTLEMENT]))
    funding = perp["unrealized_funding"] if perp["amount"] else 0.0
    return {
        "options_mtm": float(np.sum(worth[kind == Kind.OPTION])),
        "collateral_mtm": deposits,
        "perp_mtm": settled - funding,  # printed without it, though the margin has it
        "portfolio_mtm_excl_cash": answer.detail("mark_to_market"),  # it includes cash
        "im_factor_effective": _im_factor(answer),
    }


def _discounted(book: Book) -> Book:
    return at_rate(book, np.maximum(book.instruments.rate, 0.0))


def _im_factor(answer: _Answer) -> float:
    assert isinstance(answer.model, Pm2)
    own = answer.model.parameters
    return own.margin.im_factor + own.other_contingency.peg_loss(answer.book.stable)


def _expiries(case: Case, answer: _Answer) -> Computed:
    """Return each expiry's mark and static discounts, in the order of the case's feeds."""
    assert isinstance(answer.model, Pm2)
    book = answer.book
    found = expiries_of(book, groups_of(book))
    worth = book.quantity * now(_discounted(book))[book.instrument]
    marks = found.sum(worth[found.rows])
    long, short = answer.model.parameters.margin.discounts(found)
    rows = {float(time): row for row, time in enumerate(found.time)}
    order = [
        rows[max(feed["seconds_to_expiry"], 0.0) / SECONDS_PER_YEAR]
        for feed in case["feeds"]["expiries"]
        if max(feed["seconds_to_expiry"], 0.0) / SECONDS_PER_YEAR in rows
    ]
    net = np.where(marks >= 0.0, long, short) * marks
    # The venue's own reference prints no discount of an expiry that has passed; its contracts do.
    over = found.time == 0.0
    pairs = np.column_stack([np.where(over, 1.0, long), np.where(over, 1.0, short)])
    return {
        "options_mtm_by_expiry_feed_order": [float(marks[row]) for row in order],
        "options_mtm_by_expiry_discounted": [float(net[row]) for row in order],
        "static_discounts_long_short_by_expiry": [pairs[row].tolist() for row in order],
    }


def srm(case: Case) -> Computed:
    """Compute a case of the standard manager."""
    refuse_unknown(case)
    case = _numbers(case)
    written = _written(case["positions"]["cash"], case["feeds"]["stable"]["price"])
    for name, feeds in case["feeds"]["markets"].items():
        positions = case["positions"]["markets"][name]
        _add_market(written, name.upper(), feeds, positions)
        _add_base(written, name.upper(), positions["base"]["amount"])
    own = {name.upper(): table for name, table in case["parameters"]["markets"].items()}
    default = next(iter(own.values()))
    tables = {**default, "depeg": case["parameters"]["depeg"], "underlyings": own}
    return _answer(written, FAMILIES["derive_sm"](tables)).margins()


ADAPTERS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "derive_pmrm1": pmrm1,
    "derive_pmrm2": pmrm2,
    "derive_srm": srm,
}
