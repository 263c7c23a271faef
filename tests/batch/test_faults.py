"""What is wrong in the input is said, set aside or refused; nothing is lost."""

import datetime as dt
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import margincalc as mc
from benchmarks.accounts import EXPRESSED
from margincalc.batch import parts
from margincalc.errors import InputError
from margincalc.margin.base import MarginResult
from margincalc.margin.load import load_model
from margincalc.portfolio import Portfolio
from tests.batch.venues import Row, Venue, files, rows, run, venue

GENERIC = "generic-portfolio"
PROVE = bool(os.environ.get("MARGINCALC_PROVE"))


@pytest.fixture(scope="module")
def plain() -> Venue:
    return venue(GENERIC, 30, range(2, 5))


def quarantined(folder: Path) -> list[Row]:
    found: list[Row] = pq.read_table(folder / "quarantine").to_pylist()
    return found


def with_row(made: Venue, at: int, **changes: Any) -> Venue:
    """Change one row of the positions."""
    positions = [
        row | changes if number == at else row for number, row in enumerate(made.positions)
    ]
    return made._replace(positions=positions)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"instrument": "BTC-25DEC26-1-X"}, "the unknown instrument 'BTC-25DEC26-1-X'"),
        ({"instrument": "BTC-25DEC20-100000-C"}, "expired"),
        ({"instrument": None}, "no instrument"),
        ({"account": None}, "no account"),
        ({"quantity": None}, "a quantity that is no number"),
        ({"quantity": float("nan")}, "a quantity that is no number"),
        ({"quantity": 1e16}, "a quantity that is no number"),
        ({"quantity": 0.0}, "a quantity of 0"),
        ({"entry_price": -1.0}, "an entry_price that is no price"),
        ({"entry_price": float("inf")}, "an entry_price that is no price"),
    ],
)
def test_a_bad_row_is_set_aside_with_its_reason(
    plain: Venue, tmp_path: Path, changes: Row, reason: str
) -> None:
    at = 41
    report = run(with_row(plain, at, **changes), tmp_path)
    (bad,) = quarantined(tmp_path / "out")
    assert bad["row"] == at + 1
    assert bad["file"] == str(tmp_path / "positions.parquet")
    assert reason in bad["reason"]
    assert (report.quarantined, report.accounts) == (1, 30)
    found, account = rows(tmp_path / "out"), plain.positions[at]["account"]
    counted = {name: row["quarantined"] for name, row in found.items() if row["quarantined"]}
    assert counted == ({} if "account" in changes else {account: 1})
    lacking = {found[name]["status"]: 1 for name in counted}
    assert {status: count for status, count in report.incomplete.items() if count} == lacking
    assert ("INCOMPLETE: 1 of" in repr(report)) == bool(counted)
    run(
        plain._replace(positions=[*plain.positions[:at], *plain.positions[at + 1 :]]),
        tmp_path / "b",
    )
    without = rows(tmp_path / "b" / "out")
    assert {n: r | {"quarantined": 0} for n, r in found.items()} == without


def test_bad_rows_of_groups_with_dictionaries_of_their_own(plain: Venue, tmp_path: Path) -> None:
    last = len(plain.positions) - 1
    made = with_row(with_row(plain, 0, instrument="FIRST"), last, instrument="LAST")
    positions, balances = made.write(tmp_path)
    names = pq.read_table(positions)["instrument"]
    parted = [names.slice(0, 20).combine_chunks(), names.slice(20).combine_chunks()]
    held = pq.read_table(positions).set_column(
        1, "instrument", pa.chunked_array([own.dictionary_encode() for own in parted])
    )
    pq.write_table(held, positions, row_group_size=20)
    mc.batch(positions, balances=balances, market=_market(plain), output=tmp_path / "out")
    found = [(bad["row"], bad["name"], bad["file"]) for bad in quarantined(tmp_path / "out")]
    assert found == [(1, "FIRST", str(positions)), (last + 1, "LAST", str(positions))]


