"""Tests of `hedge`."""

from typing import Any

import margincalc as mc
from margincalc.answers.hedge_results import HedgeReport, HedgeTrade
from tests.books import AS_OF, day_name

Written = dict[str, Any]
EXPIRY = day_name(30)


def strangle(cash: float = 120_000.0, **market: Any) -> mc.Portfolio:
    """Return a short strangle on BTC with some money."""
    return mc.Portfolio.model_validate(
        {
            "as_of": AS_OF.isoformat(),
            "market": {"BTC": {"spot": 100_000.0, "volatility": 0.6, **market}},
            "positions": [
                {"instrument": f"BTC-{EXPIRY}-90000-P", "quantity": -10},
                {"instrument": f"BTC-{EXPIRY}-110000-C", "quantity": -10},
            ],
            "collateral": [{"asset": "USD", "quantity": cash}],
        }
    )


def after(portfolio: mc.Portfolio, report: HedgeReport) -> mc.Portfolio:
    """Write the answer into the portfolio: trades paid for, and the deposit."""
    written = portfolio.model_dump(by_alias=True)
    written["positions"] = list(written["positions"])
    written["collateral"] = list(written["collateral"])
    purse = _purse(portfolio)
    into = report.deposit
    for trade in report.trades:
        paid = trade.premium + trade.cost
        own = {"instrument": trade.instrument, "quantity": trade.quantity}
        if purse is None or _inverse(portfolio, trade):
            own["unsettled"] = -paid * _unit(portfolio, trade)
        else:
            into -= paid
        written["positions"].append(own)
    if purse is not None:
        held = written["collateral"][purse]
        written["collateral"][purse] = held | {"quantity": held["quantity"] + into}
    elif into:
        written["collateral"].append({"asset": portfolio.currency, "quantity": into})
    written["positions"] = [_plain(position) for position in written["positions"]]
    return mc.Portfolio.model_validate(written)


def _purse(portfolio: mc.Portfolio) -> int | None:
    """Return the deposit from which trades are paid: the first of account currency, in full."""
    for number, each in enumerate(portfolio.collateral):
        plain = each.price is None and each.cap is None and not each.tiers
        if plain and each.asset == portfolio.currency and each.haircut == 0.0:
            return number
    return None


def _inverse(portfolio: mc.Portfolio, trade: HedgeTrade) -> bool:
    name = next(key for key in portfolio.market if trade.instrument.startswith(key))
    own = portfolio.market[name].settlement == "inverse"
    return own and trade.instrument not in portfolio.market


def _unit(portfolio: mc.Portfolio, trade: HedgeTrade) -> float:
    """Return what settles a trade, per unit of account currency: coin of inverse contracts."""
    name = next(key for key in portfolio.market if trade.instrument.startswith(key))
    market = portfolio.market[name]
    inverse = _inverse(portfolio, trade)
    coin = portfolio.currency in portfolio.market
    if inverse == coin:
        return 1.0
    return 1.0 / market.spot if inverse else market.spot


def _plain(position: Written) -> Written:
    return {key: value for key, value in position.items() if value is not None}


def trades(report: HedgeReport) -> dict[str, float]:
    """Return quantities traded by instrument."""
    return {trade.instrument: trade.quantity for trade in report.trades}
