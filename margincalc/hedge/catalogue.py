"""What may be traded: instruments that are named, or those that the file's market lists.

A market lists the instruments held, quoted or described, the perpetual of each underlying held, and
at each expiry that it knows an option of every strike that it knows.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from margincalc.assembly.assemble import Assembly, Label, assemble
from margincalc.assembly.holding import deposit_name
from margincalc.errors import Fault, InputError, did_you_mean, shown
from margincalc.portfolio import Collateral, Instrument, Portfolio, Position, Quote, names
from margincalc.portfolio.contracts import Contract, quotes_by_name

Written = str | Instrument


class Catalogue(NamedTuple):
    """Instruments of a market beside those of a book.

    Attributes
    ----------
    portfolio, assembly : the account with one of each candidate, and a deposit, added to it
    candidates : names of what may be traded
    deposit : name of the deposit's instrument
    renamed : names of the account's own deposits, as the assembly has them
    purses : of those, the deposits of account currency, from which trades are paid
    quotes : by the instruments' names
    """

    portfolio: Portfolio
    assembly: Assembly
    candidates: tuple[str, ...]
    deposit: str
    renamed: dict[str, str]
    purses: tuple[str, ...]
    quotes: dict[str, Quote]

    def in_market(self, assembly: Assembly) -> "Catalogue":
        """Return the catalogue in a market that has moved: of that, nothing is quoted."""
        known = set(assembly.book.names.instruments)
        living = tuple(name for name in self.candidates if name in known)
        return self._replace(assembly=assembly, candidates=living, quotes={})


def catalogue(
    portfolio: Portfolio, label: Label, chosen: Iterable[Written], fixed: bool
) -> Catalogue:
    """Add one of each instrument to an account, so that all of them have columns.

    Parameters
    ----------
    fixed : whether the instruments were named by the user, and must exist

    Raises
    ------
    InputError
        If an instrument named does not exist or cannot be priced.
    """
    written = list(chosen)
    # One unit owed gives linear and inverse contracts the rows in which their money is booked.
    extra = [Position(instrument=one, quantity=1.0, unsettled=1.0) for one in written]
    deposit = Collateral(asset=portfolio.currency, quantity=1.0)
    whole = portfolio.model_copy(
        update={
            "positions": (*portfolio.positions, *extra),
            "collateral": (*portfolio.collateral, deposit),
        }
    ).located(lambda path: _place(portfolio, path, written, fixed))
    assembly = assemble(whole, label)
    own = assembly.contracts[len(portfolio.positions) :]
    count = len(portfolio.collateral)
    renamed = {
        deposit_name(each.asset, number, count): deposit_name(each.asset, number, count + 1)
        for number, each in enumerate(portfolio.collateral)
    }
    purses = tuple(
        renamed[deposit_name(each.asset, number, count)]
        for number, each in enumerate(portfolio.collateral)
        if each.asset == portfolio.currency and each.price is None
        # A bound is kept as a share of the deposit, which adding to it would move.
        if each.haircut == 0.0 and each.cap is None and not each.tiers
    )
    candidates = tuple(dict.fromkeys(contract.name for contract in own))
    last = deposit_name(portfolio.currency, count, count + 1)
    quotes = quotes_by_name(portfolio)
    return Catalogue(whole, assembly, candidates, last, renamed, purses, quotes)


def _place(portfolio: Portfolio, path: str, written: list[Written], fixed: bool) -> str:
    """Say where a fault is: of an instrument that an option names, at the option."""
    head, _, rest = path.partition("]")
    section, _, number = head.partition("[")
    count = len(portfolio.positions)
    if section != "positions" or not number.isdecimal() or int(number) < count:
        return portfolio.place(path)
    return "--candidate" if fixed else f"candidate {shown(written[int(number) - count])}{rest}"


def named(portfolio: Portfolio, wanted: Iterable[str]) -> list[Written]:
    """Return the instruments of names, which the market must have.

    Raises
    ------
    InputError
    """
    faults, found = [], []
    for name in dict.fromkeys(wanted):
        problem = _problem(portfolio, name)
        if problem:
            known = [*portfolio.instruments, *portfolio.market]
            remedy = did_you_mean(name, known)
            faults.append(Fault("--candidate", f"{shown(name)}{problem}", names.EXAMPLE, remedy))
        found.append(name)
    if faults:
        raise InputError(faults)
    return [*found]


def _problem(portfolio: Portfolio, name: str) -> str:
    if name in portfolio.instruments or name in portfolio.market:
        return ""
    try:
        return ", which is no instrument" if names.parse(name) is None else ""
    except ValueError as error:
        return f" ({error})"


def listed(
    portfolio: Portfolio, held: Iterable[Contract], strikes: Iterable[float]
) -> list[Written]:
    """Return what the market lists on the underlyings of what is held."""
    contracts = list(held)
    own: list[Written] = [position.instrument for position in portfolio.positions]
    underlyings = {contract.underlying for contract in contracts}
    found = dict.fromkeys(own)
    priced = _Priced(portfolio)
    quoted = [key for key in (*portfolio.quotes, *portfolio.instruments) if _living(portfolio, key)]
    for key in quoted:
        if _underlying(portfolio, key) in underlyings and priced.quoted(key):
            found.setdefault(key)
    known = [contract for contract in contracts if contract.kind == "option"]
    for underlying in sorted(underlyings):
        mine = [contract for contract in known if contract.underlying == underlying]
        others = [terms for key in quoted if (terms := _option(portfolio, key, underlying))]
        found |= dict.fromkeys(_derivatives(portfolio, underlying, mine))
        found |= dict.fromkeys(
            name
            for name in _grid(portfolio, underlying, (mine, others), tuple(strikes))
            if priced.option(name, underlying)
        )
    return list(found)


def unpriced(found: Iterable[str], strikes: Iterable[float]) -> tuple[str, ...]:
    """Return a note on strikes that were asked for, and at which nothing can be priced."""
    known = {terms.strike for name in found if (terms := _terms(name)) is not None}
    lost = [f"{strike:g}" for strike in dict.fromkeys(strikes) if strike not in known]
    if not lost:
        return ()
    what = "the market has no volatility for options at"
    return (f"{what} {', '.join(lost)}: give `volatility`, an `svi`, or quotes",)


def _derivatives(portfolio: Portfolio, underlying: str, held: list[Contract]) -> Iterator[str]:
    """Yield the perpetual of an underlying, unless it is an exchange's stock or index."""
    market = portfolio.market[underlying]
    stock = market.listed or any(contract.listed for contract in held)
    if market.perpetual is not None or not stock:
        base, _, quote = underlying.partition("_")
        yield names.name_of(names.Terms("perpetual", base, quote or None))


