"""A population: how far to a cascade, where liquidations are, how far it spreads, who pays."""

from collections.abc import Sequence

from margincalc.answers.page_population import PopulationPage
from margincalc.answers.study import Study, Table
from margincalc.report import numbers, parts
from margincalc.report.html import spread
from margincalc.report.html.elements import Markup, joined, note, panel, section, table, tag
from margincalc.report.html.first import figure
from margincalc.report.layout import name
from margincalc.report.study_table import cell, chosen

PLACES = (
    ("safe", "How far"),
    ("forced", "Where liquidations are"),
    ("spread", "How far it spreads"),
    ("overlap", "Who is exposed"),
    ("notes", "Notes"),
)
_CURVE = ("shock", "liquidated", "move", "amplification", "bad_debt")
_FURTHER = ("share", "sold", "fund_left")
_NEAR = ("open", "within_5", "within_10", "bunched", "largest")
_OVERLAP = ("overlap", "overlap_long", "top_risk")


def heading(page: PopulationPage) -> Markup:
    """Return what was simulated, and by which rules."""
    left = "" if page.depth_left == 1.0 else f", {numbers.percent(page.depth_left)} of it left"
    about = [name(page.monitor.currency), f"depth {name(page.depth, 60)}{left}"]
    if page.mode is not None and page.model is not None:
        about.append(parts.rules(page.mode, page.model))
    return tag(
        "header",
        tag("h1", name(page.monitor.title, 200), id="heading"),
        tag("p", *(tag("span", item) for item in about), class_="about"),
    )


def how_far(page: PopulationPage) -> Markup:
    """Return the first screen: three sentences and four figures."""
    sentences = " ".join(_sentences(page))
    return section(
        "safe",
        "How far to a cascade",
        "",
        tag("div", tag("p", sentences, class_="verdict"), class_="answer"),
        tag("dl", *_figures(page), class_="figures"),
    )


def where(page: PopulationPage) -> Markup:
    """Return how liquidation prices are bunched, and where they feed on each other."""
    monitor = page.monitor
    return section(
        "forced",
        "Where liquidations are",
        "What is liquidated at each price, and from where on liquidation feeds itself.",
        panel("Forced at each price", spread.forced(monitor)),
        panel("R by price level", spread.feeding(monitor)),
        panel("Concentration", _facts(monitor, _NEAR)),
        panel("First to fall", _records(page.cascade, page.cascade.table("first"))),
    )


def how_far_it_spreads(page: PopulationPage) -> Markup:
    """Return the amplification of every shock, its bad debt, and what the fund pays of it."""
    cascade, monitor = page.cascade, page.monitor
    return section(
        "spread",
        "How far it spreads, and who pays",
        "A shock liquidates, liquidation moves the price, and that liquidates more. Bad debt is "
        "what accounts lose beyond what they have.",
        panel("Where each shock ends", spread.ends(cascade)),
        panel("Bad debt and the fund", spread.owed(monitor)),
        panel("Shock by shock", _records(cascade, _curve(page)), wide=True),
    )


def who_is_exposed(page: PopulationPage) -> Markup:
    """Return who loses by the sales of others; nothing where positions are not known."""
    monitor = page.monitor
    keys = {each.key for each in monitor.tables}
    exposed = _records(monitor, monitor.table("exposed")) if "exposed" in keys else Markup()
    return section(
        "overlap",
        "Who is exposed to the others",
        "What accounts hold in common, and who loses when the others are sold.",
        panel("Overlap", _facts(monitor, _OVERLAP)),
        panel("Most exposed", exposed),
    )


