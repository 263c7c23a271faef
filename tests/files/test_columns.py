"""Tables are bounded, whatever they are written in, before they are read."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import margincalc as mc
from margincalc.answers import accounts
from margincalc.answers.accounts import Source
from margincalc.batch import instruments
from margincalc.errors import InputError
from margincalc.files import columns, holders, parquet
from margincalc.files.columns import read_columns

TABLE = pa.table({"time": [1.0, 2.0, 3.0], "price": [1.0, 1.0, 1.0]})


@pytest.fixture
def table(tmp_path: Path) -> Path:
    pq.write_table(TABLE, tmp_path / "table.parquet")
    return tmp_path / "table.parquet"


def test_a_parquet_table_of_too_many_cells(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "CELLS", 6)
    assert read_columns(table).rows == 3
    monkeypatch.setattr(columns, "CELLS", 5)
    with pytest.raises(InputError, match=r"table.parquet\n.*3 rows of 2 columns.*at most 5 cells"):
        read_columns(table)


def test_a_parquet_table_of_too_many_bytes(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "LARGEST", 50)
    with pytest.raises(InputError, match=r"table.parquet\n.*bytes, unpacked; wanted at most 50"):
        read_columns(table)


def test_a_csv_table_of_too_many_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "table.csv").write_text("time,price\n1,1\n2,1\n")
    monkeypatch.setattr(columns, "CELLS", 6)
    assert read_columns(tmp_path / "table.csv").rows == 2
    monkeypatch.setattr(columns, "CELLS", 5)
    with pytest.raises(InputError, match=r"table.csv\n.*6 cells; wanted at most 5"):
        read_columns(tmp_path / "table.csv")


def test_accounts_of_a_waterfall_are_bounded(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holders, "CELLS", 5)
    with pytest.raises(InputError, match="at most 5 cells"):
        holders.load_holders(table)


def test_a_folder_of_accounts_is_bounded_as_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "positions").mkdir()
    (tmp_path / "market.yaml").write_text(
        "as_of: 2026-11-20T08:00:00Z\ncurrency: USD\nmarket: {BTC: {spot: 100000}}\n"
    )
    rows: dict[str, list[Any]] = {"account": ["a"], "instrument": ["BTC-PERPETUAL"]}
    for number in range(3):
        part = pa.table({**rows, "quantity": [1.0]})
        pq.write_table(part, tmp_path / "positions" / f"{number}.parquet")
    monkeypatch.setattr(accounts, "CELLS", 17)
    with pytest.raises(InputError, match="more than 17 cells"):
        mc.cascade(Source(tmp_path), shocks="-0.1")


def test_a_row_group_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = pa.table({"account": [1, 1], "instrument": ["A", "B"], "quantity": [1.0, 2.0]})
    pq.write_table(held, tmp_path / "positions.parquet")
    (tmp_path / "market.yaml").write_text(
        "as_of: 2026-11-20T08:00:00Z\ncurrency: USD\nmarket: {BTC: {spot: 100000}}\n"
    )
    monkeypatch.setattr(parquet, "LONGEST", 1)
    wanted = r"positions.parquet\n.*a row group of 2 rows; wanted at most 1\n.*smaller row groups"
    with pytest.raises(InputError, match=wanted):
        mc.batch(tmp_path, output=tmp_path / "out")
    with pytest.raises(InputError, match=wanted):
        mc.partition(tmp_path, output=tmp_path / "out")
    monkeypatch.setattr(instruments, "MOST", 5)
    monkeypatch.setattr(parquet, "LONGEST", 9)
    with pytest.raises(InputError, match=r"positions.parquet\n.*at most 5 cells"):
        mc.batch(tmp_path, instruments=tmp_path / "positions.parquet", output=tmp_path / "out")
