"""From a portfolio to contracts: terms merged, references resolved, faults collected."""

from typing import Any

import pytest

from margincalc.errors import InputError
from margincalc.portfolio import Portfolio
from margincalc.portfolio.contracts import Contract, Resolved, resolve
from margincalc.portfolio.contracts import contract as contract_module
from margincalc.portfolio.contracts.contract import SUGGESTED

MARKET: dict[str, Any] = {
    "BTC": {"spot": 100000, "expiries": {"2026-12-31T10:00": {}, "2026-12-30": {}}},
    "ETH": {"spot": 3000, "settlement": "inverse", "multiplier": 10, "lot": 0.1, "fee": 0.0003},
    "SPX": {"spot": 6000, "roots": ["SPXW"], "exercise": "european"},
    "SPY": {"spot": 600, "listed": True},
}
OPTION = {"underlying": "BTC", "expiry": "2026-12-25", "strike": 110000, "type": "call"}


def portfolio(*instruments: object, **fields: Any) -> Portfolio:
    """Return a portfolio of one of each instrument."""
    positions = [{"instrument": instrument, "quantity": 1} for instrument in instruments]
    written = {"as_of": "2026-11-20T08:00Z", "market": MARKET, "positions": positions}
    return Portfolio.model_validate({**written, **fields})


def contract(instrument: object, **fields: Any) -> Contract:
    """Return the contract of one instrument."""
    return resolve(portfolio(instrument, **fields)).positions[0]


def faults(*instruments: object, **fields: Any) -> list[tuple[str, str]]:
    """Return place and finding of every fault."""
    with pytest.raises(InputError) as caught:
        resolve(portfolio(*instruments, **fields))
    assert all(fault.wanted for fault in caught.value.faults)
    return [(fault.place, fault.found) for fault in caught.value.faults]


def test_named_option() -> None:
    option = contract("BTC-25DEC26-110000-C")
    assert option.expiry is not None
    assert option.expiry.isoformat() == "2026-12-25T08:00:00+00:00"
    assert (option.kind, option.underlying, option.strike) == ("option", "BTC", 110000)
    assert (option.call, option.inverse, option.multiplier) == (True, False, 1)
    assert not option.listed
    assert not option.american


def test_defaults_of_the_underlying() -> None:
    future = contract("ETH-25DEC26")
    assert (future.inverse, future.multiplier, future.lot, future.fee) == (True, 10, 0.1, 0.0003)
    assert not contract("ETH_USDC-25DEC26").inverse
    stated = {"ETH-25DEC26": {"multiplier": 5, "settlement": "linear", "fee": 0.0}}
    future = contract("ETH-25DEC26", instruments=stated)
    assert (future.inverse, future.multiplier, future.lot, future.fee) == (False, 5, 0.1, 0.0)


def test_spot_has_none_of_the_defaults_of_contracts() -> None:
    assert contract("ETH") == Contract("ETH", "spot", "ETH")
    assert contract({"kind": "spot", "underlying": "ETH"}) == Contract("ETH", "spot", "ETH")
    assert contract("ETH", instruments={"ETH": {"lot": 0.5}}).lot == 0.5


def test_perpetual() -> None:
    assert contract("BTC-PERPETUAL") == Contract("BTC-PERPETUAL", "perpetual", "BTC")
    assert contract({"kind": "perpetual", "underlying": "BTC"}).name == "BTC-PERPETUAL"


def test_listed_option() -> None:
    option = contract("SPY   261218P00500000")
    assert option.expiry is not None
    assert option.expiry.isoformat() == "2026-12-18T21:00:00+00:00"
    assert (option.multiplier, option.american, option.listed) == (100, True, True)
    assert contract("SPY261218P00500000") == option
    spelled = {"underlying": "SPY", "expiry": "2026-12-18", "strike": 500, "type": "put"}
    assert contract(spelled) == option


def test_other_root_and_exercise() -> None:
    option = contract("SPXW  261218P05000000")
    assert (option.underlying, option.american) == ("SPX", False)
    spelled = {"underlying": "SPXW", "expiry": "2026-12-18", "strike": 5000, "type": "put"}
    assert contract({**spelled, "listed": True}) == option


def test_an_underlying_of_a_quote_currency_of_its_own() -> None:
    market = {**MARKET, "BTC_USDC": {"spot": 100010}}
    assert contract("BTC_USDC-25DEC26", market=market).underlying == "BTC_USDC"
    assert contract("BTC-25DEC26", market=market).underlying == "BTC"