def test_a_bad_balance_is_set_aside(plain: Venue, tmp_path: Path) -> None:
    balances = [
        *plain.balances,
        {"account": plain.balances[-1]["account"], "asset": "GOLD", "amount": 1.0},
    ]
    report = run(plain._replace(balances=balances), tmp_path)
    (bad,) = quarantined(tmp_path / "out")
    assert (bad["row"], bad["name"], report.quarantined) == (len(balances), "GOLD", 1)
    assert "without a price" in bad["reason"]


def test_a_strict_run_stops_at_a_bad_row_and_names_it(plain: Venue, tmp_path: Path) -> None:
    made = with_row(plain, 60, instrument="NOTHING")
    with pytest.raises(InputError, match=r"positions.parquet row 61\n.*'NOTHING'; wanted [^;]*\n"):
        run(made, tmp_path, strict=True)


def test_an_unknown_instrument_far_down_is_named_by_its_row(plain: Venue, tmp_path: Path) -> None:
    count, at = (8_000_000, 7_654_321) if PROVE else (300_000, 265_432)
    account = np.arange(count) // 10
    names = pa.array(["BTC-25DEC26-100000-C", "NOTHING"])
    code = np.zeros(count, np.int8)
    code[at - 1] = 1
    table = pa.table(
        {
            "account": account,
            "instrument": pa.DictionaryArray.from_arrays(code, names),
            "quantity": np.ones(count),
        }
    )
    pq.write_table(table, tmp_path / "many.parquet", row_group_size=10_007)
    report = mc.batch(
        tmp_path / "many.parquet", market=_market(plain), output=tmp_path / "out", mode="cross"
    )
    (bad,) = quarantined(tmp_path / "out")
    assert (bad["row"], bad["account"]) == (at, str((at - 1) // 10))
    assert (report.accounts, report.positions) == (count // 10, count - 1)
    with pytest.raises(InputError, match=rf"many.parquet row {at:,}\n.*'NOTHING'"):
        mc.batch(
            tmp_path / "many.parquet",
            market=_market(plain),
            output=tmp_path / "strict",
            strict=True,
        )


def _market(made: Venue) -> Any:
    from margincalc.portfolio import Portfolio

    return Portfolio.model_validate(made.market)


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("quantity", ["1"], r"column quantity\n.*the type string; wanted numbers"),
        ("instrument", [1.5], r"column instrument\n.*the type double; wanted names"),
        ("account", [1.5], r"column account\n.*the type double; wanted names or whole numbers"),
    ],
)
def test_a_column_of_another_type(
    plain: Venue, tmp_path: Path, column: str, values: list[Any], message: str
) -> None:
    positions, balances = plain.write(tmp_path)
    table = pq.read_table(positions)
    at = table.column_names.index(column)
    wrong = pa.array(values * table.num_rows)
    pq.write_table(table.set_column(at, column, wrong), positions)
    with pytest.raises(InputError, match=message):
        mc.batch(positions, balances=balances, market=_market(plain), output=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_missing_column(plain: Venue, tmp_path: Path) -> None:
    positions, _ = plain.write(tmp_path)
    pq.write_table(
        pq.read_table(positions).rename_columns(["account", "symbol", "quantity", "e"]), positions
    )
    with pytest.raises(InputError, match=r"no column instrument; wanted columns account, inst"):
        mc.batch(positions, market=_market(plain), output=tmp_path / "out")


@pytest.mark.parametrize("cut", [0.5, 0.02])
def test_a_file_that_is_cut_short(plain: Venue, tmp_path: Path, cut: float) -> None:
    positions, _ = plain.write(tmp_path)
    content = positions.read_bytes()
    positions.write_bytes(content[: int(len(content) * cut)])
    with pytest.raises(InputError, match=r"positions.parquet\n.*no complete Parquet file"):
        mc.batch(positions, market=_market(plain), output=tmp_path / "out")


def test_a_damaged_page(plain: Venue, tmp_path: Path) -> None:
    positions, _ = plain.write(tmp_path)
    content = bytearray(positions.read_bytes())
    content[4:400] = b"\xff" * 396
    positions.write_bytes(bytes(content))
    with pytest.raises(InputError, match="no complete Parquet file"):
        mc.batch(positions, market=_market(plain), output=tmp_path / "out")


def test_an_account_that_reappears_is_refused_with_the_way_out(
    plain: Venue, tmp_path: Path
) -> None:
    account = plain.positions[0]["account"]
    made = plain._replace(positions=[*plain.positions, plain.positions[0]])
    last = f"account '{account}' again in row {len(made.positions)}, .* begins in row 1;"
    with pytest.raises(InputError, match=rf"{last}.*\n.*--partition"):
        run(made, tmp_path)
    positions, balances = made.write(tmp_path)
    assert mc.partition(positions, balances=balances, output=tmp_path / "grouped") == len(
        made.positions
    ) + len(made.balances)
    mc.batch(tmp_path / "grouped", market=_market(plain), output=tmp_path / "out2")
    twice = with_row(plain, 0, quantity=2.0 * plain.positions[0]["quantity"])
    run(twice, tmp_path / "b")
    found, wanted = rows(tmp_path / "out2"), rows(tmp_path / "b" / "out")
    wanted[account]["positions"] += 1
    assert found == wanted


def test_an_account_in_two_files_is_refused(plain: Venue, tmp_path: Path) -> None:
    plain.write(tmp_path / "in")
    (tmp_path / "in" / "balances.parquet").unlink()
    table = pq.read_table(tmp_path / "in" / "positions.parquet")
    pq.write_table(table.slice(0, 31), tmp_path / "in" / "positions.parquet")
    pq.write_table(table.slice(31), tmp_path / "in" / "q.parquet")
    (tmp_path / "in" / "positions.parquet").rename(tmp_path / "in" / "p.parquet")
    with pytest.raises(InputError, match=r"q.parquet\n.* again in row 1, .* in .*p.parquet row \d"):
        mc.batch(tmp_path / "in", market=_market(plain), output=tmp_path / "out")


# Order and pieces


def shuffled(made: Venue, seed: int) -> Venue:
    """Put accounts into another order, those of the balances into yet another."""
    rng = np.random.default_rng(seed)
    accounts = list(dict.fromkeys(row["account"] for row in made.positions))

    def ordered(those: list[Row]) -> list[Row]:
        place = dict(zip(accounts, rng.permutation(len(accounts)).tolist(), strict=True))
        return sorted(those, key=lambda row: place[row["account"]])

    return made._replace(positions=ordered(made.positions), balances=ordered(made.balances))


@pytest.mark.parametrize("size", [1, 20, 1 << 20] if PROVE else [20, 1 << 20])
@pytest.mark.parametrize("seed", [None, 1])
def test_neither_order_nor_pieces_change_a_row(
    plain: Venue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, seed: int | None
) -> None:
    wanted = _wanted(plain, tmp_path)
    monkeypatch.setattr(parts, "ROWS", size)
    made = plain if seed is None else shuffled(plain, seed)
    positions, balances = made.write(tmp_path / "in", group=3)
    report = mc.batch(
        positions, balances=balances, market=_market(made), output=tmp_path / "pieces"
    )
    assert rows(tmp_path / "pieces") == wanted
    assert (report.accounts, report.parts > 1) == (30, size < 100)


def _wanted(made: Venue, folder: Path) -> Any:
    run(made, folder / "whole")
    return rows(folder / "whole" / "out")


@pytest.mark.parametrize("seed", [None, 2])
def test_an_account_with_balances_alone_has_a_row(
    plain: Venue, tmp_path: Path, seed: int | None
) -> None:
    alone: list[Row] = [
        {"account": name, "asset": "USD", "amount": 100.0} for name in ("account 10x", "zzz")
    ]
    order = [row["account"] for row in plain.positions]
    if seed is None:  # ascending
        made = plain._replace(
            positions=sorted(plain.positions, key=lambda row: row["account"]),
            balances=sorted([*plain.balances, *alone], key=lambda row: row["account"]),
        )
        assert order != [row["account"] for row in made.positions]
    else:
        made = plain._replace(balances=[*alone, *plain.balances])
    report = run(made, tmp_path)
    found = rows(tmp_path / "out")
    assert report.accounts == 32
    for each in alone:
        row = found[each["account"]]
        assert (row["equity"], row["status"], row["positions"]) == (100.0, "healthy", 0)


def test_accounts_may_be_whole_numbers(plain: Venue, tmp_path: Path) -> None:
    number = {
        name: 7 + n for n, name in enumerate(dict.fromkeys(r["account"] for r in plain.positions))
    }
    positions = [row | {"account": number[row["account"]]} for row in plain.positions]
    balances = [row | {"account": number[row["account"]]} for row in plain.balances]
    run(plain._replace(positions=positions, balances=balances), tmp_path)
    found, wanted = rows(tmp_path / "out"), _wanted(plain, tmp_path)
    assert {name: found[n] | {"account": name} for name, n in number.items()} == wanted


def test_a_model_that_refuses_an_account_sets_it_aside(tmp_path: Path) -> None:
    made = venue("derive-pm2", 20, [3])
    debtor = made.positions[0]["account"]
    owed = {"account": debtor, "asset": "BTC", "amount": -1.0}
    report = run(made._replace(balances=[*made.balances, owed]), tmp_path, "derive-pm2")
    (bad,) = quarantined(tmp_path / "out")
    assert bad["account"] == debtor
    assert "it lends no coin" in bad["reason"]
    assert debtor not in rows(tmp_path / "out")
    assert report.accounts == 19


def test_an_instrument_that_a_model_has_no_rules_for_is_set_aside(tmp_path: Path) -> None:
    made = venue("derive-pm2", 10, [3])
    made.positions[4]["instrument"] = "BTC-25DEC26"
    run(made, tmp_path, "derive-pm2")
    (bad,) = quarantined(tmp_path / "out")
    assert "it has no rules for futures" in bad["reason"]


# What was asked for


def test_what_a_model_leaves_out_of_books_is_said_once(tmp_path: Path) -> None:
    made = venue("okx-pm", 6, range(2, 5))
    report = run(made, tmp_path / "given", "okx-pm")
    assert sum("closing options" in note for note in report.notes) == 1
    assert sum("`margincalc models show` prints them" in note for note in report.notes) == 1
    at = {"venues": {"okx": {"model": "okx-pm"}}}
    positions = [row | {"venue": "okx"} for row in made.positions]
    over = Venue(made.market | at, positions, made.balances)
    settings = EXPRESSED["okx-pm"].settings
    report = run(over, tmp_path / "venues", settings=settings)
    assert sum("closing options" in note for note in report.notes) == 1


def test_why_instruments_are_set_aside_is_said(tmp_path: Path) -> None:
    made = venue("okx-pm", 6, range(2, 5))
    report = run(made, tmp_path, "okx-pm", settings=())
    options = {
        row["instrument"] for row in made.positions if row["instrument"][-2:] in ("-C", "-P")
    }
    (said,) = (note for note in report.notes if "rates.moves" in note)
    assert said.startswith(f"set aside, {len(options)} of the instruments: okx-pm: options")
    assert report.quarantined > 0


def test_instruments_and_quotes_may_come_as_parquet(plain: Venue, tmp_path: Path) -> None:
    quotes = plain.market["quotes"]
    listed = [{"instrument": name, "volatility": own["volatility"]} for name, own in quotes.items()]
    pq.write_table(pa.Table.from_pylist(listed), tmp_path / "listed.parquet")
    bare = plain._replace(market={k: v for k, v in plain.market.items() if k != "quotes"})
    run(bare, tmp_path / "a", instruments=tmp_path / "listed.parquet")
    assert rows(tmp_path / "a" / "out") == _wanted(plain, tmp_path)


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        (
            {"liquidation": ["BTCC"]},
            r"--liquidation\n.*wanted an underlying.*\n.*did you mean `BTC`",
        ),
        ({"model": "none"}, "none"),
        ({"as_of": None, "balances": "nowhere.parquet"}, "--balances"),
    ],
)
def test_wrong_wishes(plain: Venue, tmp_path: Path, wishes: Row, message: str) -> None:
    with pytest.raises(InputError, match=message):
        run(plain, tmp_path, **wishes)
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_not_there_is_said_before_its_market(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="which is not there"):
        mc.batch(tmp_path / "nowhere.parquet", output=tmp_path / "out")


