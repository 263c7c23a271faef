"""Who shares collateral, and how isolated pools are funded."""

from typing import Any

import numpy as np
import pytest

from margincalc.answers.account import Account
from margincalc.answers.statement import margin_report
from margincalc.assembly.keys import as_columns
from margincalc.book import Pool
from margincalc.errors import InputError, ModelRefusal
from margincalc.portfolio import Portfolio
from tests.books import margined
from tests.test_liquidation import book

SPOT = 100_000.0
Written = dict[str, Any]


def held(name: str, quantity: float, **more: Any) -> Written:
    return {"instrument": name, "quantity": quantity, **more}


def future(quantity: float = 1.0, **more: Any) -> Written:
    """Return a perpetual that needs 4 % as initial and 2 % as maintenance margin."""
    return held("BTC-PERPETUAL", quantity, entry_price=SPOT, **more)


def pools(account: Account) -> dict[str, float]:
    """Return the equity of each pool."""
    return {pool.pool: pool.equity for pool in margin_report(account).pools}


def funds(*positions: Written, cash: float = 10_000.0, **more: Any) -> dict[str, float]:
    return pools(margined(book(SPOT, positions, cash, **more), "isolated"))


# Labels


@pytest.mark.parametrize("mode", ["cross", "portfolio"])
def test_an_account_is_a_pool_at_each_venue(mode: Any) -> None:
    positions = [future(group="wing"), future(venue="deribit"), held("BTC", 1.0, venue="deribit")]
    deposits = [{"asset": "USD", "quantity": 5.0, "venue": "okx"}]
    found = margined(book(SPOT, positions, collateral=deposits, account="mine"), mode)
    assert found.book.names.pools == ("mine", "deribit", "okx")


def test_every_position_or_group_is_a_pool() -> None:
    positions = [
        future(group="wing"),
        held("BTC-20DEC26-100000-C", -0.1, group="wing"),
        held("BTC-20DEC26-100000-C", -0.1),
        held("BTC", 0.1, venue="okx"),
        future(group="wing", venue="okx"),
    ]
    found = margined(book(SPOT, positions, 1_000.0), "isolated")
    wanted = ("wing", "BTC-20DEC26-100000-C", "okx: BTC", "okx: wing", "unallocated")
    assert set(found.book.names.pools) <= set(wanted)
    assert found.book.names.pools[:4] == wanted[:4]


# Funding


def test_a_pool_is_given_its_initial_margin_and_the_rest_stays() -> None:
    found = funds(future())
    assert found == pytest.approx({"BTC-PERPETUAL": 4_000.0, "unallocated": 6_000.0}, rel=1e-12)


def test_pools_are_funded_in_file_order_while_there_is_any() -> None:
    positions = [future(0.5, group=name) for name in ("b", "a", "c", "d", "e", "f")]
    found = funds(*positions)
    expected = dict.fromkeys("bacde", 2000.0) | {"f": 0.0}
    assert found == pytest.approx(expected, abs=1e-9)


def test_a_stated_margin_is_what_a_pool_holds() -> None:
    found = funds(future(isolated_margin=7_000.0), future(group="b"))
    expected = {"BTC-PERPETUAL": 7_000.0, "b": 3_000.0}
    assert found == pytest.approx(expected, rel=1e-12)


def test_stated_margins_of_one_pool_add_up_and_come_first() -> None:
    found = funds(
        future(group="a"),
        future(group="b", isolated_margin=4_000.0),
        held("BTC", 0.01, group="b", isolated_margin=5_000.0),
    )
    assert found == pytest.approx({"a": 1_000.0, "b": 10_000.0}, rel=1e-12)


def test_more_is_stated_than_there_is() -> None:
    with pytest.raises(InputError) as error:
        funds(future(isolated_margin=7_000.0), future(group="b", isolated_margin=4_000.0))
    (fault,) = error.value.faults
    assert "10,000" in str(fault)
    assert "11,000" in str(fault)


def test_a_short_option_is_also_given_what_it_would_cost_to_buy_back() -> None:
    account = margined(book(SPOT, [held("BTC-20DEC26-100000-C", -1.0)], 100_000.0), "isolated")
    pool = margin_report(account).pools[0]
    assert pool.equity == pytest.approx(15_000.0, rel=1e-12)
    assert pool.collateral_value == pytest.approx(15_000.0 - pool.option_value, rel=1e-12)
    assert pool.status == "healthy"