@pytest.mark.parametrize(
    ("instrument", "hour"),
    [
        ("BTC-31DEC26", 10),
        ("BTC-30DEC26", 8),
        ({"kind": "future", "underlying": "BTC", "expiry": "2026-12-31T15:00"}, 15),
    ],
)
def test_hour_of_expiry(instrument: object, hour: int) -> None:
    expiry = contract(instrument).expiry
    assert expiry is not None
    assert expiry.hour == hour


def test_stated_hour_of_a_named_contract() -> None:
    expiry = contract(
        "BTC-25DEC26", instruments={"BTC-25DEC26": {"expiry": "2026-12-25T09:00"}}
    ).expiry
    assert expiry is not None
    assert expiry.hour == 9


def test_equal_terms_have_one_name() -> None:
    found = resolve(portfolio("BTC-25DEC26-110000-C", OPTION, "BTC-25DEC26", "BTC-25DEC26"))
    assert found.positions[0] == found.positions[1]
    assert found.notes == (
        "positions[0] and positions[1] are both BTC-25DEC26-110000-C and are netted",
        "positions[2] and positions[3] are both BTC-25DEC26 and are netted",
    )


@pytest.mark.parametrize(
    ("terms", "name"),
    [
        ({"settlement": "inverse"}, "BTC-25DEC26-110000-C inverse"),
        ({"multiplier": 0.1}, "BTC-25DEC26-110000-C x0.1"),
        ({"exercise": "american"}, "BTC-25DEC26-110000-C american"),
        ({"expiry": "2026-12-25T09:30"}, "BTC-25DEC26-110000-C 09:30"),
        ({"lot": 0.1, "fee": 0.001}, "BTC-25DEC26-110000-C lot 0.1 fee 0.001"),
    ],
)
def test_other_terms_have_another_name(terms: dict[str, object], name: str) -> None:
    found = resolve(portfolio("BTC-25DEC26-110000-C", {**OPTION, **terms}))
    assert found.positions[1].name == name
    assert found.notes == ()


def test_spelled_out_over_stated_over_default() -> None:
    stated = {"ETH-25DEC26": {"multiplier": 5, "lot": 0.5}}
    spelled = {"underlying": "ETH", "expiry": "2026-12-25", "multiplier": 2}
    future = contract(spelled, instruments=stated)
    assert (future.multiplier, future.lot, future.inverse) == (2, 0.5, True)
    assert future.name == "ETH-25DEC26 x2"


def test_a_name_of_the_file_s_own() -> None:
    option = contract("my hedge", instruments={"my hedge": {**OPTION, "kind": "option"}})
    assert (option.name, option.strike) == ("my hedge", 110000)


def test_quotes_are_found_by_any_spelling() -> None:
    quotes = {
        "BTC-06DEC26": {"mark": 1.0},
        "SPY261218P00500000": {},
        "DOGE-25DEC26": {},
    }
    found = resolve(portfolio("BTC-6DEC26", quotes=quotes))
    assert found.quotes["BTC-6DEC26"] == "BTC-06DEC26"
    assert found.quotes["SPY   261218P00500000"] == "SPY261218P00500000"


def test_orders_are_resolved() -> None:
    orders = [{"instrument": "BTC-PERPETUAL", "quantity": -1, "price": 1.0}]
    found = resolve(portfolio(orders=orders))
    assert isinstance(found, Resolved)
    assert [order.name for order in found.orders] == ["BTC-PERPETUAL"]


@pytest.mark.parametrize(
    ("instrument", "place", "found"),
    [
        ("BTC-31FEB26", "", "31FEB26 is no day"),
        ("BTC-PERP", "", "unknown instrument"),
        ("SOL-PERPETUAL", "", "unknown underlying 'SOL'"),
        ("BTC-20NOV26", "", "expired 2026-11-20 08:00 UTC"),
        ({"underlying": "BTC"}, "", "without kind"),
        ({"underlying": "BTC", "strike": 1}, "", "without expiry and type"),
        ({"strike": 1, "type": "put", "expiry": "2026-12-25"}, "", "without underlying"),
        ({"kind": "perpetual", "underlying": "SOL"}, ".underlying", "unknown underlying"),
        ({"kind": "perpetual", "underlying": "BTC", "strike": 5}, ".strike", "strike 5 of"),
        ({"kind": "spot", "underlying": "BTC", "settlement": "inverse"}, ".settlement", "spot"),
        ({**OPTION, "listed": True, "settlement": "inverse"}, ".settlement", "listed option"),
        ({**OPTION, "expiry": "2026-01-01"}, "", "BTC-1JAN26-110000-C, which expired"),
    ],
)
def test_faulty_instrument(instrument: object, place: str, found: str) -> None:
    ((where, what),) = faults(instrument)
    assert where == f"positions[0].instrument{place}"
    assert found in what


