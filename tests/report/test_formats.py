"""JSON and CSV, read back."""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from margincalc.answers.batch_results import BatchReport, CloseAccount
from margincalc.answers.study import Field, Study, Table
from margincalc.report import Report, render
from tests.report import by_hand

NAMES = sorted(by_hand.REPORTS)


def rows(report: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render(report, "csv"), newline="")))


@pytest.mark.parametrize("name", NAMES)
def test_json_is_the_result_with_its_schema_first(name: str) -> None:
    report = by_hand.REPORTS[name]
    text = render(report, "json")
    content = json.loads(text)
    assert next(iter(content)).startswith("schema")
    assert content["schema"].startswith("margincalc.")
    assert content == json.loads(json.dumps(report.to_dict()))
    assert text.endswith("}\n")


def test_no_zero_has_a_sign() -> None:
    report = replace(by_hand.CHECK, excess=-0.0, above=-0.0)
    nested = replace(by_hand.STRANGLE, components={"scenario_loss": -0.0})
    assert json.loads(render(nested, "json"))["components"] == {"scenario_loss": 0.0}
    for each in (report, nested):
        assert "-0.0\n" not in render(each, "json")
        assert "-0.0," not in render(each, "json")


def test_each_report_has_a_schema_of_its_own() -> None:
    schemas = {report.to_dict()["schema"] for report in by_hand.REPORTS.values()}
    names = ("margin", "compare", "greeks", "scenarios", "check", "model", "models", "verify")
    assert schemas == {
        f"margincalc.{name}/1"
        for name in (
            *names,
            "diff",
            "waterfall",
            "explain",
            "change",
            "engine",
            "passage",
            "liquidation",
        )
    }


@pytest.mark.parametrize("report", [by_hand.GREEKS, by_hand.SCENARIOS])
def test_greeks_and_scenarios_say_by_which_rules(report: Report) -> None:
    content = json.loads(render(report, "json"))
    assert (content["mode"], content["model"]["name"]) == ("portfolio", "generic-portfolio")
    head = rows(report)[0]
    assert (head["mode"], head["model"]) == ("portfolio", "generic-portfolio")


def test_json_of_margin_has_the_keys_of_its_contract() -> None:
    content = json.loads(render(by_hand.STRANGLE, "json"))
    assert content["schema"] == "margincalc.margin/1"
    assert {
        "account",
        "as_of",
        "currency",
        "model",
        "mode",
        "pricer",
        "equity",
        "collateral_value",
        "initial_margin",
        "maintenance_margin",
        "margin_ratio",
        "available_funds",
        "excess",
        "status",
        "components",
        "initial_components",
        "worst_scenario",
        "liquidation",
        "greeks",
        "positions",
        "pools",
    } <= content.keys()


def test_json_never_holds_what_is_no_number() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        render(replace(by_hand.STRANGLE, equity=float("nan")), "json")


def test_a_list_of_models_leaves_their_files_to_show() -> None:
    first = json.loads(render(by_hand.MODELS, "json"))["models"][0]
    assert first["name"] == "generic-portfolio"
    assert not {"text", "parameters"} & first.keys()


@pytest.mark.parametrize("name", NAMES)
def test_csv_is_rectangular_and_nothing_is_written_none(name: str) -> None:
    text = render(by_hand.REPORTS[name], "csv")
    lines = list(csv.reader(io.StringIO(text)))
    assert len({len(line) for line in lines}) == 1
    assert len(lines) > 1
    assert len(set(lines[0])) == len(lines[0])
    assert not any(cell in ("None", "nan", "True", "False") for line in lines for cell in line)
    assert "\r" not in text


def test_csv_of_margin_has_a_row_for_account_pool_and_position() -> None:
    account, pool, *positions = rows(by_hand.STRANGLE)
    assert (account["level"], account["name"]) == ("account", "btc-short-strangle")
    assert (pool["level"], pool["name"]) == ("pool", "desk")
    assert [line["level"] for line in positions] == ["position"] * 2
    assert float(account["component.scenario_loss"]) == 95973.11
    assert float(account["liquidation.BTC.below"]) == 78528.31
    assert float(account["greeks.BTC.delta"]) == -0.41204
    assert float(positions[0]["worst_pnl"]) == -61204.1
    assert positions[1]["entry_price"] == ""


def test_csv_has_full_precision_and_every_position() -> None:
    many = rows(by_hand.MANY)
    assert len(many) == 1002
    assert float(many[0]["margin_ratio"]) == by_hand.MANY.margin_ratio


def test_csv_columns_of_a_worst_scenario_are_there_without_one() -> None:
    account = rows(by_hand.EMPTY)[0]
    assert account["worst_scenario.pnl"] == ""
    assert "worst_scenario" not in account


def test_csv_of_compare_has_a_row_per_mode() -> None:
    found = rows(by_hand.COMPARE)
    assert [row["mode"] for row in found] == ["isolated", "cross", "portfolio"]
    assert found[0]["liquidated_first"] == "ETH-PERPETUAL; BTC-26MAR27-120000-C; unallocated"
    assert float(found[2]["saving"]) == 14114.717


