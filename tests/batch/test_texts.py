"""Bytes that are no text, files that are none or that changed: said, and nothing is lost."""

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import margincalc as mc
from margincalc.batch import partition
from margincalc.errors import InputError
from margincalc.portfolio import Portfolio
from tests.batch.venues import Row, Venue, files, rows, run, venue

GENERIC = "generic-portfolio"
AT = 41
"""A row of the positions that is neither the first nor the last of its account."""


@pytest.fixture(scope="module")
def plain() -> Venue:
    return venue(GENERIC, 30, range(2, 5))


def garbled(column: Any, at: int) -> list[bytes]:
    """Return a column's texts as bytes, one of them no UTF-8."""
    found = [each.encode() for each in column.to_pylist()]
    found[at] = b"\xff\xfe" + found[at]
    return found


def plainly(texts: Sequence[bytes]) -> Any:
    return pa.array(texts, pa.binary()).view(pa.string())


def largely(texts: Sequence[bytes]) -> Any:
    return pa.array(texts, pa.large_binary()).view(pa.large_string())


def coded(texts: Sequence[bytes]) -> Any:
    words = list(dict.fromkeys(texts))
    index = pa.array([words.index(each) for each in texts], pa.int32())
    return pa.DictionaryArray.from_arrays(index, plainly(words))


def tightly(texts: Sequence[bytes]) -> Any:
    """Return a dictionary column of which pyarrow itself refuses to read what is no UTF-8."""
    found = coded(texts)
    return pa.DictionaryArray.from_arrays(found.indices.cast(pa.int16()), found.dictionary)


def written(made: Venue, folder: Path, name: str, column: str, at: int, kind: Any) -> None:
    """Write a venue of which one text of a column is no UTF-8."""
    made.write(folder)
    table = pq.read_table(folder / f"{name}.parquet")
    wrong = kind(garbled(table[column], at))
    place = table.column_names.index(column)
    pq.write_table(table.set_column(place, column, wrong), folder / f"{name}.parquet")


def market(made: Venue) -> Portfolio:
    return Portfolio.model_validate(made.market)


@pytest.mark.parametrize("kind", [plainly, largely, coded])
@pytest.mark.parametrize(
    ("name", "column", "at"),
    [
        ("positions", "account", AT),
        ("positions", "instrument", AT),
        ("balances", "account", 7),
        ("balances", "asset", 7),
    ],
)
def test_a_name_that_is_no_utf8_is_set_aside(
    plain: Venue, tmp_path: Path, name: str, column: str, at: int, kind: Any
) -> None:
    written(plain, tmp_path, name, column, at, kind)
    given: dict[str, Any] = {"market": market(plain), "output": tmp_path / "out"}
    report = mc.batch(tmp_path, **given)
    (bad,) = pq.read_table(tmp_path / "out" / "quarantine").to_pylist()
    own = (plain.positions if name == "positions" else plain.balances)[at]
    shown = bad["account"] if column == "account" else bad["name"]
    assert bad["row"] == at + 1
    assert shown == f"\\xff\\xfe{own[column]}"
    assert bad["reason"] == f"an {column} that is not UTF-8"
    left = {
        part: [row for n, row in enumerate(getattr(plain, part)) if (part, n) != (name, at)]
        for part in ("positions", "balances")
    }
    without = Venue(plain.market, **left)
    run(without, tmp_path / "b")
    found = {each: row | {"quarantined": 0} for each, row in rows(tmp_path / "out").items()}
    assert found == rows(tmp_path / "b" / "out")
    assert report.accounts == 30
    with pytest.raises(
        InputError, match=rf"{name}.parquet row {at + 1}\n.*{column} that is not UTF"
    ):
        mc.batch(tmp_path, strict=True, **given | {"output": tmp_path / "strict"})


@pytest.mark.parametrize("column", ["account", "instrument"])
def test_partition_keeps_a_name_that_is_no_utf8_for_batch(
    plain: Venue, tmp_path: Path, column: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partition, "ROWS", 20)
    written(plain, tmp_path / "in", "positions", column, AT, plainly)
    mc.partition(tmp_path / "in", output=tmp_path / "grouped")
    assert len(list((tmp_path / "grouped" / "positions").iterdir())) > 2
    for name in ("in", "grouped"):
        mc.batch(tmp_path / name, market=market(plain), output=tmp_path / "out" / name)
    found, wanted = (rows(tmp_path / "out" / name) for name in ("grouped", "in"))
    assert found == wanted
    bad = [
        pq.read_table(tmp_path / "out" / name / "quarantine", columns=["account", "name", "reason"])
        for name in ("grouped", "in")
    ]
    assert bad[0].to_pylist() == bad[1].to_pylist()


