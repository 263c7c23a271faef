"""Tables: golden texts at two widths, and what holds of every table at any width."""

import re
from dataclasses import replace

import pytest

from margincalc.answers.liquidation_results import PoolLiquidation
from margincalc.answers.results import MarginReport
from margincalc.report import Screen, render
from tests.report import FOLDER, GOLDEN, NAMES, by_hand, drawn, golden, report

VERBATIM = {"model"}  # a file that is shown as it is


@pytest.mark.parametrize(("name", "width"), GOLDEN)
def test_golden(name: str, width: int) -> None:
    assert drawn(name, width) == golden(name, width).read_text("utf-8")


def test_no_golden_file_is_left_over() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {golden(*case).name for case in GOLDEN}


@pytest.mark.parametrize("width", [70, 80, 100, 120, 137, 200])
@pytest.mark.parametrize("name", sorted(set(NAMES) - VERBATIM))
def test_nothing_is_wider_than_the_screen(name: str, width: int) -> None:
    text = drawn(name, width)
    assert max(map(len, text.splitlines())) <= width
    assert text.isascii()
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


@pytest.mark.parametrize("name", NAMES)
def test_colour_adds_nothing_but_colour(name: str) -> None:
    plain = drawn(name, 80)
    coloured = render(report(name), "table", Screen(80, colour=True))
    assert re.sub("\033\\[[0-9;]*m", "", coloured) == plain
    words = re.findall("HEALTHY|RESTRICTED|LIQUIDATABLE", plain)
    assert coloured.count("\033[0m") == len(words)


def test_a_wide_screen_shows_more_of_each_position() -> None:
    assert "entry" not in drawn("strangle", 80)
    assert all(word in drawn("strangle", 200) for word in ("entry", "mark", "IV", "theta/day"))


def test_many_positions_are_the_largest_and_a_count() -> None:
    text = drawn("many", 80)
    assert text.count("BTC-25DEC26-") == 20
    assert "-9,990.00" in text
    assert "... and 980 more positions; --format csv has all 1,000" in text


def test_pools_stand_under_their_status_worst_first() -> None:
    text = drawn("isolated", 80)
    order = [text.index(f"\n{word}\n") for word in ("LIQUIDATABLE", "RESTRICTED", "HEALTHY")]
    assert order == sorted(order)
    assert text.index("broke") < text.index("BTC-25DEC26-90000-P")


def test_many_pools_are_those_in_most_danger_and_a_count() -> None:
    pools = by_hand.ISOLATED.pools * 3
    text = render(replace(by_hand.ISOLATED, pools=pools), "table")
    assert "... and 16 more pools; --format csv has all 36" in text
    assert text.count("broke") == 3
    assert "unallocated" not in text


def test_long_names_are_cut_in_their_middle_only_where_needed() -> None:
    name = "SOMETHING-WITH-A-NAME-OF-SIXTY-CHARACTERS-25DEC26-1234567-C"
    line = by_hand.STRANGLE.positions[0]._replace(instrument=name)
    report = replace(by_hand.STRANGLE, positions=(line,))
    assert name in render(report, "table", Screen(200))
    narrow = render(report, "table", Screen(60))
    assert name not in narrow
    assert re.search(r"SOMETHING-[A-Z-]*\.\.[A-Z0-9-]*-1234567-C", narrow)


def test_names_from_a_file_cannot_steer_the_terminal() -> None:
    line = by_hand.STRANGLE.positions[0]._replace(instrument="\033[2Jgone")
    report: MarginReport = replace(by_hand.STRANGLE, account="a\nb\033[31m", positions=(line,))
    text = render(report, "table")
    assert "\033" not in text
    assert "a\\nb\\x1b[31m" in text


def test_absolute_volatility_moves_are_points() -> None:
    assert "IV +50 points" in render(
        replace(by_hand.SCENARIOS, volatility_rule="absolute"), "table"
    )


