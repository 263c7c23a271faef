"""American options in a book: values, Greeks, volatilities from marks, dividends."""

import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from margincalc.answers.account import Account
from margincalc.answers.margining import Rules, margined
from margincalc.answers.statement import margin_report
from margincalc.api.reading import load
from margincalc.errors import InputError
from margincalc.portfolio import Portfolio
from margincalc.pricing import american
from margincalc.pricing.black_scholes import Market, Option
from margincalc.risk import equity, now

AS_OF = "2026-11-20T21:00:00Z"
SPOT, RATE, YIELD, VOLATILITY = 100.0, 0.05, 0.02, 0.3
DAYS = 182
PAYING = [{"date": "2027-02-08", "amount": 1.5}, {"date": "2027-05-10", "amount": 1.5}]
Written = dict[str, Any]


def leg(kind: str, strike: float, quantity: float = 1.0, **terms: Any) -> Written:
    """Return a position in an option of half a year."""
    instrument = {
        "underlying": "XYZ",
        "expiry": "2027-05-21T21:00:00Z",
        "strike": strike,
        "type": kind,
        "exercise": "american",
    }
    return {"instrument": instrument, "quantity": quantity, **terms}


def account(*positions: Written, dividends: list[Written] | None = None, **market: Any) -> Account:
    """Margin positions."""
    own = {"spot": SPOT, "rate": RATE, "yield": YIELD, "volatility": VOLATILITY, **market}
    content = {"as_of": AS_OF, "market": {"XYZ": own | {"dividends": dividends or []}}}
    portfolio = Portfolio.model_validate(content | {"positions": list(positions)})
    return margined(portfolio, Rules(mode="portfolio"))


def worth(own: Account, factor: float = 1.0) -> float:
    """Return the equity with the spot multiplied."""
    book = own.book.shifted(np.full(1, factor))
    return float(equity(book, now(book))[0])


@pytest.mark.parametrize("kind", ["call", "put"])
def test_the_value_is_the_american_price(kind: str) -> None:
    wanted = american.price(
        Option(105.0, DAYS / 365.0, kind == "call"), Market(SPOT, RATE, YIELD), VOLATILITY
    )
    assert worth(account(leg(kind, 105.0))) == pytest.approx(float(wanted), rel=1e-11)


def test_scenarios_are_revalued_with_early_exercise() -> None:
    """A put sold far in the money after a fall loses exactly what exercise pays."""
    own = account(leg("put", 105.0, -1.0))
    assert worth(own, 0.5) == -55.0
    european = leg("put", 105.0, -1.0)
    european["instrument"]["exercise"] = "european"
    assert worth(account(european), 0.5) > -55.0


BOOK = (leg("call", 105.0, -3.0), leg("put", 100.0, 2.0), leg("put", 80.0, -5.0))


@pytest.mark.parametrize("dividends", [[], PAYING], ids=["yield", "dividends"])
def test_greeks_are_differences(dividends: list[Written]) -> None:
    own = account(*BOOK, dividends=dividends)
    found = margin_report(own).greeks["XYZ"]
    width = 5e-3
    up, here, down = (worth(own, 1.0 + step) for step in (width, 0.0, -width))
    assert found.delta == pytest.approx((up - down) / (2 * width * SPOT), rel=2e-3)
    assert found.gamma == pytest.approx((up - 2 * here + down) / (width * SPOT) ** 2, rel=2e-2)
    ends = []
    for step in (-2e-3, 2e-3):
        columns = own.book.instruments
        book = replace(own.book, instruments=replace(columns, volatility=columns.volatility + step))
        ends.append(float(equity(book, now(book))[0]))
    assert found.vega == pytest.approx((ends[1] - ends[0]) / 4e-3, rel=2e-3)


