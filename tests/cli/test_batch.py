"""`batch --partition` takes what it uses, and refuses the rest instead of passing over it."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run

VENUE = "sample_portfolios/venue"


@pytest.mark.parametrize(
    "more",
    [
        ["--strict"],
        ["--resume"],
        ["--workers", "1"],
        ["--engine", "local"],
        ["--scheduler", "tcp://h:1"],
        ["--liquidation", "BTC"],
        ["--instruments", "x.parquet"],
        ["--market", "m.yaml"],
        ["--as-of", "2026-11-20T08:00:00Z"],
        ["--mode", "cross"],
        ["--model", "reg-t"],
        ["--set", "factors.initial=1.3"],
        ["--effective", "2026-11-01"],
        ["--pricer", "numpy"],
        ["--format", "json"],
    ],
)
def test_partition_refuses_what_it_does_not_use(run: Run, tmp_path: Path, more: list[str]) -> None:
    output = tmp_path / "out"
    done = run("batch", VENUE, "--partition", "-o", str(output), *more)
    assert done.status == 2
    assert f"{more[0]} is of a run" in done.err
    assert not output.exists()


def test_partition_takes_balances(run: Run, tmp_path: Path) -> None:
    balances = f"{VENUE}/balances.parquet"
    given = ("--balances", balances, "--partition", "-o", str(tmp_path / "out"))
    done = run("batch", f"{VENUE}/positions.parquet", *given)
    assert (done.status, done.err) == (0, "")
    assert "rows are grouped by account" in done.out
    assert {each.name for each in (tmp_path / "out").iterdir()} == {"positions", "balances"}