def test_a_matrix_with_many_columns_continues_below() -> None:
    line = by_hand.SCENARIOS.lines[0]
    lines = tuple(replace(line, volatility=number / 10.0, worst=False) for number in range(12))
    text = render(replace(by_hand.SCENARIOS, lines=lines), "table")
    assert max(map(len, text.splitlines())) <= 80
    assert text.count("BTC spot") == 3
    assert all(f"IV +{number}0 %" in text for number in range(1, 12))


@pytest.mark.parametrize(
    ("ratio", "above", "text"),
    [
        (0.411, None, "HEALTHY  ratio 41.1 %  excess"),
        (0.411, 0.8, "HEALTHY  ratio 41.1 %, limit 80.0 %  excess"),
        (0.9, 0.8, "HEALTHY  ratio 90.0 %, above the limit of 80.0 %  excess"),
        (None, 0.8, "HEALTHY  ratio none, limit 80.0 %  excess"),
    ],
)
def test_check_is_one_line_where_there_is_room(
    ratio: float | None, above: float | None, text: str
) -> None:
    report = replace(by_hand.CHECK, margin_ratio=ratio, above=above)
    line, lines = (render(report, "table", Screen(width)) for width in (200, 80))
    assert line.startswith(text)
    assert (line.count("\n"), lines.count("\n")) == (1, 2)
    assert lines.split() == line.split()


@pytest.mark.parametrize("width", [40, 60, 80])
def test_verify_never_shortens_a_name(width: int) -> None:
    example = "an-example-with-a-name-of-more-than-sixty-characters-so-that-it-is-long"
    lines = tuple(line._replace(example=example) for line in by_hand.VERIFY.lines)
    text = render(replace(by_hand.VERIFY, lines=lines), "table", Screen(width))
    assert example in text
    assert "deribit-pm" in text


def test_verify_of_one_model_shows_every_figure() -> None:
    text = render(replace(by_hand.VERIFY, unproven=()), "table")
    assert [line.split()[0] for line in text.splitlines() if "1.0e-09" in line] == [
        "initial_margin",
        "components.scenario_loss",
        "initial_margin",
        "initial_margin",
    ]
    assert all(head in text for head in ("expected", "computed", "error", "tolerance"))


def test_prices_of_what_is_liquidatable_are_of_its_recovery() -> None:
    sentence = "liquidatable now: the prices are where it would be whole again"
    under = replace(by_hand.STRANGLE, status="liquidatable")
    assert sentence in render(under, "table")
    assert sentence not in render(by_hand.STRANGLE, "table")
    assert sentence not in render(replace(under, liquidation={}), "table")
    assert sentence in render(by_hand.ISOLATED, "table")
    assert sentence not in render(by_hand.VENUES, "table")


def test_model_table_is_again_a_model_file() -> None:
    import tomllib

    assert tomllib.loads(drawn("model", 80)) == tomllib.loads(by_hand.MODEL.text)


def test_of_who_is_liquidated_already_no_likely_end_is_said() -> None:
    def here(pool: PoolLiquidation) -> PoolLiquidation:
        frontiers = [
            each._replace(most_likely=each.most_likely and each.most_likely._replace(distance=0.0))
            for each in pool.frontiers
        ]
        return pool._replace(frontiers=tuple(frontiers))

    gone = tuple(map(here, by_hand.LIQUIDATION.pools))
    assert "Most likely" in render(by_hand.LIQUIDATION, "table")
    assert "Most likely" not in render(replace(by_hand.LIQUIDATION, pools=gone), "table")


def test_errors_of_what_was_summed_in_full_have_no_column() -> None:
    exact = [
        line._replace(share_low=line.share, share_high=line.share, shapley_error=0.0)
        for line in by_hand.EXPLAIN.positions
    ]
    wide = Screen(200)
    assert "+/-" in render(by_hand.EXPLAIN, "table", wide)
    assert "+/-" not in render(replace(by_hand.EXPLAIN, positions=tuple(exact)), "table", wide)