def test_theta_and_rho_are_differences() -> None:
    found = margin_report(account(*BOOK)).greeks["XYZ"]
    rates = [worth(account(*BOOK, rate=RATE + step)) for step in (1e-3, -1e-3)]
    assert found.rho == pytest.approx((rates[0] - rates[1]) / 2e-3, rel=1e-3)
    own = account(*BOOK)
    columns = own.book.instruments
    ends = []
    for step in (-1e-3, 1e-3):
        grown = columns.variable * np.exp((RATE - YIELD) * step)
        later = replace(columns, time=columns.time + step, variable=grown)
        book = replace(own.book, instruments=later)
        ends.append(float(equity(book, now(book))[0]))
    assert found.theta == pytest.approx((ends[0] - ends[1]) / 2e-3, rel=1e-3)


@pytest.mark.parametrize("dividends", [[], PAYING], ids=["yield", "dividends"])
@pytest.mark.parametrize("kind", ["call", "put"])
@pytest.mark.parametrize("strike", [80.0, 100.0, 110.0])
def test_a_mark_implies_the_volatility_that_made_it(
    strike: float, kind: str, dividends: list[Written]
) -> None:
    mark = worth(account(leg(kind, strike), dividends=dividends))
    own = account(leg(kind, strike, mark_price=mark), dividends=dividends)
    assert own.book.instruments.volatility[0] == pytest.approx(VOLATILITY, rel=1e-6)
    assert own.result.equity[0] == pytest.approx(mark, rel=1e-14)


def test_a_mark_at_or_below_what_exercise_pays_has_no_volatility() -> None:
    with pytest.raises(InputError, match="which no volatility gives"):
        account(leg("put", 140.0, mark_price=39.9))


def test_a_dividend_makes_a_call_worth_exercising() -> None:
    paying = account(leg("call", 80.0), dividends=PAYING)
    european = leg("call", 80.0)
    european["instrument"]["exercise"] = "european"
    assert worth(paying) > worth(account(european, dividends=PAYING)) + 0.05
    after = [{"date": "2027-06-01", "amount": 1.5}]
    assert worth(account(leg("call", 80.0), dividends=after)) == worth(account(leg("call", 80.0)))


def test_an_account_equals_its_row_in_a_book_exactly() -> None:
    rng = np.random.default_rng(3)
    legs = [
        leg(kind, float(strike), float(rng.integers(1, 9)), venue=f"pool {number:03d}")
        for number in range(60)
        for kind in ("call", "put")
        for strike in rng.uniform(70.0, 130.0, 2).round(1)
    ]
    whole = account(*legs, dividends=PAYING)
    for number in (0, 7, 59):
        single = account(*legs[4 * number : 4 * number + 4], dividends=PAYING)
        assert single.result.equity[0] == whole.result.equity[number]
        assert single.result.maintenance[0] == whole.result.maintenance[number]


def test_inverse_options_may_be_american() -> None:
    """In quote currency the coin's rate is the yield, and the rate makes up the forward."""
    position = leg("put", 105.0)
    position["instrument"]["settlement"] = "inverse"
    own = account(position)
    market = Market(SPOT, RATE, YIELD)
    wanted = float(american.price(Option(105.0, DAYS / 365.0, False), market, VOLATILITY))
    assert worth(own) == pytest.approx(wanted, rel=1e-9)


def test_the_pricer_is_imported_by_books_that_need_it_alone() -> None:
    code = (
        "import sys, margincalc as mc;"
        "mc.margin(mc.load(sys.argv[1]));"
        "print('margincalc.pricing.american' in sys.modules)"
    )
    for name, wanted in (("btc_short_strangle", "False"), ("us_equity_options", "True")):
        path = f"sample_portfolios/{name}.yaml"
        ran = subprocess.run(
            [sys.executable, "-c", code, path], capture_output=True, text=True, check=True
        )
        assert ran.stdout.strip() == wanted


def test_the_sample_of_listed_options_is_american() -> None:
    own = margined(load("sample_portfolios/us_equity_options.yaml"), Rules(mode="portfolio"))
    assert np.sum(own.book.instruments.american) == 3
