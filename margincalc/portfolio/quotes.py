"""What a portfolio's market says of one contract, with the defaults where it is silent.

A forward is quoted for its expiry, else the mark of the future of that expiry, else carried from
spot by rate and yield. A volatility is quoted, else implied by the mark (by whoever asks), else
that of the expiry's SVI, else the underlying's default.
"""

import datetime as dt
import math
from collections.abc import Iterator
from typing import NamedTuple

from margincalc.portfolio import names
from margincalc.portfolio.contracts import Contract, Resolved
from margincalc.portfolio.portfolio import Portfolio
from margincalc.portfolio.written import ExpiryMarket, Forward, Svi
from margincalc.times import instant, years_between


class Terms(NamedTuple):
    """Forward and discounting of one contract.

    Attributes
    ----------
    time : years to expiry
    fixed, variable : parts of the forward, quote currency
    rate : discount rate of the quote currency; of the coin for an inverse contract
    """

    time: float
    fixed: float
    variable: float
    rate: float


class Mark(NamedTuple):
    """A quoted figure and where it was written."""

    value: float
    place: str


class Market:
    """Look-ups into one portfolio's market; holds what positions say of their instruments."""

    def __init__(self, portfolio: Portfolio, resolved: Resolved) -> None:
        self._portfolio = portfolio
        self._as_of = resolved.as_of
        self._marks: dict[str, Mark] = {}
        self._volatilities: dict[str, float] = {}
        for name, key in resolved.quotes.items():
            quote = portfolio.quotes[key]
            self._note(name, quote.mark, quote.volatility, f"quotes.{key}.mark")
        for number, position in enumerate(portfolio.positions):
            name = resolved.positions[number].name
            place = f"positions[{number}].mark_price"
            self._note(name, position.mark_price, position.volatility, place)
        self._expiries: dict[tuple[str, dt.datetime], ExpiryMarket] = {}
        self._futures = dict(self._quoted_futures())
        for contract in resolved.positions:
            if contract.kind == "future" and contract.expiry and contract.name in self._marks:
                day = (contract.underlying, contract.expiry.date())
                self._futures[day] = self._marks[contract.name].value

    def _note(self, name: str, mark: float | None, volatility: float | None, place: str) -> None:
        if mark is not None:
            self._marks[name] = Mark(mark, place)
        if volatility is not None:
            self._volatilities[name] = volatility

    def _quoted_futures(self) -> Iterator[tuple[tuple[str, dt.date], float]]:
        """Yield the marks of futures by underlying and day, whether they are held or not."""
        for name, mark in self._marks.items():
            terms = _terms_of(name)
            if terms is not None and terms.kind == "future" and terms.expiry is not None:
                quoted_in = f"{terms.base}_{terms.quote}"
                own = quoted_in if quoted_in in self._portfolio.market else terms.base
                yield (own, terms.expiry), mark.value

    def strikes(self, contract: Contract) -> int:
        """Count the strikes of its underlying and expiry that are quoted: a smile needs several."""
        quoted = (_terms_of(name) for name in {*self._marks, *self._volatilities})
        own = {
            terms.strike
            for terms in quoted
            if terms is not None and terms.kind == "option" and contract.expiry is not None
            if terms.base == contract.underlying.partition("_")[0]
            if terms.expiry == contract.expiry.date()
        }
        return len(own)

    def mark(self, contract: Contract) -> Mark | None:
        """Return the quoted mark; of an inverse option it is in coin."""
        return self._marks.get(contract.name)

    def volatility(self, contract: Contract) -> float | None:
        """Return the quoted volatility."""
        return self._volatilities.get(contract.name)

    def confidence(self, contract: Contract) -> float | None:
        """Return the confidence of the feeds that price a contract beside its spot's."""
        if contract.kind == "perpetual":
            perpetual = self._portfolio.market[contract.underlying].perpetual
            return perpetual.confidence if perpetual is not None else None
        return self._expiry(contract).confidence

    def funding(self, contract: Contract) -> float:
        """Return what a perpetual's long pays per eight hours; 0 where nothing is said of it."""
        perpetual = self._portfolio.market[contract.underlying].perpetual
        if contract.kind != "perpetual" or perpetual is None:
            return 0.0
        return perpetual.funding_rate or 0.0

    def default_volatility(self, contract: Contract, terms: Terms) -> float | None:
        """Return what stands in for a volatility that neither quote nor mark gives."""
        expiry = self._expiry(contract)
        if expiry.svi is not None:
            return _svi_volatility(expiry.svi, contract.strike, terms)
        return self._portfolio.market[contract.underlying].volatility

    def terms(self, contract: Contract) -> Terms:
        """Return forward and discounting of a contract."""
        market = self._portfolio.market[contract.underlying]
        quoted = self._expiry(contract)
        rate = market.rate if quoted.rate is None else quoted.rate
        discount = market.yield_ if contract.inverse else rate
        if contract.expiry is None:
            return Terms(0.0, 0.0, self._now(contract), discount)
        time = max(years_between(self._as_of, contract.expiry), 0.0)
        mark = self.mark(contract) if contract.kind == "future" else None
        if mark is not None:
            return Terms(time, 0.0, mark.value, discount)
        if isinstance(quoted.forward, Forward):
            return Terms(time, quoted.forward.fixed, quoted.forward.variable, discount)
        forward = self.quoted_forward(contract)
        carried = self._carried(contract, rate, time) if forward is None else forward
        return Terms(time, 0.0, carried, discount)

    def quoted_forward(self, contract: Contract) -> float | None:
        """Return the forward of a contract's expiry, where it need not be carried from spot."""
        quoted = self._expiry(contract).forward
        if isinstance(quoted, Forward):
            return quoted.fixed + quoted.variable
        if quoted is not None or contract.expiry is None:
            return quoted
        return self._futures.get((contract.underlying, contract.expiry.date()))

    def _now(self, contract: Contract) -> float:
        """Price of what has no expiry: its own mark, else the perpetual's, else spot."""
        market = self._portfolio.market[contract.underlying]
        mark = self.mark(contract)
        if mark is not None:
            return mark.value
        if contract.kind == "perpetual" and market.perpetual and market.perpetual.mark:
            return market.perpetual.mark
        return market.spot

    def dividends(self, contract: Contract) -> tuple[tuple[float, float], ...]:
        """Return years until, and cash amounts of, the dividends in a contract's life."""
        found = []
        for dividend in self._portfolio.market[contract.underlying].dividends:
            paid = years_between(self._as_of, instant(dividend.date))
            if (
                contract.expiry is not None
                and paid > 0.0
                and instant(dividend.date) <= contract.expiry
            ):
                found.append((paid, dividend.amount))
        return tuple(sorted(found))

    def _carried(self, contract: Contract, rate: float, time: float) -> float:
        """Spot less the present value of its dividends, carried at rate less yield.

        Not positive where the dividends exceed the spot, which is for the caller to refuse.
        """
        market = self._portfolio.market[contract.underlying]
        spot = market.spot
        for paid, amount in self.dividends(contract):
            spot -= amount * math.exp(-rate * paid)
        return spot * math.exp((rate - market.yield_) * time)

    def _expiry(self, contract: Contract) -> ExpiryMarket:
        """Return what is said of a contract's expiry, by its time or else its day."""
        if contract.expiry is None:
            return _UNQUOTED
        key = contract.underlying, contract.expiry
        found = self._expiries.get(key)
        if found is None:  # many contracts expire at one time
            expiries = self._portfolio.market[contract.underlying].expiries
            time, day = contract.expiry.isoformat(), contract.expiry.date().isoformat()
            found = expiries.get(time) or expiries.get(day) or _UNQUOTED
            self._expiries[key] = found
        return found


_UNQUOTED = ExpiryMarket()  # an expiry of which nothing is said


def _terms_of(name: str) -> names.Terms | None:
    try:
        return names.parse(name)
    except ValueError:  # a quote of what cannot exist is nobody's
        return None


def _svi_volatility(svi: Svi, strike: float, terms: Terms) -> float:
    from margincalc.pricing.svi import SVI, volatility  # few files carry a surface

    fit = SVI(
        svi.a,
        svi.b,
        svi.rho,
        svi.m,
        svi.sigma,
        svi.forward or terms.fixed + terms.variable,
        svi.time or terms.time,
    )
    return float(volatility(fit, strike))
