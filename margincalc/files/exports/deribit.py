"""Deribit: answers of its JSON-RPC interface.

private/get_positions, private/get_account_summary and get_account_summaries,
private/get_open_orders and those beside it, private/get_subaccounts_details,
public/get_book_summary_by_currency, public/ticker, public/get_instruments:
https://docs.deribit.com/api-reference/account-management/private-get_positions and the pages of
the others, looked up 2026-11-26.

What is known: contracts without a quote currency in their name are inverse, options are then
quoted in coin and futures sized in USD; those named `BTC_USDC` are linear. Sizes are signed by
`direction`; `mark_iv` is in percent. Equity is ``balance + options_value + futures_session_upl +
futures_session_rpl`` (the identity that the figures of private/simulate_portfolio keep), so a
deposit is the balance with the session's realised profit, and a future's profit before the session
has been paid already: `unsettled` takes it off again. Under cross collateral, the margins of every
currency's summary are those of the whole account, in that currency: they are not added up. An
order's `amount` is in the unit of positions; one that waits for its trigger is no open order yet,
and has the text `market_price` where its price should be.
"""

from dataclasses import replace

from margincalc.errors import shown
from margincalc.files.exports.draft import Draft
from margincalc.files.exports.pages import MARKET, ORDERS, Page, section
from margincalc.files.exports.rows import Row
from margincalc.portfolio.names import Terms, parse

TITLE = "Deribit"
_MODELS = {"pm": "deribit-pm", "sm": "deribit-sm"}


def named(
    row: Row, draft: Draft, *, held: bool = True, what: str = ""
) -> tuple[str, Terms, bool] | None:
    """Return an instrument's name, terms and whether it is inverse; None when it is refused.

    Parameters
    ----------
    held : whether it is of the account, and so reported where no portfolio can hold it
    what : by what it is reported; by default its name
    """
    text = row.text("instrument_name")
    try:
        terms = parse(text)
    except ValueError as error:
        row.fault("instrument_name", f"{shown(text)} ({error})", "a contract that can exist")
        return None
    if terms is None:
        draft.set_aside(text, "no option, future or perpetual", held=held, what=what)
        return None
    inverse = terms.quote is None
    return draft.contract(terms, inverse=inverse), terms, inverse


def _positions(page: Page, draft: Draft) -> None:
    draft.seen(_milliseconds(page.top))
    for row in page.rows:
        if (found := named(row, draft)) is None:
            continue
        name, terms, inverse = found
        mark, index = row.maybe("mark_price"), row.price("index_price")
        draft.held_at(name, row, mark=mark, index=index)
        side = row.word("direction", "buy", "sell", "zero")
        size = abs(row.number("size")) * {"buy": 1.0, "sell": -1.0}.get(side, 0.0)
        entry, unsettled = row.number("average_price"), None
        total, session = row.maybe("total_profit_loss"), row.maybe("floating_profit_loss")
        if terms.kind != "option" and None not in (total, session) and total != session:
            unsettled = (session or 0.0) - (total or 0.0)
        draft.position(name, size, row, entry_price=entry or None, unsettled=unsettled)
        _state(row, draft, terms.base if inverse else terms.quote or "USD")


def _state(row: Row, draft: Draft, currency: str) -> None:
    """Note the margins of a position; those of an account, where they are given, hold over them."""
    figures = {name: row.maybe(name) for name in ("initial_margin", "maintenance_margin")}
    draft.state_part("Deribit, sum over positions", currency, of_account=False, **figures)


