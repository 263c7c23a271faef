"""OKX: answers of its version 5 interface, and requests to its position builder.

GET account/positions, account/balance, trade/orders-pending, public/opt-summary,
public/mark-price, public/instruments, market/index-tickers; POST account/position-builder, request
and response: https://www.okx.com/docs-v5/en/#trading-account-rest-api-get-positions and the
sections of the others, looked up 2026-11-26.

What is known: sizes are in contracts, of which `ctVal * ctMult` (public/instruments) says what one
is; without that file the venue's usual ones hold (of September 2026), else what `notionalUsd` says.
`BTC-USD` is inverse, `BTC-USDT`, `BTC-USDC` and `BTC-USD_UM` are linear; contracts expire at 08:00
UTC of the day YYMMDD. What does not apply is "".

Of a position, `uTime` is when it last changed, and no time of a valuation; `imr` and `mmr` are in
USD under cross margin and in `ccy` under isolated, and under portfolio margin each position has
those of its whole risk unit, which count once. Of a balance, ``eq = cashBal + isoEq + stgyEq +``
what copies trades, plus the profit of cross positions: the margin of isolated positions
(``isoEq - isoUpl``) is not in `cashBal` and is added here, the money of trading bots is left out.

Of the position builder, positions are in `positions` under multi-currency margin and in
`portfolios` of the risk units under portfolio margin. `availEq` of an asset includes what its
positions have made (`floatPnl`, in the money they settle in) or what its options are worth; the
totals are in USD, and `eq / availEq` of a sole asset is the price of that money.
"""

import math
import re

from margincalc.files.exports.draft import MONEY, Draft
from margincalc.files.exports.pages import MARKET, ORDERS, Page, section
from margincalc.files.exports.rows import Row
from margincalc.portfolio.names import Kind, Terms

TITLE = "OKX"
_NAME = re.compile(
    r"(?P<base>[A-Z0-9]{1,20})-(?P<quote>USD|USDT|USDC)(?P<um>_UM)?-"
    r"(?:(?P<swap>SWAP)|(?P<day>\d{6})(?:-(?P<strike>\d+(?:\.\d+)?)-(?P<side>[CP]))?)",
    re.ASCII,
)
# Of one contract: units of the base of linear ones and of options, USD of inverse futures.
_OPTIONS = {"BTC": 0.01, "ETH": 0.1}
_LINEAR = {"BTC": 0.01, "ETH": 0.1, "LTC": 1.0, "SOL": 1.0, "XRP": 100.0, "DOGE": 1000.0}
_INVERSE = {"BTC": 100.0}  # 10 of all others
_OPEN = ("live", "partially_filled")
_ELSEWHERE = {  # of a coin's equity, that which is no collateral of this account's positions
    "stgyEq": "the money of trading bots",
    "spotCopyTradingEq": "the money of copied spot trades",
    "smtSyncEq": "the money of smart sync",
}
_OWN_MODEL = "the venue's own model of a position builder is --model okx-pm"


Found = tuple[str, Terms, bool]
"""A contract's name, its terms, and whether it is inverse."""


def named(row: Row, draft: Draft, *, held: bool = True) -> Found | None:
    """Return an instrument; None when it is refused."""
    text = row.text("instId")
    match = _NAME.fullmatch(text)
    if match is None:
        why = "no option, future or perpetual (spot and margin trades are none)"
        draft.set_aside(text, why, held=held)
        return None
    inverse = match["quote"] == "USD" and match["um"] is None
    quote = None if inverse else match["quote"]
    if match["swap"]:
        terms = Terms("perpetual", match["base"], quote)
        return draft.contract(terms, inverse=inverse), terms, inverse
    if (expiry := row.day("instId", match["day"], "%y%m%d")) is None:
        return None
    strike = float(match["strike"] or 0.0)
    kind: Kind = "option" if match["strike"] else "future"
    terms = Terms(kind, match["base"], quote, expiry, strike, match["side"] == "C")
    return draft.contract(terms, inverse=inverse), terms, inverse


def _positions(page: Page, draft: Draft) -> None:
    stated = set()
    for row in page.rows:
        if (held := _position(row, draft, "pos")) is None:
            continue
        (_, terms, inverse), _ = held
        figures = {"initial_margin": row.maybe("imr"), "maintenance_margin": row.maybe("mmr")}
        settled = terms.base if inverse else terms.quote or "USD"
        isolated = row.fields.get("mgnMode") == "isolated"
        same = (terms.base, isolated, *figures.values())
        if isolated or same not in stated:
            currency = str(row.fields.get("ccy") or settled) if isolated else "USD"
            draft.state_part("OKX, sum over positions", currency, of_account=False, **figures)
        stated.add(same)


