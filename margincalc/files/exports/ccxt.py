"""ccxt: what `fetchPositions`, `fetchBalance` and `fetchOptionChain` return, as JSON.

The unified structures of https://docs.ccxt.com (position, balance, option chain), as
https://hexdocs.pm/ccxt_client/CCXT.Position.html and CCXT.OptionData list them, looked up
2026-11-26.

What is known: a symbol is `BASE/QUOTE:SETTLE`, `-YYMMDD` for what expires and `-STRIKE-C` or `-P`
for options; what settles in its base is inverse. A quantity is `contracts * contractSize`,
unsigned, with its `side`. Prices and `impliedVolatility` are as the exchange writes them, and are
taken to be decimals.
"""

import datetime as dt
import re

from margincalc.files.exports.draft import MONEY, Draft
from margincalc.files.exports.pages import Page, section
from margincalc.files.exports.rows import Row
from margincalc.portfolio.names import Kind, Terms

TITLE = "ccxt"
_SYMBOL = re.compile(
    r"(?P<base>[A-Za-z0-9]{1,20})/(?P<quote>[A-Z0-9]{2,6}):(?P<settle>[A-Z0-9]{2,20})"
    r"(?:-(?P<day>\d{6})(?:-(?P<strike>\d+(?:\.\d+)?)-(?P<side>[CP]))?)?",
    re.ASCII,
)


def named(row: Row, draft: Draft) -> tuple[str, Terms, bool] | None:
    """Return an instrument's name, terms and whether it is inverse; None when it is refused."""
    text = row.text("symbol")
    match = _SYMBOL.fullmatch(text)
    if match is None:
        if text:
            draft.refuse(text, "no unified symbol of an option, future or perpetual")
        return None
    base, settle = match["base"], match["settle"]
    inverse = settle == base
    if not inverse and settle not in MONEY:
        draft.refuse(text, f"it settles in {settle}, neither its base nor money")
        return None
    quote = None if inverse or settle == "USD" else settle
    kind: Kind = "option" if match["strike"] else "future" if match["day"] else "perpetual"
    day = match["day"]
    try:
        expiry = dt.datetime.strptime(day, "%y%m%d").date() if day else None
    except ValueError:
        row.fault("symbol", f"{text} ({day} is no day)", "a contract that can exist")
        return None
    strike = float(match["strike"] or 0.0)
    terms = Terms(kind, base, quote, expiry, strike, match["side"] == "C")
    return draft.contract(terms, inverse=inverse), terms, inverse


def _positions(page: Page, draft: Draft) -> None:
    for row in page.rows:
        size = row.number("contracts") * (row.maybe("contractSize") or 1.0)
        if size == 0.0 or (found := named(row, draft)) is None:
            continue
        name, terms, inverse = found
        draft.seen(row.maybe("timestamp"))
        draft.held_at(name, row, mark=row.price("markPrice"))
        isolated = row.fields.get("marginMode") == "isolated" and not inverse
        draft.position(
            name,
            abs(size) if row.word("side", "long", "short") == "long" else -abs(size),
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
    draft.seen(page.head.maybe("timestamp"))
    totals = page.head.fields["total"]
    if not isinstance(totals, dict):
        page.head.fault("total", "no mapping", "a mapping of currencies to amounts")
        return
    row = Row(totals, "total", page.head.locate, page.head.faults)
    for asset in totals:
        draft.deposit(asset, row.maybe(asset) or 0.0, row)


def _chain(page: Page, draft: Draft) -> None:
    for row in page.rows:
        if (found := named(row, draft)) is None:
            continue
        name, terms, _ = found
        draft.seen(row.maybe("timestamp"))
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
    section("option chain", "symbol impliedVolatility underlyingPrice", _chain, first=True),
)
