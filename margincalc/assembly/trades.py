"""Trades that are tried out: positions closed and added at their marks, for cash.

A trade at the mark leaves equity as it is: what is bought is paid from the deposit of the money or
coin in which it settles, and what is closed is paid into it.
"""

import re
from typing import Any, NamedTuple

import numpy as np

from margincalc.assembly.assemble import assemble
from margincalc.assembly.what_if import Changes
from margincalc.book import Book, Kind, Pool
from margincalc.errors import did_you_mean, input_error, printable, shown
from margincalc.portfolio import Collateral, Order, Portfolio, Position, Quote
from margincalc.portfolio.contracts import Contract, resolve
from margincalc.portfolio.contracts.checks import DOLLARS
from margincalc.portfolio.contracts.terms import canonical
from margincalc.portfolio.quotes import Market
from margincalc.risk import equity, now

ADDED = 'a trade such as "BTC-25DEC26-110000-C 2", negative to sell'
_POSITION = re.compile(r"positions\[(\d+)\](.*)", re.DOTALL)


class _Tried(NamedTuple):
    """A portfolio while it is traded; `notes` say what was assumed."""

    portfolio: Portfolio
    notes: tuple[str, ...] = ()


def traded(portfolio: Portfolio, changes: Changes) -> tuple[Portfolio, tuple[str, ...]]:
    """Return a portfolio after trades, and what was assumed of them.

    Raises
    ------
    InputError
        If a trade cannot be read, names what is not held, or what the market does not price.
    """
    tried = _Tried(portfolio)
    for name in changes.close:
        tried = _closed(tried, name)
    for text in changes.add:
        tried = _added(tried, text)
    return tried


def _closed(tried: _Tried, name: str) -> _Tried:
    """Take the positions in an instrument away, for what they are worth."""
    before = tried.portfolio
    contracts = resolve(before).positions
    wanted = canonical(name.strip())
    gone = [n for n, contract in enumerate(contracts) if contract.name == wanted]
    if not gone:
        held = dict.fromkeys(contract.name for contract in contracts)
        remedy = did_you_mean(name, held) or "`margincalc greeks FILE` lists the positions"
        raise input_error("--close", shown(name), "the name of a position that is held", remedy)
    kept = [n for n in range(len(contracts)) if n not in gone]
    after = before = _with_quotes(before, gone)
    notes = list(tried.notes)
    for venue in dict.fromkeys(before.positions[n].venue for n in gone):
        mine = [n for n in gone if before.positions[n].venue == venue]
        without = [n for n in range(len(contracts)) if n not in mine]
        worth = _equity(before) - _equity(_kept(before, without))
        after, paid = _paid(after, contracts[gone[0]], worth, venue)
        sizes = sum(before.positions[n].quantity for n in mine)
        notes.append(f"what if: {printable(wanted)} {sizes:g} closed at its mark{paid}")
    return _Tried(_kept(after, kept), tuple(notes))


def _with_quotes(portfolio: Portfolio, numbers: list[int]) -> Portfolio:
    """Keep the marks of futures among the quotes: they are forwards of options as well."""
    quotes = dict(portfolio.quotes)
    for n in numbers:
        position = portfolio.positions[n]
        name = position.instrument
        if isinstance(name, str) and position.mark_price is not None:
            own = quotes.get(name, Quote())
            quotes[name] = own.model_copy(update={"mark": position.mark_price})
    return portfolio.model_copy(update={"quotes": quotes})


def _kept(portfolio: Portfolio, numbers: list[int]) -> Portfolio:
    """Return a portfolio with some positions only, each still found where it was written."""
    places = [portfolio.place(f"positions[{n}]") for n in numbers]
    positions = tuple(portfolio.positions[n] for n in numbers)
    return _placed(portfolio, positions, places)


def _placed(
    portfolio: Portfolio, positions: tuple[Position, ...], places: list[str], **more: Any
) -> Portfolio:
    def place(path: str) -> str:
        found = _POSITION.fullmatch(path)
        return portfolio.place(path) if found is None else places[int(found[1])]

    return portfolio.model_copy(update={"positions": positions, **more}).located(place)