def _position(row: Row, draft: Draft, size: str) -> tuple[Found, float] | None:
    """Read a position of the account, of the position builder's request, or of its response."""
    if row.fields.get("instType") == "MARGIN":
        draft.refuse(str(row.fields.get("instId")), "a margin loan; give its coin as collateral")
        return None
    if (found := named(row, draft)) is None:
        return None
    name, terms, inverse = found
    draft.held_at(name, row, mark=row.price("markPx"), index=row.price("idxPx"))
    quantity, entry = row.number(size), row.price("avgPx")
    if row.fields.get("posSide") == "short":
        quantity = -abs(quantity)
    if quantity == 0.0:
        draft.nothing_of(name)
        return None
    if (unit := _unit(row, draft, found, quantity)) is None:
        return None
    draft.lots.setdefault(name, {}).setdefault("unit", unit)
    settled = draft.spots.get(terms.base) if inverse else 1.0
    margin = row.price("margin") if row.fields.get("mgnMode") == "isolated" else None
    draft.position(
        name,
        quantity * unit,
        row,
        entry_price=entry,
        isolated_margin=margin * settled if margin and settled else None,
    )
    return found, quantity * unit


def _unit(row: Row, draft: Draft, found: Found, quantity: float) -> float | None:
    """Return what one contract is: units of the base, USD of inverse futures; else a fault."""
    name = found[0]
    unit = draft.lots.get(name, {}).get("unit") or _usual(row, found, quantity)
    if unit is None:
        remedy = "add the answer of public/instruments, which says what a contract is"
        row.fault("instId", f"contracts of {name}, of unknown size", "their `ctVal`", remedy)
    return unit


def _usual(row: Row, found: Found, quantity: float) -> float | None:
    _, terms, inverse = found
    if terms.kind == "option":
        return _OPTIONS.get(terms.base)
    if inverse:
        return _INVERSE.get(terms.base, 10.0)
    notional, mark = row.price("notionalUsd"), row.price("markPx")
    if terms.base not in _LINEAR and notional and mark and quantity:
        return float(10.0 ** round(math.log10(notional / abs(quantity) / mark)))
    return _LINEAR.get(terms.base)


def _orders(page: Page, draft: Draft) -> None:
    for row in page.rows:
        what = f"order {row.fields.get('ordId')} of {row.fields.get('instId')}"
        if row.fields.get("instType") in ("SPOT", "MARGIN"):
            draft.refuse(what, "a spot order; a portfolio's orders are of derivatives")
            continue
        if (state := row.text("state")) not in _OPEN:
            draft.refuse(what, f"it is {state}")
            continue
        if (found := named(row, draft)) is None:
            continue
        size = row.number("sz")
        if (unit := _unit(row, draft, found, size)) is not None:
            left = size - (row.maybe("accFillSz") or 0.0)
            draft.order(
                found[0], row.sign("side", "buy", "sell"), left * unit, row.price("px"), row
            )


def _balance(page: Page, draft: Draft) -> None:
    for row in page.rows:
        draft.seen(row.maybe("uTime"))
        whole = row.maybe("imr") is not None or row.maybe("mmr") is not None
        for coin in row.rows("details"):
            _deposit(coin, draft)
            if not whole:
                draft.state_part(
                    TITLE,
                    coin.text("ccy"),
                    of_account=True,
                    equity=coin.maybe("eq"),
                    initial_margin=coin.maybe("imr"),
                    maintenance_margin=coin.maybe("mmr"),
                )
        if whole:
            draft.state(
                TITLE,
                equity=row.maybe("totalEq"),
                initial_margin=row.maybe("imr"),
                maintenance_margin=row.maybe("mmr"),
            )


def _deposit(coin: Row, draft: Draft) -> None:
    asset, equity, value = coin.text("ccy"), coin.maybe("eq"), coin.maybe("eqUsd")
    price = coin.price("coinUsdPrice")
    if price is None and equity and value and value / equity > 0.0:
        price = value / equity
    isolated = (coin.maybe("isoEq") or 0.0) - (coin.maybe("isoUpl") or 0.0)
    draft.deposit(asset, coin.number("cashBal") + isolated, coin, price)
    for key, whose in _ELSEWHERE.items():
        if amount := coin.maybe(key):
            draft.refuse(f"{amount:g} {asset} ({key})", f"{whose}; the venue's equity has it")