def test_a_small_dictionary_that_is_no_utf8_is_refused(plain: Venue, tmp_path: Path) -> None:
    written(plain, tmp_path, "positions", "instrument", AT, tightly)
    with pytest.raises(InputError, match=r"positions.parquet\n.*bytes that are not UTF-8"):
        mc.batch(tmp_path, market=market(plain), output=tmp_path / "out")


def test_instruments_that_are_no_utf8_are_refused_by_row_and_column(
    plain: Venue, tmp_path: Path
) -> None:
    names = plainly([b"BTC-PERPETUAL", b"\xff"])
    pq.write_table(pa.table({"instrument": names, "mark": [1e5, 5.0]}), tmp_path / "i.parquet")
    with pytest.raises(InputError, match=r"i.parquet row 2, column instrument\n.*not UTF-8"):
        run(plain, tmp_path, instruments=tmp_path / "i.parquet")


# Files


def linked(folder: Path, name: str) -> None:
    """Put a link that leads to itself in the place of a file."""
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(name)


@pytest.mark.parametrize("name", ["positions.parquet", "balances.parquet"])
def test_a_link_that_leads_nowhere_is_said(plain: Venue, tmp_path: Path, name: str) -> None:
    plain.write(tmp_path)
    linked(tmp_path, name)
    with pytest.raises(InputError, match=rf"{name}', a link that leads to no file"):
        mc.batch(tmp_path, market=market(plain), output=tmp_path / "out")


def test_nothing_in_a_folder_is_passed_over_in_silence(plain: Venue, tmp_path: Path) -> None:
    plain.write(tmp_path / "in")
    given: dict[str, Any] = {"market": market(plain), "output": tmp_path / "out"}
    folder = tmp_path / "positions"
    folder.mkdir()
    (tmp_path / "in" / "positions.parquet").rename(folder / "p.parquet")
    linked(folder, "q.parquet")
    with pytest.raises(InputError, match=r"q.parquet', a link that leads to no file"):
        mc.batch(folder, **given)
    (folder / "q.parquet").unlink()
    (folder / "more").symlink_to(tmp_path / "in")
    with pytest.raises(InputError, match=r"more, a link to a folder"):
        mc.batch(folder, **given)
    (folder / "more").unlink()
    os.mkfifo(folder / "r.parquet")
    with pytest.raises(InputError, match=r"r.parquet', which is no file"):
        mc.batch(folder, **given)
    (folder / "r.parquet").rename(folder / ".r.parquet")
    assert mc.batch(folder, **given).accounts == 30


# Grouping


