"""SPAN: arrays, spreads, risk parameter files, and what must hold of both families."""

import contextlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import margincalc as mc
from margincalc.answers.account import Account
from margincalc.answers.margining import Rules, margined
from margincalc.answers.verify import verify
from margincalc.errors import InputError, ModelRefusal
from margincalc.margin.span_entries import Entry, Key
from margincalc.margin.span_files import read
from margincalc.margin.span_spreads import (
    Deltas,
    InterSpread,
    IntraSpread,
    Leg,
    calendar_charge,
    inter_credit,
    tier_charge,
)
from margincalc.portfolio import Portfolio
from tests.rows import assert_a_pool_is_its_row, assert_copies_are_pools_moved

MODELS = ("span", "nse-span")
every_model = pytest.mark.parametrize("model", MODELS)
RANGES = "price_scan={share=0.1}, volatility_scan={relative=0.35}, short_option_minimum=20.0"
SPAN = (f"commodities.NIFTY={{{RANGES}}}", f"commodities.OIL={{{RANGES}}}")
POSITIONS = (
    {"instrument": "NIFTY-25DEC26-25000-C", "quantity": -65, "venue": "a"},
    {"instrument": "NIFTY-25DEC26-23000-P", "quantity": -65, "venue": "a"},
    {"instrument": "NIFTY-27NOV26", "quantity": 130, "entry_price": 24_000, "venue": "a"},
    {"instrument": "NIFTY-25DEC26", "quantity": -65, "venue": "a"},
    {"instrument": "NIFTY-25DEC26-23000-P", "quantity": 65, "venue": "b"},
    {"instrument": "OIL-25DEC26", "quantity": -500, "venue": "b"},
    {"instrument": "OIL-25DEC26-75-C", "quantity": -300, "venue": "b"},
)


def written(**changes: Any) -> dict[str, Any]:
    """Return a portfolio of two pools."""
    content = {
        "as_of": "2026-11-20T08:00:00Z",
        "market": {
            "NIFTY": {"spot": 24_100, "rate": 0.06, "volatility": 0.15},
            "OIL": {"spot": 70, "volatility": 0.35},
        },
        "collateral": [
            {"asset": "USD", "quantity": 900_000, "venue": "a"},
            {"asset": "USD", "quantity": 50_000, "haircut": 0.1, "venue": "b"},
        ],
        "positions": POSITIONS,
    }
    return {**content, **changes}


def account(model: str, *settings: str, **changes: Any) -> Account:
    rules = Rules(
        model=model, settings=settings or (SPAN if model == "span" else ('stocks=["OIL"]',))
    )
    return margined(Portfolio.model_validate(written(**changes)), rules)


def detail(found: Account, name: str) -> list[float]:
    return [float(amount) for amount in found.result.details[name]]


# What holds of both


@every_model
def test_worked_examples(model: str) -> None:
    report = verify(model)
    assert all(line.matches for line in report.lines)
    assert len(report.lines) >= 8


@every_model
def test_a_pool_is_its_row(model: str) -> None:
    whole = account(model)
    both = {name: number for number, name in enumerate(whole.book.names.pools)}
    for venue in ("a", "b"):
        mine = [row for row in POSITIONS if row["venue"] == venue]
        held = [row for row in written()["collateral"] if row["venue"] == venue]
        alone = account(model, positions=mine, collateral=held)
        assert_a_pool_is_its_row(whole, alone, both[venue])


@every_model
def test_copies_are_the_pools_in_moved_markets(model: str) -> None:
    factor = np.array([[1.0, 1.0], [0.8, 1.0], [1.1, 1.3], [1.7, 0.5], [0.02, 9.0]])
    assert_copies_are_pools_moved(account(model), [0, 1, 1, 0, 1], factor)


@every_model
def test_published_requirement_is_less_the_option_value(model: str) -> None:
    found = account(model)
    risk, option = found.result.details["span_risk"], found.result.details["net_option_value"]
    assert np.all(found.result.details["span_requirement"] == np.maximum(risk - option, 0.0))
    assert option[0] < 0.0 < risk[0]


