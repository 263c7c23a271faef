"""Rows of nobody: without an account, or of one without a name. They are set aside, all of them."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import margincalc as mc
from margincalc.batch import partition, parts
from margincalc.errors import InputError
from tests.batch.test_texts import coded, market, plainly
from tests.batch.venues import Row, Venue, rows, run, venue

GENERIC = "generic-portfolio"
GROUP = 10


@pytest.fixture(scope="module")
def plain() -> Venue:
    return venue(GENERIC, 30, range(2, 5))


def ordered(made: Venue) -> Venue:
    """Have accounts ascend."""
    positions, balances = (
        sorted(own, key=lambda row: str(row["account"])) for own in (made.positions, made.balances)
    )
    return made._replace(positions=positions, balances=balances)


def accountless(table: Any, groups: list[int], kind: str) -> Any:
    """Take the accounts from all rows of some row groups."""
    names = table["account"].to_pylist()
    for group in groups:
        for row in range(group * GROUP, min((group + 1) * GROUP, len(names))):
            names[row] = {"null": None, "empty": "", "bytes": b"\xff"}[kind]
    if kind == "bytes":
        texts = plainly([name if isinstance(name, bytes) else name.encode() for name in names])
    else:
        texts = pa.array(names, pa.string())
    return table.set_column(0, "account", texts)


def written(folder: Path, name: str, groups: list[int], kind: str = "null") -> Any:
    """Rewrite a file of a venue; return the rows that have an account still."""
    path = folder / f"{name}.parquet"
    table = pq.read_table(path)
    pq.write_table(accountless(table, groups, kind), path, row_group_size=GROUP)
    lost = {row for group in groups for row in range(group * GROUP, (group + 1) * GROUP)}
    return [row for number, row in enumerate(table.to_pylist()) if number not in lost]


def bad_of(folder: Path) -> list[Row]:
    found: list[Row] = pq.read_table(folder / "quarantine").to_pylist()
    return found


@pytest.mark.parametrize("kind", ["null", "empty", "bytes"])
@pytest.mark.parametrize("name", ["positions", "balances"])
@pytest.mark.parametrize("order", ["ascending", "any"])
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_row_groups_of_nobody_are_set_aside(
    plain: Venue,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    name: str,
    order: str,
    size: int,
) -> None:
    monkeypatch.setattr(parts, "ROWS", size)
    made = ordered(plain) if order == "ascending" else plain
    made.write(tmp_path, group=GROUP)
    last = (len(getattr(made, name)) - 1) // GROUP
    groups = [0, 1] if name == "balances" else [0, 2, 3, last]
    left = written(tmp_path, name, groups, kind)
    report = mc.batch(tmp_path, market=market(made), output=tmp_path / "out")
    count = len(getattr(made, name)) - len(left)
    found = bad_of(tmp_path / "out")
    wanted = [n + 1 for group in groups for n in range(group * GROUP, (group + 1) * GROUP)]
    assert sorted(row["row"] for row in found) == wanted[:count]
    assert {row["file"] for row in found} == {str(tmp_path / f"{name}.parquet")}
    reason = "an account that is not UTF-8" if kind == "bytes" else "no account"
    assert {row["reason"] for row in found} == {reason}
    shown = {"null": None, "empty": "", "bytes": "\\xff"}[kind]
    assert {row["account"] for row in found} == {shown}
    assert report.quarantined == count
    run(made._replace(**{name: left}), tmp_path / "b")
    assert rows(tmp_path / "out") == rows(tmp_path / "b" / "out")
    with pytest.raises(InputError, match=f"{name}.parquet row .*\n.*account"):
        mc.batch(tmp_path, market=market(made), output=tmp_path / "strict", strict=True)


def test_an_account_may_go_on_after_row_groups_of_nobody(
    plain: Venue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = plain.positions[0]["account"]
    held = [row | {"account": account} for row in plain.positions[: 4 * GROUP]]
    made = plain._replace(positions=held)
    made.write(tmp_path)
    left = written(tmp_path, "positions", [1, 2])
    monkeypatch.setattr(parts, "ROWS", 1)
    mc.batch(tmp_path, market=market(made), output=tmp_path / "out")
    run(made._replace(positions=left), tmp_path / "b")
    assert rows(tmp_path / "out") == rows(tmp_path / "b" / "out")
    assert rows(tmp_path / "out")[account]["positions"] == 2 * GROUP


@pytest.mark.parametrize("kind", [pa.string(), pa.int64(), pa.null()])
@pytest.mark.parametrize("grouped", [False, True])
def test_a_file_of_nobody_beside_others(
    plain: Venue, tmp_path: Path, kind: Any, grouped: bool
) -> None:
    """Its accounts have no type of their own, as nobody's names are of none."""
    folder = tmp_path / "in" / "positions"
    plain.write(folder)
    (folder / "balances.parquet").rename(tmp_path / "in" / "balances.parquet")
    table = pq.read_table(folder / "positions.parquet")
    lost = table.slice(0, 7).set_column(0, "account", pa.nulls(7, kind))
    pq.write_table(lost, folder / "a.parquet")
    given = tmp_path / "in"
    if grouped:
        mc.partition(given, output=tmp_path / "grouped")
        given = tmp_path / "grouped"
    report = mc.batch(given, market=market(plain), output=tmp_path / "out")
    assert report.quarantined == 7
    run(plain, tmp_path / "b")
    assert rows(tmp_path / "out") == rows(tmp_path / "b" / "out")
    assert {row["account"] for row in bad_of(tmp_path / "out")} == {None}