@pytest.mark.parametrize(("accounts", "column"), [("numbers", None), ("names", "quantity")])
def test_partition_says_what_it_cannot_and_leaves_nothing(
    plain: Venue, tmp_path: Path, accounts: str, column: str | None
) -> None:
    positions, balances = plain.write(tmp_path)
    if accounts == "numbers":
        table = pq.read_table(balances)
        pq.write_table(table.set_column(0, "account", pa.array(range(len(table)))), balances)
    if column:
        table = pq.read_table(positions)
        pq.write_table(table.set_column(2, column, table["account"]), positions)
    with pytest.raises(InputError, match=r"accounts of another type|the type string"):
        mc.partition(positions, balances=balances, output=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_partition_keeps_whole_numbers_that_batch_sets_aside(plain: Venue, tmp_path: Path) -> None:
    positions, _ = plain.write(tmp_path)
    table = pq.read_table(positions)
    huge = pa.array([1 << 62] + [1] * (len(table) - 1))
    pq.write_table(table.set_column(2, "quantity", huge), positions)
    mc.partition(positions, output=tmp_path / "grouped")
    report = mc.batch(tmp_path / "grouped", market=market(plain), output=tmp_path / "out")
    assert (report.quarantined, report.positions) == (1, len(table) - 1)


def test_partition_of_no_rows_is_a_venue_without_positions(plain: Venue, tmp_path: Path) -> None:
    positions, _ = plain.write(tmp_path)
    pq.write_table(pq.read_table(positions).slice(0, 0), positions)
    assert mc.partition(positions, output=tmp_path / "grouped") == 0
    report = mc.batch(tmp_path / "grouped", market=market(plain), output=tmp_path / "out")
    assert report.accounts == 0


def test_what_an_interrupted_partition_leaves_is_no_venue_and_the_next_one_clears_it(
    plain: Venue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before its balances are grouped: even what it had written of positions is a draft."""
    positions, balances = plain.write(tmp_path)
    output, seen = tmp_path / "out", []

    def killed(*args: Any) -> int:
        seen.append(args)
        if len(seen) == 2:
            (tmp_path / "copy").mkdir()
            os.system(f"cp -r {output} {tmp_path / 'copy'}")  # as a kill leaves it
            raise OSError(28, "No space left on device")
        return grouped(*args)

    grouped = partition._grouped
    monkeypatch.setattr(partition, "_grouped", killed)
    with pytest.raises(
        mc.errors.OutputError, match=r"No space left on device; nothing of it stays"
    ):
        mc.partition(positions, balances=balances, output=output)
    assert not output.exists()
    left = tmp_path / "copy" / "out"
    assert any(name.endswith("positions/part-000000.parquet") for name in files(left))
    with pytest.raises(InputError, match=r"without a file \*.parquet"):
        mc.batch(left, market=market(plain), output=tmp_path / "results")
    draft = left / partition.DRAFT
    for own in (left / "notes", draft / "notes", draft / "positions" / "part-1.parquet"):
        own.write_text("of somebody else")
        before = files(left)
        with pytest.raises(InputError, match=r"an interrupted --partition left .partition.draft"):
            mc.partition(positions, balances=balances, output=left)
        assert files(left) == before
        own.unlink()
    place, before = os.open(draft, os.O_RDONLY), files(left)
    fcntl.flock(place, fcntl.LOCK_EX)
    with pytest.raises(InputError, match=r"another --partition is writing"):
        mc.partition(positions, balances=balances, output=left)
    assert files(left) == before
    os.close(place)
    monkeypatch.undo()
    output.mkdir()
    (output / partition.DRAFT).write_text("of somebody else")
    with pytest.raises(InputError, match=r"not empty; wanted a new folder"):
        mc.partition(positions, balances=balances, output=output)
    (output / partition.DRAFT).unlink()
    for folder in (left, output):
        mc.partition(positions, balances=balances, output=folder)
    assert files(left) == files(output)
    assert not draft.exists()


# Resumption, and balances


def test_a_file_that_changed_in_its_place_is_not_resumed(plain: Venue, tmp_path: Path) -> None:
    """One quantity in the first row group: name, size, footer and time stay."""
    rest = [row | {"quantity": 1.0} for row in plain.positions]
    made = plain._replace(positions=rest)
    positions, balances = made.write(tmp_path)
    plainly_kept: dict[str, Any] = {
        "use_dictionary": False,
        "compression": "NONE",
        "write_statistics": False,
    }
    pq.write_table(pq.read_table(positions), positions, row_group_size=9, **plainly_kept)
    given: dict[str, Any] = {
        "balances": balances,
        "market": market(plain),
        "output": tmp_path / "o",
    }
    before, stat = positions.read_bytes(), positions.stat()
    mc.batch(positions, **given)
    one, two = (pa.array([n]).buffers()[1].to_pybytes() for n in (1.0, 2.0))
    at = before.index(one)
    positions.write_bytes(before[:at] + two + before[at + 8 :])
    os.utime(positions, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    table = pq.read_table(positions)["quantity"].to_pylist()
    assert sorted(table) == [1.0] * (len(table) - 1) + [2.0]
    assert positions.stat().st_size == stat.st_size
    with pytest.raises(InputError, match="the results of other files"):
        mc.batch(positions, resume=True, **given)
    positions.write_bytes(before)
    mc.batch(positions, resume=True, **given)


@pytest.mark.parametrize("mode", ["isolated", "cross", "portfolio"])
def test_a_debt_beside_a_deposit_of_its_asset_lessens_it(
    plain: Venue, tmp_path: Path, mode: Any
) -> None:
    account = plain.positions[0]["account"]
    more: list[Row] = [
        {"account": account, "asset": "BTC", "amount": amount} for amount in (0.3, -0.1, 0.7)
    ]
    made = plain._replace(balances=[*more, *plain.balances])
    made.market["collateral"] = [{"asset": "BTC", "quantity": 1.0, "haircut": 0.1}]
    run(made, tmp_path, mode=mode, pricer="compiled")
    row = rows(tmp_path / "out")[account]
    single = mc.margin(made.portfolio(account), mode=mode, pricer="compiled")
    assert single.components["borrow"] == 0.0
    for name in ("equity", "initial_margin", "maintenance_margin"):
        assert row[name] == getattr(single, name)
