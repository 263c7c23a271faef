"""Derive: answers of its JSON-RPC interface.

private/get_subaccount, private/get_positions, private/get_collaterals, public/get_ticker:
https://docs.derive.xyz/api-reference/subaccounts/privateget_subaccount, privateget_collaterals and
publicmargin_watch beside it, looked up 2026-11-26.

What is known: everything is linear in USDC, `ETH-20231027-1500-P` expires at 08:00 UTC. The stated
`initial_margin` and `maintenance_margin` are what is left of the subaccount's value after the
requirement ("below zero the subaccount is flagged for liquidation"), so the requirement is
`subaccount_value` less them. `net_settlements` of a perpetual have been paid to the account and are
taken off its profit since entry; `pending_funding` is still owed.
"""

import datetime as dt
import re

from margincalc.files.exports.draft import Draft
from margincalc.files.exports.pages import Page, section
from margincalc.files.exports.rows import Row
from margincalc.portfolio.names import Terms

TITLE = "Derive"
_NAME = re.compile(
    r"(?P<base>[A-Za-z0-9]{1,20})-(?:(?P<perp>PERP)|"
    r"(?P<day>\d{8})-(?P<strike>\d+(?:[._]\d+)?)-(?P<side>[CP]))",
    re.ASCII,
)
_MODELS = {"PM": "derive-pm1", "PM2": "derive-pm2", "SM": "derive-sm"}


def named(row: Row, draft: Draft) -> tuple[str, Terms] | None:
    """Return an instrument's name and terms; None when it is refused."""
    text = row.text("instrument_name")
    match = _NAME.fullmatch(text)
    if match is None:
        if text:
            draft.refuse(text, "no option or perpetual")
        return None
    if match["perp"]:
        terms = Terms("perpetual", match["base"])
        return draft.contract(terms, inverse=False), terms
    try:
        expiry = dt.datetime.strptime(match["day"], "%Y%m%d").date()
    except ValueError:
        found = f"{text} ({match['day']} is no day)"
        row.fault("instrument_name", found, "a contract that can exist")
        return None
    strike = float(match["strike"].replace("_", "."))
    terms = Terms("option", match["base"], None, expiry, strike, match["side"] == "C")
    return draft.contract(terms, inverse=False), terms


def _subaccount(page: Page, draft: Draft) -> None:
    row = page.head
    value = row.number("subaccount_value")
    draft.account = draft.account or f"derive-{row.fields.get('subaccount_id')}"
    for position in row.rows("positions"):
        _position(position, draft)
    for asset in row.rows("collaterals"):
        _collateral(asset, draft)
    if row.fields.get("open_orders"):
        draft.refuse("open_orders", "read without their margin; place them under `orders`")
    draft.state(
        TITLE,
        equity=value,
        initial_margin=value - row.number("initial_margin"),
        maintenance_margin=value - row.number("maintenance_margin"),
    )
    kind = str(row.fields.get("margin_type") or "")
    if (model := _MODELS.get(kind)) is not None:
        draft.remark(f"the subaccount is margined as {kind}: --model {model} is the venue's")


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


def _tickers(page: Page, draft: Draft) -> None:
    for row in page.rows:
        if (found := named(row, draft)) is None:
            continue
        name, terms = found
        draft.seen(row.maybe("timestamp"))
        draft.spot(terms.base, row.price("index_price"))
        pricing = row.fields.get("option_pricing")
        priced = (
            Row(pricing, f"{row.path}.option_pricing", row.locate, row.faults)
            if (isinstance(pricing, dict))
            else None
        )
        if priced is not None:
            draft.forward(terms, priced.price("forward_price"))
            draft.discount(terms, priced.price("discount_factor"))
        draft.quote(
            name,
            row,
            mark=row.maybe("mark_price"),
            volatility=priced.price("iv") if priced is not None else None,
            bid=row.price("best_bid_price"),
            ask=row.price("best_ask_price"),
        )


SECTIONS = (
    section("subaccount", "subaccount_id positions collaterals subaccount_value", _subaccount),
    section("positions", "instrument_name instrument_type amount average_price", _positions),
    section("positions", "subaccount_id positions", _positions),
    section("collaterals", "asset_name asset_type amount", _collaterals),
    section("collaterals", "subaccount_id collaterals", _collaterals),
    section(
        "ticker", "instrument_name instrument_type mark_price index_price", _tickers, first=True
    ),
)
