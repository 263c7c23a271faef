"""Engines: they conserve money, leave the healthy alone, end, and say so where they cannot cure."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import margincalc as mc
from margincalc.answers.engines import Market
from margincalc.answers.slippage import LAWS, Slippage
from margincalc.book import Kind
from margincalc.errors import InputError, ModelRefusal
from margincalc.margin.load import model_names
from margincalc.pricing.impact import SquareRoot
from margincalc.simulation.costs import Costs, Liquidator
from margincalc.simulation.desk import desk_of
from margincalc.simulation.engine import MOST_STEPS, Scene, run
from margincalc.simulation.engines import FOLDER, load_engine
from margincalc.simulation.pro_rata import ProRata
from tests.books import AS_OF, Style, margined, written
from tests.cli import SAMPLES
from tests.proving import PROVE

DAY = AS_OF.date()
STYLE = Style(underlyings=2, settlements=("linear",), coin=False, deposits=("cash",), positions=5)
LINEAR = replace(STYLE, kinds=("perpetual",))
OF_POSITIONS = ("incremental", "derive-auction", "hyperliquid", "bybit", "okx", "paradex")
FREE = Costs(None, 0.0, 0.0)
IMPACT = Costs(SquareRoot(0.04, 1e8))


def scene(content: dict[str, Any], costs: Costs = IMPACT, **more: Any) -> Scene:
    model = more.pop("model", "generic-standard")
    account = margined(mc.Portfolio.model_validate(content), model=model, settings=SETTINGS)
    linear = account.book.instruments.is_kind(Kind.PERPETUAL)
    return Scene(desk_of(account.book, account.model, 0, np.flatnonzero(linear)), costs, **more)


SETTINGS = ("borrow.maintenance=0.0",)


NEAR = (-0.3, 0.2, 0.5, 0.7, 0.9, 0.99, 1.0, 1.2)  # equity, of maintenance margin
BROKE = (-0.5, -0.1)


def stressed(rng: Random, style: Style = STYLE, shares: Sequence[float] = NEAR) -> dict[str, Any]:
    """Draw an account whose money makes its equity a share of its maintenance margin."""
    content = written(rng, style)
    content["collateral"] = [{"asset": "USD", "quantity": 0.0}]
    result = margined(
        mc.Portfolio.model_validate(content), model="generic-standard", settings=SETTINGS
    ).result
    margin, equity = float(result.maintenance[0]), float(result.equity[0])
    wanted = rng.choice(shares) * margin
    content["collateral"] = [{"asset": "USD", "quantity": wanted - equity}]
    return content


def contents(
    style: Style = STYLE, shares: Sequence[float] = NEAR
) -> st.SearchStrategy[dict[str, Any]]:
    return st.randoms(use_true_random=False).map(lambda rng: stressed(rng, style, shares))


def check(at: Scene, name: str) -> None:
    """Run an engine and hold it to what every engine promises."""
    ran = run(load_engine(name, DAY).engine, at)
    before = at.liquidatable(ran.start)
    assert ran.steps or not before or ran.end == "unfinished"
    if not before:
        assert ran.steps == ()
        assert (ran.end, ran.reason) == ("healthy", "")
    assert len(ran.steps) <= MOST_STEPS + 1
    scale = float(np.sum(np.abs(ran.start.quantity * at.desk.unit))) + 1.0
    scale += float(np.sum(np.abs(ran.start.quantity) * at.desk.notional))
    for step in ran.steps:
        move = step.move
        lost = step.before.standing.equity - step.after.standing.equity
        given_up = move.market + move.liquidator + move.fund - move.others
        assert lost == pytest.approx(given_up, abs=1e-9 * scale)
        assert at.liquidatable(step.before) or move.action == "deficit"
        assert min(move.market, 0.0) == 0.0
    if at.liquidatable(ran.last) and at.holds(ran.last):
        assert ran.end == "unfinished"
        assert ran.reason
    if ran.end in ("closed", "bankrupt"):
        assert not at.holds(ran.last)
    if ran.end == "bankrupt":
        assert ran.last.standing.equity == pytest.approx(0.0, abs=1e-9 * scale)
    if ran.end == "healthy" and ran.steps:
        assert not at.liquidatable(ran.last)


@pytest.mark.parametrize("name", OF_POSITIONS)
@given(contents(), st.sampled_from([0.0, 1e3, 1e9]))
def test_an_engine_keeps_its_promises(name: str, content: dict[str, Any], fund: float) -> None:
    check(scene(content, fund=fund), name)


@given(contents(LINEAR), st.sampled_from([0.0, 1e3, 1e9]), st.booleans())
def test_dydx_keeps_its_promises(content: dict[str, Any], fund: float, free: bool) -> None:
    check(scene(content, Costs(None, 0.0, 0.0) if free else IMPACT, fund=fund), "dydx-v4")


def loan(debt: float, deposit: float = 30.0, haircut: float = 0.2) -> dict[str, Any]:
    return {
        "as_of": AS_OF.isoformat(),
        "market": {"ETH": {"spot": 3300.0, "volatility": 0.7}},
        "collateral": [
            {"asset": "ETH", "quantity": deposit, "haircut": haircut},
            {"asset": "USDC", "quantity": -debt},
        ],
    }


@pytest.mark.parametrize("name", ["aave-v3", "euler-v1"])
@given(st.floats(1e3, 2e5), st.floats(0.0, 0.5))
def test_lenders_keep_their_promises(name: str, debt: float, haircut: float) -> None:
    check(scene(loan(debt, haircut=haircut), fund=1e9), name)


@settings(max_examples=1000 if PROVE else 8)
@given(contents(shares=BROKE), st.floats(0.0, 0.5), st.floats(0.0, 1.0))
def test_more_fund_never_means_more_socialised_loss(
    content: dict[str, Any], share: float, more: float
) -> None:
    """Accounts have less than nothing, and funds a share of that: others pay in every example."""
    at = scene(content)
    deficit = -at.start().standing.equity
    assume(deficit > 1.0)
    paid = 0.0
    for name in OF_POSITIONS:
        engine = load_engine(name, DAY).engine
        less, richer = (
            sum(step.move.others for step in run(engine, at._replace(fund=held)).steps)
            for held in (share * deficit, (share + more) * deficit)
        )
        assert richer <= less * (1.0 + 1e-9) + 1e-6
        paid += less
    assert paid > 0.0


def test_the_generic_engine_hedges_before_it_closes() -> None:
    content = {
        "as_of": AS_OF.isoformat(),
        "market": {"BTC": {"spot": 100_000.0, "volatility": 0.6}},
        "positions": [
            {"instrument": "BTC-25DEC26-80000-P", "quantity": -12.0, "volatility": 0.66},
            {"instrument": "BTC-PERPETUAL", "quantity": 1.0},
        ],
        "collateral": [{"asset": "USD", "quantity": 140_000.0}],
    }
    report = mc.simulate_liquidation(mc.Portfolio.model_validate(content))
    (pool,) = report.pools
    assert pool.end == "healthy"
    assert pool.steps[0].trades[0].instrument == "BTC-PERPETUAL"
    assert pool.optimum is not None
    assert pool.optimum.ratio is not None
    assert pool.optimum.ratio >= 1.0 - 1e-9


def perpetual(quantity: float, money: float) -> mc.Portfolio:
    return mc.Portfolio.model_validate(
        {
            "as_of": AS_OF.isoformat(),
            "market": {"BTC": {"spot": 100_000.0}},
            "positions": [{"instrument": "BTC-PERPETUAL", "quantity": quantity}],
            "collateral": [{"asset": "USD", "quantity": money}],
        }
    )


def ran(portfolio: mc.Portfolio, engine: str, **market: Any) -> Any:
    free = Market(**{"slippage": Slippage("none"), **market})
    return mc.simulate_liquidation(portfolio, engine=engine, conditions=free).pools[0]


def test_hyperliquid_sells_a_fifth_then_all_and_its_vault_keeps_the_margin() -> None:
    # 20 coin need 40,000; a fifth frees 8,000.
    cured = ran(perpetual(20.0, 33_000.0), "hyperliquid")
    assert [step.action for step in cured.steps] == ["close a share"]
    assert cured.left[0].quantity == pytest.approx(16.0)
    # 33,000 are over the 32,000 that are left to maintain, and under the 40,000 to open them.
    assert (cured.status_before, cured.end, cured.status_after) == (
        "liquidatable",
        "healthy",
        "restricted",
    )
    assert cured.initial_after > cured.equity_after >= cured.maintenance_after
    assert ran(perpetual(20.0, 45_000.0), "hyperliquid").status_after == "restricted"
    whole = ran(perpetual(20.0, 30_000.0), "hyperliquid")
    assert [(step.action, step.seconds) for step in whole.steps] == [
        ("close a share", 0.0),
        ("close", 30.0),
    ]
    vault = ran(perpetual(20.0, 26_000.0), "hyperliquid")
    assert [step.action for step in vault.steps] == ["backstop"]
    assert (vault.end, vault.liquidator) == ("closed", pytest.approx(26_000.0))


def test_tiers_go_down_one_at_a_time_or_two() -> None:
    # 250 coin are 25 million: Bybit's twelfth tier, the eleventh of which ends at 20 and the tenth
    # at 14 million; and OKX's fifth.
    down = ran(perpetual(250.0, 450_000.0), "bybit")
    assert [round(step.trades[0].quantity) for step in down.steps] == [-50]
    deeper = ran(perpetual(250.0, 310_000.0), "bybit")
    assert [round(step.trades[0].quantity) for step in deeper.steps] == [-50, -60]
    two = ran(perpetual(250.0, 450_000.0), "okx")
    assert [round(step.trades[0].quantity) for step in two.steps] == [-150]
    small = ran(perpetual(15.0, 20_000.0), "bybit")
    assert [step.action for step in small.steps] == ["take over"]
    assert small.fund == pytest.approx(20_000.0)


def test_paradex_closes_the_least_share_of_everything_that_is_enough() -> None:
    """The table of its page: https://docs.paradex.trade/risk/liquidations."""
    content = {
        "as_of": AS_OF.isoformat(),
        "market": {"BTC": {"spot": 54_800.0}, "ETH": {"spot": 3_400.0}},
        "positions": [
            {"instrument": "BTC-PERPETUAL", "quantity": 0.1, "entry_price": 60_000.0},
            {"instrument": "ETH-PERPETUAL", "quantity": -1.0, "entry_price": 3_000.0},
        ],
        "collateral": [{"asset": "USDC", "quantity": 1_000.0}],
    }
    rate = ("delta_one={initial=0.02, maintenance=0.01}",)
    portfolio = mc.Portfolio.model_validate(content)
    account = margined(portfolio, model="paradex-cross", settings=rate)
    at = Scene(desk_of(account.book, account.model, 0, np.zeros(0, np.int64)), FREE, fund=1e9)
    for penalty, share, left in ((0.5, 0.4, 62.24), (0.7, 0.6, 42.704)):
        engine = load_engine("paradex", DAY, (f"penalty={penalty}",)).engine
        assert isinstance(engine, ProRata)
        tried = engine.tried(at, at.start())
        fees = [penalty * 0.2 * step * 88.8 for step in range(1, 6)]
        assert tried.penalty == pytest.approx(fees, rel=1e-12)
        assert tried.maintenance == pytest.approx([71.04, 53.28, 35.52, 17.76, 0.0], abs=1e-9)
        assert tried.equity == pytest.approx([80.0 - fee for fee in fees], rel=1e-12)
        done = run(engine, at)
        assert [step.move.action for step in done.steps] == ["close a share"]
        assert done.last.quantity[:2] == pytest.approx(np.array([0.1, -1.0]) * (1.0 - share))
        assert done.last.standing.equity == pytest.approx(left, rel=1e-12)
        assert done.end == "healthy"