@pytest.mark.parametrize("lost", [pa.nulls(3, pa.int64()), pa.nulls(0), pa.array(["", ""])])
def test_where_positions_are_nobodys_balances_say_how_accounts_are_written(
    plain: Venue, tmp_path: Path, lost: Any
) -> None:
    made = plain._replace(balances=[row | {"account": n} for n, row in enumerate(plain.balances)])
    positions, _ = made.write(tmp_path)
    table = pq.read_table(positions).slice(0, len(lost))
    pq.write_table(table.set_column(0, "account", lost), positions)
    mc.partition(tmp_path, output=tmp_path / "grouped")
    report = mc.batch(tmp_path / "grouped", market=market(plain), output=tmp_path / "out")
    assert (report.accounts, report.quarantined) == (len(made.balances), len(lost))


def test_a_venue_of_nobody_has_no_accounts(plain: Venue, tmp_path: Path) -> None:
    plain.write(tmp_path)
    for name in ("positions", "balances"):
        own = pq.read_table(tmp_path / f"{name}.parquet")
        empty = own.set_column(0, "account", pa.array([""] * len(own)))
        pq.write_table(empty, tmp_path / f"{name}.parquet")
    report = mc.batch(tmp_path, market=market(plain), output=tmp_path / "out")
    assert report.accounts == 0
    assert report.quarantined == len(plain.positions) + len(plain.balances)
    with pytest.raises(InputError, match="no account"):
        mc.watch(tmp_path, market=market(plain))


@pytest.mark.parametrize("make", [plainly, coded])
@pytest.mark.parametrize("name", ["positions", "balances"])
def test_an_account_without_a_name_is_none(
    plain: Venue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Any, name: str
) -> None:
    """Wherever it is: among others, watched, and grouped."""
    plain.write(tmp_path / "in")
    path, at = tmp_path / "in" / f"{name}.parquet", 12
    table = pq.read_table(path)
    names = [own.encode() for own in table["account"].to_pylist()]
    names[at] = b""
    pq.write_table(table.set_column(0, "account", make(names)), path)
    monkeypatch.setattr(partition, "ROWS", 20)
    mc.partition(tmp_path / "in", output=tmp_path / "grouped")
    left: Any = [row for n, row in enumerate(getattr(plain, name)) if n != at]
    run(plain._replace(**{name: left}), tmp_path / "b")
    for given in ("in", "grouped"):
        mc.batch(tmp_path / given, market=market(plain), output=tmp_path / "out" / given)
        (bad,) = bad_of(tmp_path / "out" / given)
        assert (bad["account"], bad["reason"]) == ("", "no account")
        assert rows(tmp_path / "out" / given) == rows(tmp_path / "b" / "out")
    with pytest.raises(InputError, match=rf"{name}.parquet row {at + 1}\n.*no account"):
        mc.watch(tmp_path / "in", market=market(plain))
