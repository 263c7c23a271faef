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
    for trade in report.trades:
        written["positions"].append(
            {
                "instrument": trade.instrument,
                "quantity": trade.quantity,
                "unsettled": -(trade.premium + trade.cost) * _unit(portfolio, trade),
            }
        )
    if report.deposit:
        deposit = {"asset": portfolio.currency, "quantity": report.deposit}
        written["collateral"] = [*written["collateral"], deposit]
    written["positions"] = [_plain(position) for position in written["positions"]]
    return mc.Portfolio.model_validate(written)


def _unit(portfolio: mc.Portfolio, trade: HedgeTrade) -> float:
    """Return what settles a trade, per unit of account currency: coin of inverse contracts."""
    name = next(key for key in portfolio.market if trade.instrument.startswith(key))
    market = portfolio.market[name]
    inverse = market.settlement == "inverse" and trade.instrument not in portfolio.market
    coin = portfolio.currency in portfolio.market
    if inverse == coin:
        return 1.0
    return 1.0 / market.spot if inverse else market.spot


def _plain(position: Written) -> Written:
    return {key: value for key, value in position.items() if value is not None}


def trades(report: HedgeReport) -> dict[str, float]:
    """Return quantities traded by instrument."""
    return {trade.instrument: trade.quantity for trade in report.trades}
