"""The benchmarks run, small, and compare what is the same: every peer's numbers are ours.

No time is asserted: a test machine is busy. `make bench` says how fast it is.
"""

import os
import platform
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

import margincalc as mc
from benchmarks import __main__ as command
from benchmarks import (
    accounts,
    batch,
    book,
    books,
    cascade,
    clock,
    engines,
    hedge,
    kernels,
    libmvec,
    liquidation,
    models,
    passage,
    peers,
    pricing,
    report,
    scaling,
    startup,
    watch,
)
from benchmarks import tables as text
from benchmarks.exact import exact_greeks, worst_error
from benchmarks.processes import FORBIDS_BYTECODE, SAMPLES, output, process, python
from margincalc.arrays import FloatArray
from margincalc.pricing import black
from margincalc.simulation.curves import halts

FEW = models.Sizes(3, 1, 4, 5, ("generic-portfolio", "reg-t"))
LITTLE = kernels.Sizes(2, 300, 60, 1)
HANDFUL = batch.Sizes(2, 60, (("derive-pm2", 20), ("reg-t", 5)), 5, (10, 20), 40, 2)
SMALL = [
    pytest.param(lambda: startup.tables(startup.Sizes(turns=1)), 4, id="startup"),
    pytest.param(lambda: pricing.tables(pricing.Sizes(2, 500, 20, 10, 5)), 1, id="pricing"),
    pytest.param(lambda: book.tables(book.Sizes(60, 1, 1)), 8, id="book"),
    pytest.param(lambda: scaling.tables(scaling.Sizes((2, 10, 60), 1)), 0, id="scaling"),
    pytest.param(lambda: models.tables(FEW), 0, id="models"),
    pytest.param(lambda: liquidation.tables(liquidation.Sizes(4, 101, 1)), 0, id="liquidation"),
    pytest.param(lambda: passage.tables(passage.Sizes(200, 4, (4, 8), 1)), 0, id="passage"),
    pytest.param(lambda: hedge.tables(hedge.Sizes(6, 20, 3, 1)), 0, id="hedge"),
    pytest.param(lambda: kernels.tables(LITTLE), 5, id="kernels"),
    pytest.param(lambda: batch.tables(HANDFUL), 1, id="batch"),
    pytest.param(lambda: watch.tables(watch.Sizes(20, 10, 40, 5)), 0, id="watch"),
    pytest.param(lambda: cascade.tables(cascade.Sizes(200, 11, 3, 50, 21, 20, 1)), 0, id="cascade"),
    pytest.param(lambda: engines.tables(engines.Sizes(1, 2, 1)), 0, id="engines"),
]


@pytest.mark.parametrize(("group", "targets"), SMALL)
def test_group_runs_and_every_row_fits_its_header(
    group: Callable[[], list[text.Table]], targets: int
) -> None:
    tables = group()
    assert sum(len(table.met) for table in tables) == targets
    for table in tables:
        assert table.rows
        assert {len(row) for row in table.rows} == {len(table.header)}
        assert all(cell for row in table.rows for cell in row)


@pytest.mark.parametrize(
    "greeks", [peers.numpy_greeks, peers.quantlib_greeks, peers.vollib_greeks, exact_greeks]
)
def test_price_and_greeks_of_each_peer_are_ours(
    greeks: Callable[[peers.Options], FloatArray],
) -> None:
    options = peers.realistic(200)
    np.testing.assert_allclose(greeks(options), pricing.our_greeks(options), rtol=1e-11)


def test_implied_volatility_of_the_peer_is_ours_and_gives_the_price_back() -> None:
    options = peers.out_of_the_money(peers.realistic(100))
    price = black.price(*options)
    ours = pricing.our_implied(options, price)
    np.testing.assert_allclose(ours, options.volatility, rtol=1e-12)
    np.testing.assert_allclose(peers.vollib_implied(options, price), ours, rtol=1e-12)


def test_tails_are_tails_and_ours_keep_their_digits() -> None:
    options = peers.tails(50)
    exact = exact_greeks(options)
    assert np.all(exact[0] < 1e-9 * options.forward)
    assert np.all(exact[0] > 0.0)
    assert max(map(worst_error, pricing.our_greeks(options), exact)) < 1e-12