def test_paradex_closes_all_where_no_share_is_enough() -> None:
    gone = ran(perpetual(20.0, 500.0), "paradex")
    assert [step.action for step in gone.steps] == ["close all"]
    assert (gone.end, gone.fund) == ("closed", pytest.approx(500.0))  # no more than there is


def test_a_bankrupt_account_is_paid_for_by_the_fund_then_by_others() -> None:
    for engine in ("incremental", "bybit", "paradex"):
        gone = ran(perpetual(20.0, -5_000.0), engine, fund=2_000.0)
        assert gone.end == "bankrupt"
        assert (gone.fund, gone.others) == (pytest.approx(-2_000.0), pytest.approx(-3_000.0))


def test_an_auction_ends_where_the_buffer_is_whole() -> None:
    portfolio = perpetual(20.0, 30_000.0)
    report = mc.simulate_liquidation(
        portfolio,
        engine="derive-auction",
        model="generic-standard",
        conditions=Market(Slippage("none")),
    )
    (pool,) = report.pools
    (step,) = pool.steps
    buffered = step.equity - 1.15 * step.maintenance
    assert buffered == pytest.approx(0.0, abs=1e-6)
    assert step.price == pytest.approx(0.95 * 30_000.0)


def test_no_bidder_says_so() -> None:
    thin = Market(Slippage("square-root", 1e4), fund=1e6)
    report = mc.simulate_liquidation(
        perpetual(20.0, 30_000.0),
        engine="derive-auction",
        model="generic-standard",
        conditions=thin,
    )
    (pool,) = report.pools
    assert (pool.end, pool.acted) == ("unfinished", False)
    assert "no bidder" in pool.reason


