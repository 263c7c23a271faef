"""OKX: answers of its version 5 interface, and requests to its position builder.

GET account/positions, account/balance, public/opt-summary, public/mark-price, public/instruments,
market/index-tickers; POST account/position-builder, request and response, of
https://www.okx.com/docs-v5/; their fields as public clients of it carry them, such as
https://nautilustrader.io/docs/core-latest/nautilus_okx/http/models/struct.OKXPosition.html, looked
up 2026-11-26.

What is known: sizes are in contracts, of which `ctVal * ctMult` (public/instruments) says what one
is; without that file the venue's usual ones hold (of September 2026), else what `notionalUsd` says.
`BTC-USD` is inverse, `BTC-USDT`, `BTC-USDC` and `BTC-USD_UM` are linear; contracts expire at 08:00
UTC of the day YYMMDD. `cashBal` is the balance without unrealised profit. The position builder's
`availEq` includes it, its amounts are in USD, and `eq / availEq` is the price of the money that
the account settles in.
"""

import datetime as dt
import math
import re

from margincalc.files.exports.draft import Draft
from margincalc.files.exports.pages import Page, section
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


def named(row: Row, draft: Draft) -> tuple[str, Terms, bool] | None:
    """Return an instrument's name, terms and whether it is inverse; None when it is refused."""
    text = row.text("instId")
    match = _NAME.fullmatch(text)
    if match is None:
        if text:
            draft.refuse(text, "no option, future or perpetual (spot and margin trades are none)")
        return None
    inverse = match["quote"] == "USD" and match["um"] is None
    quote = None if inverse else match["quote"]
    if match["swap"]:
        terms = Terms("perpetual", match["base"], quote)
        return draft.contract(terms, inverse=inverse), terms, inverse
    try:
        expiry = dt.datetime.strptime(match["day"], "%y%m%d").date()
    except ValueError:
        row.fault("instId", f"{text} ({match['day']} is no day)", "a contract that can exist")
        return None
    strike = float(match["strike"] or 0.0)
    kind: Kind = "option" if match["strike"] else "future"
    terms = Terms(kind, match["base"], quote, expiry, strike, match["side"] == "C")
    return draft.contract(terms, inverse=inverse), terms, inverse


def _positions(page: Page, draft: Draft) -> None:
    for row in page.rows:
        _position(row, draft, "pos")
        draft.seen(row.maybe("uTime"))


def _position(row: Row, draft: Draft, size: str) -> None:
    """Read a position of the account, of the position builder's request, or of its response."""
    if row.fields.get("instType") == "MARGIN":
        draft.refuse(str(row.fields.get("instId")), "a margin loan; give its coin as collateral")
        return
    if (found := named(row, draft)) is None:
        return
    name, terms, inverse = found
    draft.held_at(name, row, mark=row.price("markPx"), index=row.price("idxPx"))
    quantity = row.number(size)
    if row.fields.get("posSide") == "short":
        quantity = -abs(quantity)
    unit = _unit(row, draft, found, quantity)
    if unit is None:
        remedy = "add the answer of public/instruments, which says what a contract is"
        row.fault("instId", f"contracts of {name}, of unknown size", "their `ctVal`", remedy)
        return
    settled = draft.spots.get(terms.base) if inverse else 1.0
    margin = row.price("margin") if row.fields.get("mgnMode") == "isolated" else None
    draft.position(
        name,
        quantity * unit,
        row,
        entry_price=row.price("avgPx"),
        isolated_margin=margin * settled if margin and settled else None,
    )
    figures = {"initial_margin": row.maybe("imr"), "maintenance_margin": row.maybe("mmr")}
    currency = terms.base if inverse else terms.quote or "USD"
    draft.state_part("OKX, sum over positions", currency, of_account=False, **figures)


