"""Bybit: answers of its version 5 interface.

GET /v5/position/list, /v5/account/wallet-balance, /v5/market/tickers:
https://bybit-exchange.github.io/docs/v5/position and the pages beside it, looked up 2026-11-26.

What is known: options and `...PERP` settle in USDC, `...USDT` in USDT, and `BTCUSD` is inverse and
sized in USD; options named `-USDT` at their end settle in USDT. Sizes are unsigned, `side` is Buy
or Sell. `walletBalance` is without unrealised profit, and what was borrowed to trade spot is
`spotBorrow`. Volatilities are decimals.
"""

import re

from margincalc.errors import shown
from margincalc.files.exports.draft import Draft
from margincalc.files.exports.pages import Page, section
from margincalc.files.exports.rows import Row
from margincalc.portfolio.names import Terms, parse

TITLE = "Bybit"
_DATED = re.compile(
    r"(?P<base>[A-Z0-9]+?)(?P<usdt>USDT)?-(?P<rest>\d{1,2}[A-Z]{3}\d\d(?:-[\d.]+-[CP])?)"
    r"(?:-(?P<quote>USDT|USDC))?",
    re.ASCII,
)
_PERPETUAL = re.compile(r"(?P<base>[A-Z0-9]+?)(?P<quote>USDT|PERP|USD)", re.ASCII)


def named(row: Row, draft: Draft) -> tuple[str, Terms, bool] | None:
    """Return an instrument's name, terms and whether it is inverse; None when it is refused."""
    text = row.text("symbol")
    if match := _PERPETUAL.fullmatch(text):
        inverse = match["quote"] == "USD"
        quote = {"PERP": "USDC", "USDT": "USDT"}.get(match["quote"])
        terms = Terms("perpetual", match["base"], quote)
        return draft.contract(terms, inverse=inverse), terms, inverse
    if match := _DATED.fullmatch(text):
        quote = match["usdt"] or match["quote"] or "USDC"
        try:
            dated = parse(f"{match['base']}_{quote}-{match['rest']}")
        except ValueError as error:
            row.fault("symbol", f"{shown(text)} ({error})", "a contract that can exist")
            return None
        if dated is not None:
            return draft.contract(dated, inverse=False), dated, False
    if text:
        draft.refuse(text, "its name does not say when it expires, or it is no derivative")
    return None


def _positions(page: Page, draft: Draft) -> None:
    draft.seen(page.top.maybe("time"))
    if page.head.fields.get("nextPageCursor"):
        draft.remark("the answer has a nextPageCursor: there may be more positions than these")
    for row in page.rows:
        size = row.number("size")
        if size == 0.0 or (found := named(row, draft)) is None:
            continue
        name, terms, inverse = found
        draft.held_at(name, row, mark=row.price("markPrice"))
        quantity = size if row.word("side", "buy", "sell") == "buy" else -size
        entry = row.price("avgPrice")
        draft.position(name, quantity, row, entry_price=entry)
        draft.state_part(
            "Bybit, sum over positions",
            terms.base if inverse else terms.quote or "USD",
            of_account=False,
            initial_margin=row.maybe("positionIM"),
            maintenance_margin=row.maybe("positionMM"),
        )


def _wallet(page: Page, draft: Draft) -> None:
    draft.seen(page.top.maybe("time"))
    for row in page.rows:
        for coin in row.rows("coin"):
            amount = coin.number("walletBalance") - (coin.maybe("spotBorrow") or 0.0)
            equity, value = coin.maybe("equity"), coin.maybe("usdValue")
            price = value / equity if equity and value and value / equity > 0.0 else None
            draft.deposit(coin.text("coin"), amount, coin, price)
        draft.state(
            TITLE,
            equity=row.maybe("totalEquity"),
            initial_margin=row.maybe("totalInitialMargin"),
            maintenance_margin=row.maybe("totalMaintenanceMargin"),
        )


def _tickers(page: Page, draft: Draft) -> None:
    draft.seen(page.top.maybe("time"))
    for row in page.rows:
        if (found := named(row, draft)) is None:
            continue
        name, terms, _ = found
        draft.spot(terms.base, row.price("indexPrice"))
        option = terms.kind == "option"
        draft.forward(terms, row.price("underlyingPrice") if option else None)
        draft.quote(
            name,
            row,
            mark=row.price("markPrice"),
            volatility=row.price("markIv"),
            bid=row.price("bid1Price"),
            ask=row.price("ask1Price"),
        )


SECTIONS = (
    section("positions", "symbol side size avgPrice positionValue", _positions),
    section("wallet balance", "totalEquity coin accountType", _wallet),
    section(
        "option tickers", "symbol markPrice markIv underlyingPrice indexPrice", _tickers, first=True
    ),
    section("tickers", "symbol markPrice indexPrice lastPrice", _tickers, first=True),
)
