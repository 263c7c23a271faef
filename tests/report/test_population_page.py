"""The page of a population: what monitor and cascade answer, whole, alone and escaped."""

from functools import cache
from pathlib import Path

import margincalc as mc
from margincalc.answers.accounts import Source
from margincalc.report import numbers
from margincalc.report.study_table import cell
from tests.report.test_page import ACCOUNT, Elements, stands_alone

DRAWN = Source(accounts=2000, seed=7)
LEFT, FUND = 0.1, 1e6


@cache
def population() -> str:
    """Return the page of drawn accounts, made once."""
    return mc.report_population(DRAWN, depth_left=LEFT, fund=FUND)


def test_it_stands_alone_and_is_the_same_each_time() -> None:
    stands_alone(population())
    assert mc.report_population(DRAWN, depth_left=LEFT, fund=FUND) == population()


def test_it_has_the_figures_of_monitor_and_cascade() -> None:
    words = Elements(population()).words
    monitor = mc.monitor(DRAWN, depth_left=LEFT, fund=FUND)
    cascade = mc.cascade(DRAWN, shocks="-0.4:0.4:81", depth_left=LEFT, fund=FUND)
    for key in ("critical_fall", "fund_survives"):
        assert numbers.move(cascade[key]) in words
    assert numbers.level(monitor["shelf"], monitor["spot"]) in words
    for fact in monitor.facts:
        if fact.key in ("open", "within_5", "within_10", "bunched", "largest", "overlap"):
            assert cell(fact.value, fact.unit, "USD") in words, fact.key
    worst = cascade["curve"][0]
    assert numbers.amount(worst["bad_debt"], "USD") in words
    assert cell(monitor["cover"][0]["cover"], "factor", "USD") in words
    for record in cascade["first"] + monitor["exposed"]:
        assert record["account"] in words


def test_its_pictures_have_a_bar_for_every_level() -> None:
    levels = mc.monitor(DRAWN, depth_left=LEFT, fund=FUND)["levels"]
    held = sum(1 for level in levels if level["sold"] > 0.0)
    forced = [level["reproduction"] for level in levels if level["reproduction"]]
    feeds = sum(1 for value in forced if value > 1.0)
    assert feeds > 0
    text = population()
    assert text.count('class="feeds"/>') == feeds
    assert text.count('class="held"/>') == held + len(forced) - feeds


def test_names_of_accounts_stay_text(tmp_path: Path) -> None:
    pages = []
    for account in ("plain", ACCOUNT):
        file = tmp_path / "accounts.csv"
        file.write_text(f"account,price,size\n{account},98000,1\nb,95000,2\nc,103000,1\n")
        pages.append(Elements(mc.report_population(Source(file=file, spot=100_000.0))))
    plain, shown = pages
    assert shown.kinds == plain.kinds
    assert shown.handlers == shown.scripts == []
    assert ACCOUNT in shown.words


def test_what_a_population_cannot_have_is_left_out() -> None:
    text = mc.report_population(Source(accounts=20, kind="two-assets"), shocks="-0.2,0.2")
    assert "Where each shock ends" in text
    assert "<h3>R by price level" not in text
    assert "No price level feeds itself" not in text
