"""Derive: answers of its JSON-RPC interface.

private/get_subaccount, private/get_positions, private/get_collaterals, private/get_open_orders,
public/get_ticker, public/get_tickers:
https://docs.derive.xyz/api-reference/subaccounts/privateget_subaccount, privateget_collaterals
beside it and https://docs.derive.xyz/api-reference/market-data/publicget_tickers, looked up
2026-11-26.

What is known: everything is linear in USDC, `ETH-20231027-1500-P` expires at 08:00 UTC. The stated
`initial_margin` and `maintenance_margin` are what is left of the subaccount's value after the
requirement ("below zero the subaccount is flagged for liquidation"), so the requirement is
`subaccount_value` less them; what open orders hold on top is `open_orders_margin`. Pending interest
is in the margins and not in the value. `net_settlements` of a perpetual have been paid to the
account and are taken off its profit since entry; `pending_funding` is still owed. The map of
public/get_tickers abbreviates the names of public/get_ticker.
"""

import re
from dataclasses import replace
from typing import NamedTuple

from margincalc.files.exports.draft import Draft
from margincalc.files.exports.pages import MARKET, ORDERS, Page, section
from margincalc.files.exports.rows import Row
from margincalc.portfolio.names import Terms

TITLE = "Derive"
_NAME = re.compile(
    r"(?P<base>[A-Za-z0-9]{1,20})-(?:(?P<perp>PERP)|"
    r"(?P<day>\d{8})-(?P<strike>\d+(?:[._]\d+)?)-(?P<side>[CP]))",
    re.ASCII,
)
_MODELS = {"PM": "derive-pm1", "PM2": "derive-pm2", "SM": "derive-sm"}


def named(row: Row, draft: Draft, *, held: bool = True, what: str = "") -> tuple[str, Terms] | None:
    """Return an instrument's name and terms; None when it is refused.

    Parameters
    ----------
    held : whether it is of the account, and so reported where no portfolio can hold it
    what : by what it is reported; by default its name
    """
    text = row.text("instrument_name")
    match = _NAME.fullmatch(text)
    if match is None:
        draft.set_aside(text, "no option or perpetual", held=held, what=what)
        return None
    if match["perp"]:
        terms = Terms("perpetual", match["base"])
        return draft.contract(terms, inverse=False), terms
    if (expiry := row.day("instrument_name", match["day"], "%Y%m%d")) is None:
        return None
    strike = float(match["strike"].replace("_", "."))
    terms = Terms("option", match["base"], None, expiry, strike, match["side"] == "C")
    return draft.contract(terms, inverse=False), terms


def _subaccount(page: Page, draft: Draft) -> None:
    row = page.head
    if row.fields.get("failed_to_fetch") is True:
        row.fault("failed_to_fetch", "a subaccount not loaded", "its portfolio", "ask again")
    if row.fields.get("is_under_liquidation") is True:
        draft.remark("the venue is liquidating the subaccount")
    value = row.number("subaccount_value")
    draft.account = draft.account or f"derive-{row.fields.get('subaccount_id')}"
    for position in row.rows("positions"):
        _position(position, draft)
    for asset in row.rows("collaterals"):
        _collateral(asset, draft)
    for order in row.rows("open_orders") if "open_orders" in row else []:
        _order(order, draft)
    draft.state(
        TITLE,
        equity=value,
        initial_margin=max(0.0, value - row.number("initial_margin")),
        maintenance_margin=max(0.0, value - row.number("maintenance_margin")),
    )
    if ordered := row.maybe("open_orders_margin"):
        draft.remark(f"open orders hold {abs(ordered):g} of initial margin beside what is stated")
    kind = str(row.fields.get("margin_type") or "")
    if (model := _MODELS.get(kind)) is not None:
        draft.remark(f"the subaccount is margined as {kind}: --model {model} is the venue's")


def _orders(page: Page, draft: Draft) -> None:
    for row in page.head.rows("orders"):
        _order(row, draft)


def _order(row: Row, draft: Draft) -> None:
    what = f"order {row.fields.get('order_id')} of {row.fields.get('instrument_name')}"
    if (state := row.text("order_status")) != "open":
        draft.refuse(what, f"it is {state}")
        return
    if (found := named(row, draft, what=what)) is None:
        return
    left = row.number("amount") - (row.maybe("filled_amount") or 0.0)
    draft.order(found[0], row.sign("direction", "buy", "sell"), left, row.price("limit_price"), row)


def _positions(page: Page, draft: Draft) -> None:
    for row in page.head.rows("positions") if "positions" in page.head else page.rows:
        _position(row, draft)


def _position(row: Row, draft: Draft) -> None:
    if (found := named(row, draft)) is None:
        return
    name, terms = found
    mark, index = row.maybe("mark_price"), row.price("index_price")
    draft.held_at(name, row, mark=mark, index=index)
    unsettled = None
    if terms.kind == "perpetual":
        paid = row.maybe("net_settlements") or 0.0
        unsettled = (row.maybe("pending_funding") or 0.0) - paid
    entry = row.price("average_price")
    draft.position(name, row.number("amount"), row, entry_price=entry, unsettled=unsettled or None)


def _collaterals(page: Page, draft: Draft) -> None:
    for row in page.head.rows("collaterals") if "collaterals" in page.head else page.rows:
        _collateral(row, draft)


def _collateral(row: Row, draft: Draft) -> None:
    draft.deposit(row.text("asset_name"), row.number("amount"), row, row.price("mark_price"))


class _Names(NamedTuple):
    """How an answer calls what it says of a contract, and of one that is an option."""

    moment: str
    spot: str
    mark: str
    bid: str
    ask: str
    volatility: str
    forward: str
    discount: str


_IN_FULL = _Names(
    *("timestamp", "index_price", "mark_price", "best_bid_price", "best_ask_price"),
    *("iv", "forward_price", "discount_factor"),
)
_ABBREVIATED = _Names("t", "I", "M", "b", "a", "i", "f", "df")


def _tickers(page: Page, draft: Draft) -> None:
    for row in page.rows:
        _ticker(row, draft, _IN_FULL)


def _map_of_tickers(page: Page, draft: Draft) -> None:
    tickers = page.head.inner("tickers")
    for name in tickers.fields:
        inner = tickers.inner(name)
        fields = {"instrument_name": name, **inner.fields}
        _ticker(replace(inner, fields=fields), draft, _ABBREVIATED)


def _ticker(row: Row, draft: Draft, names: _Names) -> None:
    if (found := named(row, draft, held=False)) is None:
        return
    name, terms = found
    draft.seen(row.maybe(names.moment))
    draft.spot(terms.base, row.price(names.spot))
    priced = row.inner("option_pricing")
    draft.forward(terms, priced.price(names.forward))
    draft.discount(terms, priced.price(names.discount))
    draft.quote(
        name,
        row,
        mark=row.maybe(names.mark),
        volatility=priced.price(names.volatility),
        bid=row.price(names.bid),
        ask=row.price(names.ask),
    )


SECTIONS = (
    section("subaccount", "subaccount_id positions collaterals subaccount_value", _subaccount),
    section("positions", "instrument_name instrument_type amount average_price", _positions),
    section("positions", "subaccount_id positions", _positions),
    section("collaterals", "asset_name asset_type amount", _collaterals),
    section("collaterals", "subaccount_id collaterals", _collaterals),
    section("open orders", "subaccount_id orders", _orders, ORDERS),
    section("ticker", "instrument_name instrument_type mark_price index_price", _tickers, MARKET),
    section("map of tickers", "tickers", _map_of_tickers, MARKET),
)
