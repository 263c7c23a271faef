"""Accounts that are followed together say what each says that is followed alone."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

import margincalc as mc
from benchmarks.accounts import EXPRESSED
from margincalc.errors import InputError
from margincalc.portfolio import Portfolio
from margincalc.pricer import PricerName
from tests.batch.venues import Venue, venue
from tests.cli import SAMPLES
from tests.cli.conftest import Run, run
from tests.feed.following import follow

__all__ = ["run"]
Event = dict[str, Any]
MOVES = (1.0, 0.93, 0.8, 1.1, 1.4)


def ticks(made: Venue) -> list[bytes]:
    """Move every underlying up and down, one at a time."""
    lines = []
    for move in MOVES:
        for name, own in made.market["market"].items():
            lines.append(json.dumps({"underlying": name, "spot": move * own["spot"]}).encode())
    return lines


def statuses(session: Any, lines: list[bytes]) -> dict[str, list[Event]]:
    """Return the changes of status of each account."""
    found: dict[str, list[Event]] = {}
    for event in session.events(lines):
        if event["event"] == "status":
            found.setdefault(event["account"], []).append(event)
    return found


def of_one(event: Event, held: set[str]) -> Event:
    """Leave out underlyings that the account does not hold, and where a pool is named."""
    own = {name: price for name, price in event["liquidation"].items() if name in held}
    return {**event, "liquidation": own, "pool": None}


@pytest.mark.parametrize("mode", ["portfolio", "isolated"])
def test_each_account_is_followed_as_if_it_were_alone(mode: Any, tmp_path: Path) -> None:
    made = venue("generic-portfolio", 10, range(2, 6))
    positions, balances = made.write(tmp_path)
    rules = {"mode": mode, "latency": False, "model": "generic-portfolio"}
    market = Portfolio.model_validate(made.market)
    together = mc.watch(positions, market=market, balances=balances, **rules)
    found = statuses(together, ticks(made))
    assert len(found) > 3
    failed = False
    for account in {row["account"] for row in made.positions}:
        alone = mc.watch(made.portfolio(account), **rules)
        known = set(alone.desk.book.names.underlyings)
        wanted = statuses(alone, ticks(made)).get(account, [])
        assert [of_one(each, known) for each in found.get(account, [])] == [
            of_one(each, known) for each in wanted
        ]
        failed |= alone.failed
    assert together.failed == failed


@pytest.mark.parametrize("pricer", ["numpy", "compiled"])
@pytest.mark.parametrize("model", ["generic-portfolio", "deribit-pm", "derive-pm2", "reg-t"])
def test_many_accounts_are_followed_to_the_last_bit(
    model: str, pricer: PricerName, tmp_path: Path
) -> None:
    made = venue(model, 60, range(1, 6))
    positions, balances = made.write(tmp_path)
    market, own = Portfolio.model_validate(made.market), EXPRESSED[model].settings
    given: Any = {"market": market, "balances": balances, "model": model, "settings": own}
    session = mc.watch(positions, **given, pricer=pricer)
    assert session.desk.book.pools == 60
    assert follow(Random(model), session.desk, 20) > 10


def test_books_of_many_parts_are_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from margincalc.batch import parts

    made = venue("generic-portfolio", 12, range(2, 6))
    positions, balances = made.write(tmp_path, group=5)
    given: Any = {"market": Portfolio.model_validate(made.market), "balances": balances}
    whole = mc.watch(positions, **given, latency=False)
    monkeypatch.setattr(parts, "ROWS", 7)
    cut = mc.watch(positions, **given, latency=False)
    assert cut.desk.book.pools == 12
    assert list(cut.events(ticks(made))) == list(whole.events(ticks(made)))


def test_a_bad_row_is_refused(tmp_path: Path) -> None:
    made = venue("generic-portfolio", 4, [2])
    made.positions[3]["quantity"] = 0.0
    positions, _ = made.write(tmp_path)
    market = Portfolio.model_validate(made.market)
    with pytest.raises(InputError, match=r"row 4\n.*a quantity of 0(.|\n)*would be wrong"):
        mc.watch(positions, market=market)


def test_the_exit_status_is_that_of_the_worst(run: Run, tmp_path: Path) -> None:
    lines = tmp_path / "ticks"
    lines.write_text('{"underlying": "BTC", "spot": 100500}\n')
    done = run("watch", str(SAMPLES / "venue"), "--ticks", str(lines), "--no-latency")
    said = [json.loads(line) for line in done.out.splitlines()]
    assert (done.status, done.err) == (1, "")
    assert said[0]["account"] == "venue"
    assert said[-1]["event"] == "end"
    assert (said[-1]["failed"], said[-1]["status"]) == (True, "liquidatable")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("btc_short_strangle.yaml", "--balances", "x.parquet"), "--balances goes with a Parquet"),
        (("venue/positions.parquet",), "--market"),
        (("venue", "--spot", "+5%"), "changes of many accounts"),
    ],
)
def test_what_does_not_go_together(run: Run, arguments: tuple[str, ...], message: str) -> None:
    name, *more = arguments
    done = run("watch", str(SAMPLES / name), "--ticks", "/dev/null", *more)
    assert done.status == 2
    assert message in done.err
