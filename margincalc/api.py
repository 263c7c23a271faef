"""One function per command: the library twin of the command line.

    import margincalc as mc
    portfolio = mc.load("book.yaml")
    mc.margin(portfolio, mode="portfolio").maintenance_margin

Each function has its command's defaults. Mode and model each imply the other: isolated and cross
imply `generic-standard`, portfolio implies `generic-portfolio`, a model implies its own mode; both
given, both are honoured.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from margincalc.account import Account
from margincalc.assemble import assemble
from margincalc.errors import input_error
from margincalc.liquidation.nearest import nearest
from margincalc.margin.base import Venue
from margincalc.margin.load import effective_dates, load_model, model_file, model_names
from margincalc.pools import MODES, Mode, funded, funding, labels
from margincalc.portfolio import Portfolio
from margincalc.results import (
    CheckReport,
    CompareReport,
    GreeksReport,
    MarginReport,
    ModelReport,
    ScenariosReport,
)
from margincalc.times import instant

DEFAULT_MODE: Mode = "portfolio"
_IMPLIED = {
    "isolated": "generic-standard",
    "cross": "generic-standard",
    "portfolio": "generic-portfolio",
}


def load(
    source: str | Path, *, market: str | Path | None = None, as_of: str | None = None
) -> Portfolio:
    """Read a portfolio file, YAML, JSON or CSV; `-` is standard input.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    from margincalc import files

    return files.load(source, market=market, as_of=as_of)


def margin(
    portfolio: Portfolio,
    *,
    mode: Mode | None = None,
    model: str | None = None,
    settings: Sequence[str] = (),
) -> MarginReport:
    """Margin an account: equity, requirement, liquidation prices, worst scenario, Greeks.

    Parameters
    ----------
    mode : who shares collateral
    model : a model's name, or the path of its TOML file
    settings : changes of the model's parameters, each `key=value`

    Raises
    ------
    InputError
        If the portfolio, the model or a setting is wrong.
    """
    from margincalc.statement import margin_report

    account = _account(portfolio, mode, model, settings)
    return margin_report(replace(account, nearest=nearest(account.book, account.model)))


def compare(
    portfolio: Portfolio, *, modes: Sequence[Mode] = MODES, settings: Sequence[str] = ()
) -> CompareReport:
    """Margin one book under several modes, isolated first; settings apply where they exist."""
    from margincalc.comparison import compare_report

    accounts = []
    for mode in modes:
        account = _account(portfolio, mode, None, settings)
        accounts.append(replace(account, nearest=nearest(account.book, account.model)))
    return compare_report(accounts)


def greeks(
    portfolio: Portfolio,
    *,
    mode: Mode | None = None,
    model: str | None = None,
    settings: Sequence[str] = (),
) -> GreeksReport:
    """Greeks by underlying, expiry and position."""
    from margincalc.breakdown import greeks_report

    return greeks_report(_account(portfolio, mode, model, settings))


def scenarios(
    portfolio: Portfolio,
    *,
    mode: Mode | None = None,
    model: str | None = None,
    settings: Sequence[str] = (),
) -> ScenariosReport:
    """Profit and loss of every underlying in every scenario of the model."""
    from margincalc.breakdown import scenarios_report

    return scenarios_report(_account(portfolio, mode, model, settings))


def check(
    portfolio: Portfolio,
    *,
    above: float | None = None,
    mode: Mode | None = None,
    model: str | None = None,
    settings: Sequence[str] = (),
) -> CheckReport:
    """Say whether an account is under maintenance, or its margin ratio is above `above`."""
    from margincalc.statement import margin_report

    report = margin_report(_account(portfolio, mode, model, settings))
    ratios = [pool.margin_ratio for pool in report.pools if pool.margin_ratio is not None]
    over = above is not None and any(ratio > above for ratio in ratios)
    return CheckReport(
        account=report.account,
        as_of=report.as_of,
        currency=report.currency,
        model=report.model,
        mode=report.mode,
        status=report.status,
        margin_ratio=report.margin_ratio,
        excess=report.excess,
        above=above,
        failed=over or report.status == "liquidatable",
        notes=report.notes,
    )


def models() -> tuple[ModelReport, ...]:
    """Describe every model that ships with the package, as of its latest parameters."""
    return tuple(show_model(name) for name in model_names())


def show_model(name: str, *, as_of: str | None = None, settings: Sequence[str] = ()) -> ModelReport:
    """Describe a model: parameters with their units, sources, proof."""
    day = instant(as_of).date() if as_of else dt.date.max
    venue = load_model(name, day, settings)
    shipped = effective_dates(name)
    return ModelReport(
        name=venue.name,
        title=venue.title,
        family=venue.family,
        mode=venue.mode,
        effective=venue.effective.isoformat(),
        effective_dates=tuple(date.isoformat() for date in shipped or [venue.effective]),
        proof=venue.proof,
        parameters_sha256=venue.parameters_sha256,
        sources=tuple(
            {"what": source.what, "url": source.url, "read": source.read and str(source.read)}
            for source in venue.sources
        ),
        notes=venue.notes,
        parameters=venue.parameters,
        text=model_file(name, venue.effective).read_text("utf-8"),
    )


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a portfolio file."""
    from margincalc.files.schema import portfolio_schema

    return portfolio_schema()


def _account(
    portfolio: Portfolio, mode: Mode | None, model: str | None, settings: Sequence[str]
) -> Account:
    """Margin a portfolio's pools, without liquidation prices."""
    day = portfolio.as_of.date() if portfolio.as_of else dt.date.max
    venue = load_model(model or _IMPLIED[_known(mode or DEFAULT_MODE)], day, settings)
    chosen = _known(mode or venue.mode)
    label = labels(chosen, portfolio.account)
    assembly = assemble(portfolio, label)
    book = assembly.book
    if chosen == "isolated":
        book = funded(book, venue.model.margin(book).initial, funding(portfolio, assembly))
    notes = assembly.notes + venue.notes + _notes(portfolio, venue, chosen)
    result = venue.model.margin(book)
    return Account(portfolio, assembly, book, venue, chosen, result, None, notes)


def _known(mode: str) -> Mode:
    """Refuse a mode that is none."""
    for known in MODES:
        if mode == known:
            return known
    raise input_error("mode", mode, f"one of {', '.join(MODES)}")


def _notes(portfolio: Portfolio, venue: Venue, mode: Mode) -> tuple[str, ...]:
    notes = []
    if mode != venue.mode and venue.proof != "own":
        notes.append(
            f"{venue.name} is offered as {venue.mode}, and is applied here to {mode} pools"
        )
    if portfolio.orders:
        notes.append(f"{venue.name} does not margin open orders: {len(portfolio.orders)} left out")
    return tuple(notes)
