"""What if: trades at their marks, moved markets and later days."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import margincalc as mc
from margincalc.answers.margining import Rules, margined
from margincalc.answers.results import MarginReport
from margincalc.answers.statement import margin_report
from margincalc.assembly.pools import Mode
from margincalc.assembly.what_if import UNCHANGED, Changes
from margincalc.errors import InputError
from margincalc.portfolio import Portfolio
from margincalc.times import instant
from tests.books import ANY, CARRIED, WITH_POOLS, Style, plain, portfolios

CARRIED_LINEAR = Style(
    kinds=("option", "spot"), marks=False, quoted=False, deposits=("cash",), coin=False
)


def margin(
    portfolio: Portfolio, *, mode: Mode | None = None, changes: Changes = UNCHANGED
) -> MarginReport:
    """Margin without liquidation prices."""
    return margin_report(margined(portfolio, Rules(mode, changes=changes)))


def rebuilt(book: Portfolio, **changes: Any) -> Portfolio:
    return Portfolio.model_validate(plain(book) | changes)


def gross(portfolio: Portfolio) -> float:
    report = margin(portfolio)
    return 1.0 + abs(report.equity) + sum(abs(line.value or 0.0) for line in report.positions)


@given(portfolios(ANY), st.data())
def test_a_trade_at_the_mark_leaves_equity(portfolio: Portfolio, data: st.DataObject) -> None:
    before = margin(portfolio)
    name = data.draw(st.sampled_from([line.instrument for line in before.positions]))
    closed = margin(portfolio, changes=mc.what_if(close=[name]))
    assert closed.equity == pytest.approx(before.equity, abs=1e-9 * gross(portfolio))
    assert name not in [line.instrument for line in closed.positions]


def test_an_option_bought_is_paid_for() -> None:
    portfolio = mc.load("sample_portfolios/btc_short_strangle.yaml")
    before = margin(portfolio)
    trade = mc.what_if(add=["BTC-25DEC26-110000-C 2"])
    after = margin(portfolio, changes=trade)
    bought = next(line for line in after.positions if line.quantity == 2.0)
    assert after.equity == pytest.approx(before.equity, abs=1e-9)
    assert bought.value == pytest.approx(before.collateral_value - after.collateral_value)
    assert any("nearest strikes" in note for note in after.notes)
    undone = mc.what_if(add=["BTC-25DEC26-110000-C 2", "BTC-25DEC26-110000-C -2"])
    back = margin(portfolio, changes=undone).maintenance_margin
    assert back == pytest.approx(before.maintenance_margin, abs=1e-9)


def test_a_trade_is_paid_from_the_dollars_that_are_there() -> None:
    # 185,000 USDC pay for it: dollars owed beside them would be charged as a debt.
    portfolio = mc.load("sample_portfolios/eth_gamma_hedged_perp.yaml")
    cure = mc.hedge(portfolio, aim=mc.Aim(target=0.4), limits=mc.Limits(deposit=0.0))
    assert cure.after is not None
    trades = [f"{trade.instrument} {trade.quantity!r}" for trade in cure.trades]
    tried = margin(portfolio, changes=mc.what_if(add=trades))
    assert tried.components["borrow"] == 0.0
    assert tried.maintenance_margin == pytest.approx(cure.after.maintenance_margin, rel=1e-12)
    assert tried.equity - cure.trade_cost == pytest.approx(cure.after.equity, rel=1e-12)
    assert any("USDC paid from its deposit" in note for note in tried.notes)


def test_a_trade_at_no_venue_is_said_to_be_one() -> None:
    portfolio = mc.load("sample_portfolios/two_venues.yaml")
    said = "`BTC-PERPETUAL 1 derive` names one"
    for trade, expected in (("BTC-PERPETUAL 1", True), ("BTC-PERPETUAL 1 derive", False)):
        notes = margin(portfolio, changes=mc.what_if(add=[trade])).notes
        assert any(said in note for note in notes) == expected


def test_a_close_is_an_opposite_trade() -> None:
    portfolio = mc.load("sample_portfolios/btc_short_strangle.yaml")
    close = margin(portfolio, changes=mc.what_if(close=["BTC-25DEC26-90000-P"]))
    opposite = margin(portfolio, changes=mc.what_if(add=["BTC-25DEC26-90000-P 10"]))
    assert close.maintenance_margin == pytest.approx(opposite.maintenance_margin, rel=1e-12)
    assert close.collateral_value == pytest.approx(opposite.collateral_value, rel=1e-12)


@given(portfolios(CARRIED), st.floats(-0.4, 0.5))
def test_a_moved_spot_is_a_file_at_that_spot(portfolio: Portfolio, move: float) -> None:
    """Where forwards are carried and nothing is marked, a move is another spot in the file."""
    name = sorted(portfolio.market)[0]
    assume(portfolio.currency == "USD")
    assume(all(deposit.price is None for deposit in portfolio.collateral))
    assume(not any(market.dividends for market in portfolio.market.values()))
    text = f"{name}{move * 100.0:+.6f}%"
    factor = 1.0 + float(text.removeprefix(name).removesuffix("%")) / 100.0
    market = {key: own.model_dump(by_alias=True) for key, own in portfolio.market.items()}
    market[name]["spot"] *= factor
    expected = margin(rebuilt(portfolio, market=market))
    found = margin(portfolio, changes=mc.what_if(spot=[text]))
    assert found.excess == pytest.approx(expected.excess, abs=1e-9 * gross(portfolio))


@given(portfolios(CARRIED_LINEAR), st.floats(0.1, 0.9))
def test_later_is_a_file_of_that_day(portfolio: Portfolio, days: float) -> None:
    """Contracts apart, which make a profit that a file of that day does not know of."""
    found = margin(portfolio, changes=mc.what_if(days=days))
    expected = margin(portfolio.model_copy(update={"as_of": instant(found.as_of)}))
    assert found.maintenance_margin == pytest.approx(
        expected.maintenance_margin, abs=1e-6 * gross(portfolio)
    )


@given(portfolios(WITH_POOLS), st.floats(-20.0, 30.0), st.floats(0.0, 40.0))
def test_parts_of_equity_sum_in_a_moved_market(
    portfolio: Portfolio, points: float, days: float
) -> None:
    changes = mc.what_if(spot=["-12%"], vol=[f"{points:+.3f}"], days=days)
    report = margin(portfolio, mode="isolated", changes=changes)
    parts = report.collateral_value + report.option_value + report.spot_value
    total = parts + report.unrealised + report.shortfall
    assert report.equity == pytest.approx(total, abs=1e-8 * gross(portfolio))


def test_moves_are_repeatable_and_by_underlying() -> None:
    portfolio = mc.load("sample_portfolios/two_underlyings_three_collaterals.yaml")
    once = margin(portfolio, changes=mc.what_if(spot=["+10%", "ETH-10%"]))
    names = sorted(portfolio.market)
    levels = [f"{n}={portfolio.market[n].spot * (0.99 if n == 'ETH' else 1.1)!r}" for n in names]
    assert once.excess == pytest.approx(margin(portfolio, changes=mc.what_if(spot=levels)).excess)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"add": ["BTC-25DEC26-110000-C"]}, "a trade such as"),
        ({"add": ["BTC-25DEC26-110000-C 0"]}, "a trade such as"),
        ({"add": ["BTC-25DEC26-110000-C nan"]}, "a trade such as"),
        ({"add": ["BTC-32DEC26-110000-C 1"]}, "--add 'BTC-32DEC26-110000-C 1'"),
        ({"close": ["BTC-25DEC26-90001-P"]}, "did you mean `BTC-25DEC26-90000-P`"),
        ({"spot": ["up"]}, "--spot"),
        ({"spot": ["+5"]}, "did you mean `+5%`"),
        ({"spot": ["-100%"]}, "stay above 0"),
        ({"spot": ["BTC=0"]}, "stay above 0"),
        ({"spot": ["BTX+5%"]}, "did you mean `BTC`"),
        ({"vol": ["-70"]}, "stay above 0"),
        ({"spot": ["2%"]}, "did you mean `+2%`"),
        ({"spot": ["BTC=2%"]}, "did you mean `BTC+2%`"),
        ({"vol": ["10"]}, "did you mean `+10`"),
        ({"vol": ["BTC 5%"]}, "did you mean `BTC+5%`"),
        ({"days": -1.0}, "a number from 0"),
        ({"days": float("nan")}, "a number from 0"),
        ({"days": float("inf")}, "a number from 0"),
        ({"spot": ["+1e999%"]}, "stay above 0"),
        ({"vol": ["+1e999"]}, "stay above 0"),
        ({"vol": ["+1e999%"]}, "at most 1,000"),
        ({"vol": ["+1e9%"]}, "a volatility of 5.5e+06; wanted"),
        ({"spot": ["+1e999%", "-100%"]}, "stay above 0"),
    ],
)
def test_what_cannot_be_is_said(changes: dict[str, Any], said: str) -> None:
    portfolio = mc.load("sample_portfolios/btc_short_strangle.yaml")
    with pytest.raises(InputError, match=said.replace("+", r"\+")):
        mc.check(portfolio, changes=mc.what_if(**changes))


def test_a_stated_volatility_stays_above_nothing_too() -> None:
    portfolio = mc.load("sample_portfolios/isolated_perpetuals.yaml")
    stated = portfolio.market["BTC"].model_copy(update={"volatility": 0.5})
    market = {**portfolio.market, "BTC": stated}
    with pytest.raises(InputError, match=r"a volatility of -0\.2; wanted"):
        mc.passage(portfolio.model_copy(update={"market": market}), changes=mc.what_if(vol=["-70"]))


def test_an_argument_of_no_rule_is_named() -> None:
    with pytest.raises(TypeError, match=r"'target'; those of rules are changes, effective, mode"):
        mc.margin(mc.load("sample_portfolios/long_only.yaml"), target=0.4)  # type: ignore[call-arg]