def test_every_pool_of_a_venue_holds_the_same_mixture() -> None:
    deposits = [
        {"asset": "USD", "quantity": 5_000.0},
        {"asset": "BTC", "quantity": 0.05, "cap": 4_000.0},
    ]
    account = margined(book(SPOT, [future()], collateral=deposits), "isolated")
    amounts: dict[str, dict[str, float]] = {}
    for row in range(len(account.book.pool)):
        name = account.instrument(row).partition(" ")[0]
        amounts.setdefault(account.pool(row).title, {})[name] = float(account.book.quantity[row])
    assert amounts["BTC-PERPETUAL"]["USD"] == pytest.approx(2_000.0, rel=1e-12)
    assert amounts["BTC-PERPETUAL"]["BTC"] == pytest.approx(0.02, rel=1e-12)
    assert amounts["unallocated"] == pytest.approx({"USD": 3_000.0, "BTC": 0.03}, rel=1e-12)
    # A share of a deposit has its share of the cap.
    haircut = account.result.components["collateral_haircut"]
    assert haircut.tolist() == pytest.approx([400.0, 600.0], rel=1e-12)


def test_deposits_fund_the_pools_of_their_own_venue() -> None:
    deposits = [
        {"asset": "USD", "quantity": 1_000.0, "venue": "okx"},
        {"asset": "USD", "quantity": 9_000.0},
    ]
    found = funds(future(), future(venue="okx"), future(venue="bybit"), collateral=deposits)
    expected = {
        "BTC-PERPETUAL": 4_000.0,
        "okx: BTC-PERPETUAL": 1_000.0,
        "bybit: BTC-PERPETUAL": 0.0,
        "unallocated": 5_000.0,
    }
    assert found == pytest.approx(expected, rel=1e-12)


def test_a_debt_stays_unallocated() -> None:
    found = funds(future(), cash=-500.0)
    assert found == pytest.approx({"BTC-PERPETUAL": 0.0, "unallocated": -500.0})


def test_an_emptied_deposit_leaves_no_pool_behind() -> None:
    """Its haircut was part of what its pool needed before it was given away."""
    deposits = [{"asset": "BTC", "quantity": 0.01, "haircut": 0.1}]
    assert funds(future(), collateral=deposits) == pytest.approx({"BTC-PERPETUAL": 1_000.0})


# Limits


def test_an_isolated_pool_loses_no_more_than_it_has() -> None:
    losing = held("BTC-PERPETUAL", 1.0, entry_price=SPOT + 20_000.0, isolated_margin=3_000.0)
    account = margined(book(SPOT, [losing], 10_000.0), "isolated")
    report = margin_report(account)
    pool, rest = report.pools
    assert (pool.equity, pool.shortfall) == pytest.approx((0.0, 17_000.0))
    assert (pool.margin_ratio, pool.status) == (None, "liquidatable")
    assert rest.equity == pytest.approx(7_000.0)
    assert (report.equity, report.shortfall) == pytest.approx((7_000.0, 17_000.0))
    assert (report.margin_ratio, report.status) == (None, "liquidatable")


def test_the_requirement_of_a_pool_is_not_limited() -> None:
    account = margined(book(SPOT, [future(isolated_margin=100.0)], 10_000.0), "isolated")
    pool = margin_report(account).pools[0]
    assert (pool.equity, pool.maintenance_margin) == pytest.approx((100.0, 2_000.0))


def test_a_scenario_takes_no_more_than_the_pool_has() -> None:
    file = book(SPOT, [future(isolated_margin=100.0)], 10_000.0)
    pool = margin_report(margined(file, "isolated", "generic-portfolio")).pools[0]
    assert pool.worst_scenario is not None
    assert pool.worst_scenario.pnl == pytest.approx(-100.0)
    assert pool.components["scenario_loss"] == pytest.approx(15_000.0)


def test_only_isolated_pools_are_limited() -> None:
    losing = held("BTC-PERPETUAL", 1.0, entry_price=SPOT + 20_000.0)
    report = margin_report(margined(book(SPOT, [losing], 10_000.0), "cross"))
    assert (report.equity, report.shortfall) == pytest.approx((-10_000.0, 0.0))