@pytest.mark.parametrize(
    ("terms", "found"),
    [
        ({"strike": 5}, "5, which contradicts"),
        ({"type": "put"}, "'put', which contradicts"),
        ({"kind": "future"}, "'future', which contradicts"),
        ({"expiry": "2026-12-26"}, "'2026-12-26', which contradicts"),
    ],
)
def test_contradicted_name(terms: dict[str, object], found: str) -> None:
    instruments = {"BTC-25DEC26-110000-C": terms}
    ((place, what),) = faults(*["BTC-25DEC26-110000-C"] * 2, instruments=instruments)
    assert place == f"instruments.BTC-25DEC26-110000-C.{next(iter(terms))}"
    assert found in what


def test_incomplete_entry_of_a_name_of_the_file_s_own() -> None:
    ((place, what),) = faults("mine", instruments={"mine": {"underlying": "BTC", "strike": 1}})
    assert place == "positions[0].instrument"
    assert "without expiry and type" in what


def test_everything_at_once() -> None:
    found = faults(
        "BTC-PERP",
        as_of=None,
        currency="DOLLAR",
        collateral=[{"asset": "EUR", "quantity": 1, "moves_with": "EURO"}],
        orders=[{"instrument": "SOL", "quantity": 0, "price": 1.0}],
    )
    assert [place for place, _ in found] == [
        "as_of",
        "currency",
        "collateral[0]",
        "collateral[0].moves_with",
        "positions[0].instrument",
        "orders[0].instrument",
        "orders[0].quantity",
    ]


def test_without_market_there_is_one_fault() -> None:
    assert faults("BTC-PERPETUAL", "BTC-25DEC26", market={}) == [("market", "no market")]
    assert faults(market={}) == [("market", "no market")]


def test_cash_needs_no_market() -> None:
    cash = resolve(portfolio(market={}, collateral=[{"asset": "USD", "quantity": 5}]))
    assert cash.positions == ()


@pytest.mark.parametrize(
    ("currency", "asset", "good"),
    [
        ("USD", "USD", True),
        ("USD", "USDC", True),
        ("USDT", "USD", True),
        ("EUR", "EUR", True),
        ("USD", "BTC", True),
        ("BTC", "BTC", True),
        ("BTC", "USDC", True),
        ("USD", "EUR", False),
        ("EUR", "USD", False),
        ("USD", "AAPL", False),
    ],
)
def test_price_of_collateral(currency: str, asset: str, good: bool) -> None:
    deposit: dict[str, object] = {"asset": asset, "quantity": 1}
    assert resolve(portfolio(currency=currency, collateral=[{**deposit, "price": 1.1}]))
    if good:
        assert resolve(portfolio(currency=currency, collateral=[deposit]))
    else:
        assert faults(currency=currency, collateral=[deposit])[0][0] == "collateral[0]"


def test_marks_must_agree() -> None:
    positions = [
        {"instrument": "BTC-25DEC26-110000-C", "quantity": 1, "mark_price": 5.0, "volatility": 0.6},
        {"instrument": OPTION, "quantity": 1, "mark_price": 6.0, "volatility": 0.6},
    ]
    quotes = {"BTC-25DEC26-110000-C": {"volatility": 0.7}}
    assert [place for place, _ in faults(positions=positions, quotes=quotes)] == [
        "positions[0].volatility",
        "positions[1].mark_price",
        "positions[1].volatility",
    ]


def test_netting_is_noted_for_one_group_and_venue() -> None:
    position = {"instrument": "BTC-PERPETUAL", "quantity": 1}
    positions = [
        position,
        {**position, "group": "a"},
        position,
        {**position, "venue": "x"},
        position,
    ]
    assert resolve(portfolio(positions=positions)).notes == (
        "positions[0], positions[2] and positions[4] are all BTC-PERPETUAL and are netted",
    )