def test_a_toxic_loan_is_said_and_spirals() -> None:
    toxic = mc.Portfolio.model_validate(loan(0.97 * 99_000.0))
    (pool,) = mc.simulate_liquidation(
        toxic,
        engine="aave-v3",
        engine_settings=("full_below=0.0", "least=0.0"),
        conditions=Market(Slippage("none")),
    ).pools
    assert pool.loan is not None
    assert pool.loan.toxic
    assert pool.end == "bankrupt"
    (halted,) = mc.simulate_liquidation(
        toxic, engine="aave-v3", engine_settings=("halts_toxic=true",)
    ).pools
    assert (halted.end, halted.acted) == ("unfinished", False)


def test_nobody_acts_for_less_than_it_costs() -> None:
    portfolio = mc.Portfolio.model_validate(loan(80_000.0))
    dear = Market(liquidator=Liquidator(gas=5_000.0))
    (pool,) = mc.simulate_liquidation(portfolio, engine="aave-v3", conditions=dear).pools
    assert pool.end == "unfinished"
    assert "nobody acts" in pool.reason
    slow = Market(liquidator=Liquidator(latency=3600.0, flash_fee=0.0009))
    (less,) = mc.simulate_liquidation(portfolio, engine="aave-v3", conditions=slow).pools
    assert less.acted


