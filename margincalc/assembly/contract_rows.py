"""Contracts become rows: their forward, volatility and dividends, or the faults of them."""

import numpy as np

from margincalc.assembly.draft import Draft, Row, confidence
from margincalc.book import Kind
from margincalc.portfolio import LEAST
from margincalc.portfolio.contracts import Contract

_KINDS = {
    "option": Kind.OPTION,
    "future": Kind.FUTURE,
    "perpetual": Kind.PERPETUAL,
    "spot": Kind.SPOT,
}


def add_contract(draft: Draft, contract: Contract, place: str) -> None:
    """Add the row of a contract, or note why it can have none."""
    terms = draft.market.terms(contract)
    priced = terms.fixed + terms.variable >= LEAST
    option = priced and contract.kind == "option"
    row = Row(
        contract.name,
        _KINDS[contract.kind],
        draft.underlyings.index(contract.underlying),
        terms.time,
        contract.strike,
        contract.call,
        contract.inverse,
        contract.multiplier,
        terms.fixed,
        terms.variable,
        terms.fixed + terms.variable,
        terms.rate,
        _volatility(draft, contract, place) if option else 0.0,
        american=option and contract.american,
        listed=contract.listed,
        confidence=confidence(draft.market.confidence(contract)),
        funding=draft.market.funding(contract),
    )
    if not priced:
        _refuse_forward(draft, contract, row, place)
    elif row.american:
        row = _with_dividends(draft, row, contract)
    draft.rows[contract.name] = row


def _refuse_forward(draft: Draft, contract: Contract, row: Row, place: str) -> None:
    """Refuse a contract whose forward is not positive, or its inverse no number."""
    carried = contract.expiry is not None and draft.market.quoted_forward(contract) is None
    if carried and row.fixed + row.variable <= 0.0:
        _refuse_dividends(draft, contract)
        return
    where = f"market.{contract.underlying}.expiries" if contract.expiry is not None else place
    wanted = f"a forward greater than 0, at least {LEAST:g}"
    remedy = "state the `forward` of its expiry, or correct the rate and the yield"
    if not carried:
        remedy = "correct it, or its parts"
    found = f"a forward of {row.fixed + row.variable:g} for {contract.name}"
    draft.fault(where, found, wanted, remedy)


def _refuse_dividends(draft: Draft, contract: Contract) -> None:
    draft.fault(
        f"market.{contract.underlying}.dividends",
        f"dividends before the expiry of {contract.name} that exceed the spot",
        "dividends worth less than the spot",
        "a dividend is an amount per unit of the underlying: correct it, or the spot",
    )


def _with_dividends(draft: Draft, row: Row, contract: Contract) -> Row:
    """Add the dividends for which an option may be exercised early, as shares of the spot."""
    dividends = draft.market.dividends(contract)
    if not dividends:
        return row
    from margincalc.pricing.american import shares  # few underlyings pay any

    times, amounts = (np.array(column) for column in zip(*dividends, strict=True))
    spot = draft.portfolio.market[contract.underlying].spot
    if np.sum(amounts * np.exp(-row.rate * times)) >= spot:
        _refuse_dividends(draft, contract)
        return row
    share = shares(amounts, times, spot, row.rate)
    return row._replace(dividend_time=tuple(times), dividend_share=tuple(share))


def _volatility(draft: Draft, contract: Contract, place: str) -> float:
    """Return the quoted or default volatility; 0 where the mark is to give it."""
    mark = draft.market.mark(contract)
    if mark is not None:
        draft.marks[contract.name] = mark
    quoted = draft.market.volatility(contract)
    if quoted is not None:
        return quoted
    if mark is not None:
        draft.unknown.append(contract.name)
        return 0.0
    try:
        default = draft.market.default_volatility(contract, draft.market.terms(contract))
    except ValueError as error:  # an SVI fit that gives none at this strike
        found, _, wanted = str(error).partition("; wanted ")
        where = f"market.{contract.underlying}.expiries"
        draft.fault(where, f"for {contract.name}, {found}", wanted, "correct its `svi`")
        return 0.0
    if default is None:
        _refuse_silence(draft, contract, place)
    return default or 0.0


def _refuse_silence(draft: Draft, contract: Contract, place: str) -> None:
    """Note an option of which the market says nothing, and a chain that could fill it in."""
    from margincalc.pricing.svi_fit import FEWEST

    remedy = (
        f"add `volatility: 0.6` to the position, to `quotes`, or to `market.{contract.underlying}`"
    )
    if draft.market.strikes(contract) >= FEWEST:
        remedy += "; or fill it in from the chain: margincalc chain FILE --write BOOK.yaml"
    wanted = "a volatility, a mark or a default"
    draft.fault(place, f"no volatility for {contract.name}", wanted, remedy)