def _grid(
    portfolio: Portfolio,
    underlying: str,
    known: tuple[list[Contract], list[names.Terms]],
    strikes: tuple[float, ...],
) -> Iterator[str]:
    """Yield an option of each side at every strike of every expiry."""
    held, quoted = known
    base, _, quote = underlying.partition("_")
    roots = [names.Terms("option", base, quote or None, listed=False)]
    roots += [replace(terms, expiry=None) for terms in quoted[:1]]
    if any(contract.listed for contract in held):
        roots = [names.Terms("option", base, listed=True)]
    days = {contract.expiry.date() for contract in held if contract.expiry}
    days |= {terms.expiry for terms in quoted if terms.expiry}
    market = portfolio.market[underlying]
    days |= {dt.date.fromisoformat(key[:10]) for key in market.expiries}
    every = {contract.strike for contract in held} | {terms.strike for terms in quoted}
    assert portfolio.as_of is not None, "it has been margined"
    for day in sorted(day for day in days if day > portfolio.as_of.date()):
        for strike in sorted(every | set(strikes)):
            for call in (True, False):
                yield names.name_of(replace(roots[-1], expiry=day, strike=strike, call=call))


def _living(portfolio: Portfolio, key: str) -> bool:
    """Whether a quoted name is an instrument that has not expired."""
    terms = _terms(key)
    assert portfolio.as_of is not None, "it has been margined"
    if terms is None:
        return key in portfolio.instruments and portfolio.instruments[key].underlying is not None
    return terms.expiry is None or terms.expiry > portfolio.as_of.date()


def _terms(key: str) -> names.Terms | None:
    try:
        return names.parse(key)
    except ValueError:  # a quote of what cannot exist is nobody's
        return None


def _underlying(portfolio: Portfolio, key: str) -> str | None:
    """Return the market's underlying of a quoted name."""
    if key in portfolio.instruments and portfolio.instruments[key].underlying:
        return portfolio.instruments[key].underlying
    terms = _terms(key)
    if terms is None:
        return None
    full = f"{terms.base}_{terms.quote}"
    return full if full in portfolio.market else terms.base


def _option(portfolio: Portfolio, key: str, underlying: str) -> names.Terms | None:
    terms = _terms(key)
    if terms is None or terms.kind != "option" or _underlying(portfolio, key) != underlying:
        return None
    return terms


class _Priced:
    """Which options the market can price: by a quote, a surface or a default volatility."""

    def __init__(self, portfolio: Portfolio) -> None:
        self._portfolio = portfolio

    def quoted(self, key: str) -> bool:
        """Whether a quoted instrument has what its price needs."""
        terms, quote = _terms(key), self._portfolio.quotes.get(key)
        if terms is None or terms.kind != "option":
            return terms is not None or key in self._portfolio.instruments
        if quote is not None and (quote.volatility is not None or quote.mark):
            return True
        return self.option(key, _underlying(self._portfolio, key) or "")

    def option(self, name: str, underlying: str) -> bool:
        """Whether an option has a volatility without a quote of its own, or with one."""
        quote = self._portfolio.quotes.get(name)
        if quote is not None and (quote.volatility is not None or quote.mark):
            return True
        market = self._portfolio.market.get(underlying)
        terms = _terms(name)
        if market is None or terms is None or terms.expiry is None:
            return False
        day = terms.expiry.isoformat()
        surface = any(key[:10] == day and said.svi for key, said in market.expiries.items())
        return market.volatility is not None or surface
