"""The written form: frozen, strict, and merged with a market."""

from typing import Any

import pytest
from pydantic import ValidationError

from margincalc.portfolio import (
    Forward,
    Haircut,
    Instrument,
    MarketSnapshot,
    Portfolio,
    Position,
    Underlying,
)


def test_defaults() -> None:
    portfolio = Portfolio()
    assert (portfolio.account, portfolio.currency, portfolio.as_of) == ("account", "USD", None)
    assert portfolio.positions == ()
    assert portfolio.place("positions[0]") == "positions[0]"


def test_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Portfolio().currency = "EUR"  # type: ignore[misc]


@pytest.mark.parametrize(
    "fields",
    [
        {"instrument": "BTC", "quantity": "1"},
        {"instrument": "BTC", "quantity": True},
        {"instrument": "BTC", "quantity": float("nan")},
        {"instrument": "BTC", "quantity": 1e16},
        {"instrument": "", "quantity": 1},
        {"instrument": "BTC", "quantity": 1, "volatility": 0},
        {"instrument": "BTC", "quantity": 1, "volatility": 60},
        {"instrument": "BTC", "quantity": 1, "mark_price": -1},
        {"instrument": "BTC", "quantity": 1, "qty": 1},
        {"instrument": {"listed": "yes"}, "quantity": 1},
        {"quantity": 1},
    ],
)
def test_strict(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Position.model_validate(fields)


def test_unions() -> None:
    position = Position.model_validate({"instrument": {"kind": "spot"}, "quantity": 1})
    assert position.instrument == Instrument(kind="spot")
    expiries = {"2026-12-25": {"forward": {"variable": 5}}, "2026-12-26": {"forward": 5}}
    underlying = Underlying.model_validate({"spot": 1, "yield": 0.1, "expiries": expiries})
    assert underlying.yield_ == 0.1
    assert underlying.expiries["2026-12-25"].forward == Forward(variable=5)
    assert underlying.expiries["2026-12-26"].forward == 5
    deposit = {"asset": "USD", "quantity": 1, "haircut": {"maintenance": 0.1, "initial": 0.2}}
    portfolio = Portfolio.model_validate({"collateral": [deposit]})
    assert portfolio.collateral[0].haircut == Haircut(maintenance=0.1, initial=0.2)


def test_places() -> None:
    portfolio = Portfolio().located(lambda path: f"book.yaml:1, {path}")
    assert portfolio.place("as_of") == "book.yaml:1, as_of"
    assert portfolio.with_market(MarketSnapshot()).place("as_of") == "book.yaml:1, as_of"


def test_another_market() -> None:
    portfolio = Portfolio.model_validate(
        {"as_of": "2026-11-20", "market": {"BTC": {"spot": 1}, "ETH": {"spot": 2}}}
    )
    snapshot = MarketSnapshot.model_validate(
        {
            "as_of": "2026-11-21",
            "currency": "EUR",
            "market": {"BTC": {"spot": 3}},
            "collateral": [{"asset": "EUR", "quantity": 1}],
        }
    )
    merged = portfolio.with_market(snapshot)
    assert {name: own.spot for name, own in merged.market.items()} == {"BTC": 3, "ETH": 2}
    assert (merged.as_of, merged.currency) == (snapshot.as_of, "EUR")
    assert len(merged.collateral) == 1
    kept = portfolio.with_market(MarketSnapshot())
    assert (kept.as_of, kept.currency) == (portfolio.as_of, "USD")


def test_another_market_leaves_what_it_does_not_say() -> None:
    expiries = {"2026-12-25T10:00": {"forward": 2.0, "rate": 0.1}, "2026-12-31": {"rate": 0.2}}
    own = {"spot": 1.0, "settlement": "inverse", "roots": ["XBT"], "yield": 0.1}
    own |= {"expiries": expiries, "perpetual": {"mark": 2.0, "funding_rate": 0.1}}
    portfolio = Portfolio.model_validate(
        {
            "market": {"BTC": own},
            "quotes": {"BTC-PERPETUAL": {"mark": 1.0, "bid": 0.5}},
            "instruments": {"BTC-PERPETUAL": {"lot": 1.0, "fee": 0.1}},
        }
    )
    news = {"spot": 3.0, "rate": 0.0, "expiries": {"2026-12-25": {"forward": 4.0}}}
    snapshot = MarketSnapshot.model_validate(
        {
            "market": {"BTC": news | {"perpetual": {"mark": 5.0}}},
            "quotes": {"BTC-PERPETUAL": {"mark": 3.0}},
            "instruments": {"BTC-PERPETUAL": {"fee": 0.0}},
        }
    )
    merged = portfolio.with_market(snapshot)
    btc = merged.market["BTC"]
    assert (btc.spot, btc.settlement, btc.roots, btc.yield_) == (3.0, "inverse", ("XBT",), 0.1)
    assert btc.perpetual is not None
    assert (btc.perpetual.mark, btc.perpetual.funding_rate) == (5.0, 0.1)
    timed = "2026-12-25T10:00:00+00:00"
    assert {key: (own.forward, own.rate) for key, own in btc.expiries.items()} == {
        timed: (4.0, 0.1),
        "2026-12-31": (None, 0.2),
    }
    quote, terms = merged.quotes["BTC-PERPETUAL"], merged.instruments["BTC-PERPETUAL"]
    assert (quote.mark, quote.bid, terms.lot, terms.fee) == (3.0, 0.5, 1.0, 0.0)
