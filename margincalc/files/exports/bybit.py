"""Bybit: answers of its version 5 interface.

GET /v5/position/list, /v5/account/wallet-balance, /v5/order/realtime, /v5/market/tickers:
https://bybit-exchange.github.io/docs/v5/position and the pages of the others, looked up 2026-11-26.

What is known: options and `...PERP` settle in USDC, `...USDT` in USDT, and `BTCUSD` is inverse and
sized in USD; options named `-USDT` at their end settle in USDT. `BTCUSDH23` is an inverse future,
and the `deliveryTime` of its ticker says when it expires. `BTCUSDT` is a perpetual or a spot pair:
the `category` around it says which. Sizes are unsigned, `side` is Buy or Sell, and "" or None of a
position of size 0. What a session of a USDC contract has made is in the wallet: profit is since its
`sessionAvgPrice`, which others have not. `walletBalance` is without unrealised profit, and what was
borrowed to trade spot is `spotBorrow`; `usdValue` is 0 where the coin is no collateral. Margins of
positions are "" under portfolio margin. Volatilities are decimals.
"""

import datetime as dt
import re

from margincalc.errors import shown
from margincalc.files.exports.draft import Draft
from margincalc.files.exports.pages import MARKET, ORDERS, Page, section
from margincalc.files.exports.rows import Row
from margincalc.portfolio.names import Terms, parse

TITLE = "Bybit"
_DATED = re.compile(
    r"(?P<base>[A-Z0-9]+?)(?P<usdt>USDT)?-(?P<rest>\d{1,2}[A-Z]{3}\d\d(?:-[\d.]+-[CP])?)"
    r"(?:-(?P<quote>USDT|USDC))?",
    re.ASCII,
)
_PERPETUAL = re.compile(r"(?P<base>[A-Z0-9]+?)(?P<quote>USDT|PERP|USD)", re.ASCII)
_QUARTERLY = re.compile(r"(?P<base>[A-Z0-9]+?)USD[FGHJKMNQUVXZ]\d\d", re.ASCII)
_PAIR = re.compile(r"(?P<base>[A-Z0-9]+?)(?P<quote>USDT|USDC|USD)", re.ASCII)
_OPEN = ("New", "PartiallyFilled")
_SWITCHES = ("collateralSwitch", "marginCollateral")


def named(row: Row, draft: Draft, *, held: bool = True) -> tuple[str, Terms, bool] | None:
    """Return an instrument's name, terms and whether it is inverse; None when it is refused."""
    text = row.text("symbol")
    if (match := _QUARTERLY.fullmatch(text)) and (day := draft.days.get(text)):
        terms = Terms("future", match["base"], None, day)
        return draft.contract(terms, inverse=True), terms, True
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
    why = "its name does not say when it expires (its ticker does), or it is no derivative"
    draft.set_aside(text, why, held=held)
    return None


def _whole(page: Page, draft: Draft, what: str) -> None:
    """Note when the venue answered, and whether there is more than this answer."""
    draft.seen(page.top.maybe("time"))
    if page.head.fields.get("nextPageCursor"):
        draft.remark(f"the answer has a nextPageCursor: there may be more {what} than these")


def _positions(page: Page, draft: Draft) -> None:
    _whole(page, draft, "positions")
    for row in page.rows:
        size = abs(row.number("size"))
        if size == 0.0:
            draft.nothing_of(row.text("symbol"))
        if size == 0.0 or (found := named(row, draft)) is None:
            continue
        name, terms, inverse = found
        draft.held_at(name, row, mark=row.price("markPrice"))
        quantity = size if row.word("side", "buy", "sell") == "buy" else -size
        entry = row.price("sessionAvgPrice") or row.price("avgPrice")
        draft.position(name, quantity, row, entry_price=entry)
        draft.state_part(
            "Bybit, sum over positions",
            terms.base if inverse else terms.quote or "USD",
            of_account=False,
            initial_margin=row.maybe("positionIM"),
            maintenance_margin=row.maybe("positionMM"),
        )


def _orders(page: Page, draft: Draft) -> None:
    _whole(page, draft, "orders")
    spot = page.head.fields.get("category") == "spot"
    for row in page.rows:
        what = f"order {row.fields.get('orderId')} of {row.fields.get('symbol')}"
        state = row.text("orderStatus")
        if spot:
            draft.refuse(what, "a spot order; a portfolio's orders are of derivatives")
        elif state not in _OPEN:
            draft.refuse(what, f"it is {state}")
        elif (found := named(row, draft)) is not None:
            left = row.number("leavesQty")
            draft.order(found[0], row.sign("side", "buy", "sell"), left, row.price("price"), row)


def _wallet(page: Page, draft: Draft) -> None:
    draft.seen(page.top.maybe("time"))
    for row in page.rows:
        for coin in row.rows("coin"):
            name = coin.text("coin")
            amount = coin.number("walletBalance") - (coin.maybe("spotBorrow") or 0.0)
            equity, value = coin.maybe("equity"), coin.maybe("usdValue")
            price = value / equity if equity and value and value / equity > 0.0 else None
            draft.deposit(name, amount, coin, price)
            if amount and False in (coin.fields.get(key) for key in _SWITCHES):
                draft.remark(f"{name} is no collateral at the venue, which has it switched off")
        draft.state(
            TITLE,
            equity=row.maybe("totalEquity"),
            initial_margin=row.maybe("totalInitialMargin"),
            maintenance_margin=row.maybe("totalMaintenanceMargin"),
        )


def _tickers(page: Page, draft: Draft) -> None:
    draft.seen(page.top.maybe("time"))
    for row in page.rows:
        if delivery := row.maybe("deliveryTime"):
            draft.days[row.text("symbol")] = _day(delivery)
        if (found := named(row, draft, held=False)) is None:
            continue
        name, terms, _ = found
        draft.spot(terms.base, row.price("indexPrice"), quote=terms.quote)
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


def _day(milliseconds: float) -> dt.date:
    bounded = min(max(milliseconds, 0.0), 4e12)
    return dt.datetime.fromtimestamp(bounded / 1000.0, dt.UTC).date()


def _spots(page: Page, draft: Draft) -> None:
    draft.seen(page.top.maybe("time"))
    for row in page.rows:
        if (match := _PAIR.fullmatch(row.text("symbol"))) is None:
            draft.pass_over(row.text("symbol"))
        elif (index := row.price("usdIndexPrice")) is not None:
            draft.spot(match["base"], index)
        else:
            draft.spot(match["base"], row.price("lastPrice"), quote=match["quote"])


SECTIONS = (
    section("positions", "symbol side size avgPrice positionValue", _positions),
    section("wallet balance", "totalEquity coin accountType", _wallet),
    section("open orders", "orderId symbol side price leavesQty orderStatus", _orders, ORDERS),
    section(
        "option tickers",
        "symbol markPrice markIv underlyingPrice indexPrice",
        _tickers,
        MARKET,
    ),
    section("tickers", "symbol markPrice indexPrice lastPrice", _tickers, MARKET),
    section("spot tickers", "symbol lastPrice usdIndexPrice", _spots, MARKET),
)
