"""Interactive Brokers: Flex statements in XML.

Activity Flex queries with open positions, the cash report and conversion rates, their attributes as
https://docs.rs/ib-flex/0.2.3/ib_flex/types/activity/struct.Position.html lists them and the
statements of https://github.com/csingley/ibflex/blob/master/tests/test_types.py show them, looked
up 2026-11-26.

What is known: `symbol` of an option is its OCC symbol, which says strike, day and side where the
query did not ask for them; `expiry` is YYYYMMDD or YYYY-MM-DD, `position` is signed, prices are per
unit and not per contract. A statement has lots beside summaries where both were asked for: the
summaries count. It does not say how an option may be exercised: those on the cash indices listed
below are European. It is drawn up after the close of `toDate`, and states no margin. Rates
(`fxRateToBase`, ConversionRate) are prices in the account's base currency, which need not be USD.
"""

import datetime as dt

from margincalc.files.exports.draft import Draft
from margincalc.files.exports.rows import Row
from margincalc.portfolio.names import Terms, parse
from margincalc.times import expiry_instant

TITLE = "Interactive Brokers"
_EUROPEAN = frozenset(("SPX", "SPXW", "XSP", "NDX", "NDXP", "RUT", "RUTW", "VIX", "VIXW", "DJX"))
_NO_CASH = "BASE_SUMMARY"  # the sum of the other lines


def statement(rows: dict[str, list[Row]], draft: Draft) -> None:
    """Read a statement: the elements of each name, in their order."""
    statements = rows.get("FlexStatement", [])
    for row in statements:
        draft.account = row.text("accountId")
        _seen(row, draft)
    for row in statements[1:2]:
        same = row.fields.get("accountId") == statements[0].fields.get("accountId")
        found = "another day of the account" if same else "a second account"
        remedy = "ask without a break-out by day, and for a statement of each account"
        row.fault("", found, "one statement of one account", remedy)
    positions = rows.get("OpenPosition", [])
    detail = {row.fields.get("levelOfDetail") for row in positions}
    for row in positions:
        if "SUMMARY" in detail and row.fields.get("levelOfDetail") == "LOT":
            continue
        _position(row, draft)
    rates = _rates(rows)
    for row in rows.get("CashReportCurrency", ()):
        if (currency := row.text("currency")) != _NO_CASH:
            draft.deposit(currency, row.number("endingCash"), row, rates.get(currency))


def _rates(rows: dict[str, list[Row]]) -> dict[str, float]:
    """Return what a unit of each currency is worth in USD, where the statement says it."""
    base = next((str(row.fields.get("currency")) for row in rows.get("AccountInformation", ())), "")
    rates = {base: 1.0} if base else {}
    for row in rows.get("ConversionRate", ()):  # oldest first
        if (rate := row.price("rate")) is not None:
            rates[str(row.fields.get("fromCurrency"))] = rate
            rates[str(row.fields.get("toCurrency"))] = 1.0
    for row in [*rows.get("OpenPosition", ()), *rows.get("CashReportCurrency", ())]:
        if (rate := row.price("fxRateToBase")) is not None:
            rates[str(row.fields.get("currency"))] = rate
    if "USD" not in rates and 1.0 in rates.values():
        return {}  # in another currency, and it does not say what that is worth
    dollar = rates.get("USD", 1.0)
    return {currency: rate / dollar for currency, rate in rates.items()}


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
    draft.stocks.add(symbol)
    name = draft.contract(Terms("spot", symbol), inverse=False)
    draft.position(name, row.number("position"), row, entry_price=_paid(row))


def _option(row: Row, draft: Draft) -> None:
    if (said := _terms(row)) is None:
        return
    root, expiry, strike, call = said
    underlying = str(row.fields.get("underlyingSymbol") or root)
    terms = Terms("option", root, None, expiry, strike, call, listed=True)
    name = draft.contract(terms, inverse=False)
    own = Terms("option", underlying, None, expiry, strike, call, listed=True)
    draft.stocks.add(underlying)
    draft.contracts[name] = (own, False)
    own_terms: dict[str, object] = {}
    multiplier = row.maybe("multiplier")
    if root != underlying:
        own_terms["underlying"] = underlying
    if multiplier not in (None, 100.0):
        own_terms["multiplier"] = multiplier
    if root in _EUROPEAN:
        own_terms["exercise"] = "european"
    if own_terms:
        draft.instruments[name] = own_terms
    draft.quote(name, row, mark=row.maybe("markPrice"))
    draft.position(name, row.number("position"), row, entry_price=_paid(row))


def _terms(row: Row) -> tuple[str, dt.date, float, bool] | None:
    """Return root, day, strike and whether it is a call; a faulty one is noted."""
    symbol = row.text("symbol")
    if not any(key in row for key in ("expiry", "strike", "putCall")):
        try:
            terms = parse(symbol)
        except ValueError as error:
            row.fault("symbol", f"{symbol!r} ({error})", "a contract that can exist")
            return None
        if terms is not None and terms.expiry is not None and terms.kind == "option":
            return terms.base, terms.expiry, terms.strike, terms.call
    expiry, strike = _day(row, "expiry"), row.number("strike")
    side = row.word("putCall", "c", "p", "call", "put")
    if expiry is None or strike <= 0.0 or not side or not symbol:
        return None
    root = symbol[:6].strip() if len(symbol) == 21 else symbol.split()[0]
    return root, expiry, strike, side[0] == "c"


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
