"""The loss waterfall: money is conserved to the cent, and more fund is never more loss."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import margincalc as mc
from margincalc.errors import InputError
from margincalc.simulation.closing import Closed, close
from margincalc.simulation.deleveraging import POLICIES, UNITS, Market, Policy
from margincalc.simulation.rankings import Holders
from margincalc.simulation.waterfall import Fund, Paid, run

CENT = 0.01


@st.composite
def markets(draw: st.DrawFn) -> Market:
    """Accounts of one or two instruments, some of them bankrupt, with ties and empty ones."""
    count = draw(st.integers(1, 12))

    def column(values: st.SearchStrategy[float]) -> Any:
        return np.array(draw(st.lists(values, min_size=count, max_size=count)))

    quantity = column(st.sampled_from([-3.0, -1.0, -0.5, 0.0, 0.1, 1.0, 2.0]))
    entry = column(st.floats(10.0, 200.0))
    balance = column(st.floats(-50.0, 300.0))
    maintenance = column(st.floats(0.0, 30.0))
    instrument = column(st.integers(0, 1)).astype(np.int64)
    mark = np.where(instrument == 0, 100.0, draw(st.floats(50.0, 150.0)))
    period = column(st.integers(0, 2)).astype(np.int64)
    profit = quantity * (mark - entry)
    return Market(Holders(quantity, entry, mark, balance, profit, maintenance), instrument, period)


def funds() -> st.SearchStrategy[Fund]:
    amounts = st.floats(0.0, 500.0)
    return st.builds(Fund, amounts, st.none() | amounts, st.booleans())


policies = st.builds(Policy.named, st.sampled_from(POLICIES), st.sampled_from(UNITS))


def total(column: Any) -> int:
    return int(np.sum(column))


@given(markets(), funds(), policies, st.floats(0.0, 0.3))
def test_money_is_conserved_to_the_cent(
    market: Market, fund: Fund, policy: Policy, slippage: float
) -> None:
    closed = close(market.holders, slippage, CENT)
    paid = run(market, closed, fund, policy, CENT)
    assert np.array_equal(closed.loss, closed.trader + closed.deficit)
    given_up = total(paid.taken) + total(paid.socialised)
    assert total(closed.deficit) == total(paid.fund) + given_up + paid.unpaid
    income = total(closed.surplus) if fund.keeps_surplus else 0
    assert round(fund.balance / CENT) + income - total(paid.fund) == paid.fund_after
    for column in (*closed[1:], paid.fund, paid.taken, paid.socialised):
        assert np.all(column >= 0)
    assert min(paid.fund_after, paid.unpaid) >= 0


@given(markets(), funds(), policies)
def test_nobody_gives_more_than_it_has(market: Market, fund: Fund, policy: Policy) -> None:
    closed = close(market.holders, 0.0, CENT)
    paid = run(market, closed, fund, policy, CENT)
    value = np.maximum(np.rint(market.holders.value / CENT), 0.0)
    means = np.minimum(np.maximum(np.rint(market.holders.profit / CENT), 0.0), value)
    given = paid.taken + paid.socialised
    assert np.all(given[closed.liquidated] == 0)
    assert np.all(paid.socialised <= means)
    if policy.unit == "profit":
        assert np.all(given <= means)
        assert not np.any(paid.closed)
    assert np.all(paid.closed <= np.abs(market.holders.quantity))
    assert np.all(given <= value)
    if paid.unpaid:  # only when all that can be taken is gone
        stays = np.setdiff1d(np.arange(len(means)), closed.liquidated)
        assert np.all(given[stays] >= means[stays])


@pytest.mark.parametrize("policy", [Policy.named("bitmex", "profit"), Policy.named("socialised")])
def test_a_debt_in_the_wallet_has_first_call_on_a_profit(policy: Policy) -> None:
    quantity, entry = np.array([-3.0, 0.1]), np.array([10.0, 10.0])
    mark, balance = np.array([100.0, 100.0]), np.array([0.0, -1.0])
    profit = quantity * (mark - entry)  # the winner's 9.00 are 8.00 once its debt is paid
    holders = Holders(quantity, entry, mark, balance, profit, np.zeros(2))
    zeros = np.zeros(2, np.int64)
    paid = run(Market(holders, zeros, zeros), close(holders, 0.0, CENT), Fund(), policy, CENT)
    assert (paid.taken + paid.socialised).tolist() == [0, 800]


@given(markets(), funds(), policies, st.floats(0.0, 300.0))
def test_more_fund_is_never_more_loss_for_others(
    market: Market, fund: Fund, policy: Policy, more: float
) -> None:
    closed = close(market.holders, 0.05, CENT)
    less, richer = (
        run(market, closed, held, policy, CENT)
        for held in (fund, fund._replace(balance=fund.balance + more))
    )
    assert total(richer.fund) >= total(less.fund)
    assert _beside_fund(richer) <= _beside_fund(less)
    assert richer.unpaid <= less.unpaid


def _beside_fund(paid: Paid) -> int:
    return total(paid.taken) + total(paid.socialised) + paid.unpaid


@given(markets(), funds(), policies)
def test_a_healthy_market_is_left_alone(market: Market, fund: Fund, policy: Policy) -> None:
    rich = market.holders._replace(balance=market.holders.balance + 1e5)
    closed = close(rich, 0.1, CENT)
    paid = run(market._replace(holders=rich), closed, fund, policy, CENT)
    assert not len(closed.liquidated)
    assert _beside_fund(paid) == total(paid.fund) == 0


@given(markets(), st.floats(0.0, 0.5))
def test_who_is_closed_is_below_maintenance(market: Market, slippage: float) -> None:
    closed: Closed = close(market.holders, slippage, CENT)
    below = market.holders.value < market.holders.maintenance
    assert np.all(below[closed.liquidated])
    others = np.setdiff1d(np.arange(len(below)), closed.liquidated)
    assert not np.any(closed.loss[others] | closed.deficit[others] | closed.surplus[others])


def test_a_period_s_cap_binds_in_that_period_alone() -> None:
    rows = 3
    holders = Holders(
        *(np.full(rows, value) for value in (1.0, 110.0, 100.0, 5.0, -10.0, 1.0))
    )  # each loses 5 more than it has
    market = Market(holders, np.zeros(rows, np.int64), np.array([0, 0, 1]))
    closed = close(holders, 0.0, CENT)
    paid = run(market, closed, Fund(12.0, 6.0), Policy.named("socialised"), CENT)
    assert (paid.fund.tolist(), paid.fund_after, paid.unpaid) == ([500, 100, 500], 100, 400)


HEAD = "account,quantity,entry_price,balance,maintenance\n"


def written(folder: Path, text: str, name: str = "accounts.csv") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_csv_rows_are_the_accounts(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + "lost,1,100,10,2\nwon,-1,100,50,2\n")
    report = mc.waterfall(path, mark=80.0, policy="bitmex")
    assert [line.paid for line in report.ledger] == [10.0, 0.0, 10.0, 0.0, 0.0]
    (winner,) = report.winners
    assert (winner.account, winner.taken, winner.closed) == ("won", 10.0, 80.0)
    assert report.least_haircut == report.profit_haircut == 0.5


def test_parquet_rows_are_the_accounts(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = tmp_path / "accounts.parquet"
    rows = {
        "account": ["lost", "won"],
        "quantity": [1, -1],
        "entry_price": [100.0, 100.0],
        "balance": [10.0, 50.0],
        "maintenance": [2.0, 2.0],
        "mark": [80.0, None],
    }
    parquet.write_table(pyarrow.table(rows), path)
    csv = written(tmp_path, HEAD + "lost,1,100,10,2\nwon,-1,100,50,2\n")
    assert mc.waterfall(path, mark=80.0) == mc.waterfall(csv, mark=80.0)


@pytest.mark.parametrize(
    ("text", "name", "found"),
    [
        (HEAD + "a,1,100,10,2\n", "a.csv", "no mark"),
        ("account,quantity\n", "a.csv", "no column entry_price or balance"),
        (HEAD + "a,1,100,ten,2\n", "a.csv", "'ten'"),
        ("mark: 5\n", "a.yaml", "no `accounts`"),
        ("mark: 5\naccounts: [{account: a}]\n", "a.yaml", "no `quantity`"),
        ("mark: .nan\naccounts: []\n", "a.yaml", "nan"),
        ("not parquet", "a.parquet", "a.parquet"),
        (
            "mark: 1e9\naccounts: [{account: a, quantity: 1e9, entry_price: 1, balance: 0}]\n",
            "a.yaml",
            "in all",
        ),
    ],
)
def test_faults_are_sentences(tmp_path: Path, text: str, name: str, found: str) -> None:
    with pytest.raises(InputError, match="wanted") as error:
        mc.waterfall(written(tmp_path, text, name))
    assert found in str(error.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"policy": "luck"},
        {"unit": "hearts"},
        {"fund": -1.0},
        {"fund": float("nan")},
        {"cap": -1.0},
        {"slippage": 1.5},
        {"slippage": float("nan")},
    ],
)
def test_terms_out_of_bounds_are_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    call: Callable[..., Any] = mc.waterfall
    with pytest.raises(InputError):
        call(written(tmp_path, HEAD), mark=1.0, **wrong)


def test_no_accounts_owe_nothing(tmp_path: Path) -> None:
    report = mc.waterfall(written(tmp_path, HEAD), mark=1.0)
    assert (report.lost, report.winners, report.least_haircut) == (0.0, (), None)