@pytest.mark.parametrize("peer", [kernels.by_scipy, kernels.by_polars, kernels.by_duckdb])
def test_the_worst_scenario_of_each_peer_is_ours(peer: Callable[..., Callable[[], object]]) -> None:
    held = kernels.holdings(LITTLE)
    worst = kernels.ours(held)()
    np.testing.assert_allclose(np.asarray(peer(held)()), worst, rtol=1e-12)
    assert np.array_equal(kernels.ours(held, 1)(), worst)


def test_the_c_loop_is_ours(tmp_path: Path) -> None:
    options = peers.realistic(500)
    loop = libmvec.compiled(tmp_path)
    if loop is None:
        pytest.skip("no C compiler")
    ours = kernels.compiled_greeks(options)
    np.testing.assert_allclose(loop(options), ours, rtol=1e-9, atol=1e-10)


def test_lost_figure_is_a_whole_error() -> None:
    assert worst_error(np.array([1.0, 0.0]), np.array([1.0, 1e-200])) == 1.0


def test_book_is_always_the_same_and_holds_what_is_asked_for(tmp_path: Path) -> None:
    written = books.book(301, 2)
    assert written == books.book(301, 2)
    names = [line["instrument"] for line in written["positions"]]
    assert len(set(names)) == 301
    as_yaml, as_json = books.write(tmp_path, written)
    assert yaml.safe_load(as_yaml.read_text("utf-8")) == written
    margins = [mc.margin(mc.load(path)).maintenance_margin for path in (as_yaml, as_json)]
    assert margins[0] == margins[1] > 0.0


def test_scenarios_are_as_many_as_stated(tmp_path: Path) -> None:
    (path,) = books.write(tmp_path, books.book(5), ("json",))
    lines = mc.scenarios(mc.load(path), settings=books.SETTINGS).lines
    assert len(lines) == books.SCENARIOS == 50


@pytest.mark.parametrize("model", accounts.EXPRESSED)
def test_exchange_has_the_accounts_that_are_asked_for(model: str) -> None:
    whole = models.exchange(model, 3)
    assert np.bincount(whole.pool).tolist() == [models.HELD + 1] * 3
    assert len(set(zip(whole.pool.tolist(), whole.instrument.tolist(), strict=True))) == 33
    result = models.single(model, 4).model.margin(whole)
    assert np.all(result.maintenance > 0.0)


def test_smallest_sample_is_smallest() -> None:
    chosen = book.smallest_sample()
    portfolios = [
        path for path in SAMPLES.glob("*.yaml") if "positions:" in path.read_text("utf-8")
    ]
    assert chosen in portfolios
    assert all(chosen.stat().st_size <= path.stat().st_size for path in portfolios)


def test_report_that_lacks_something_is_not_timed() -> None:
    bare = '{"positions": [], "liquidation": {"BTC": {"below": null, "above": null}}}'
    with pytest.raises(RuntimeError, match="lacks"):
        book.check_complete(bare, 0, 1)
    with pytest.raises(RuntimeError, match="lacks"):
        book.check_complete(bare.replace("null", "1.0"), 1, 1)
    book.check_complete(bare.replace("null", "1.0"), 0, 1)


def test_works_take_turns() -> None:
    order = ""

    def named(name: str) -> clock.Costed:
        def run() -> None:
            nonlocal order
            order += name

        return clock.in_process(run)

    costs = clock.in_turns([named("a"), named("b")], 3)
    assert order == "abababab"  # the first of each is not measured
    assert [len(cost) for cost in costs] == [3, 3]


def test_ratio_is_of_medians_and_range_of_turns() -> None:
    assert clock.ratio([3.0, 1.0, 2.0], [1.0, 1.0, 4.0]) == (2.0, 0.5, 3.0)


def test_missed_target_is_said() -> None:
    rows = [
        text.Comparison("slow", [2.0], [1.0], "peer", 1.3),
        text.Comparison("fast", [1.0], [1.0], "peer", 1.3),
        text.Comparison("per unit", [4.0], [1.0], "peer", None, (8, 1)),
    ]
    table = text.compared("Title", "How.", rows)
    assert table.met == (False, True)
    assert [row[-1] for row in table.rows] == ["NO", "yes", "-"]
    assert [row[3] for row in table.rows] == ["2.00", "1.00", "0.500"]
    assert "Targets met: 1 of 2." in report.page({"slow": report.section([table])})


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (12.345, "12.3 s"),
        (0.25, "250 ms"),
        (7.4e-8, "74.0 ns"),
        (5e-6, "5.00 µs"),
        (99.96, "100 s"),
    ],
)
def test_duration_has_three_digits(seconds: float, written: str) -> None:
    assert text.duration(seconds) == written