def _market(page: Page, draft: Draft) -> None:
    """Read option summaries and mark prices."""
    for row in page.rows:
        if row.fields.get("instType") == "MARGIN":
            draft.pass_over(row.text("instId"))
            continue
        if (found := named(row, draft, held=False)) is None:
            continue
        name, terms, _ = found
        draft.seen(row.maybe("ts"))
        draft.forward(terms, row.price("fwdPx"))
        volatility = row.price("markVol")
        draft.quote(name, row, mark=row.maybe("markPx"), volatility=volatility)


def _indices(page: Page, draft: Draft) -> None:
    for row in page.rows:
        draft.seen(row.maybe("ts"))
        base, _, quote = row.text("instId").partition("-")
        draft.spot(base, row.price("idxPx"), quote=None if quote == "USD" else quote)


def _instruments(page: Page, draft: Draft) -> None:
    for row in page.rows:
        if (found := named(row, draft, held=False)) is not None:
            unit = row.size("ctVal") * (row.price("ctMult") or 1.0)
            lot = (row.price("lotSz") or row.price("minSz") or 1.0) * unit
            draft.lots[found[0]] = {"unit": unit, "lot": lot}


def _builder_request(page: Page, draft: Draft) -> None:
    for row in page.head.rows("simPos"):
        _position(row, draft, "pos")
    for asset in page.head.rows("simAsset") if "simAsset" in page.head else []:
        draft.deposit(asset.text("ccy"), asset.number("amt"), asset)
    if page.head.fields.get("inclRealPosAndEq", True) is not False:
        draft.remark("the request adds to the account's real positions, which are not in it")
    draft.remark(_OWN_MODEL)


def _builder_response(page: Page, draft: Draft) -> None:
    for row in page.rows:
        draft.seen(row.maybe("ts"))
        assets = {asset.text("ccy"): asset for asset in row.rows("assets")}
        held = {name: asset.number("availEq") for name, asset in assets.items()}
        held = {name: amount for name, amount in held.items() if amount}
        gains = _builder_positions(row, draft)
        equity, price, sole = row.number("eq"), 1.0, next(iter(held), "")
        if len(held) == 1 and sole in MONEY and equity / held[sole] > 0.0:
            price = equity / held[sole]
            draft.currency, draft.stable_price = sole, price
        for name, amount in held.items():
            draft.deposit(name, amount - gains.get(name, 0.0), assets[name])
        figures = {"initial_margin": "totalImr", "maintenance_margin": "totalMmr"}
        stated = {name: row.number(key) / price for name, key in figures.items()}
        draft.state("OKX position builder", equity=equity / price, **stated)
    draft.remark(_OWN_MODEL)


def _builder_positions(row: Row, draft: Draft) -> dict[str, float]:
    """Read positions; return what they add to the equity of the money that they settle in."""
    own = row.rows("positions") if "positions" in row else []
    units = [held for unit in row.rows("riskUnitData") for held in _portfolios(unit)]
    gains: dict[str, float] = {}
    for held in [*own, *units]:
        if held.fields.get("instType") == "SPOT":
            continue  # what of the assets offsets derivatives
        if (read := _position(held, draft, "amt")) is None:
            continue
        (_, terms, inverse), quantity = read
        money = terms.base if inverse else terms.quote or "USD"
        worth = quantity * (held.maybe("markPx") or 0.0)
        gain = worth if terms.kind == "option" else held.maybe("floatPnl") or 0.0
        gains[money] = gains.get(money, 0.0) + gain
    return gains


def _portfolios(unit: Row) -> list[Row]:
    return unit.rows("portfolios") if "portfolios" in unit else []


SECTIONS = (
    section("positions", "instId instType pos avgPx posSide", _positions),
    section("balance", "details totalEq", _balance),
    section("open orders", "instId instType ordId sz side state", _orders, ORDERS),
    section("option summary", "instId markVol fwdPx", _market, MARKET),
    section("mark prices", "instId instType markPx ts", _market, MARKET),
    section("index prices", "instId idxPx ts", _indices, MARKET),
    section("instruments", "instId ctVal ctMult", _instruments, MARKET),
    section("position builder request", "simPos", _builder_request),
    section("position builder", "riskUnitData totalMmr totalImr assets", _builder_response),
)