def _unit(row: Row, draft: Draft, found: tuple[str, Terms, bool], quantity: float) -> float | None:
    """Return what one contract is: units of the base, USD of inverse futures."""
    name, terms, inverse = found
    if (said := draft.lots.get(name, {}).get("unit")) is not None:
        return said
    if terms.kind == "option":
        return _OPTIONS.get(terms.base)
    if inverse:
        return _INVERSE.get(terms.base, 10.0)
    notional, mark = row.price("notionalUsd"), row.price("markPx")
    if terms.base not in _LINEAR and notional and mark and quantity:
        return float(10.0 ** round(math.log10(notional / abs(quantity) / mark)))
    return _LINEAR.get(terms.base)


def _balance(page: Page, draft: Draft) -> None:
    for row in page.rows:
        draft.seen(row.maybe("uTime"))
        for coin in row.rows("details"):
            equity, value = coin.maybe("eq"), coin.maybe("eqUsd")
            price = coin.price("coinUsdPrice")
            if price is None and equity and value and value / equity > 0.0:
                price = value / equity
            draft.deposit(coin.text("ccy"), coin.number("cashBal"), coin, price)
        draft.state(
            TITLE,
            equity=row.maybe("totalEq"),
            initial_margin=row.maybe("imr"),
            maintenance_margin=row.maybe("mmr"),
        )


def _market(page: Page, draft: Draft) -> None:
    """Read option summaries and mark prices."""
    for row in page.rows:
        if row.fields.get("instType") == "MARGIN" or (found := named(row, draft)) is None:
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
        if quote == "USD" or base not in draft.spots:
            draft.spot(base, row.price("idxPx"))


def _instruments(page: Page, draft: Draft) -> None:
    for row in page.rows:
        if (found := named(row, draft)) is not None:
            unit = row.number("ctVal") * (row.maybe("ctMult") or 1.0)
            lot = (row.price("lotSz") or row.price("minSz") or 1.0) * unit
            draft.lots[found[0]] = {"unit": unit, "lot": lot}


def _builder_request(page: Page, draft: Draft) -> None:
    for row in page.head.rows("simPos"):
        _position(row, draft, "pos")
    for asset in page.head.rows("simAsset") if "simAsset" in page.head else []:
        draft.deposit(asset.text("ccy"), asset.number("amt"), asset)
    draft.remark("the venue's own model of a position builder is --model okx-pm")


def _builder_response(page: Page, draft: Draft) -> None:
    for row in page.rows:
        draft.seen(row.maybe("ts"))
        positions, assets = row.rows("positions"), row.rows("assets")
        for position in positions:
            _position(position, draft, "amt")
        held = {asset.text("ccy"): asset.number("availEq") for asset in assets}
        equity, total = row.number("eq"), sum(held.values())
        price = equity / total if len(held) == 1 and total and equity / total > 0.0 else 1.0
        profit = sum(position.maybe("floatPnl") or 0.0 for position in positions)
        if len(held) == 1:
            draft.currency, draft.stable_price = next(iter(held)), price
            profit /= price
        else:
            draft.remark("several assets: their equity is taken to include no unrealised profit")
            profit = 0.0
        for asset in assets:
            draft.deposit(asset.text("ccy"), asset.number("availEq") - profit, asset)
        figures = {"initial_margin": "totalImr", "maintenance_margin": "totalMmr"}
        stated = {name: row.number(key) / price for name, key in figures.items()}
        draft.state("OKX position builder", equity=equity / price, **stated)
    draft.remark("the venue's own model of a position builder is --model okx-pm")


SECTIONS = (
    section("positions", "instId instType pos avgPx posSide", _positions),
    section("balance", "details totalEq", _balance),
    section("option summary", "instId markVol fwdPx", _market, first=True),
    section("mark prices", "instId instType markPx ts", _market, first=True),
    section("index prices", "instId idxPx ts", _indices, first=True),
    section("instruments", "instId ctVal ctMult", _instruments, first=True),
    section("position builder request", "simPos", _builder_request),
    section("position builder", "riskUnitData totalMmr totalImr positions", _builder_response),
)