def _sentences(page: PopulationPage) -> list[str]:
    monitor, cascade = page.monitor, page.cascade
    critical = [cascade["critical_fall"], cascade["critical_rise"]]
    moves = [numbers.move(move) for move in critical if move is not None]
    said = [
        f"A move of {' or '.join(moves)} is amplified more than twice."
        if moves
        else "No shock that was tried is amplified more than twice."
    ]
    if monitor["shelf"] is not None:
        place = numbers.level(monitor["shelf"], monitor["spot"])
        far = numbers.move(monitor["shelf_distance"])
        said.append(f"Liquidation feeds itself from {place} ({far}) on.")
    elif monitor.table("levels").rows:
        said.append("No price level feeds itself.")
    debt = max(monitor.table("cover").column("bad_debt"), default=0.0)
    money = numbers.amount(debt, monitor.currency)
    said.append(f"The worst shock leaves {money} {name(monitor.currency)} of bad debt.")
    return said


def _figures(page: PopulationPage) -> list[Markup]:
    """Return the first four of the figures that a population has."""
    monitor, cascade = page.monitor, page.cascade
    rise = f"rise {numbers.move(cascade['critical_rise'])}; amplified more than twice"
    fund = numbers.amount(monitor["fund"], monitor.currency)
    survives = f"rises to {numbers.move(cascade['fund_survives_rise'])}; fund {fund}"
    worst = max(cascade["curve"], key=lambda row: row["bad_debt"])
    every = (
        figure("Critical fall", numbers.move(cascade["critical_fall"]), rise),
        _shelf(monitor),
        figure("Fund survives falls to", numbers.move(cascade["fund_survives"]), survives),
        _near(monitor),
        figure(
            "Worst bad debt",
            numbers.amount(worst["bad_debt"], monitor.currency),
            f"after a shock of {numbers.move(worst['shock'])}",
        ),
        figure(
            "Liquidated then",
            f"{worst['liquidated']:,}",
            f"{cell(worst['share'], 'share', monitor.currency)} of all accounts",
        ),
    )
    return [each for each in every if each][:4]


def _shelf(monitor: Study) -> Markup:
    if not monitor.table("levels").rows:
        return Markup()
    shelf, spot = monitor["shelf"], monitor["spot"]
    at = "R over 1" if shelf is None else f"{numbers.move(monitor['shelf_distance'])}; R over 1"
    return figure("Nearest shelf", numbers.level(shelf, spot), at)


def _near(monitor: Study) -> Markup:
    if all(fact.key != "within_10" for fact in monitor.facts):
        return Markup()
    five, ten = (cell(monitor[key], "share", "") for key in ("within_5", "within_10"))
    return figure("Liquidated within 10 %", ten, f"of open positions; {five} within 5 %")


def _facts(study: Study, keys: Sequence[str]) -> Markup:
    """Return those of these facts that a study has."""
    rows = [
        (fact.title[:1].upper() + fact.title[1:], cell(fact.value, fact.unit, study.currency))
        for fact in study.facts
        if fact.key in keys
    ]
    return table(("", ""), rows)


def _records(study: Study, part: Table) -> Markup:
    """Return rows of a table, evenly chosen where there are many."""
    rows = chosen(part)
    cells = [
        tuple(
            cell(value, field.unit, study.currency)
            for value, field in zip(row, part.fields, strict=True)
        )
        for row in rows
    ]
    left = len(part.rows) - len(rows)
    rest = f"and {left:,} more; `simulate {study.name} --format json` has all" if left else ""
    first, *others = (field.title for field in part.fields)
    return joined([table([first[:1].upper() + first[1:], *others], cells), note(rest)])


def _curve(page: PopulationPage) -> Table:
    """Return the shocks with what the fund covers of each; both tables are of one run."""
    curve, cover = page.cascade.table("curve"), page.monitor.table("cover")
    fields = {field.key: field for field in (*curve.fields, *cover.fields)}
    keys = (*_CURVE, "cover", *_FURTHER)
    columns = ((cover if key == "cover" else curve).column(key) for key in keys)
    rows = tuple(zip(*columns, strict=True))
    return curve._replace(fields=tuple(fields[key] for key in keys), rows=rows)