def _added(tried: _Tried, text: str) -> _Tried:
    before = tried.portfolio
    position = _position(text)
    places = [before.place(f"positions[{n}]") for n in range(len(before.positions))]
    place = f"--add {shown(text)}"
    after = _placed(before, (*before.positions, position), [*places, place])
    contract = resolve(after).positions[-1]
    notes = list(tried.notes)
    volatility = _assumed_volatility(after, contract)
    if volatility is not None:
        position = position.model_copy(update={"volatility": volatility})
        after = _placed(before, (*before.positions, position), [*places, place])
        said = f"volatility {volatility * 100.0:.4g} % from the nearest strikes and expiry"
        notes.append(f"what if: {printable(contract.name)} has no quote: {said}")
    after, paid = _paid(after, contract, _equity(before) - _equity(after), position.venue)
    notes.append(
        f"what if: {printable(contract.name)} {position.quantity:+g} traded at its mark{paid}"
    )
    venues = {each.venue for each in before.positions}
    if position.venue is None and venues and None not in venues:
        example = printable(f"{contract.name} {position.quantity:g} {min(map(str, venues))}")
        notes.append(f"what if: it is traded at none of the file's venues; `{example}` names one")
    return _Tried(after, tuple(notes))


def _position(text: str) -> Position:
    """Read a trade: the name, which may contain spaces, a quantity, perhaps a venue."""
    words = text.split()
    for at in (len(words) - 1, len(words) - 2):
        if at < 1:
            break
        try:
            quantity = float(words[at])
        except ValueError:
            continue
        if not (np.isfinite(quantity) and 0.0 < abs(quantity) <= 1e15):
            break
        name = text[: text.rindex(words[at])].strip() if at == len(words) - 1 else words[0]
        venue = words[at + 1] if at + 1 < len(words) else None
        return Position(instrument=name[:200], quantity=quantity, venue=venue)
    raise input_error("--add", shown(text), ADDED)


def _assumed_volatility(portfolio: Portfolio, contract: Contract) -> float | None:
    """Return a volatility for an option of which the market says nothing, None where it does.

    That of the expiry nearest in time, along the logarithm of strike between its neighbours.
    """
    if contract.kind != "option":
        return None
    market = Market(portfolio, resolve(portfolio))
    terms = market.terms(contract)
    try:
        stated = market.default_volatility(contract, terms)
    except ValueError:
        return None  # a faulty fit is reported where the book is assembled
    if stated is not None or market.mark(contract) or market.volatility(contract):
        return None
    book = assemble(_kept(portfolio, list(range(len(portfolio.positions) - 1))), _one_pool).book
    own = book.names.underlyings.index(contract.underlying)
    rows = book.instruments.is_kind(Kind.OPTION) & (book.instruments.underlying == own)
    known = book.instruments.take(np.flatnonzero(rows))
    if not len(known.time):
        return None
    apart = np.abs(known.time - terms.time)
    near = known.take(np.flatnonzero(apart == np.min(apart)))
    order = np.argsort(near.strike, kind="stable")
    log = np.log(near.strike[order])
    return float(np.interp(np.log(contract.strike), log, near.volatility[order]))


def _one_pool(item: Position | Order | Collateral, contract: Contract | None) -> Pool:
    return Pool("", "account", "account")


def _equity(portfolio: Portfolio) -> float:
    book: Book = assemble(portfolio, _one_pool).book
    return float(np.sum(equity(book, now(book))))


def _paid(
    portfolio: Portfolio, contract: Contract, amount: float, venue: str | None
) -> tuple[Portfolio, str]:
    """Pay an amount of account currency into the deposit in which a contract settles."""
    if not amount:
        return portfolio, ""
    asset, price = portfolio.currency, 1.0
    if contract.inverse and portfolio.currency not in portfolio.market:
        asset = contract.underlying
        price = portfolio.market[asset].spot / portfolio.stable_price
    quantity = amount / price
    deposits = list(portfolio.collateral)
    own = _purse(portfolio, asset, venue)
    if own is None:
        deposits.append(Collateral(asset=asset, quantity=quantity, venue=venue))
    else:
        held = deposits[own]
        deposits[own] = held.model_copy(update={"quantity": held.quantity + quantity})
        asset = held.asset
    verb = "paid into" if amount > 0.0 else "paid from"
    said = f", {abs(quantity):,.8g} {printable(asset)} {verb} its deposit"
    return portfolio.model_copy(update={"collateral": tuple(deposits)}), said


def _purse(portfolio: Portfolio, asset: str, venue: str | None) -> int | None:
    """Return which deposit a trade is paid from: of the asset, else of a dollar that stands for it.

    Owing dollars beside a deposit of dollars would be charged as a debt.
    """
    others = [each for each in DOLLARS if asset in DOLLARS and each not in portfolio.market]
    found = {
        one.asset: n
        for n, one in reversed(list(enumerate(portfolio.collateral)))
        if one.venue == venue and one.price is None
    }
    return next((found[each] for each in (asset, *others) if each in found), None)
