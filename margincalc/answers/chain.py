"""A volatility surface from a chain: an arbitrage-free SVI smile per expiry, in order of expiry.

What the quotes of a portfolio say of options (volatility, else mark, else the middle of bid and
ask) goes through the same book and the same implied volatilities as a margin. An option that is
held or quoted without any of these takes the volatility of its expiry's smile. Between two expiries
total variance is linear in time at equal log-moneyness, before the first and after the last the
volatility is that of the nearest: neither makes calendar arbitrage.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from margincalc.answers.chain_results import ChainReport, FilledLine, SmileLine
from margincalc.arrays import FloatArray, IntArray
from margincalc.assembly.assemble import assemble
from margincalc.assembly.pools import labels
from margincalc.book import Book
from margincalc.portfolio import ExpiryMarket, Order, Portfolio, Position, Quote, Svi
from margincalc.portfolio.contracts import Contract
from margincalc.portfolio.names import Terms, parse
from margincalc.pricing import black, svi_fit
from margincalc.risk.marks import implied
from margincalc.times import expiry_instant, zulu

_PLACEHOLDER = 0.5  # of an option whose volatility is sought; nothing is computed from it
_Surface = list[tuple[float, svi_fit.Smile]]


@dataclass(frozen=True)
class _Chain:
    """The options of a portfolio's quotes and positions, a row of the book each.

    Attributes
    ----------
    contracts : terms by name
    rows : instrument of the book, by name
    quotes : what is quoted, or said by a position, by name
    keys : by name, what the file's quotes call it
    """

    book: Book
    contracts: dict[str, Contract]
    rows: dict[str, int]
    quotes: dict[str, Quote]
    keys: dict[str, str]

    def column(self, names: list[str], column: str) -> FloatArray:
        """Return a column of the book for some names."""
        rows = [self.rows[name] for name in names]
        return np.asarray(getattr(self.book.instruments, column)[rows], np.float64)


def chain_report(portfolio: Portfolio) -> ChainReport:
    """Fit the smiles of a portfolio's chain, and fill in the volatilities that are missing.

    Raises
    ------
    InputError
        If the portfolio is faulty.
    """
    chain = _chain(portfolio)
    known = dict(zip(*_volatilities(chain), strict=True))
    lines: list[SmileLine] = []
    surfaces: dict[str, _Surface] = {}
    for (underlying, time), names in sorted(_by_expiry(chain, known).items()):
        surface = surfaces.setdefault(underlying, [])
        before = surface[-1][1] if surface else svi_fit.FLAT
        line, smile = _line(chain, names, known, before)
        lines.append(line)
        if smile is not None:
            surface.append((time, smile))
    filled = tuple(_filled(chain, surfaces))
    whole = _written(portfolio, chain, lines, filled)
    unread = len(portfolio.quotes) - len(chain.keys)
    notes = (f"{unread} quotes are of no option that is still to expire",) if unread else ()
    assert portfolio.as_of is not None, "its absence is a fault of the book"
    as_of = zulu(portfolio.as_of)
    return ChainReport(portfolio.account, as_of, tuple(lines), filled, notes, whole)


def _chain(portfolio: Portfolio) -> _Chain:
    """Assemble every option once, under a placeholder for its volatility."""
    keys = [name for name in portfolio.quotes if _is_live_option(name, portfolio)]
    market = {
        name: own.model_copy(update={"volatility": _PLACEHOLDER})
        for name, own in portfolio.market.items()
    }
    entries: list[Position | Order] = [*portfolio.positions, *portfolio.orders]
    named = [*keys, *(entry.instrument for entry in entries)]
    update = {
        "market": market,
        # Marks of futures are forwards, and stay.
        "quotes": {name: own for name, own in portfolio.quotes.items() if name not in keys},
        "positions": tuple(Position(instrument=each, quantity=1.0) for each in named),
        **{"orders": (), "collateral": (), "venues": {}},
    }
    book = portfolio.model_copy(update=update).located(portfolio.place)
    assembly = assemble(book, labels("portfolio", portfolio.account))
    names = [contract.name for contract in assembly.contracts]
    quotes = {name: portfolio.quotes[key] for name, key in zip(names, keys, strict=False)}
    for name, held in zip(names[len(keys) :], portfolio.positions, strict=False):
        if held.mark_price is not None or held.volatility is not None:
            quotes[name] = Quote(mark=held.mark_price, volatility=held.volatility)
    options = {own.name: own for own in assembly.contracts if own.kind == "option"}
    rows = {name: row for row, name in enumerate(assembly.book.names.instruments)}
    return _Chain(assembly.book, options, rows, quotes, dict(zip(names, keys, strict=False)))


def _is_live_option(name: str, portfolio: Portfolio) -> bool:
    """Whether a quote is that of an option of this market that has still to expire."""
    try:
        terms = parse(name)
    except ValueError:
        return False  # refused with the other keys of the file
    if terms is None or terms.kind != "option" or portfolio.as_of is None:
        return False
    roots = {root for own in portfolio.market.values() for root in own.roots}
    known = terms.base in portfolio.market or terms.base in roots
    return known and _expires(terms) > portfolio.as_of


def _expires(terms: Terms) -> dt.datetime:
    assert terms.expiry is not None, "an option has one"
    return expiry_instant(terms.expiry.isoformat(), listed=terms.listed)


def _volatilities(chain: _Chain) -> tuple[list[str], FloatArray]:
    """Return the options of which a usable volatility is known, and the volatilities."""
    said = {name: quote for name, quote in chain.quotes.items() if name in chain.contracts}
    direct = {name: q.volatility for name, q in said.items() if q.volatility is not None}
    prices = {name: _price(q) for name, q in said.items() if name not in direct}
    priced = [name for name, price in prices.items() if price]
    found = np.array([], np.float64)
    if priced:
        rows: IntArray = np.array([chain.rows[name] for name in priced], np.int64)
        found = implied(chain.book, rows, np.array([prices[name] for name in priced]))
    usable = [not np.isnan(each) for each in found]
    names = [*direct, *(name for name, good in zip(priced, usable, strict=True) if good)]
    return names, np.array([*direct.values(), *found[np.array(usable, bool)]], np.float64)


def _price(quote: Quote) -> float | None:
    """Return a mark, or what lies between a bid and an ask."""
    if quote.mark is not None:
        return quote.mark
    if quote.bid is None or quote.ask is None or quote.bid > quote.ask:
        return None
    return 0.5 * (quote.bid + quote.ask)


def _by_expiry(chain: _Chain, known: dict[str, float]) -> dict[tuple[str, float], list[str]]:
    """Group options by underlying and time to expiry."""
    groups: dict[tuple[str, float], list[str]] = {}
    times = chain.book.instruments.time
    for name in known:
        time = float(times[chain.rows[name]])
        if time > 0.0:  # what has expired and is not yet paid has no smile
            groups.setdefault((chain.contracts[name].underlying, time), []).append(name)
    return groups


def _line(
    chain: _Chain, names: list[str], known: dict[str, float], before: svi_fit.Smile
) -> tuple[SmileLine, svi_fit.Smile | None]:
    """Fit one expiry; a point of error costs what it costs in price, so vega is the weight."""
    forward, strike = chain.column(names, "forward"), chain.column(names, "strike")
    time = float(chain.column(names, "time")[0])
    volatility = np.array([known[name] for name in names])
    vega = black.greeks(forward, strike, volatility, np.full(len(names), time), True).vega
    largest = float(np.max(vega)) or 1.0
    weight = np.maximum(vega / largest, 1e-6) / (2.0 * volatility * time) ** 2
    quotes = svi_fit.Quotes(np.log(strike / forward), volatility**2 * time, weight)
    contract = chain.contracts[names[0]]
    assert contract.expiry is not None, "an option has one"
    strikes = len(set(strike.tolist()))
    smile, problem = None, "no option whose price a volatility changes"
    if strikes < svi_fit.FEWEST:
        problem = f"fewer than {svi_fit.FEWEST} strikes"
    elif np.any(vega > 0.0):
        smile = svi_fit.fit(quotes, before)
        problem = "no smile without arbitrage against the expiry before"
    head = (contract.underlying, zulu(contract.expiry), len(names), strikes)
    middle = float(np.median(forward))
    if smile is None:
        return SmileLine(*head, middle, time, *(None,) * 9, problem), None
    miss = np.abs(np.sqrt(smile.variance(quotes.k) / time) - volatility)
    error = float(np.sqrt(np.average(miss**2, weights=np.maximum(vega, 0.0))))
    density = float(np.min(smile.density(np.linspace(quotes.k.min(), quotes.k.max(), 501))))
    middling = float(np.sqrt(smile.variance(np.zeros(1))[0] / time))
    figures = (middling, error, float(np.max(miss)), density)
    return SmileLine(*head, middle, time, *smile, *figures, None), smile


def _filled(chain: _Chain, surfaces: dict[str, _Surface]) -> Iterator[FilledLine]:
    """Yield the volatilities of options of which nothing else is known."""
    for name, contract in chain.contracts.items():
        quote = chain.quotes.get(name)
        told = quote is not None and (quote.volatility is not None or quote.mark is not None)
        surface = surfaces.get(contract.underlying)
        forward, strike, time = (
            float(chain.column([name], column)[0]) for column in ("forward", "strike", "time")
        )
        if told or not surface or time <= 0.0:
            continue
        variance, source = _variance(surface, float(np.log(strike / forward)), time)
        yield FilledLine(name, float(np.sqrt(variance / time)), source)


def _variance(surface: _Surface, k: float, time: float) -> tuple[float, str]:
    """Return total variance at a log-moneyness and time, and from where it comes."""
    at = np.array([k])
    times = [0.0, *(own for own, _ in surface)]
    variances = [0.0, *(float(smile.variance(at)[0]) for _, smile in surface)]
    if time in times:
        return variances[times.index(time)], "smile"
    if time > times[-1]:
        return variances[-1] * time / times[-1], "beyond the last expiry"
    return float(np.interp(time, times, variances)), "between expiries"


def _written(
    portfolio: Portfolio,
    chain: _Chain,
    lines: list[SmileLine],
    filled: tuple[FilledLine, ...],
) -> Portfolio:
    """Return the portfolio with its smiles, and with the volatilities that were missing."""
    market = dict(portfolio.market)
    for line in lines:
        if line.problem is not None or line.a is None:
            continue
        own = market[line.underlying]
        moment = dt.datetime.fromisoformat(line.expiry)
        keys = (moment.isoformat(), moment.date().isoformat())
        key = next((key for key in keys if key in own.expiries), keys[1])
        svi = Svi(
            a=line.a,
            b=line.b or 0.0,
            rho=line.rho or 0.0,
            m=line.m or 0.0,
            sigma=line.sigma or 0.0,
            forward=line.forward,
            time=line.time,
        )
        entry = own.expiries.get(key, ExpiryMarket()).model_copy(update={"svi": svi})
        expiries = dict(sorted({**own.expiries, key: entry}.items()))
        market[line.underlying] = own.model_copy(update={"expiries": expiries})
    quotes = dict(portfolio.quotes)
    for filling in filled:
        key = chain.keys.get(filling.instrument, filling.instrument)
        if parse(key) is None and key not in portfolio.instruments:
            continue  # spelled out with terms that no name has: its smile gives it the same
        old = quotes.get(key, Quote())
        quotes[key] = old.model_copy(update={"volatility": filling.volatility})
    return portfolio.model_copy(update={"market": market, "quotes": quotes})