@every_model
def test_the_worst_row_is_the_sum_of_its_positions(model: str) -> None:
    worst = account(model).result.worst
    assert worst is not None
    assert np.sum(worst.by_position()) == pytest.approx(np.sum(worst.pnl), rel=1e-12)


@every_model
@pytest.mark.parametrize("sign", [1, -1])
def test_a_future_alone_needs_its_scan_range(model: str, sign: int) -> None:
    future = {"instrument": "OIL-25DEC26", "quantity": 10 * sign, "mark_price": 71.0}
    share = 0.1 if model == "span" else max(6 * 0.35 * np.sqrt(2 / 365), 0.142)
    found = account(model, positions=[future])
    assert max(detail(found, "scan_risk")) == pytest.approx(710.0 * share, rel=1e-12)


@every_model
def test_an_account_of_money_alone_needs_nothing(model: str) -> None:
    found = margined(Portfolio.model_validate(written(positions=[])), Rules(model=model))
    assert np.all(found.result.maintenance == found.result.components["collateral_haircut"])


@every_model
@pytest.mark.parametrize(
    "changes",
    [
        {"market": {"NIFTY": {"spot": 24_100, "volatility": 0.1, "settlement": "inverse"}}},
        {"currency": "NIFTY"},
    ],
)
def test_inverse_contracts_and_coin_are_refused(model: str, changes: dict[str, Any]) -> None:
    position = {"instrument": "NIFTY-PERPETUAL", "quantity": 1}
    with pytest.raises(ModelRefusal, match=r"coin|inverse"):
        account(model, positions=[position], collateral=[], **changes)


@every_model
@pytest.mark.parametrize("name", ["NIFTY", "NIFTY-PERPETUAL"])
def test_what_has_no_array_is_refused(model: str, name: str) -> None:
    with pytest.raises(ModelRefusal, match="it lists options and futures"):
        account(model, positions=[{"instrument": name, "quantity": 1}])


# Parameters


def test_a_commodity_without_parameters_is_named() -> None:
    with pytest.raises(ModelRefusal, match=r"commodities\.OIL \(price_scan"):
        account("span", SPAN[0])


