"""ccxt: what `fetchPositions`, `fetchBalance`, `fetchOptionChain` and `fetchOpenOrders` return.

The unified structures of https://docs.ccxt.com (position, balance, option chain, order), as
https://hexdocs.pm/ccxt_client/CCXT.Position.html and CCXT.OptionData list them, looked up
2026-11-26.

What is known: under `info` is the exchange's own answer, which says more than what ccxt makes of
it; where it is of a venue that is read here, it is read in place of it (of Deribit, for one, ccxt
leaves `contracts` and `impliedVolatility` null, and its `total` is the equity and no balance).

Of the other exchanges, a symbol is `BASE/QUOTE:SETTLE`, `-YYMMDD` for what expires and `-STRIKE-C`
or `-P` for options; what settles in its base is inverse, and one without settlement is a spot pair.
A quantity is `contracts * contractSize`, unsigned, with its `side`; an order's is in contracts.
Prices and `impliedVolatility` are as the exchange writes them, and are taken to be decimals. The
`timestamp` of a position is when it changed. What is owed is in `debt`, and not in `total`.
"""

import re

from margincalc.files.exports.draft import MONEY, Draft
from margincalc.files.exports.pages import MARKET, ORDERS, Page, section
from margincalc.files.exports.rows import Row
from margincalc.portfolio.names import Kind, Terms

TITLE = "ccxt"
DATED = ("balance", "option chain")  # whose `timestamp` is when it was true
_SYMBOL = re.compile(
    r"(?P<base>[A-Za-z0-9]{1,20})/(?P<quote>[A-Z0-9]{2,6}):(?P<settle>[A-Z0-9]{2,20})"
    r"(?:-(?P<day>\d{6})(?:-(?P<strike>\d+(?:\.\d+)?)-(?P<side>[CP]))?)?",
    re.ASCII,
)


def named(row: Row, draft: Draft, what: str = "") -> tuple[str, Terms, bool] | None:
    """Return an instrument's name, terms and whether it is inverse; None when it is refused.

    Parameters
    ----------
    what : by what it is reported; by default its symbol
    """
    text = row.text("symbol")
    match = _SYMBOL.fullmatch(text)
    if match is None:
        if text:
            draft.refuse(what or text, "no unified symbol of an option, future or perpetual")
        return None
    base, settle = match["base"], match["settle"]
    inverse = settle == base
    if not inverse and settle not in MONEY:
        draft.refuse(what or text, f"it settles in {settle}, neither its base nor money")
        return None
    quote = None if inverse or settle == "USD" else settle
    kind: Kind = "option" if match["strike"] else "future" if match["day"] else "perpetual"
    expiry = row.day("symbol", match["day"], "%y%m%d") if match["day"] else None
    if match["day"] and expiry is None:
        return None
    strike = float(match["strike"] or 0.0)
    terms = Terms(kind, base, quote, expiry, strike, match["side"] == "C")
    return draft.contract(terms, inverse=inverse), terms, inverse


def _positions(page: Page, draft: Draft) -> None:
    for row in page.rows:
        unit = row.price("contractSize") or 1.0
        size = row.number("contracts") * unit
        if size == 0.0:
            draft.nothing_of(row.text("symbol"))
        if size == 0.0 or (found := named(row, draft)) is None:
            continue
        name, terms, inverse = found
        draft.lots.setdefault(name, {})["unit"] = unit
        draft.held_at(name, row, mark=row.price("markPrice"))
        isolated = row.fields.get("marginMode") == "isolated" and not inverse
        draft.position(
            name,
            row.sign("side", "long", "short") * abs(size),
            row,
            entry_price=row.price("entryPrice"),
            isolated_margin=row.price("collateral") if isolated else None,
        )
        draft.state_part(
            "ccxt, sum over positions",
            terms.base if inverse else terms.quote or "USD",
            of_account=False,
            initial_margin=row.maybe("initialMargin"),
            maintenance_margin=row.maybe("maintenanceMargin"),
        )


def _balance(page: Page, draft: Draft) -> None:
    totals = page.head.fields.get("total")
    if not isinstance(totals, dict):
        page.head.fault("total", "no mapping", "a mapping of currencies to amounts")
        return
    total, debt = page.head.inner("total"), page.head.inner("debt")
    for asset in dict.fromkeys([*total.fields, *debt.fields]):
        amount = (total.maybe(asset) or 0.0) - (debt.maybe(asset) or 0.0)
        draft.deposit(asset, amount, total)
    draft.remark("balances are ccxt's `total`: of some exchanges it includes unrealised profit")


def _orders(page: Page, draft: Draft) -> None:
    for row in page.rows:
        what = f"order {row.fields.get('id')} of {row.fields.get('symbol')}"
        if (state := row.text("status")) != "open":
            draft.refuse(what, f"it is {state}")
        elif (found := named(row, draft, what)) is not None:
            unit = draft.lots.get(found[0], {}).get("unit")
            if unit is None:
                draft.refuse(
                    what, "a contract's size is said by a position in it, and there is none"
                )
                continue
            left = row.number("remaining")
            draft.order(
                found[0], row.sign("side", "buy", "sell"), left * unit, row.price("price"), row
            )


def _chain(page: Page, draft: Draft) -> None:
    for row in page.rows:
        if (found := named(row, draft)) is None:
            continue
        name, terms, _ = found
        draft.forward(terms, row.price("underlyingPrice"))
        draft.quote(
            name,
            row,
            mark=row.price("markPrice"),
            volatility=row.price("impliedVolatility"),
            bid=row.price("bidPrice"),
            ask=row.price("askPrice"),
        )


SECTIONS = (
    section("positions", "symbol contracts side", _positions),
    section("balance", "free used total", _balance),
    section("open orders", "symbol side price amount remaining status", _orders, ORDERS),
    section("option chain", "symbol impliedVolatility underlyingPrice", _chain, MARKET),
)