def test_listed_by_the_market_and_kept_linear() -> None:
    market = {"SPY": {"spot": 600, "listed": True, "settlement": "inverse"}}
    spelled = {"underlying": "SPY", "expiry": "2026-12-18", "strike": 500, "type": "put"}
    assert not contract(spelled, market=market).inverse
    inverse = {**spelled, "settlement": "inverse"}
    ((place, _),) = faults(inverse, market=market)
    assert place == "positions[0].instrument.settlement"


def test_an_impossible_day_in_lower_case_is_no_suggestion() -> None:
    ((_, found),) = faults("btc-31feb26")
    assert "unknown instrument" in found


def test_no_more_faults_than_are_read() -> None:
    with pytest.raises(InputError) as caught:
        resolve(portfolio(*["nothing"] * 1100))
    assert len(caught.value.faults) == 1100
    assert str(caught.value).endswith("and 100 more faults")


@pytest.mark.parametrize("section", ["quotes", "instruments"])
@pytest.mark.parametrize("key", ["BTC-25DEC26-110000-D", "btc-25dec26-110000-c", "BTC-31FEB26"])
def test_keys_of_what_is_no_instrument(section: str, key: str) -> None:
    written = portfolio("BTC-25DEC26-110000-C", **{section: {key: {}}})
    with pytest.raises(InputError) as caught:
        resolve(written)
    (fault,) = caught.value.faults
    assert fault.place == f"{section}.{key}"
    assert key == "BTC-31FEB26" or fault.remedy == "did you mean `BTC-25DEC26-110000-C`?"


def test_keys_of_what_nobody_holds() -> None:
    own = {"my hedge": OPTION, "BTC-25DEC26-1-C": {"lot": 1}, "BTC": {"lot": 1}}
    quotes = {"my hedge": {"mark": 0.0}, "DOGE-25DEC26": {"mark": 1.0}, "BTC": {"mark": 1.0}}
    assert resolve(portfolio("BTC", instruments=own, quotes=quotes)).notes == ()


@pytest.mark.parametrize("price", [0.0, 1e-13])
def test_only_options_are_worth_nothing(price: float) -> None:
    for name in ("BTC-25DEC26", "BTC-PERPETUAL", "BTC"):
        ((place, _),) = faults(quotes={name: {"mark": price}})
        assert place == f"quotes.{name}.mark"
        held = {"instrument": name, "quantity": 1, "mark_price": price}
        ((place, _),) = faults(positions=[held])
        assert place == "positions[0].mark_price"
    held = {"instrument": "ETH-PERPETUAL", "quantity": 1, "entry_price": price}
    ((place, _),) = faults(positions=[held])
    assert place == "positions[0].entry_price"
    linear = held | {"instrument": "BTC-PERPETUAL"}
    assert resolve(portfolio(positions=[linear])).positions[0].name == "BTC-PERPETUAL"
    resolve(portfolio(quotes={"BTC-25DEC26-110000-C": {"mark": price}}))


def test_an_expiry_beside_that_of_what_is_held() -> None:
    expiries: dict[str, Any] = {"2026-12-24": {}, "2027-03-26": {}}
    market = {"BTC": {"spot": 1e5, "expiries": expiries}}
    (note,) = resolve(portfolio("BTC-25DEC26", market=market)).notes
    assert "2026-12-24" in note
    assert "BTC-25DEC26" in note
    assert resolve(portfolio("BTC-24DEC26", "BTC-25DEC26", market=market)).notes == ()
    expiries["2026-12-25"] = {}
    assert resolve(portfolio("BTC-25DEC26", market=market)).notes == ()


def test_an_expiry_beyond_a_hundred_years() -> None:
    ((place, found),) = faults(OPTION | {"expiry": "2826-12-25"})
    assert place == "positions[0].instrument"
    assert "expires 2826-12-25" in found
    assert contract(OPTION | {"expiry": "2126-10-25"}).expiry is not None


def test_near_words_are_looked_for_of_the_first_faults_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[str] = []

    def near(word: str, known: object) -> str:
        looked.append(word)
        return ""

    monkeypatch.setattr(contract_module, "did_you_mean", near)
    names = [f"NOTHING {number}" for number in range(3 * SUGGESTED)]
    assert len(faults(*names)) == len(names)
    assert looked == names[:SUGGESTED]
    looked.clear()
    quotes = {name: {"mark": 1.0} for name in names}
    assert len(faults("BTC-PERPETUAL", quotes=quotes)) == len(names)
    assert looked == names[:SUGGESTED]