@pytest.mark.parametrize("law", LAWS)
def test_every_law_of_slippage_prices_a_sale(law: str) -> None:
    levels = ("99900:5", "99000:50") if law == "book" else ()
    depth = ("1%=2e7", "5%=4e7") if law == "depth" else ()
    slippage = Slippage(law, levels=levels, depth=depth)
    pool = ran(perpetual(20.0, 33_000.0), "hyperliquid", slippage=slippage)
    assert (pool.market > 0.0) == (law != "none")
    price = pool.steps[0].trades[0].price
    assert price is not None
    assert (price < 100_000.0) == (law != "none")


@pytest.mark.parametrize(
    ("slippage", "found"),
    [
        (Slippage("luck"), "--slippage"),
        (Slippage(volume=0.0), "--volume"),
        (Slippage(volume=float("nan")), "--volume"),
        (Slippage(volatility=-1.0), "--daily-vol"),
        (Slippage("book"), "--level"),
        (Slippage("book", levels=("5",)), "--level"),
        (Slippage("book", levels=("90000:1", "99000:1")), "--level"),
        (Slippage("depth", depth=("1%=5",)), "--depth"),
        (Slippage("depth", depth=("1%=5", "2%=4")), "--depth"),
        (Slippage(levels=("99900:5",)), "wanted book, as --level is given"),
        (Slippage("book", depth=("1%=5", "2%=6")), "wanted depth, as --depth is given"),
        (Slippage(underlying="BTC"), "wanted book, as --underlying is given"),
        (Slippage("book", levels=("99900:5",), underlying="BTCX"), "did you mean `BTC`"),
    ],
)
def test_wrong_markets_are_refused(slippage: Slippage, found: str) -> None:
    with pytest.raises(InputError, match=found):
        ran(perpetual(1.0, 10.0), "bybit", slippage=slippage)


