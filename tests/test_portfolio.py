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
