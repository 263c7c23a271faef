"""Regulation T: brokers' and Cboe's worked examples, and the vectors of margin-estimator.

A printed figure is one of three: the requirement of the rulebook (before proceeds, and without what
long options cost), the deposit (our initial margin), or one side of a rule, for which the model is
asked with the other side's rate at nothing. The cases `cboe2007_*` carry a portfolio margin too;
that half is the topic `tims`, and the registry merges what the two compute.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from margincalc.answers.account import Account
from margincalc.answers.margining import Rules, margined
from margincalc.portfolio import Portfolio

Case = Mapping[str, Any]
Computed = dict[str, Any]

AS_OF = dt.date(2026, 1, 2)
DAYS = 49  # to expiry, where an example names none
BEYOND_VALUE = 50.0  # TD Ameritrade's, in its example's name `fifty_per_contract`
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")

RELATIVE = {
    # Printed prices sum to 4.86: two cents' halves on 10,000 shares are 100 of 48,500.
    "cboe2007_ibm_long_straddle.reg_t_net_of_proceeds": 100.0 / 48_500.0,
    # Printed 3,000 where the example's own rule gives 2 x 1,540.
    "regt_neif_margin_call_story.printed_two_puts": 80.0 / 3_000.0,
}


class Leg(NamedTuple):
    """Contracts of one series."""

    call: bool
    strike: float
    quantity: float
    price: float
    expiry: dt.date = AS_OF + dt.timedelta(days=DAYS)


class Shares(NamedTuple):
    """Shares of the underlying, or of a fund with a price of its own."""

    quantity: float
    price: float


class Book(NamedTuple):
    """An example's positions and the rules that it states."""

    spot: float
    legs: Sequence[Leg]
    settings: tuple[str, ...]
    shares: Shares | None = None
    multiplier: float = 100.0
    as_of: dt.date = AS_OF

    def account(self, *settings: str) -> Account:
        """Margin the book."""
        content: dict[str, Any] = {
            "as_of": self.as_of.isoformat(),
            "market": {"XYZ": {"spot": self.spot, "listed": True}},
            "positions": [_position(leg, self.multiplier) for leg in self.legs if leg.quantity],
        }
        if self.shares is not None:
            own = "XYZ" if self.shares.price == self.spot else "FUND"
            content["market"].setdefault(own, {"spot": self.shares.price, "listed": True})
            held = {"instrument": own, "quantity": self.shares.quantity}
            content["positions"].append(held)
        rules = Rules(model="reg-t", settings=self.settings + settings)
        return margined(Portfolio.model_validate(content), rules)

    def deposit(self) -> float:
        """Return what must be paid in to open the book at its prices."""
        return float(self.account().result.initial[0])

    def requirement(self, *settings: str) -> float:
        """Return the requirement of the rulebook."""
        return float(self.account(*settings).result.details["strategy_requirement"][0])

    def of(self, *legs: Leg) -> "Book":
        """Return the book with these legs only."""
        return self._replace(legs=legs)


_NO_RATE = ("short_option.equity=0.0", "short_option.broad_index=0.0")
_NO_MINIMUM = ("short_option.minimum=0.0",)


def _position(leg: Leg, multiplier: float) -> dict[str, Any]:
    return {
        "instrument": {
            "kind": "option",
            "listed": True,
            "underlying": "XYZ",
            "expiry": leg.expiry.isoformat(),
            "strike": float(leg.strike),
            "type": "call" if leg.call else "put",
            "multiplier": float(multiplier),
            "exercise": "american",
        },
        "quantity": float(leg.quantity),
        "mark_price": float(leg.price),
        "volatility": 0.3,  # no rule of Regulation T reads it
    }


def _settings(rules: Case) -> tuple[str, ...]:
    """Write the rates that a case states."""
    keys = {
        "rate": ("short_option.equity", "short_option.broad_index"),
        "min_rate": ("short_option.minimum",),
        "stock": ("long_shares.initial",),
    }
    return tuple(
        f"{key}={float(rules[name])}" for name in keys if name in rules for key in keys[name]
    )


def _book(case: Case) -> Book:
    """Read an example of the brokers; without a spot, the middle of its strikes."""
    inputs, rules = case["inputs"], case["parameters"]
    legs = [Leg(side == "C", *rest) for side, *rest in inputs["legs"]]
    strikes = [leg.strike for leg in legs]
    spot = inputs["spot"] or 0.5 * (min(strikes) + max(strikes))
    multiplier = rules.get("multiplier", inputs.get("multiplier", 100.0))
    return Book(float(spot), legs, _settings(rules), multiplier=multiplier)


