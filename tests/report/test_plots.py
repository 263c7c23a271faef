"""Pictures are legible at two sizes, the same bytes each time, and whole or not at all."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import margincalc as mc
from margincalc.errors import InputError, OutputError
from margincalc.report import plots
from margincalc.report.numbers import compact
from tests.cli import SAMPLES, STRANGLE, process
from tests.report import computed
from tests.report.by_hand import CHANGE, EXPLAIN, SCENARIOS

SIZES = (plots.Size(4.5, 3.2), plots.Size(), plots.Size(14.0, 9.0))
BOOKS = ("btc_short_strangle", "two_underlyings_three_collaterals", "spx_iron_condor")


def assert_readable(figure: Any, size: plots.Size) -> None:
    """Check that a picture is as large as asked, or as its text needs to be of 6 points."""
    from matplotlib.text import Text

    content = plots.picture(figure, "png")
    assert content.startswith(b"\x89PNG")
    # Width and height of the image, as its header states them.
    width, height = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
    reduced = figure.dpi / 160
    written: list[Any] = [text for text in figure.findobj(Text) if text.get_text()]
    smallest = reduced * min(text.get_fontsize() for text in written)
    assert smallest >= 6.0 - 1e-9
    asked = round(size.width * 160), round(size.height * 160)
    assert (width, height) == asked or smallest == pytest.approx(6.0)
    assert width >= asked[0]
    assert height >= asked[1]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("book", BOOKS)
def test_scenarios_are_drawn_at_every_size(book: str, size: plots.Size) -> None:
    report = mc.scenarios(mc.load(SAMPLES / f"{book}.yaml"), model="generic-portfolio")
    assert_readable(plots.figure(report, size), size)


def test_the_map_shows_every_scenario_once_and_frames_the_worst() -> None:
    report = mc.scenarios(mc.load(STRANGLE))
    figure = plots.figure(report)
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    lines = [line.weighted_pnl for line in report.lines]
    assert sorted(texts) == sorted(compact(value) for value in lines)
    frames = [patch for axes in figure.axes for patch in axes.patches]
    assert len(frames) == sum(line.worst for line in report.lines) == 1


STUDIES = ("cascade", "cascade_two_assets", "monitor", "dynamic", "oracle")


@pytest.mark.parametrize("size", SIZES[::2])
@pytest.mark.parametrize("name", STUDIES)
def test_studies_are_drawn_at_every_size(name: str, size: plots.Size) -> None:
    figure = plots.figure(computed.report(f"simulate_{name}"), size)
    assert_readable(figure, size)
    for axes in figure.axes:
        low, high = axes.get_ylim()
        for line in axes.get_lines():
            seen = np.asarray(line.get_ydata(), np.float64)
            assert np.all((seen >= low) & (seen <= high))


def test_a_study_without_a_picture_names_those_that_have_one() -> None:
    with pytest.raises(InputError, match="cascade, monitor, dynamic, oracle"):
        plots.figure(computed.report("simulate_transfer"))


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_the_same_input_gives_the_same_bytes_in_another_process(
    suffix: str, tmp_path: Path
) -> None:
    first, second = tmp_path / f"first.{suffix}", tmp_path / f"second.{suffix}"
    for file in (first, second):
        assert process("scenarios", STRANGLE, "--plot", str(file)).returncode == 0
    assert first.read_bytes() == second.read_bytes()
    assert len(first.read_bytes()) > 10_000


@pytest.mark.parametrize("size", SIZES)
def test_waterfalls_are_drawn_at_every_size(size: plots.Size) -> None:
    for report in (EXPLAIN, CHANGE):
        figure = plots.figure(report, size)
        assert_readable(figure, size)
        (axes,) = figure.axes
        bars = len(EXPLAIN.positions) + 1 if report is EXPLAIN else len(CHANGE.lines) + 2
        assert len(axes.patches) == len(axes.texts) == bars


def test_a_waterfall_ends_where_its_total_does() -> None:
    report = mc.explain(mc.load(SAMPLES / "two_underlyings_three_collaterals.yaml"))
    (axes,) = plots.figure(report).axes
    bars: list[Any] = list(axes.patches)
    ends = [bar.get_x() + bar.get_width() for bar in bars]
    assert ends[-2] == pytest.approx(ends[-1])
    assert [bar.get_x() for bar in bars[1:-1]] == pytest.approx(ends[:-2])


@pytest.mark.parametrize("size", SIZES)
def test_liquidation_is_drawn_as_large_as_asked(size: plots.Size) -> None:
    report = mc.liquidation(mc.load(STRANGLE), curves=True, multiples=[0.8, 1.0, 1.2])
    content = plots.picture(plots.figure(report, size), "png")
    assert_readable(plots.figure(report, size), size)
    assert plots.picture(plots.figure(report, size), "png") == content
    both = [plots.picture(plots.figure(report, size), "svg") for _ in range(2)]
    assert both[0] == both[1]


def test_the_likeliest_point_is_on_the_plane_or_an_arrow_says_where_it_is() -> None:
    report = mc.liquidation(mc.load(STRANGLE), curves=True, multiples=[0.8, 1.0, 1.2])
    (pool,) = report.pools
    (frontier,) = pool.frontiers
    likely = frontier.most_likely
    assert likely is not None
    for volatility, words in ((likely.volatility, ""), (3.4, "beyond: 115,351, volatility x 3.40")):
        moved = frontier._replace(most_likely=likely._replace(volatility=volatility))
        drawn = replace(report, pools=(pool._replace(frontiers=(moved,)),))
        axes = plots.figure(drawn).axes[1]
        mark: Any = axes.lines[-1]
        (x,), (y,) = mark.get_xdata(), mark.get_ydata()
        low, high = axes.get_ylim()
        assert low <= y <= high
        assert axes.get_xlim()[0] <= x <= axes.get_xlim()[1]
        assert words in axes.texts[-1].get_text()
        assert (y == pytest.approx(likely.volatility)) == (not words)


def test_liquidation_without_curves_has_no_picture() -> None:
    with pytest.raises(InputError, match="curves=True"):
        plots.figure(mc.liquidation(mc.load(STRANGLE), multiples=[1.0]))


def test_a_map_of_many_spots_is_readable() -> None:
    steps = "grid.spot=[" + ", ".join(f"{step / 100:.2f}" for step in range(-30, 31, 2)) + "]"
    report = mc.scenarios(mc.load(STRANGLE), model="generic-portfolio", settings=[steps])
    size = plots.Size(4.5, 3.2)
    assert_readable(plots.figure(report, size), size)


def test_where_nothing_liquidates_the_picture_says_so() -> None:
    content = {
        "as_of": "2026-11-20T08:00:00Z",
        "market": {"BTC": {"spot": 100_000.0, "volatility": 0.6}},
        "positions": [{"instrument": "BTC-20DEC26-115000-C", "quantity": 1.0}],
        "collateral": [{"asset": "USD", "quantity": 1_000.0}],
    }
    report = mc.liquidation(mc.Portfolio.model_validate(content), curves=True, multiples=[1.0])
    said = [[text.get_text() for text in axes.texts] for axes in plots.figure(report).axes]
    assert all("nothing here liquidates" in texts for texts in said)
    strangle = mc.liquidation(mc.load(STRANGLE), curves=True, multiples=[1.0])
    said = [[text.get_text() for text in axes.texts] for axes in plots.figure(strangle).axes]
    assert not any("nothing here liquidates" in texts for texts in said)


def test_a_users_own_settings_change_nothing() -> None:
    import matplotlib

    report = mc.scenarios(mc.load(STRANGLE))
    plain = plots.picture(plots.figure(report), "svg")
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "black", "svg.hashsalt": None}):
        assert plots.picture(plots.figure(report), "svg") == plain
        assert matplotlib.rcParams["font.size"] == 30


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"ends in \.png or \.svg"):
        plots.save(plots.figure(SCENARIOS), tmp_path / "picture.jpeg")


def test_a_folder_that_is_not_there_is_an_output_that_fails(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="there is no folder"):
        plots.save(plots.figure(SCENARIOS), tmp_path / "nowhere" / "picture.png")


def test_nothing_held_and_named_scenarios_are_drawn() -> None:
    report = SCENARIOS
    named = tuple(replace(line, label=f"point {line.index}") for line in report.lines)
    for lines in ((), named):
        assert plots.picture(plots.figure(replace(report, lines=lines)), "png")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-94736.4, "-94.7k"),
        (1_804_688.0, "1.8M"),
        (999.96, "1k"),
        (0.00123, "0.00123"),
        (0.0, "0"),
        (3.2e13, "3.20e+13"),
    ],
)
def test_amounts_have_three_digits(value: float, text: str) -> None:
    assert compact(value) == text
