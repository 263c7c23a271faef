"""Histories of prices: both layouts, and what is wrong with them."""

import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import margincalc as mc
from margincalc.errors import InputError
from margincalc.files import columns
from margincalc.files.history import read_history
from margincalc.files.prices import read_prices


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "prices.csv"
    path.write_text(text, "utf-8")
    return path


def wide(count: int = 40) -> str:
    rows = [
        f"2026-01-{1 + n // 24:02d}T{n % 24:02d}:00:00Z,{100 + n},{10 + n}" for n in range(count)
    ]
    return "\n".join(["time,BTC,ETH", *rows]) + "\n"


def test_a_column_for_each_underlying(tmp_path: Path) -> None:
    found = read_history(written(tmp_path, wide()), ["ETH", "BTC"])
    assert found.years == pytest.approx(1.0 / 365.0 / 24.0)
    assert found.price[:2].tolist() == [[10.0, 100.0], [11.0, 101.0]]


def test_a_row_for_each_underlying_and_only_common_times(tmp_path: Path) -> None:
    rows = [
        f"{1_767_225_600 + 86_400 * n},{s}/USD,{100 + n}" for n in range(40) for s in ("BTC", "ETH")
    ]
    text = "\n".join(["timestamp,symbol,close", *rows[:-1]])
    found = read_history(written(tmp_path, text), ["BTC", "ETH"])
    assert found.price.shape == (39, 2)
    assert found.years == pytest.approx(1.0 / 365.0)


def test_a_history_is_simulated(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    price = 100_000.0 * np.exp(np.cumsum(rng.normal(0.0, 0.05, 300)))
    rows = [f"{1_700_000_000 + 86_400 * n},{p:.2f}" for n, p in enumerate(price)]
    path = written(tmp_path, "\n".join(["time,BTC", *rows]))
    portfolio = mc.load("sample_portfolios/btc_short_strangle.yaml")
    odds = mc.Odds(horizon="10d", law="history", prices=str(path), paths=2000)
    report = mc.passage(portfolio, odds=odds)
    assert report.steps == 10
    assert report.low > 0.1
    assert any("lower bound" in note for note in report.notes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "a header such as"),
        ("time,BTC\n1,2\n", "a header such as"),
        ("time,symbol,close\n1,BTC,2\n2,BTC,2\n3,BTC,2\n", "prices of ETH"),
        (wide(5), "5 times"),
        (wide().replace("101,", "-1,"), "prices.csv:3"),
        (wide().replace("101,", "nan,"), "prices.csv:3"),
        (wide().replace("T01:00:00Z", "T00:00:00Z", 1), "a time that is not later"),
        (wide().replace("2026-01-01T03", "tomorrow"), "a time such as"),
        (wide() + "2026-02-01\n", "prices.csv:42"),
    ],
)
def test_faults_have_their_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_history(written(tmp_path, text), ["BTC", "ETH"])
    assert said in str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        read_history(tmp_path / "none.csv", ["BTC"])


@pytest.mark.parametrize("cell", ["nan", "inf", "1e300", "", "NaT"])
def test_a_time_that_is_none_is_refused_where_it_stands(tmp_path: Path, cell: str) -> None:
    for rows in (["1", cell, "3", "4"], ["2026-01-01", cell, "2026-01-03", "2026-01-04"]):
        lines = ["time,price", *(f"{time},100" for time in rows)]
        with pytest.raises(InputError, match="wanted a time such as") as raised:
            read_prices(written(tmp_path, "\n\n".join(lines)))
        assert "prices.csv:5, column time" in str(raised.value)  # blank lines are lines


def test_times_may_have_a_zone(tmp_path: Path) -> None:
    rows = ["2026-01-01T00:00:00+00:00", "2026-01-01 02:00:00.5+01:00", "2026-01-01T02:00:00Z"]
    text = "\n".join(["time,price", *(f"{time},100" for time in rows)])
    (found,) = read_prices(written(tmp_path, text))
    assert (found.time - found.time[0]).tolist() == [0.0, 3600.5, 7200.0]


def test_a_column_twice_is_refused_in_either_form(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=":1\n    found the column 'price' twice; wanted it once"):
        read_prices(written(tmp_path, "time,price,Price\n1,100,101\n"))
    table = pa.table(
        [[1, 2, 3], [100.0, 101.0, 102.0], [7.0, 8.0, 9.0]], ["time", "price", "Price"]
    )
    pq.write_table(table, tmp_path / "prices.parquet")
    with pytest.raises(InputError, match="found the column 'price' twice; wanted it once"):
        read_prices(tmp_path / "prices.parquet")


def test_a_header_of_very_many_columns_is_refused_in_few_words(tmp_path: Path) -> None:
    names, cells = (",".join(f"{what}{n}" for n in range(200_000)) for what in ("c", ""))
    with pytest.raises(InputError, match="c18, c19 and 199980 more; wanted a header") as refusal:
        read_prices(written(tmp_path, f"{names}\n{cells}\n"))
    assert len(str(refusal.value)) < 500


def test_packed_prices_are_read_and_damaged_ones_refused(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv.gz"
    packed = gzip.compress(b"time,price\n1,100\n2,101\n3,102\n")
    path.write_bytes(packed)
    assert read_prices(path)[0].price.tolist() == [100.0, 101.0, 102.0]
    path.write_bytes(packed[:12] + b"\xff" * 8 + packed[20:])
    with pytest.raises(InputError, match="wanted a CSV or Parquet file"):
        read_prices(path)


def test_what_unpacks_to_more_than_any_history_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "LARGEST", 1000)
    path = tmp_path / "prices.csv.gz"
    path.write_bytes(gzip.compress(b"time,price\n" + b"1,100\n" * 10_000))
    with pytest.raises(InputError, match="at most 1,000 bytes of CSV"):
        read_prices(path)