def combination(case: Case) -> Computed:
    """Requirement of the whole; of a book without any, what it costs."""
    book = _book(case)
    return {"total": book.requirement() or book.deposit()}


def strangle(case: Case) -> Computed:
    """Both sides of a straddle or strangle, each by the rate and by the minimum."""
    book = _book(case)
    found: Computed = {"total": book.requirement()}
    for leg in book.legs:
        side = "call" if leg.call else "put"
        found[f"{side}_side"] = book.of(leg).requirement()
        found[f"{side}_min"] = book.of(leg).requirement(*_NO_RATE)
    return found


def _at_rate(book: Book) -> float:
    """Return the rate's side of a naked option's rule, which may be below nothing.

    The model never asks for less than nothing, so it is asked for the option at the money.
    """
    (leg,) = book.legs
    beyond = max(leg.strike - book.spot if leg.call else book.spot - leg.strike, 0.0)
    at_the_money = book.of(leg._replace(strike=book.spot)).requirement(*_NO_MINIMUM)
    return at_the_money - beyond * book.multiplier * abs(leg.quantity)


def tasty_naked(case: Case) -> Computed:
    """The greatest of three rules, and what is left to deposit."""
    book = _book(case)
    rule = next(key for key in case["expected"] if key.removeprefix("rule_").isdecimal())
    house = f"house.contract_minimum={float(rule.removeprefix('rule_'))}"
    whole = book._replace(settings=(*book.settings, house))
    return {
        "rule_20pct": _at_rate(book),
        "rule_10pct_strike": book.requirement(*_NO_RATE),
        rule: book.requirement(*_NO_RATE, *_NO_MINIMUM, house),
        "total": whole.requirement(),
        "buying_power_after_premium": whole.deposit(),
    }


def td_naked(case: Case) -> Computed:
    """The greatest of three rules."""
    book = _book(case)
    house = f"house.beyond_value={BEYOND_VALUE}"
    return {
        "percent20": _at_rate(book),
        "percent10_strike": book.requirement(*_NO_RATE),
        "fifty_per_contract": book.requirement(*_NO_RATE, *_NO_MINIMUM, house),
        "total": book.requirement(house),
    }


def index_call(case: Case) -> Computed:
    """Both sides of the rule."""
    book = _book(case)
    return {
        "rule_20": _at_rate(book),
        "rule_10": book.requirement(*_NO_RATE),
        "total": book.requirement(),
    }


def house_butterfly(case: Case) -> Computed:
    """Near wing as a credit spread, far wing as a debit spread, as the broker counts them.

    Paired as cheaply as the rule allows, the whole needs the credit spread's requirement alone.
    """
    book = _book(case)
    near, body, far = sorted(book.legs, key=lambda leg: -leg.strike)
    half = body._replace(quantity=0.5 * body.quantity)
    credit, debit = book.of(near, half).requirement(), book.of(half, far).deposit()
    return {"credit_spread": credit, "debit_spread": debit, "total": credit + debit}


def margin_call(case: Case) -> Computed:
    """Naked options on two days."""
    days, settings = case["inputs"], _settings(case["parameters"])
    calls = days["day2"]["uncovered_calls"]
    puts = days["day3"]["short_puts"]
    return {
        "day2_calls": _named(days["day2"], "call", calls, settings),
        "day3_calls": _named(days["day3"], "call", calls, settings),
        "day3_one_put": _named(days["day3"], "put", 1.0, settings),
        "printed_two_puts": _named(days["day3"], "put", puts, settings),
    }


def _named(day: Case, side: str, number: float, settings: tuple[str, ...]) -> float:
    """Requirement of options sold that are written as `call35: 3.6` after their share's price."""
    spot = 0.0
    for key, price in day.items():
        if key.startswith(side):
            leg = Leg(side == "call", float(key.removeprefix(side)), -number, price)
            return Book(spot, [leg], settings).requirement()
        spot = price
    raise ValueError(f"no {side}")


def cboe(case: Case) -> Computed:
    """Deposit of a row of Cboe's table of 2007, or of its press examples."""
    inputs = case["inputs"]
    as_of = dt.date.fromisoformat(case.get("valuation_date", "2007-02-23"))
    stock = inputs.get("stock")
    shares = None
    if stock is not None:
        shares = Shares(*(stock.values() if isinstance(stock, Mapping) else stock))
    legs = [
        Leg(
            row["type"] == "call",
            row["strike"],
            row["contracts"],
            row["price"],
            _third_friday(row["expiry"], as_of),
        )
        for row in inputs["options"]
    ]
    multiplier = _only(row.get("multiplier", 100.0) for row in inputs["options"])
    settings = _settings(case["parameters"]["reg_t"])
    book = Book(inputs["spot"], legs, settings, shares, multiplier, as_of)
    return {"reg_t_net_of_proceeds": book.deposit()}


