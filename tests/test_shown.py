"""A result in the hands of a person or a program: its text, its HTML, its frame, its JSON."""

import json
import sys
from dataclasses import replace

import pytest

import margincalc as mc
from margincalc.answers.results import Headed
from margincalc.answers.shown import Shown
from margincalc.errors import MissingExtraError
from margincalc.report import render
from tests.report import by_hand


@pytest.fixture
def report() -> Shown:
    return by_hand.CHECK


def test_a_result_is_the_table_of_its_command(report: Shown) -> None:
    assert f"{report!r}\n" == render(report, "table")
    assert f"{report}\n" == render(report, "table")


def test_json_is_that_of_its_command(report: Shown) -> None:
    assert report.to_json() == render(report, "json")
    assert json.loads(report.to_json()) == report.to_dict()


def test_a_notebook_shows_text_as_text() -> None:
    page = replace(by_hand.CHECK, account="<script>alert(1)</script>")._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_a_frame_has_the_rows_of_the_csv() -> None:
    portfolio = mc.load("sample_portfolios/spx_iron_condor.yaml")
    frame = mc.margin(portfolio).to_frame()
    assert type(frame).__name__ == "DataFrame"
    assert frame["level"].tolist()[:2] == ["account", "pool"]
    assert frame["equity"][0] == pytest.approx(mc.margin(portfolio).equity, rel=1e-12)


def test_polars_stands_in_for_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert type(by_hand.GREEKS.to_frame()).__module__.startswith("polars")
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(MissingExtraError) as error:
        by_hand.GREEKS.to_frame()
    assert "pip install pandas" in str(error.value)


def test_every_result_has_a_table_and_csv_by_its_name() -> None:
    from margincalc.report import as_csv, tables

    assert set(tables._BLOCKS) == set(as_csv._RECORDS)
    results = {*Shown.__subclasses__(), *Headed.__subclasses__()} - {Headed}
    assert {each.__name__ for each in results} <= set(tables._BLOCKS)