def test_children_may_keep_their_byte_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FORBIDS_BYTECODE, "1")
    assert output(python("import sys; print(sys.dont_write_bytecode)")).strip() == "False"


def test_command_that_fails_is_not_timed() -> None:
    with pytest.raises(RuntimeError, match="no such luck"):
        process(python("import sys; sys.exit('no such luck')"))


def test_cost_of_a_process_is_its_own() -> None:
    cost = process(python("sum(range(10**6))"))()
    assert cost.cpu > 0.0
    assert cost.wall > 0.0


def one_row(what: str, ours: float) -> Callable[[], list[text.Table]]:
    row = text.Comparison(what, [ours], [1.0], "peer", 1.3)
    return lambda: [text.compared(what, "How.", [row])]


def test_group_replaces_itself_in_the_page_and_leaves_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "RESULTS.md"
    monkeypatch.setattr(command, "GROUPS", {"one": one_row("A", 1.0), "two": one_row("B", 2.0)})
    assert command.main([], path) == 0
    before = report.sections(path.read_text("utf-8"))
    assert list(before) == ["one", "two"]
    monkeypatch.setattr(command, "GROUPS", {"one": one_row("A", 1.2), "two": one_row("B", 1.1)})
    assert command.main(["--dry", "two"], path) == 0
    assert report.sections(path.read_text("utf-8")) == before
    assert command.main(["two"], path) == 0
    page = path.read_text("utf-8")
    assert report.sections(page)["one"] == before["one"]
    assert "| 1.10 " in report.sections(page)["two"]
    assert "2.00" not in page
    assert "Targets met: 2 of 2." in page
    assert os.listdir(tmp_path) == ["RESULTS.md"]


def test_group_that_is_no_more_leaves_the_page(tmp_path: Path) -> None:
    path = tmp_path / "RESULTS.md"
    report.replace({"old": "old\n", "two": "2\n"}, ["old", "two"], path)
    report.replace({"one": "1\n"}, ["one", "two"], path)
    assert report.sections(path.read_text("utf-8")) == {"one": "1\n", "two": "2\n"}


def test_page_of_results_has_every_group_once() -> None:
    page = report.RESULTS.read_text("utf-8")
    assert report.page(report.sections(page)) == page
    assert set(report.sections(page)) <= set(command.GROUPS)


def test_machine_has_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    own = platform.uname()._replace(node="a-name")  # a machine's may be `Linux`
    monkeypatch.setattr(platform, "uname", lambda: own)
    assert platform.node() == "a-name"
    assert "a-name" not in report.machine()


def test_machine_has_the_packages_of_a_group() -> None:
    assert set(command.EXTRAS) <= set(command.GROUPS)
    assert "numba" not in report.machine()
    for extras in command.EXTRAS.values():
        assert all(f", {name} " in report.machine(extras) for name in extras)


def test_processor_time_stands_beside_wall_time_per_unit() -> None:
    ours, peer = [clock.Cost(2.0, 6.0)], [clock.Cost(1.0, 0.5)]
    row = text.Spent("A", ours, peer, "peer", 1.0, (2, 10))
    assert row.cells()[:6] == ("A", "1.00 s", "3.00 s", "100 ms peer", "50.0 ms", "10.0")
    table = text.spent("A", "How.", [row])
    assert table.met == (False,)
    assert {len(cells) for cells in table.rows} == {len(table.header)}


def test_unknown_group_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["weather"]) == 2
    assert "startup, pricing, book, scaling, models" in capsys.readouterr().err


def test_cascades_end_where_the_plain_ones_do() -> None:
    shocks = np.linspace(99.0, 60.0, 12)
    held = cascade.accounts(300)
    assert cascade.sorted_search(held, shocks).price == pytest.approx(
        cascade.round_by_round(held, shocks), rel=1e-12
    )
    way = cascade.option_walk(80, 31)
    assert halts(way, shocks, lambda sold: 0.3 * sold).stop.tolist() == (
        cascade.step_by_step(way, shocks)
    )