def test_csv_of_lines_has_a_row_per_line() -> None:
    assert len(rows(by_hand.GREEKS)) == len(by_hand.GREEKS.lines)
    scenarios = rows(by_hand.SCENARIOS)
    assert len(scenarios) == len(by_hand.SCENARIOS.lines)
    assert {row["worst"] for row in scenarios} == {"true", "false"}


def test_csv_of_a_model_has_a_row_per_parameter() -> None:
    found = {row["parameter"]: row["value"] for row in rows(by_hand.MODEL)}
    assert found == {"grid.spot": "-0.15; 0.15", "factors.initial": "1.25"}


def test_csv_of_check_has_one_row() -> None:
    (row,) = rows(by_hand.CHECK)
    assert (row["status"], row["failed"], row["model.name"]) == (
        "healthy",
        "true",
        "generic-portfolio",
    )


def numbers_of(content: Any) -> int:
    if isinstance(content, Mapping):
        return sum(numbers_of(item) for item in content.values())
    if isinstance(content, list):
        return sum(numbers_of(item) for item in content)
    return isinstance(content, float)


def test_every_number_of_the_account_is_in_its_row() -> None:
    figures = numbers_of(by_hand.STRANGLE.figures())
    account = rows(by_hand.STRANGLE)[0]
    written = [cell for cell in account.values() if _is_float(cell)]
    assert len(written) == figures + 1  # the scenario's index is a whole number


def _is_float(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


STUDY = Study(
    "cascade",
    "two accounts",
    "EUR",
    (),
    (
        Table("curve", (Field("sold", "sold", "money"),), ((1.5,),)),
        Table("first", (Field("account", "account", "text"),), (("a",), ("b",)), hidden=True),
    ),
)
CLOSE = CloseAccount("a", "restricted", 0.9, 10.0, 9.0, 1.0, {})
BATCH = BatchReport(
    output="out",
    as_of="2026-11-20T08:00:00Z",
    currency="USDC",
    model="generic-portfolio",
    effective="2026-11-01",
    mode="portfolio",
    pricer="numpy",
    parts=1,
    accounts=1,
    positions=2,
    quarantined=0,
    incomplete={},
    statuses={"restricted": 1},
    totals={"equity": 10.0},
    closest=(CLOSE,),
    notes=(),
)
OF_MONEY = [each for each in (*by_hand.REPORTS.values(), STUDY, BATCH) if hasattr(each, "currency")]


@pytest.mark.parametrize("report", OF_MONEY, ids=lambda each: type(each).__name__)
def test_every_row_of_csv_says_in_which_money_its_amounts_are(report: Any) -> None:
    with_figures = [record for record in rows(report) if not record.get("refused")]
    assert {record["currency"] for record in with_figures} == {report.currency}


def test_no_note_of_a_study_moves_the_cursor() -> None:
    text = render(replace(STUDY, notes=("deposits of \x1b[2JBTC count",)), "table")
    assert "* deposits of \\x1b[2JBTC count" in text


def test_no_zero_of_csv_has_a_sign() -> None:
    nested = replace(by_hand.STRANGLE, components={"scenario_loss": -0.0})
    assert rows(nested)[0]["component.scenario_loss"] == "0.0"


def test_csv_of_a_study_has_the_rows_of_all_its_tables() -> None:
    assert [(row["level"], row["sold"], row["account"]) for row in rows(STUDY)] == [
        ("curve", "1.5", ""),
        ("first", "", "a"),
        ("first", "", "b"),
    ]


@pytest.mark.parametrize(
    "name",
    [
        *("=1+1", "@SUM(A1)", "+g", "-A1", "-2+3", "-2 +cmd|' /C calc'!A0", "\t=1", "\r=1"),
        *("\uff1d1+1", "-2-3", "+1-A1", "-1-A1:B2", "-2 -A1", "+1e5-A1", "-2%-A1"),
    ],
)
def test_no_text_of_csv_is_a_formula(name: str) -> None:
    assert rows(replace(by_hand.CHECK, account=name))[0]["account"] == f"'{name}"
    assert json.loads(render(replace(by_hand.CHECK, account=name), "json"))["account"] == name


@pytest.mark.parametrize(
    "name",
    [
        *("desk", "a\r=1\n=2", "'x", "a=b", "-2.5 BTC-PERPETUAL; -1.0 X", "-3", "", "+1"),
        *("-1e-05 BTC-PERPETUAL", "-0.1; -0.05; 1e+16", "-15 %", "-1.5e+16 X-1"),
    ],
)
def test_other_texts_and_numbers_of_csv_are_as_they_are(name: str) -> None:
    row = rows(replace(by_hand.CHECK, account=name, excess=-1.5))[0]
    assert (row["account"], row["excess"]) == (name, "-1.5")