@pytest.mark.parametrize(
    ("setting", "fault"),
    [
        ("commodities.OIL={short_option_minimum=0.0}", "price_scan and volatility_scan of OIL"),
        ("commodities.OIL={price_scan={share=0.1}}", "short_option_minimum"),
        ("commodities.OIL.price_scan={share=0.1, points=2.0}", "one of `share`"),
        ('inter_spreads=[{credit=0.5, legs=[{commodity="X", ratio=1.0, side="A"}]}]', "legs"),
        ("rows.extreme_cover=35", "extreme_cover"),
        ("delta_weights=[0.0, 0.0, 0.0, 0.0]", "a delta weight that is greater than 0"),
        ("commodities.OIL.price_scan={share=0.0}", "greater than 0"),
        ('commodities.OIL.tiers=["2027-01", "2026-12"]', "tiers in order"),
        ('commodities.OIL.tiers=["2026-12", "2026-12"]', "each once"),
        ('commodities.OIL.tiers=["\u0662\u0660\u0662\u0666-12"]', "tiers"),
        ("commodities.OIL.spreads=[{tiers=[1, 2], charge=1.0}]", "tiers 1 to 1"),
    ],
)
def test_wrong_parameters_are_named(setting: str, fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        account("span", *SPAN, setting)


def test_underlyings_without_volatility_are_named() -> None:
    with pytest.raises(ModelRefusal, match=r"market\.OIL\.volatility"):
        account(
            "nse-span",
            market={"OIL": {"spot": 70.0}},
            positions=[{"instrument": "OIL-25DEC26", "quantity": 1}],
            collateral=[],
        )


def test_sets_by_date_differ_in_their_extreme_rows() -> None:
    book = Portfolio.model_validate(
        written(positions=[{"instrument": "OIL-25DEC26-200-C", "quantity": -1000}])
    )
    old, new = (
        margined(book, Rules(model="span", settings=SPAN, effective=day))
        for day in ("2000-01-01", "2026-01-01")
    )
    assert [float(old.model.grids[0].spot[14]), float(new.model.grids[0].spot[14])] == [2.0, 3.0]


# Arrays


def test_arrays_valued_here_fit_printed_ones() -> None:
    """McMillan's December 410 call: fourteen rows within 14 dollars of figures rounded to 10."""
    printed = [460, -610, 2640, 1730, -1270, -2340, 5210, 4540, -2540, -3430, 8060, 7640, -3380]
    call = {
        "underlying": "SP",
        "expiry": "2026-12-11T09:33:00Z",  # 0.05771 years on
        "strike": 410,
        "type": "call",
        "multiplier": 500,
    }
    found = account(
        "span",
        "commodities.SP={contract=500.0, price_scan={money=10000.0}, "
        "volatility_scan={absolute=0.02857}, short_option_minimum=0.0}",
        market={"SP": {"spot": 413.75, "volatility": 0.16856}},
        positions=[{"instrument": call, "quantity": 1}],
        collateral=[],
    )
    worst = found.result.worst
    assert worst is not None
    assert worst.every is not None
    error = worst.every[0][:14] - np.array([*printed, -3990])
    assert np.max(np.abs(error)) < 15.0
    assert np.sqrt(np.mean(error**2)) < 7.5


def test_options_sold_need_their_minimum_at_least() -> None:
    far = {"instrument": "OIL-25DEC26-700-C", "quantity": -100}
    found = account("span", positions=[far])
    assert np.max(found.result.components["floor_top_up"]) == pytest.approx(2_000.0, rel=1e-9)
    assert max(detail(found, "span_risk")) == pytest.approx(2_000.0, rel=1e-9)


def test_scan_tiers_do_not_offset() -> None:
    spread = [
        {"instrument": "OIL-27NOV26", "quantity": 100, "mark_price": 70.0},
        {"instrument": "OIL-25DEC26", "quantity": -100, "mark_price": 71.0},
    ]
    tiers = f'commodities.OIL={{{RANGES}, tiers=["2026-11"], scan_by_tier=true}}'
    apart = account("span", tiers, positions=spread, collateral=[])
    together = account("span", SPAN[1], positions=spread, collateral=[])
    assert detail(apart, "scan_risk") == [pytest.approx(1_410.0)]
    assert detail(together, "scan_risk") == [pytest.approx(10.0)]


# Spreads


def _months(delta: list[float], tier: list[int]) -> Deltas:
    zero = np.zeros(len(delta), np.int64)
    return Deltas(zero, zero, np.array(tier), np.arange(len(delta)), np.array(delta))


def test_tier_spreads_are_formed_in_their_order() -> None:
    spreads = (
        IntraSpread(tiers=(1, 1), charge=10.0),
        IntraSpread(tiers=(1, 2), ratio=(1.0, 2.0), charge=100.0),
    )
    # 4 of tier 1 against each other, then 3 against 6 of tier 2.
    months = _months([7.0, -4.0, -9.0, 1.0], [0, 0, 1, 2])
    assert tier_charge(months, 0, spreads, 1) == [4 * 10.0 + 3 * 100.0]
    assert tier_charge(months, 1, spreads, 1) == [0.0]


def test_a_calendar_spread_costs_a_share_of_the_far_month() -> None:
    rate = np.array([1.0, 10.0, 100.0])
    assert calendar_charge(_months([5.0, -3.0, -4.0], [0, 0, 0]), rate) == [3 * 10.0 + 2 * 100.0]
    assert calendar_charge(_months([5.0, 3.0, 4.0], [0, 0, 0]), rate) == [0.0]


def test_credits_use_deltas_up_in_their_order() -> None:
    def spread(credit: float, *legs: tuple[str, float, str]) -> InterSpread:
        each = tuple(Leg(commodity=name, ratio=ratio, side=side) for name, ratio, side in legs)
        return InterSpread(legs=each, credit=credit)

    spreads = (
        spread(0.5, ("A", 1.0, "A"), ("B", 2.0, "B")),
        spread(0.8, ("A", 1.0, "A"), ("C", 1.0, "B")),
    )
    net = np.array([[10.0, -12.0, -9.0], [-10.0, 12.0, 0.0], [10.0, 12.0, 9.0]])
    risk = np.array([[1_000.0, 600.0, 90.0]] * 3)
    credit = inter_credit(net, risk, spreads, ["A", "B", "C"])
    assert credit[0] == pytest.approx([0.5 * 6 * 100 + 0.8 * 4 * 100, 0.5 * 600, 0.8 * 4 * 10])
    assert credit[1] == pytest.approx([0.5 * 6 * 100, 0.5 * 600, 0.0])
    assert not np.any(credit[2])
    hardly = inter_credit(net * 1e-315, risk, spreads, ["A", "B", "C"])  # nothing overflows
    assert hardly[0] == pytest.approx(credit[0], rel=1e-6)


def test_a_credit_lowers_the_requirement() -> None:
    pair = [
        {"instrument": "OIL-25DEC26", "quantity": 100, "mark_price": 70.0},
        {"instrument": "NIFTY-25DEC26", "quantity": -1, "mark_price": 24_000.0},
    ]
    spreads = (
        'inter_spreads=[{credit=0.6, legs=[{commodity="OIL", ratio=50.0, side="A"}, '
        '{commodity="NIFTY", ratio=1.0, side="B"}]}]'
    )
    found = account("span", *SPAN, spreads, positions=pair, collateral=[])
    # 50 of the 100 deltas of OIL, and the only one of NIFTY.
    credit = 0.6 * (350.0 + 2_400.0)
    assert detail(found, "span_risk") == [pytest.approx(700.0 + 2_400.0 - credit)]
    assert found.result.components["inter_commodity_credit"] == pytest.approx(-credit)


def test_price_risk_is_without_volatility_and_time() -> None:
    sold = [{"instrument": "OIL-25DEC26-60-C", "quantity": -100}]
    hedge = {"instrument": "NIFTY-25DEC26", "quantity": 1000, "mark_price": 24_000.0}
    spreads = (
        'inter_spreads=[{credit=1.0, legs=[{commodity="OIL", ratio=1.0, side="B"}, '
        '{commodity="NIFTY", ratio=1.0, side="A"}]}]'
    )
    alone = account("span", *SPAN, positions=sold, collateral=[])
    worst = alone.result.worst
    assert worst is not None
    assert worst.every is not None
    loss = -worst.every[0] * alone.model.grids[0].weight
    assert worst.scenario[0] == 10  # the whole range up, with volatility up
    price_risk = (loss[10] + loss[11] - loss[0] - loss[1]) / 2.0
    assert 0.0 < price_risk < loss[10]
    free = "commodities.OIL.short_option_minimum=0.0"
    both = account("span", *SPAN, free, spreads, positions=[*sold, hedge], collateral=[])
    credit = float(both.result.components["inter_commodity_credit"][0])
    # All deltas of OIL are used, and as many of NIFTY, at 2,400 each.
    months = -credit - price_risk
    assert 0.0 < months < 100 * 2_400.0
    assert detail(both, "span_risk")[0] == pytest.approx(loss[10] + 2_400_000.0 + credit)


def test_months_of_delivery_are_charged() -> None:
    future = [{"instrument": "OIL-27NOV26", "quantity": -40}, *POSITIONS[:1]]
    rule = f"commodities.OIL={{{RANGES}, delivery={{within_days=10.0, charge=3.0}}}}"
    found = account("span", SPAN[0], rule, positions=future, collateral=[])
    assert np.sum(found.result.components["delivery"]) == pytest.approx(120.0)


# NSE


def test_options_sold_need_more_on_the_day_they_expire() -> None:
    def extra(expiry: str, name: str = "NIFTY") -> float:
        strike = 25_000 if name == "NIFTY" else 75
        contract = {"underlying": name, "expiry": expiry, "strike": strike, "type": "call"}
        sold = {"instrument": contract, "quantity": -65}
        found = account("nse-span", positions=[sold], collateral=[])
        return float(found.result.components["expiry_day"][0])

    assert extra("2026-11-20T10:00:00Z") == pytest.approx(0.02 * 24_100 * 65)
    assert extra("2026-11-21T10:00:00Z") == 0.0
    assert extra("2026-11-20T10:00:00Z", "OIL") == 0.0


def test_options_bought_alone_need_no_more_than_they_are_worth() -> None:
    bought = {"instrument": "NIFTY-25DEC26-23000-P", "quantity": 65}
    found = account("nse-span", positions=[bought], collateral=[])
    assert detail(found, "span_requirement") == [0.0]
    assert detail(found, "exposure_margin") == [0.0]
    assert detail(found, "total") == detail(found, "required_to_open") == [0.0]


@every_model
def test_options_worth_more_than_span_carry_nothing_else(model: str) -> None:
    bought = {"instrument": "NIFTY-25DEC26-30000-P", "quantity": 65, "venue": "a"}
    money = {"asset": "USD", "quantity": 1_000.0, "venue": "a"}
    result = account(model, positions=[bought], collateral=[money]).result
    assert result.components["option_value_beyond_span"][0] > 0.0
    assert result.equity[0] - result.maintenance[0] == pytest.approx(1_000.0, abs=1e-6)
    assert result.equity[0] - result.initial[0] == pytest.approx(1_000.0, abs=1e-6)


def test_underlyings_of_no_class_are_refused() -> None:
    held = [{"instrument": "OIL-25DEC26", "quantity": 1}]
    with pytest.raises(ModelRefusal, match="OIL"):
        account("nse-span", 'stocks=["X"]', positions=held)


# Risk parameter files

LOSSES = (0, 0, -40, -40, 40, 40, -80, -80, 80, 80, -120, -120, 120, 120, -84, 84)
CALL = (-9, 8, -30, -20, 10, 21, -60, -55, 22, 30, -95, -90, 25, 33, -60, 11)
KEYS = (Key("OIL", "", 0.0, "2026-12-25"), Key("OIL", "C", 72.5, "2026-12-25"))


def spn(*, entity: str = "", values: tuple[int, ...] = CALL, tail: str = "") -> str:
    """Write a small file in XML."""

    def array(losses: tuple[int, ...], delta: float) -> str:
        return f"<ra><r>1</r>{''.join(f'<a>{loss}</a>' for loss in losses)}<d>{delta}</d></ra>"

    return f"""<?xml version="1.0"?>{entity}
<spanFile><fileFormat>4.00</fileFormat><pointInTime><date>20261120</date><clearingOrg><ec>X</ec>
<exchange><exch>X</exch><unknown><deep>1</deep></unknown>
<futPf><pfId>1</pfId><pfCode>OIL</pfCode><cvf>1</cvf>
<fut><cId>1</cId><pe>202612</pe><p>70.5</p><setlDate>20261225</setlDate>
{array(LOSSES, 1.0)}</fut></futPf>
<oofPf><pfCode>LO</pfCode><undPf><exch>X</exch><pfCode>OIL</pfCode></undPf>
<series><pe>202612</pe><setlDate>20261225</setlDate>
<opt><o>C</o><k>72.5</k><p>1.2</p>{array(values, 0.4)}</opt></series></oofPf>
</exchange></clearingOrg></pointInTime></spanFile>{tail}
"""


def pa2(wide: bool = False) -> str:
    """Write a small file in the expanded positional format."""
    kinds, width = (("83", "84"), 8) if wide else (("81", "82"), 5)

    def array(head: str, losses: tuple[int, ...], delta: int) -> list[str]:
        cells = [f"{abs(loss):0{width}}{'-' if loss < 0 else '+'}" for loss in losses]
        return [
            f"{kinds[0]}{head}{''.join(cells[:9])}",
            f"{kinds[1]}{head}{''.join(cells[9:])}{delta:05}+{'0' * 15}++",
        ]

    def head(product: str, type_: str, right: str, option: str, strike: str) -> str:
        months = f"{'202612':8} {option:8} "
        return f"{'X':3}{product:10}{'OIL':10}{type_:3}{right:1}{months}{strike:7}"

    def series(product: str, type_: str, option: str, scale: int) -> str:
        start = f"B {'X':3}{product:10}{type_:3}{'202612':8} {option:8} "
        return f"{start}{'0' * 16}{'0' * 33}{scale:06}20261225"

    blocks = f"{'OIL':10}FUT   {'LO':10}OOF   "
    lines = [
        "0 X     20261120S",
        f"2 {'X':3} {'OIL':6}0USD$P    {blocks}",
        f"P {'X':3}{'LO':10}OOF{'OIL OPTION':15}002002",
        series("OIL", "FUT", "", 10_000),
        series("LO", "OOF", "202612", 10_000),
        "Q a record of a type that is not known",
        *array(head("OIL", "FUT", "", "", ""), LOSSES, 10_000),
        *array(head("LO", "OOF", "C", "202612", "0007250"), CALL, 4_000),
    ]
    return "\r\n".join(lines) + "\r\n"


def _twice(line: int) -> list[str]:
    """Return a line of the positional file again, with another scale or other decimals."""
    other = {1: ("0USD", "2USD"), 2: ("002002", "002003")}[line]
    return [pa2().splitlines()[line].replace(*other), *pa2().splitlines()[3:]]


def file(folder: Path, text: str, name: str = "day.spn") -> Path:
    path = folder / name
    path.write_bytes(text.encode("latin-1" if text.isascii() else "utf-8"))
    return path


@pytest.mark.parametrize("text", [spn(), pa2(), pa2(wide=True)], ids=["spn", "pa2", "wide"])
def test_arrays_are_read_as_gains(tmp_path: Path, text: str) -> None:
    found = read(file(tmp_path, text))
    assert found == {
        KEYS[0]: Entry(tuple(-float(loss) for loss in LOSSES), 1.0),
        KEYS[1]: Entry(tuple(-float(loss) for loss in CALL), 0.4),
    }


# As CME's file of 2025-06-20 has them: a call of which all values are nothing, and the first record
# of a future; its second is made up.
PUBLISHED = (
    "0 CME   20250620SE     202506201407U2YNCLR        C CUST  H HEDGE 1 CORE  M MAINT ",
    "2 CBT 06    0USD$PN   06        FUT   06        OOF   ",
    "P CBT06        OOFSOYBEAN MEAL OP003000  000010000000000000000001USD$STD 00AMER",
    "81CBT06        06        FUT 202507            0000000"
    "00000+00000+00567-00567-00567+00567+01133-01133-01133+00000000284100N",
    "82CBT06        06        FUT 202507            0000000"
    "01133+01700-01700-01700+01700+01122-01122+10000+000000000284100++10000+C",
    "81CBT06        06        OOFC202507   202507   0000145"
    "00000+00000+00000+00000+00000+00000+00000+00000+00000+00000000139100N",
    "82CBT06        06        OOFC202507   202507   0000145"
    "00000+00000+00000+00000+00000+00000+00000+00000+002500000139100++10000+C",
)


def test_records_as_they_are_published(tmp_path: Path) -> None:
    found = read(file(tmp_path, "\n".join(PUBLISHED), "day.pa2"))
    future = found[Key("06", "", 0.0, "2025-07")]
    assert future is not None
    assert future.gains[:9] == (0, 0, 567, 567, -567, -567, 1133, 1133, -1133)
    assert future.delta == 1.0
    call = found[Key("06", "C", 145.0, "2025-07")]
    assert call == Entry((0.0,) * 16, 0.0)


@pytest.mark.parametrize("wide", [False, True], ids=["pa2", "wide"])
def test_strikes_below_nothing_are_other_contracts(tmp_path: Path, wide: bool) -> None:
    lines = pa2(wide).splitlines()
    tail = f"{'0' * 15}++"
    assert lines[-1].endswith(tail)
    below = [lines[-2], lines[-1].removesuffix(tail) + f"{'0' * 15}+-"]
    found = read(file(tmp_path, "\n".join([*lines, *below])))
    assert set(found) == {*KEYS, KEYS[1]._replace(strike=-72.5)}
    assert None not in found.values()


@pytest.mark.parametrize("text", [spn(), pa2()], ids=["spn", "pa2"])
def test_a_book_is_margined_by_the_arrays_of_a_file(tmp_path: Path, text: str) -> None:
    content = written(
        positions=[
            {"instrument": "OIL-25DEC26", "quantity": 3},
            {"instrument": "OIL-25DEC26-72d5-C", "quantity": -2},
        ],
        collateral=[{"asset": "USD", "quantity": 300}],
    )
    settings = (
        f'arrays.file="{file(tmp_path, text)}"',
        "commodities.OIL={short_option_minimum=5.0}",
    )
    report = mc.margin(Portfolio.model_validate(content), model="span", settings=settings)
    rows = [3 * future - 2 * call for future, call in zip(LOSSES, CALL, strict=True)]
    assert report.components["scenario_loss"] == max(rows)
    assert report.worst_scenario is not None
    assert report.worst_scenario.index == rows.index(max(rows))


@pytest.mark.parametrize(
    ("name", "reason"),
    [("OIL-25DEC26-80-C", "none for OIL C 80"), ("OIL-18DEC26", "none for OIL")],
)
def test_a_contract_that_a_file_lacks_is_named(tmp_path: Path, name: str, reason: str) -> None:
    settings = (f'arrays.file="{file(tmp_path, spn())}"', SPAN[1])
    with pytest.raises(ModelRefusal, match=reason):
        account("span", *settings, positions=[{"instrument": name, "quantity": 1}], collateral=[])


def test_two_arrays_of_one_contract_are_neither(tmp_path: Path) -> None:
    twice = spn().replace("</exchange>", spn(values=CALL[::-1]).partition("</futPf>")[2])
    twice = twice.partition("</exchange>")[0] + "</exchange></clearingOrg></pointInTime></spanFile>"
    assert read(file(tmp_path, twice))[KEYS[1]] is None


ENTITY = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize(
    ("text", "line", "fault"),
    [
        (spn(entity=ENTITY), 1, "document type"),
        (spn(values=CALL[:15]), 9, "it has 15"),
        (spn().replace("<a>33</a>", "<a>x</a>"), 9, "a number in `a`, not 'x'"),
        (spn().replace("<d>0.4</d>", "<d>nan</d>"), 9, "a number"),
        (spn().replace("?>", ' encoding="none"?>'), 1, "encoding"),
        (spn().replace("20261225", "2026").replace("202612", "soon"), 6, "CCYYMM"),
        (spn()[:600], 8, "XML"),
        (spn(tail="<a>"), 10, "junk"),
        (spn().replace("<a>33</a>", "<a>3_3</a>"), 9, "a number in `a`, not '3_3'"),
        (spn().replace("<a>33</a>", "<a>\u0663</a>"), 9, "a number in `a`"),
        (spn().replace("<a>33</a>", "<a>1e300</a>"), 9, r"at most 1e\+12"),
        (spn().replace("<d>0.4</d>", ""), 9, "one delta `d` of an array; it has 0"),
        (spn().replace("<d>0.4</d>", "<d>0.4</d><d>4</d>"), 9, "it has 2"),
        (spn().replace("<o>C</o>", ""), 9, "C or P in `o`, not nothing"),
        (spn().replace("<o>C</o>", "<o>X</o>"), 9, "C or P in `o`, not 'X'"),
        (spn().replace("<o>C</o>", "<o>C</o><o>P</o>"), 9, "one `o` of a contract"),
        (spn().replace("<k>72.5</k>", ""), 9, "a number in `k`, not nothing"),
        (
            re.sub("<pe>.*?</setlDate>", "<pe>\u0662\u0660\u0662\u0666\u0661\u0662</pe>", spn()),
            6,
            "CCYYMM",
        ),
        (spn().replace("?>", ' encoding="gbk"?>'), 1, "an encoding of UTF-8, .*, not 'gbk'"),
        (pa2().replace("00120-", "0012x-"), 8, "columns 115 to 120|columns 61 to 66"),
        (pa2().replace("0007250", "000725x"), 9, "columns 48 to 54"),
        (pa2().rpartition("82")[0], 9, "second record"),
        (pa2().replace("0 X     20261120S", f"{'0 X     20261120S':<35}PE"), 1, "U2 in columns 36"),
        (pa2().replace("202612   0007250", "2026xx   0007250"), 9, "CCYYMM"),
        (pa2()[:-40], 10, "columns 85 to 90"),  # the second record is the one cut short
        (pa2().replace("OOFC", "OOFX"), 9, "C or P in column 29, not 'X'"),
        (pa2().replace("002002", "002999"), 3, "at most 12 decimals"),
        (pa2().replace("2 X  ", "2 Y  "), 7, "record of type 2 of X, OIL, FUT"),
        (pa2().replace("P X  ", "P Y  "), 9, "record of type P of X, LO, OOF"),
        ("\n".join([*pa2().splitlines()[:3], *_twice(1)]), 4, "the same as in the record before"),
        ("\n".join([*pa2().splitlines()[:3], *_twice(2)]), 4, "the same as in the record before"),
    ],
)
def test_damaged_files_are_located(tmp_path: Path, text: str, line: int, fault: str) -> None:
    path = file(tmp_path, text)
    with pytest.raises(InputError, match=fault) as caught:
        read(path)
    assert caught.value.faults[0].place == f"{path}:{line}"


@pytest.mark.parametrize(
    ("text", "encoding"), [(spn(), "utf-8-sig"), (spn(), "utf-16"), (pa2(), "utf-8-sig")]
)
def test_a_byte_order_mark_is_read_over(tmp_path: Path, text: str, encoding: str) -> None:
    (path := tmp_path / "day").write_bytes(text.encode(encoding))
    assert set(read(path)) == set(KEYS)


def test_the_records_of_another_exchange_are_of_other_products(tmp_path: Path) -> None:
    elsewhere = [line.replace(f" {'X':3}", f" {'Y':3}") for line in pa2().splitlines()[1:5]]
    elsewhere[0] = elsewhere[0].replace("0USD", "2USD")
    elsewhere[1] = elsewhere[1].replace("002002", "002000")
    for lines in ([*pa2().splitlines(), *elsewhere], [*elsewhere, *pa2().splitlines()]):
        assert read(file(tmp_path, "\n".join(lines))) == read(file(tmp_path, pa2(), "alone"))


@pytest.mark.parametrize("text", ["", "hello\n", "<spanFile></spanFile>"])
def test_a_file_without_arrays_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match="no risk arrays"):
        read(file(tmp_path, text))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    settings = (f'arrays.file="{tmp_path / "none.spn"}"', *SPAN)
    with pytest.raises(InputError, match="no such file"):
        account("span", *settings)


def test_a_damaged_byte_never_makes_a_traceback(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    path = tmp_path / "damaged"
    for text in (spn(), pa2()):
        for _ in range(300):
            data = bytearray(text.encode())
            data[rng.integers(len(data))] = rng.integers(256)
            path.write_bytes(bytes(data))
            with contextlib.suppress(InputError):
                assert read(path)


@pytest.mark.parametrize("name", ["nowhere.spn", "no\0where.spn", "."])
def test_a_path_without_a_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="wanted a risk parameter file"):
        read(tmp_path / name)
