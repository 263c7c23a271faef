"""A result in the hands of a person or a program: its text, its HTML, its frame, its JSON."""

import csv
import html
import json
import pickle
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

import margincalc as mc
from margincalc.answers.accounts import Source
from margincalc.answers.results import Headed
from margincalc.answers.shown import Shown
from margincalc.errors import MissingExtraError
from margincalc.report import render, tables
from tests.cli import SAMPLES
from tests.report import by_hand


@pytest.fixture(autouse=True)
def _handed_out() -> None:
    import_module("margincalc.api")  # which says how results are written, whichever test is first


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


def test_a_frame_has_texts_as_they_are() -> None:
    named = replace(by_hand.CHECK, account="=1+1")
    assert named.to_frame()["account"].tolist() == ["=1+1"]


def test_polars_stands_in_for_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert type(by_hand.GREEKS.to_frame()).__module__.startswith("polars")
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(MissingExtraError) as error:
        by_hand.GREEKS.to_frame()
    assert "pip install pandas" in str(error.value)


def test_every_result_has_a_table_and_csv_by_its_name() -> None:
    from margincalc.report import records

    assert set(tables._BLOCKS) == set(records._RECORDS)
    results = {*Shown.__subclasses__(), *Headed.__subclasses__()} - {Headed}
    assert {each.__name__ for each in results} <= set(tables._BLOCKS)


MADE: dict[str, Callable[[Path], Shown]] = {
    "BatchReport": lambda folder: mc.batch(SAMPLES / "venue", output=folder / "m", pricer="numpy"),
    "ChainReport": lambda _: mc.chain(mc.load(SAMPLES / "btc_chain.yaml")),
    "Study": lambda _: mc.monitor(Source(accounts=20)),
    "HedgeReport": lambda _: mc.hedge(mc.load(SAMPLES / "just_under_maintenance.yaml")),
    "LiquidationReport": lambda _: mc.liquidation(
        mc.load(SAMPLES / "isolated_perpetuals.yaml"), frontier=False
    ),
}
"""How to make what is not written by hand."""


@pytest.mark.parametrize("kind", sorted(tables._BLOCKS))
def test_every_result_shows_itself_in_every_form(kind: str, tmp_path: Path) -> None:
    written = [one for one in by_hand.REPORTS.values() if type(one).__name__ == kind]
    result = written[0] if written else MADE[kind](tmp_path)
    assert isinstance(result, Shown)
    assert type(result).__name__ == kind
    first = repr(result).splitlines()[0]
    assert first.strip()
    assert html.escape(first) in result._repr_html_()
    content = json.loads(result.to_json())
    assert content == json.loads(json.dumps(result.to_dict()))
    assert next(iter(content)) == "schema"
    frame = result.to_frame()
    assert list(frame.columns) == next(csv.reader([render(result, "csv").splitlines()[0]]))
    assert len(frame)
    assert pickle.loads(pickle.dumps(result)) == result