def test_results_are_never_overwritten(plain: Venue, tmp_path: Path) -> None:
    run(plain, tmp_path)
    before = files(tmp_path / "out")
    with pytest.raises(InputError, match=r"which is not empty.*\n.*--resume"):
        run(plain, tmp_path)
    with pytest.raises(InputError, match="the results of other files, rules or market"):
        run(plain, tmp_path, resume=True, mode="cross")
    assert files(tmp_path / "out") == before
    run(plain, tmp_path, resume=True)
    assert files(tmp_path / "out") == before


def test_a_venue_without_positions_has_its_balances(plain: Venue, tmp_path: Path) -> None:
    whole = run(plain, tmp_path / "whole")
    positions, balances = plain.write(tmp_path)
    pq.write_table(pq.read_table(positions).slice(0, 0), positions)
    report = mc.batch(
        positions,
        balances=balances,
        market=Portfolio.model_validate(plain.market),
        output=tmp_path / "out",
    )
    assert (report.accounts, report.positions) == (whole.accounts, 0)
    owned = {row["account"]: row["amount"] for row in plain.balances}
    assert {name: row["equity"] for name, row in rows(tmp_path / "out").items()} == owned


def test_two_columns_of_one_name_are_refused(plain: Venue, tmp_path: Path) -> None:
    positions, _ = plain.write(tmp_path)
    table = pq.read_table(positions)
    pq.write_table(table.append_column("account", table.column("account")), positions)
    with pytest.raises(InputError, match="several columns account"):
        mc.partition(positions, output=tmp_path / "out")