def test_the_levels_of_a_book_are_of_one_underlying() -> None:
    content = perpetual(20.0, 33_000.0).model_dump(by_alias=True, exclude_unset=True)
    content["market"] = {"ADA": {"spot": 0.5}, **content["market"]}  # the first, and not traded
    levels = ("99900:5", "99000:50")
    alone = ran(perpetual(20.0, 33_000.0), "hyperliquid", slippage=Slippage("book", levels=levels))
    beside = mc.Portfolio.model_validate(content)
    assert ran(beside, "hyperliquid", slippage=Slippage("book", levels=levels)) == alone
    content["positions"] = [*content["positions"], {"instrument": "ADA-PERPETUAL", "quantity": 1.0}]
    both = mc.Portfolio.model_validate(content)
    with pytest.raises(InputError, match="the account trades ADA, BTC; wanted whose book"):
        ran(both, "hyperliquid", slippage=Slippage("book", levels=levels))
    named = Slippage("book", levels=levels, underlying="BTC")
    assert ran(both, "hyperliquid", slippage=named).market == pytest.approx(alone.market, rel=1e-4)


def test_engines_that_do_not_fit_refuse() -> None:
    with pytest.raises(InputError, match="--engine"):
        ran(perpetual(1.0, 10.0), "kraken")
    with pytest.raises(ModelRefusal, match="lender"):
        ran(perpetual(1.0, 10.0), "aave-v3")
    with pytest.raises(InputError, match="--engine-set clip"):
        mc.simulate_liquidation(perpetual(1.0, 10.0), engine_settings=("clip=2.0",))
    option = mc.Portfolio.model_validate(
        {
            "as_of": AS_OF.isoformat(),
            "market": {"BTC": {"spot": 100_000.0, "volatility": 0.6}},
            "positions": [{"instrument": "BTC-25DEC26-80000-P", "quantity": -12.0}],
            "collateral": [{"asset": "USD", "quantity": 50_000.0}],
        }
    )
    with pytest.raises(ModelRefusal, match="perpetuals"):
        ran(option, "dydx-v4")


@pytest.mark.parametrize(("engine", "hinted"), [("incremental", True), ("aave-v3", False)])
def test_a_loan_is_pointed_to_the_engines_of_lenders(engine: str, hinted: bool) -> None:
    loan = mc.load(SAMPLES / "loan.yaml")
    notes = mc.simulate_liquidation(loan, engine=engine).notes
    assert any("--engine aave-v3" in note for note in notes) is hinted


def test_positions_beside_a_debt_are_not_a_loan() -> None:
    notes = mc.simulate_liquidation(perpetual(1.0, -10.0), engine="incremental").notes
    assert not any("aave-v3" in note for note in notes)


def test_every_engine_is_dated_and_sourced() -> None:
    names = model_names(FOLDER)
    assert len(names) >= 9
    for name in names:
        papers = load_engine(name, DAY).papers
        assert papers.effective <= dt.date(2026, 11, 20)
        assert papers.sources


def test_an_isolated_pool_is_liquidated_alone() -> None:
    content = {
        "as_of": AS_OF.isoformat(),
        "market": {"BTC": {"spot": 100_000.0}, "ETH": {"spot": 4_000.0}},
        "positions": [
            {"instrument": "BTC-PERPETUAL", "quantity": 1.0, "isolated_margin": 1_000.0},
            {"instrument": "ETH-PERPETUAL", "quantity": 1.0},
        ],
        "collateral": [{"asset": "USD", "quantity": 10_000.0}],
    }
    report = mc.simulate_liquidation(
        mc.Portfolio.model_validate(content), engine="bybit", mode="isolated"
    )
    acted = {pool.pool: pool.acted for pool in report.pools}
    assert acted == {"BTC-PERPETUAL": True, "ETH-PERPETUAL": False, "unallocated": False}


def test_what_an_engine_may_open_is_no_pool_of_its_own() -> None:
    portfolio = mc.load("sample_portfolios/two_venues.yaml")
    report = mc.simulate_liquidation(portfolio)
    assert [pool.pool for pool in report.pools] == ["derive", "okx"]
    assert report.model == mc.margin(portfolio).model
