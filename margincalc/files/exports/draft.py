"""What exports have said of a portfolio, gathered before it is put together.

Readers say what they find (a spot, a quote, a position, a deposit, what the venue states as its
margin); what no portfolio file can express they hand to `refuse`, and it is reported by name.
"""

import datetime as dt
import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from margincalc.errors import Fault, printable
from margincalc.files.exports.rows import Row
from margincalc.portfolio.names import Terms, name_of
from margincalc.times import expiry_instant, years_between

MONEY = ("USD", "USDC", "USDT", "USDE", "DAI", "USDS", "USDG", "FDUSD", "PYUSD")
MOST_VOLATILITY = 10.0  # of a portfolio file; a venue prints more for what is nearly worthless


class Part(NamedTuple):
    """What a venue states in one currency: of the account, or of a single position."""

    source: str
    currency: str
    figures: dict[str, float]
    of_account: bool


@dataclass
class Draft:
    """What exports have said so far.

    Attributes
    ----------
    origin : of parts of the portfolio, the row that said them
    refused : what is of the account and cannot be expressed, and why
    passed : what is of the market and no contract that a portfolio holds, such as a spot pair
    empty : positions of size 0
    remarks : what was decided on the way
    lots : trading terms of instruments, kept for those that are held or ordered; `unit` is what
        one contract is
    stocks : underlyings whose options, if any, are an exchange's equity options
    days : of symbols that do not say it, when they expire
    """

    faults: list[Fault] = field(default_factory=list)
    account: str = ""
    currency: str = ""
    stable_price: float | None = None
    moment: dt.datetime | None = None
    spots: dict[str, float] = field(default_factory=dict)
    rates: dict[str, float] = field(default_factory=dict)
    perpetuals: dict[str, dict[str, float]] = field(default_factory=dict)
    forwards: dict[str, dict[str, float]] = field(default_factory=dict)
    expiry_rates: dict[str, dict[str, float]] = field(default_factory=dict)
    stocks: set[str] = field(default_factory=set)
    contracts: dict[str, tuple[Terms, bool]] = field(default_factory=dict)
    quotes: dict[str, dict[str, float]] = field(default_factory=dict)
    instruments: dict[str, dict[str, Any]] = field(default_factory=dict)
    lots: dict[str, dict[str, float]] = field(default_factory=dict)
    days: dict[str, dt.date] = field(default_factory=dict)
    positions: list[dict[str, Any]] = field(default_factory=list)
    orders: list[dict[str, Any]] = field(default_factory=list)
    deposits: dict[str, dict[str, Any]] = field(default_factory=dict)
    stated: dict[str, float] = field(default_factory=dict)
    stated_by: str = ""
    parts: list["Part"] = field(default_factory=list)
    origin: dict[str, Row] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    passed: dict[str, None] = field(default_factory=dict)
    empty: dict[str, None] = field(default_factory=dict)
    remarks: dict[str, None] = field(default_factory=dict)

    def refuse(self, what: str, why: str) -> None:
        """Note what no portfolio file can express."""
        self.refused.append(f"{printable(what)}: {why}")

    def pass_over(self, what: str) -> None:
        """Note what the market has and no portfolio holds."""
        self.passed[printable(what)] = None

    def set_aside(self, name: str, why: str, *, held: bool, what: str = "") -> None:
        """Note what is no contract: of the account by `what` it is, of the market by its name."""
        if name and held:
            self.refuse(what or name, why)
        elif name:
            self.pass_over(name)

    def nothing_of(self, name: str) -> None:
        """Note a position of size 0."""
        self.empty[printable(name)] = None

    def remark(self, text: str) -> None:
        """Note a decision, once."""
        self.remarks[text] = None

    def seen(self, milliseconds: float | None) -> None:
        """Note when something was true; the valuation time is the latest of them."""
        if milliseconds is None or not 0.0 < milliseconds < 4e12:
            return
        moment = dt.datetime.fromtimestamp(milliseconds / 1000.0, dt.UTC)
        self.moment = moment if self.moment is None else max(moment, self.moment)

    def spot(self, base: str, price: float | None, *, quote: str | None = None) -> None:
        """Note an index price; one in a stablecoin `quote` gives way to one in USD."""
        if price is not None and price > 0.0 and (quote is None or base not in self.spots):
            self.spots[base] = price

    def contract(self, terms: Terms, *, inverse: bool) -> str:
        """Note an instrument, and return its name."""
        name = name_of(terms)
        self.contracts[name] = (terms, inverse)
        return name

    def forward(self, terms: Terms, price: float | None) -> None:
        """Note the forward of a contract's expiry."""
        if price is not None and price > 0.0 and terms.expiry is not None:
            self.forwards.setdefault(terms.base, {})[terms.expiry.isoformat()] = price

    def discount(self, terms: Terms, factor: float | None) -> None:
        """Note the rate of an expiry from its discount factor; `seen` comes first."""
        if factor is None or factor <= 0.0 or terms.expiry is None or self.moment is None:
            return
        end = expiry_instant(terms.expiry.isoformat(), listed=False)
        years = years_between(self.moment, end)
        if years > 0.0:
            rate = -math.log(factor) / years
            self.expiry_rates.setdefault(terms.base, {})[terms.expiry.isoformat()] = rate

    def quote(self, name: str, row: Row, **said: float | None) -> None:
        """Note mark, volatility, bid and ask of an instrument; what is None is not said."""
        known = {key: value for key, value in said.items() if value is not None}
        if known.get("volatility", 1.0) > MOST_VOLATILITY:
            self.remark(f"{name}: its volatility is above {MOST_VOLATILITY:.0%} and is left out")
            del known["volatility"]
        terms = self.contracts[name][0] if name in self.contracts else None
        if terms is not None and terms.kind == "perpetual" and terms.quote is None:
            if "mark" in known:
                self.perpetuals.setdefault(terms.base, {})["mark"] = known["mark"]
        elif known:
            self.quotes.setdefault(name, {}).update(known)
            self.origin[f"quotes.{name}"] = row

    def held_at(
        self, name: str, row: Row, *, mark: float | None, index: float | None = None
    ) -> None:
        """Note the prices in a position's row; those of an answer about the market hold."""
        terms = self.contracts[name][0]
        if terms.base not in self.spots:
            self.spot(terms.base, index)
        inverse_perpetual = terms.kind == "perpetual" and terms.quote is None
        known = self.perpetuals.get(terms.base) if inverse_perpetual else self.quotes.get(name)
        if "mark" not in (known or {}):
            self.quote(name, row, mark=mark)

    def funding(self, base: str, rate: float | None) -> None:
        """Note the funding rate of a perpetual per eight hours."""
        if rate is not None:
            self.perpetuals.setdefault(base, {})["funding_rate"] = rate

    def position(self, name: str, quantity: float, row: Row, **said: object) -> None:
        """Note a position; what is None is not said, and one of size 0 is left out."""
        if quantity == 0.0:
            self.nothing_of(name)
            return
        self.origin[f"positions[{len(self.positions)}]"] = row
        known = {key: value for key, value in said.items() if value is not None}
        self.positions.append({"instrument": name, "quantity": quantity, **known})

    def order(self, name: str, side: float, left: float, price: float | None, row: Row) -> None:
        """Note an open order: 1 where it buys and -1 where it sells, and how much is left of it."""
        if left <= 0.0:
            return
        if price is None:
            self.refuse(f"order of {name}", "it has no price yet; a portfolio's orders have one")
            return
        self.origin[f"orders[{len(self.orders)}]"] = row
        self.orders.append({"instrument": name, "quantity": side * left, "price": price})

    def deposit(self, asset: str, quantity: float, row: Row, price: float | None = None) -> None:
        """Note a balance; several of one asset add up."""
        if quantity == 0.0 or not asset:
            return
        if asset not in self.deposits:
            self.origin[f"collateral[{len(self.deposits)}]"] = row
            self.deposits[asset] = {"asset": asset, "quantity": 0.0}
        self.deposits[asset]["quantity"] += quantity
        if price is not None:
            self.deposits[asset]["price"] = price

    def state(self, source: str, **figures: float | None) -> None:
        """Note what the venue states of the whole account, in the account's currency."""
        self.stated_by = source
        self.stated.update({key: value for key, value in figures.items() if value is not None})

    def state_part(
        self, source: str, currency: str, *, of_account: bool, **figures: float | None
    ) -> None:
        """Note what the venue states in one currency; parts are priced and added at the end.

        Those of single positions count where there are none of the account.
        """
        known = {key: value for key, value in figures.items() if value is not None}
        self.parts.append(Part(source, currency, known, of_account))
