"""Interactive Brokers: Flex statements in XML.

Activity Flex queries with open positions and the cash report, their attributes as
https://docs.rs/ib-flex/0.2.3/ib_flex/types/activity/struct.Position.html lists them and its sample
statements show them, looked up 2026-11-26.

What is known: `symbol` of an option is its OCC symbol, `expiry` is YYYYMMDD or YYYY-MM-DD,
`position` is signed, prices are per unit and not per contract. A statement has lots beside
summaries where both were asked for: the summaries count. It does not say how an option may be
exercised: those on the cash indices listed below are European. It is drawn up after the close of
`toDate`, and states no margin.
"""

import datetime as dt

from margincalc.files.exports.draft import Draft
from margincalc.files.exports.rows import Row
from margincalc.portfolio.names import Terms
from margincalc.times import expiry_instant

TITLE = "Interactive Brokers"
_EUROPEAN = frozenset(("SPX", "SPXW", "XSP", "NDX", "NDXP", "RUT", "RUTW", "VIX", "VIXW", "DJX"))
_NO_CASH = "BASE_SUMMARY"  # the sum of the other lines


def statement(rows: dict[str, list[Row]], draft: Draft) -> None:
    """Read a statement: the elements of each name, in their order."""
    for row in rows.get("FlexStatement", ()):
        draft.account = row.text("accountId")
        _seen(row, draft)
    if len(rows.get("FlexStatement", ())) > 1:
        row = rows["FlexStatement"][1]
        row.fault("", "a second account", "one account", "ask for a statement of each account")
    positions = rows.get("OpenPosition", [])
    detail = {row.fields.get("levelOfDetail") for row in positions}
    for row in positions:
        if "SUMMARY" in detail and row.fields.get("levelOfDetail") == "LOT":
            continue
        _position(row, draft)
    for row in rows.get("CashReportCurrency", ()):
        if row.fields.get("currency") != _NO_CASH:
            rate = row.price("fxRateToBase")
            draft.deposit(row.text("currency"), row.number("endingCash"), row, rate)


def _seen(row: Row, draft: Draft) -> None:
    """Note the close of the statement's last day, in New York."""
    day = _day(row, "toDate")
    if day is not None:
        close = expiry_instant(day.isoformat(), listed=True)
        draft.seen(close.timestamp() * 1000.0)


def _position(row: Row, draft: Draft) -> None:
    kind = row.text("assetCategory").upper()
    read = {"STK": _stock, "OPT": _option, "FUT": _future}.get(kind)
    if read is None:
        draft.refuse(str(row.fields.get("symbol")), f"{kind or 'nothing'} is no kind of position")
        return
    currency = row.fields.get("currency")
    if currency not in (None, "", "USD"):
        draft.refuse(str(row.fields.get("symbol")), f"it trades in {currency}, not in USD")
        return
    read(row, draft)


def _stock(row: Row, draft: Draft) -> None:
    symbol = row.text("symbol").strip()
    draft.spot(symbol, row.price("markPrice"))
    name = draft.contract(Terms("spot", symbol), inverse=False)
    draft.position(name, row.number("position"), row, entry_price=_paid(row))


def _option(row: Row, draft: Draft) -> None:
    expiry, strike = _day(row, "expiry"), row.number("strike")
    side = row.word("putCall", "c", "p", "call", "put")
    symbol = row.text("symbol")
    if expiry is None or strike <= 0.0 or not side or not symbol:
        return
    root = symbol[:6].strip() if len(symbol) == 21 else symbol.split()[0]
    underlying = str(row.fields.get("underlyingSymbol") or root)
    terms = Terms("option", root, None, expiry, strike, side[0] == "c", listed=True)
    name = draft.contract(terms, inverse=False)
    own = Terms("option", underlying, None, expiry, strike, side[0] == "c", listed=True)
    if root != underlying:
        draft.roots.setdefault(underlying, set()).add(root)
        draft.contracts[name] = (own, False)
    said: dict[str, object] = {}
    multiplier = row.maybe("multiplier")
    if multiplier not in (None, 100.0):
        said["multiplier"] = multiplier
    if root in _EUROPEAN:
        said["exercise"] = "european"
    if said:
        draft.instruments[name] = said
    draft.quote(name, row, mark=row.maybe("markPrice"))
    draft.position(name, row.number("position"), row, entry_price=_paid(row))


def _future(row: Row, draft: Draft) -> None:
    expiry = _day(row, "expiry")
    if expiry is None:
        return
    terms = Terms(
        "future", str(row.fields.get("underlyingSymbol") or row.text("symbol")), None, expiry
    )
    name = draft.contract(terms, inverse=False)
    draft.instruments[name] = {"multiplier": row.maybe("multiplier") or 1.0}
    draft.quote(name, row, mark=row.price("markPrice"))
    draft.position(name, row.number("position"), row, entry_price=_paid(row))


def _paid(row: Row) -> float | None:
    price = row.maybe("costBasisPrice")
    return None if price is None else abs(price)


def _day(row: Row, key: str) -> dt.date | None:
    text = row.text(key).replace("-", "")[:8]
    try:
        return dt.datetime.strptime(text, "%Y%m%d").date()
    except ValueError:
        if text:
            row.fault(key, repr(row.fields[key]), "a day such as 20261218")
        return None