def test_names_that_look_alike_are_different_pools() -> None:
    """An account, a venue and a group may have one name; what they hold is not netted."""
    legs = [
        {"instrument": "BTC-PERPETUAL", "quantity": 1.0, "venue": "okx"},
        {"instrument": "BTC-PERPETUAL", "quantity": -1.0},
    ]
    file = book(SPOT, legs)
    for account in ("okx", "other"):
        named = file.model_copy(update={"account": account})
        assert margined(named, "cross").result.initial.sum() == pytest.approx(8_000.0)
    grouped = book(SPOT, [future(group="BTC-PERPETUAL"), future()])
    assert margined(grouped, "isolated").book.pools == 2
    free = book(SPOT, [future(group="unallocated")], collateral=[{"asset": "USD", "quantity": 9e3}])
    assert margined(free, "isolated").book.pools == 2


def test_a_venue_without_a_model_of_its_own_is_a_fault() -> None:
    file = book(SPOT, [future(venue="okxx")]).model_dump(by_alias=True, exclude_unset=True)
    file["venues"] = {"okx": {"model": "okx-pm"}}
    with pytest.raises(InputError, match="did you mean `okx`"):
        margined(Portfolio.model_validate(file))


def test_what_a_venue_is_margined_by_is_said_of_its_pool() -> None:
    legs = [future(venue="okx"), future(quantity=-1.0)]
    file = book(SPOT, legs).model_dump(by_alias=True, exclude_unset=True)
    file["venues"] = {"okx": {"model": "generic-standard"}, "derive": {"model": "derive-sm"}}
    account = margined(Portfolio.model_validate(file))
    report = margin_report(account)
    assert report.model.name == "generic-standard at okx, generic-portfolio elsewhere"
    assert [pool.model.name for pool in report.pools] == ["generic-standard", "generic-portfolio"]


def test_a_model_that_refuses_is_named_with_its_venue() -> None:
    legs = [future(venue="okx"), future(quantity=-1.0)]
    file = book(SPOT, legs).model_dump(by_alias=True, exclude_unset=True)
    for mode in (None, "isolated"):
        with pytest.raises(ModelRefusal, match=r"^reg-t: it has no rules for perpetuals"):
            margined(Portfolio.model_validate(file), mode, "reg-t")
    file["venues"] = {"okx": {"model": "reg-t"}}
    with pytest.raises(ModelRefusal, match=r"^reg-t at okx: it has no rules for perpetuals"):
        margined(Portfolio.model_validate(file))


def test_settings_change_the_venue_that_they_name_or_all_that_have_the_parameter() -> None:
    legs = [future(venue="okx"), future(quantity=-1.0)]
    file = book(SPOT, legs).model_dump(by_alias=True, exclude_unset=True)
    file["venues"] = {"okx": {"model": "generic-standard"}}
    portfolio = Portfolio.model_validate(file)

    def initial(*settings: str) -> list[float]:
        return [float(each) for each in margined(portfolio, settings=settings).result.initial]

    okx, other = initial()
    assert initial("okx:delta_one.initial=0.5") == [0.5 * 100_000.0, other]
    assert initial("delta_one.initial=0.5") == [0.5 * 100_000.0, other]  # the scan has no such key
    assert initial("elsewhere:factors.initial=2.5") == [okx, pytest.approx(2.0 * other)]
    with pytest.raises(InputError, match="did you mean `okx`"):
        initial("okxx:delta_one.initial=0.5")
    with pytest.raises(InputError, match="a parameter of one of the models"):
        initial("weather.rain=1.0")


def test_a_stated_margin_needs_collateral() -> None:
    with pytest.raises(InputError, match="under isolated margins"):
        margined(book(SPOT, [future(isolated_margin=100.0)]), "isolated")


# Keys


def test_keys_as_columns_are_the_keys() -> None:
    keys = [
        Pool("okx", "group", "spread", "one"),
        Pool("", "instrument", "BTC-PERPETUAL", "one"),
        Pool("okx", "unallocated", "unallocated", "two"),
        Pool("", "account", "two", "two"),
    ]
    columns = as_columns(keys)
    assert list(columns) == keys
    assert columns[1:3] == keys[1:3]
    assert list(columns.take(np.array([3, 0]))) == [keys[3], keys[0]]
    assert as_columns(columns) is columns
    assert not list(as_columns(()))