def _third_friday(text: str, after: dt.date) -> dt.date:
    """Return the monthly expiry of the month that a text begins with, after a day."""
    month = _MONTHS.index(text[:3].upper()) + 1
    first = dt.date(after.year + (month < after.month), month, 1)
    return first + dt.timedelta(days=(4 - first.weekday()) % 7 + 14)


def _only(values: Iterable[float]) -> float:
    (value,) = set(values)
    return value


def vectors(case: Case) -> Computed:
    """Figures of margin-estimator, by test."""
    return {row["test"]: estimated(row) for row in case["vectors"]}


def estimated(row: Case) -> float:
    """Return a figure in the estimator's conventions.

    It counts naked options with their value and what long options cost; spreads after their
    credit; shares at what was paid for them, sold ones with their proceeds; each rounded to a cent
    per share. It leaves out what an option that shares cover is in the money.
    """
    legs = [
        Leg(
            leg["type"] == "C",
            leg["strike"],
            leg["quantity"],
            leg["price"],
            AS_OF + dt.timedelta(days=DAYS + leg["days_to_expiry"]),
        )
        for leg in row["legs"]
        if leg["kind"] == "option"
    ]
    under = row["underlying"]
    broad = str(under["class_"] == "broad-based").lower()
    rule = f"underlyings.XYZ={{broad_index={broad},leverage={float(under['leverage'])}}}"
    book = Book(under["price"], legs, (rule,))
    for leg in row["legs"]:
        if leg["kind"] == "shares":
            return _with_shares(book, Shares(leg["quantity"], leg["price"]))
    result = book.account().result
    uncovered = result.initial_components["naked_options"] + result.initial_components["strangles"]
    cost = float(result.details["long_option_value"][0])
    figure = book.requirement() + cost if uncovered[0] else book.deposit()
    return float(round(round(figure, 6)))  # half to even, as decimals are


def _with_shares(book: Book, paid: Shares) -> float:
    sign = 1.0 if paid.quantity > 0.0 else -1.0
    held = book._replace(shares=Shares(paid.quantity, book.spot))
    at_cost = 0.5 * abs(paid.quantity) * (paid.price - book.spot)
    proceeds = max(-paid.quantity, 0.0) * paid.price
    covered = (leg for leg in book.legs if leg.quantity < 0.0 and leg.call == (sign > 0.0))
    in_the_money = sum(
        max(sign * (book.spot - leg.strike), 0.0)
        * min(abs(paid.quantity), book.multiplier * abs(leg.quantity))
        for leg in covered
    )
    # Shares behind a call in the money lend on its strike; behind a put, all of it is asked for.
    more = in_the_money * (0.5 if sign > 0.0 else 1.0)
    return held.requirement() + at_cost + proceeds - more


_CBOE = (
    *(f"ibm_{name}" for name in ("covered_call", "long_straddle", "long_vertical_call_spread")),
    *(f"ibm_{name}" for name in ("protective_put", "short_call", "short_put", "synthetic_long")),
    *(f"press_{name}" for name in ("covered_write", "nonconforming_debit_spread")),
    *(f"press_{name}" for name in ("protective_put", "synthetic_straddle")),
    *(f"spx_{name}" for name in ("long_straddle", "long_vertical_call_spread")),
    *(f"spx_{name}" for name in ("protective_put", "risk_reversal", "short_put")),
    "spx_synthetic_long",
)

ADAPTERS = {
    "regt_cboe_manual_p45_short_straddle": strangle,
    "regt_tasty_short_strangle": strangle,
    "regt_tasty_naked_put": tasty_naked,
    "regt_tasty_iron_condor": combination,
    "regt_tasty_long_call_butterfly": combination,
    "regt_td_naked_put_50_contracts": td_naked,
    "regt_optionshouse_spx_naked_call": index_call,
    "regt_optionshouse_short_put_butterfly": house_butterfly,
    "regt_neif_margin_call_story": margin_call,
    "regt_margin_estimator_vectors": vectors,
    **{f"cboe2007_{name}": cboe for name in _CBOE},
}
