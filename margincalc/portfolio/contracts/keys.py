"""Keys of `quotes`, `instruments` and `expiries`: what is written of nothing is a slip of the pen.

A snapshot may hold the whole market, so a valid instrument that nobody holds is none.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence

from margincalc.errors import printable, shown
from margincalc.portfolio.contracts.contract import Contract, Faults
from margincalc.portfolio.contracts.terms import canonical
from margincalc.portfolio.names import EXAMPLE, Kind, parse
from margincalc.portfolio.portfolio import Portfolio
from margincalc.portfolio.written import LEAST, Order, Position

_NEAR = dt.timedelta(days=3)  # between an expiry as it is held and as it is misspelled


def check_keys(portfolio: Portfolio, contracts: Sequence[Contract | None], faults: Faults) -> None:
    """Refuse quotes and terms of what is no instrument, and marks of 0 that none can have."""
    held = {contract.name: contract.kind for contract in contracts if contract is not None}
    entries: tuple[Position | Order, ...] = (*portfolio.positions, *portfolio.orders)
    written = dict.fromkeys(entry.instrument for entry in entries)
    known = {**held, **{name: None for name in written if isinstance(name, str)}}
    for key, quote in portfolio.quotes.items():
        if key not in portfolio.instruments and key not in known:
            _check_key(portfolio, known, "quotes", key, faults)
        kind = held.get(canonical(key)) or _kind(portfolio, key)
        _check_price(f"quotes.{key}.mark", quote.mark, kind, faults)
    for key, terms in portfolio.instruments.items():
        if terms.underlying is None and key not in known:
            _check_key(portfolio, known, "instruments", key, faults)


def _check_key(
    portfolio: Portfolio, known: Iterable[str], section: str, key: str, faults: Faults
) -> None:
    problem = ""
    try:
        if parse(key) is not None or key in portfolio.market:
            return
    except ValueError as error:
        problem = f" ({error})"
    near = faults.near(key, (name for name in (*known, *portfolio.market) if name != key))
    found = f"{shown(key)}{problem}, which is no instrument"
    faults.add(f"{section}.{key}", found, EXAMPLE, near or "correct the name, or leave it out")


def _kind(portfolio: Portfolio, key: str) -> Kind | None:
    """Return the kind of what nobody holds, whose mark may still be a forward."""
    if key in portfolio.instruments and portfolio.instruments[key].kind is not None:
        return portfolio.instruments[key].kind
    try:
        terms = parse(key)
    except ValueError:  # a fault already
        return None
    if terms is None:
        return "spot" if key in portfolio.market else None
    return terms.kind


def check_prices(
    portfolio: Portfolio, contracts: Sequence[Contract | None], faults: Faults
) -> None:
    """Refuse prices of 0 of what is never worthless: only an option is."""
    for number, (contract, position) in enumerate(zip(contracts, portfolio.positions, strict=True)):
        if contract is None:
            continue
        path = f"positions[{number}]"
        _check_price(f"{path}.mark_price", position.mark_price, contract.kind, faults)
        if contract.inverse:
            _check_price(f"{path}.entry_price", position.entry_price, contract.kind, faults)


def _check_price(path: str, price: float | None, kind: Kind | None, faults: Faults) -> None:
    if price is None or price >= LEAST or kind in ("option", None):
        return
    what = {"spot": "a spot holding"}.get(str(kind), f"a {kind}")
    wanted = f"a price greater than 0, at least {LEAST:g}"
    remedy = "leave out what is not known; only an option may be worth 0"
    faults.add(path, f"{shown(price)} for {what}", wanted, remedy)


def unmatched(portfolio: Portfolio, contracts: Sequence[Contract]) -> Iterator[str]:
    """Yield a note for each expiry of the market near one that is held and has no entry."""
    for name, own in portfolio.market.items():
        held = {
            contract.expiry: contract.name
            for contract in contracts
            if contract.underlying == name and contract.expiry is not None
        }
        said = {expiry: expiry_keys(expiry) & own.expiries.keys() for expiry in held}
        used = {key for keys in said.values() for key in keys}
        for key in own.expiries:
            for expiry, contract in held.items():
                if key not in used and not said[expiry] and _near(key, expiry):
                    yield (
                        f"market.{printable(name)}.expiries has {key}, on which nothing held "
                        f"expires, and nothing of {printable(contract)}, which expires "
                        f"{expiry:%Y-%m-%d %H:%M} UTC"
                    )


def expiry_keys(expiry: dt.datetime) -> set[str]:
    """Return the keys by which a market has an expiry: its time, and its day."""
    return {expiry.isoformat(), expiry.date().isoformat()}


def _near(key: str, expiry: dt.datetime) -> bool:
    days = dt.date.fromisoformat(key[:10]) - expiry.date()
    return abs(days) <= _NEAR
