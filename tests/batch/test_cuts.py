"""However row groups and parts cut a venue, each account is margined once, with all that it has."""

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import margincalc as mc
from margincalc.batch import aside, holdings, parts
from tests.batch.test_texts import market
from tests.batch.venues import Row, Venue, files, rows, run, venue

GROUP = 10


@pytest.fixture(scope="module")
def plain() -> Venue:
    return venue("generic-portfolio", 12, range(2, 5))


def lines(folder: Path, name: str = "accounts") -> list[Row]:
    found: list[Row] = pq.read_table(folder / name).to_pylist()
    return found


def held_by(made: Venue, accounts: Sequence[str | None]) -> Venue:
    """Give a row to each of these, one after the other."""
    drawn = [made.positions[n % len(made.positions)] for n in range(len(accounts))]
    positions = [row | {"account": name} for row, name in zip(drawn, accounts, strict=True)]
    owners = sorted({name for name in accounts if name}, reverse=True)
    balances = [made.balances[n] | {"account": name} for n, name in enumerate(owners)]
    return made._replace(positions=positions, balances=balances)


def test_accounts_of_several_row_groups_have_their_balances(
    plain: Venue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = held_by(plain, [name for name in "dbca" for _ in range(35)])
    made.write(tmp_path, group=GROUP)
    run(made, tmp_path / "whole")
    for size in range(1, 8):
        monkeypatch.setattr(parts, "ROWS", size * GROUP)
        output = tmp_path / f"out{size}"
        mc.batch(tmp_path, market=market(made), output=output)
        assert rows(output) == rows(tmp_path / "whole" / "out")


def test_a_row_of_nobody_that_begins_a_row_group_makes_no_account_twice(
    plain: Venue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = held_by(plain, ["a"] * 6 + [None, "b"])
    made.write(tmp_path, group=2)
    monkeypatch.setattr(parts, "ROWS", 4)
    report = mc.batch(tmp_path, market=market(made), output=tmp_path / "out")
    assert [row["account"] for row in lines(tmp_path / "out")] == ["a", "b"]
    assert (report.accounts, report.positions, report.quarantined) == (2, 7, 1)


@pytest.mark.parametrize("seed", range(8))
def test_any_cut(plain: Venue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Also by threads, when it goes on after a kill, and when it is grouped before."""
    rng = Random(seed)
    made = drawn(plain, rng)
    made.write(tmp_path / "in", group=rng.choice([1, 2, 3, 5]))
    good: dict[str, Any] = {
        name: [row for row in getattr(made, name) if row["account"]]
        for name in ("positions", "balances")
    }
    lost = [
        (number, row[column])
        for own, column in ((made.positions, "instrument"), (made.balances, "asset"))
        for number, row in enumerate(own, 1)
        if not row["account"]
    ]
    whole = made._replace(**good)
    run(whole, tmp_path / "whole")
    monkeypatch.setattr(parts, "ROWS", rng.choice([1, 3, 4, 10, 20, 1 << 20]))
    one, many = tmp_path / "one", tmp_path / "many"
    given: dict[str, Any] = {"market": market(made)}
    mc.batch(tmp_path / "in", output=one, workers=1, **given)
    mc.batch(tmp_path / "in", output=many, workers=3, **given)
    assert files(many) == files(one)
    for path in sorted(many.glob("*/*")):
        if rng.random() < 0.3:
            path.unlink()
    mc.batch(tmp_path / "in", output=many, resume=True, **given)
    assert files(many) == files(one)
    mc.partition(tmp_path / "in", output=tmp_path / "grouped")
    mc.batch(tmp_path / "grouped", output=tmp_path / "out", **given)
    for output in (one, tmp_path / "out"):
        assert len(lines(output)) == len(rows(output))
        assert rows(output) == rows(tmp_path / "whole" / "out")
        assert sorted(each["name"] for each in lines(output, "quarantine")) == sorted(
            name for _, name in lost
        )
    assert sorted((each["row"], each["name"]) for each in lines(one, "quarantine")) == sorted(lost)


def drawn(made: Venue, rng: Random) -> Venue:
    """Have accounts of many rows, in any order or ascending, with rows of nobody among them."""
    ascending = rng.random() < 0.5
    found: dict[str, Any] = {}
    for name in ("positions", "balances"):
        own = getattr(made, name)
        own = sorted(own, key=lambda row: str(row["account"])) if ascending else own
        found[name] = [row for each in own for row in _with_nobody(each, rng)]
    return made._replace(**found)


def _with_nobody(row: Row, rng: Random) -> list[Row]:
    lost = rng.choice([0, 0, 0, 1, 7]) * [row | {"account": rng.choice([None, ""])}]
    return lost + rng.choice([1, 1, 4]) * [row]


@pytest.mark.parametrize("other", [pa.dictionary(pa.int32(), pa.string()), pa.string_view()])
def test_files_of_balances_may_be_written_in_different_ways(
    plain: Venue, tmp_path: Path, other: Any
) -> None:
    plain.write(tmp_path)
    run(plain, tmp_path / "whole")
    path = tmp_path / "balances.parquet"
    table = pq.read_table(path)
    path.unlink()
    (tmp_path / "balances").mkdir()
    pq.write_table(table.slice(0, 7), tmp_path / "balances" / "0.parquet")
    later = table.slice(7)
    for at, name in enumerate(("account", "asset")):
        later = later.set_column(at, name, later.column(name).cast(other))
    pq.write_table(later, tmp_path / "balances" / "1.parquet")
    mc.batch(tmp_path, market=market(plain), output=tmp_path / "out")
    assert rows(tmp_path / "out") == rows(tmp_path / "whole" / "out")


def test_words_of_what_is_set_aside_are_there_once(
    plain: Venue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or Parquet writes memory that nobody wrote to, and other bytes each time."""
    made = held_by(plain, [None, "a", "a", "a", None, "a", "b", "b"])
    made.write(tmp_path, group=2)
    seen: list[Any] = []

    def spied(*given: Any) -> Any:
        seen.append(aside.rows_of(*given))
        return seen[-1]

    monkeypatch.setattr(holdings, "rows_of", spied)
    mc.batch(tmp_path, market=market(made), output=tmp_path / "out")
    (table,) = seen
    for name in ("file", "reason"):
        words = table.column(name).chunk(0).dictionary.to_pylist()
        assert len(words) == len(set(words))