def test_accounts_of_more_than_63_bits_are_refused(plain: Venue, tmp_path: Path) -> None:
    positions, _ = plain.write(tmp_path)
    table = pq.read_table(positions)
    number = pa.array(np.full(table.num_rows, 1 << 63, np.uint64))
    pq.write_table(table.set_column(0, "account", number), positions)
    market = Portfolio.model_validate(plain.market)
    with pytest.raises(InputError, match=r"positions.parquet, column account(.|\n)*whole numbers"):
        mc.batch(positions, market=market, output=tmp_path / "out")


def test_a_scheduler_without_a_cluster_is_refused(plain: Venue, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--engine dask"):
        run(plain, tmp_path, scheduler="tcp://127.0.0.1:1")


def test_an_account_of_no_number_is_set_aside(
    plain: Venue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(plain, tmp_path / "whole")
    others = rows(tmp_path / "whole" / "out")
    wrong, row = others.popitem()
    model = type(load_model(GENERIC, dt.date(2026, 11, 20)).model)
    margin = model.margin

    def lost(self: Any, book: Any) -> MarginResult:
        result: MarginResult = margin(self, book)
        equity = np.where(result.equity == row["equity"], np.nan, result.equity)
        return result._replace(equity=equity)

    monkeypatch.setattr(model, "margin", lost)
    report = run(plain, tmp_path / "lost")
    assert rows(tmp_path / "lost" / "out") == others
    (bad,) = quarantined(tmp_path / "lost" / "out")
    assert (bad["account"], report.accounts) == (str(wrong), len(others))
    assert bad["reason"].startswith(f"{GENERIC}: equity or a margin came out as no finite number")
