"""`report`: the page of the library, to standard output or a file that is written whole."""

import importlib
from pathlib import Path

import pytest

import margincalc as mc
from margincalc.answers.accounts import Margins, Source, accounts_of
from margincalc.cli.options import SAMPLES
from tests.cli import STRANGLE
from tests.cli.conftest import Run


def test_it_writes_what_the_library_returns(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    source = f"{SAMPLES}/loan.yaml"
    outcome = run("report", source, "--spot", "-5%", "-o", str(file))
    assert (outcome.status, outcome.out) == (0, "")
    assert list(tmp_path.iterdir()) == [file]
    assert file.read_text("utf-8") == mc.report(mc.load(source), changes=mc.what_if(spot=["-5%"]))


def test_faults_are_sentences_and_leave_no_file(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    outcome = run("report", STRANGLE, "--model", "nobody", "-o", str(file))
    assert outcome.status == 2
    assert "nobody" in outcome.err
    assert run("report", str(tmp_path / "none.yaml"), "-o", str(file)).status == 2
    assert run("report", STRANGLE, "-o", str(tmp_path / "no" / "folder.html")).status == 3
    assert list(tmp_path.iterdir()) == []


def test_what_was_read_is_not_written_over(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "book.yaml"
    file.write_text(Path(STRANGLE).read_text("utf-8"))
    assert run("report", str(file), "-o", str(file)).status == 2
    assert file.read_text("utf-8") == Path(STRANGLE).read_text("utf-8")


def test_a_population_is_drawn_or_read_from_parquet(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "venue.html"
    terms = ("--fund", "2e6", "--depth-left", "0.1", "-o", str(file))
    outcome = run("report", "--population", "--accounts", "200", "--spot", "50000", *terms)
    assert outcome == (0, "", "")
    drawn = Source(accounts=200, spot=50_000.0)
    assert file.read_text("utf-8") == mc.report_population(drawn, fund=2e6, depth_left=0.1)

    accounts = tmp_path / "accounts.parquet"
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table(
        {
            "account": ["a", "a", "b", "b"],
            "instrument": ["BTC-PERPETUAL", None, "BTC-PERPETUAL", None],
            "asset": [None, "USD", None, "USD"],
            "quantity": [1.0, 9_000.0, -2.0, 20_000.0],
            "entry_price": [100_000.0, None, 100_000.0, None],
        }
    )
    importlib.import_module("pyarrow.parquet").write_table(table, accounts)
    market = f"{SAMPLES}/venue/market.yaml"
    assert run("report", str(accounts), "--market", market, *terms).status == 0
    source = Source(file=accounts, market=market)
    assert file.read_text("utf-8") == mc.report_population(source, fund=2e6, depth_left=0.1)
    assert run("report", str(accounts), "--market", market, "-o", str(accounts)).status == 2


def test_a_folder_of_a_venue_is_a_population(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "venue.html"
    assert run("report", f"{SAMPLES}/venue", "--shocks", "-0.1,0.1", "-o", str(file)).status == 0
    text = file.read_text("utf-8")
    assert "200 accounts of" in text
    accounts = accounts_of(Source(file=f"{SAMPLES}/venue"), Margins())
    population, venue = accounts.population, accounts.venue
    assert population is not None
    assert venue is not None
    margins = mc.batch(f"{SAMPLES}/venue", output=tmp_path / "m", pricer="numpy").totals
    result = venue.model.margin(population.book)
    assert sum(result.equity.tolist()) == pytest.approx(margins["equity"], rel=1e-12)
    assert sum(result.maintenance.tolist()) == pytest.approx(
        margins["maintenance_margin"], rel=1e-12
    )
    (tmp_path / "empty").mkdir()
    outcome = run("report", str(tmp_path / "empty"))
    assert outcome.status == 2
    assert "positions.parquet" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Missing argument 'FILE'"),
        ((STRANGLE, "--fund", "3"), "--fund is of a population"),
        (("--population", "--days", "3"), "--days is of one account"),
        (("--population", "--spot", "+5%"), "found '+5%'; wanted one price"),
        (("--population", "--fund", "-1"), "an amount from 0"),
    ],
)
def test_options_of_the_other_kind_are_refused(
    run: Run, arguments: tuple[str, ...], said: str
) -> None:
    outcome = run("report", *arguments)
    assert outcome.status == 2
    assert said in outcome.err
    assert outcome.out == ""