def _summaries(page: Page, draft: Draft) -> None:
    draft.seen(_milliseconds(page.top))
    for row in page.rows:
        currency = row.text("currency").upper()
        realised = row.maybe("futures_session_rpl")
        draft.deposit(currency, row.number("balance") + (realised or 0.0), row)
        model = str(row.fields.get("margin_model") or "")
        if (own := _MODELS.get(model[-2:])) is not None:
            draft.remark(f"the account is margined as {model}: --model {own} is the venue's")
        cross = row.fields.get("cross_collateral_enabled") is True or model.startswith("cross")
        if cross and "total_initial_margin_usd" in row:
            draft.state(
                TITLE,
                equity=row.maybe("total_equity_usd"),
                initial_margin=row.maybe("total_initial_margin_usd"),
                maintenance_margin=row.maybe("total_maintenance_margin_usd"),
            )
        draft.state_part(
            TITLE,
            currency,
            of_account=True,
            equity=row.number("equity"),
            **({} if cross and row is not page.rows[0] else _margins(row)),
        )


def _margins(row: Row) -> dict[str, float]:
    return {name: row.number(name) for name in ("initial_margin", "maintenance_margin")}


def _orders(page: Page, draft: Draft) -> None:
    for row in page.rows:
        what = f"order {row.fields.get('order_id')} of {row.fields.get('instrument_name')}"
        if (state := row.text("order_state")) != "open":
            draft.refuse(what, f"it is {state}")
            continue
        if (found := named(row, draft, what=what)) is None:
            continue
        left = row.number("amount") - (row.maybe("filled_amount") or 0.0)
        draft.order(found[0], row.sign("direction", "buy", "sell"), left, row.maybe("price"), row)


def _details(page: Page, draft: Draft) -> None:
    """Read a subaccount's positions and orders; an answer has those of all subaccounts."""
    for row in page.rows[1:]:
        row.fault("uid", "a second account", "one account", "keep the part of one of them")
    for row in page.rows[:1]:
        draft.account = draft.account or f"deribit-{row.fields.get('uid')}"
        _positions(replace(page, rows=row.rows("positions")), draft)
        orders = row.rows("open_orders") if "open_orders" in row else []
        _orders(replace(page, rows=orders), draft)


def _market(page: Page, draft: Draft) -> None:
    """Read book summaries and tickers, which name the same things differently."""
    for row in page.rows:
        if (found := named(row, draft, held=False)) is None:
            continue
        name, terms, _ = found
        draft.seen(row.maybe("timestamp") or row.maybe("creation_timestamp"))
        index = row.price("index_price") or row.price("estimated_delivery_price")
        draft.spot(terms.base, index, quote=terms.quote)
        draft.forward(terms, row.price("underlying_price") if terms.kind == "option" else None)
        percent = row.price("mark_iv")
        draft.quote(
            name,
            row,
            mark=row.maybe("mark_price"),
            volatility=None if percent is None else percent / 100.0,
            bid=row.price("best_bid_price") or row.price("bid_price"),
            ask=row.price("best_ask_price") or row.price("ask_price"),
        )
        if terms.kind == "perpetual" and terms.quote is None:
            draft.funding(terms.base, row.maybe("funding_8h"))


def _instruments(page: Page, draft: Draft) -> None:
    for row in page.rows:
        if (found := named(row, draft, held=False)) is None:
            continue
        terms = {"lot": row.price("min_trade_amount"), "fee": row.price("taker_commission")}
        draft.lots[found[0]] = {key: value for key, value in terms.items() if value is not None}


def _milliseconds(top: Row) -> float | None:
    sent = top.maybe("usOut")
    return None if sent is None else sent / 1000.0


SECTIONS = (
    section("positions", "instrument_name direction size average_price mark_price", _positions),
    section(
        "account summaries", "currency equity balance initial_margin maintenance_margin", _summaries
    ),
    section(
        "open orders", "instrument_name direction order_id order_state amount", _orders, ORDERS
    ),
    section("subaccount's details", "uid positions", _details),
    section("book summary", "instrument_name mark_price creation_timestamp", _market, MARKET),
    section(
        "ticker", "instrument_name mark_price index_price best_bid_price state", _market, MARKET
    ),
    section(
        "instruments",
        "instrument_name contract_size expiration_timestamp kind",
        _instruments,
        MARKET,
    ),
)
