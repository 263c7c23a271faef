"""All accounts: survey, universe, parts, and the summary of what they came to."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from margincalc._version import __version__
from margincalc.answers.batch_results import BatchReport, CloseAccount
from margincalc.answers.margining import Rules
from margincalc.batch.engines import Done, Workers, engine
from margincalc.batch.instruments import with_instruments
from margincalc.batch.manifest import begun, completed, fingerprint
from margincalc.batch.parts import planned
from margincalc.batch.piece import CLOSEST, Job
from margincalc.batch.rows import AMOUNTS, components_of
from margincalc.batch.survey import Survey, survey
from margincalc.batch.universe import Universe, universe
from margincalc.errors import Fault, InputError, did_you_mean, input_error, shown
from margincalc.files.folders import files_of
from margincalc.files.parquet import BALANCES, POSITIONS
from margincalc.files.unchanged import states_of, unchanged
from margincalc.kernels import pricer_named
from margincalc.margin.base import STATUSES
from margincalc.portfolio import Portfolio
from margincalc.pricer import PricerName, using

Progress = Callable[[int, int, int], None]
"""Told how many accounts and position rows are done, and how many position rows there are."""


class Inputs(NamedTuple):
    """What is read: Parquet files or folders, and a market.

    Attributes
    ----------
    instruments : a Parquet file of terms and quotes, beside those of the market
    """

    positions: str
    market: Portfolio
    balances: str | None = None
    instruments: str | None = None


class Wishes(NamedTuple):
    """How it is done.

    Attributes
    ----------
    output : a folder
    liquidation : underlyings whose liquidation prices are wanted
    strict : stop at a bad row
    resume : go on with a run that was interrupted
    """

    output: str
    rules: Rules
    liquidation: tuple[str, ...] = ()
    strict: bool = False
    resume: bool = False
    workers: Workers = Workers()


def run(inputs: Inputs, wishes: Wishes, progress: Progress) -> BatchReport:
    """Margin every account, part by part, into a folder.

    Raises
    ------
    InputError
        For files, a market or rules that are wrong, for files that change meanwhile, and in a
        strict run for bad rows.
    OutputError, EngineError
        If a result could not be written, or the engine was lost; what is done stays.
    """
    paths = files(inputs)
    states = states_of((*paths[0], *paths[1]))
    if wishes.workers.scheduler is not None:
        _refuse_relative(inputs, wishes)
    pricer = wishes.rules.pricer or "numpy"
    with engine(wishes.workers) as workers, using(replace(pricer_named(pricer), known={})) as used:
        with unchanged(states):
            positions = survey(paths[0], POSITIONS, workers.map)
            balances = survey(paths[1], BALANCES, workers.map)
            market = with_instruments(inputs.market, inputs.instruments)
            everything = universe(market, positions.names, balances.names, wishes.rules)
            plan = planned(positions, balances)
            cut = {"parts": [[part.first, part.skip, part.rows] for part in plan.parts]}
            said = _said(market, wishes, everything, pricer) | cut
            what = fingerprint([*paths[0], *paths[1]], said, workers.map)
        job = Job(
            everything,
            components_of(everything),
            pricer,
            wishes.output,
            what,
            _asked(everything, wishes.liquidation),
            wishes.strict,
            plan.known,
            used.known or {},
            states,
        )
        done = begun(wishes.output, what, plan.parts, resume=wishes.resume)
        finished = {part["part"] for part in done}
        left = [part for part in plan.parts if part.number not in finished]
        done += _reported(workers.run(left, job), done, (progress, _rows(positions)))
    done.sort(key=lambda part: int(part["part"]))
    report = _report(done, everything, wishes, pricer)
    summary = {key: value for key, value in report.to_dict().items() if key != "output"}
    completed(wishes.output, what, done, summary)
    return report


def files(inputs: Inputs) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the files of positions, and those of balances."""
    balances = inputs.balances
    return (
        files_of(inputs.positions, "POSITIONS"),
        files_of(balances, "--balances") if balances is not None else (),
    )


def _refuse_relative(inputs: Inputs, wishes: Wishes) -> None:
    """Refuse names that workers elsewhere would look for in folders of their own."""
    named = {
        "POSITIONS": inputs.positions,
        "--balances": inputs.balances,
        "--output": wishes.output,
    }
    wanted = "a full name: workers of --scheduler have working folders of their own"
    found = [
        Fault(place, shown(name, len(name)), wanted, f"write {Path(name).absolute()}")
        for place, name in named.items()
        if name is not None and not Path(name).is_absolute()
    ]
    if found:
        raise InputError(found)


def _rows(positions: Survey) -> int:
    return sum(group.rows for group in positions.groups)


def _reported(
    parts: Iterable[Done], before: Sequence[Done], told: tuple[Progress, int]
) -> list[Done]:
    """Return what is done when all of it is, and tell of it as it comes."""
    progress, rows = told
    accounts = sum(part["accounts"] for part in before)
    positions = sum(part["positions"] for part in before)
    found = []
    progress(accounts, positions, rows)
    for part in parts:
        accounts += part["accounts"]
        positions += part["positions"]
        progress(accounts, positions, rows)
        found.append(part)
    return found


def _asked(everything: Universe, names: Sequence[str]) -> tuple[int, ...]:
    known = everything.book.names.underlyings
    for name in names:
        if name not in known:
            remedy = did_you_mean(name, known) or f"it has {', '.join(known)}"
            raise input_error("--liquidation", shown(name), "an underlying of the market", remedy)
    return tuple(known.index(name) for name in dict.fromkeys(names))


def _said(
    market: Portfolio, wishes: Wishes, everything: Universe, pricer: PricerName
) -> dict[str, Any]:
    """Return all that decides the results beside the files."""
    return {
        "version": __version__,
        "market": market.model_dump(mode="json"),
        "model": [everything.venue.name, everything.venue.parameters_sha256],
        "parts": {
            name: [part.name, part.parameters_sha256]
            for name, part in everything.venue.parts.items()
        },
        "mode": everything.mode,
        "pricer": pricer,
        "liquidation": wishes.liquidation,
    }


def _report(
    done: Sequence[Done], everything: Universe, wishes: Wishes, pricer: PricerName
) -> BatchReport:
    """Sum up the parts, in their order."""
    closest = sorted(
        (row for part in done for row in part["closest"]), key=lambda row: -row["margin_ratio"]
    )[:CLOSEST]
    names = [everything.book.names.underlyings[at] for at in _asked(everything, wishes.liquidation)]
    venue = everything.venue
    return BatchReport(
        output=wishes.output,
        as_of=everything.as_of,
        currency=everything.currency,
        model=venue.name,
        effective=venue.effective.isoformat(),
        mode=everything.mode,
        pricer=pricer,
        parts=len(done),
        accounts=sum(part["accounts"] for part in done),
        positions=sum(part["positions"] for part in done),
        quarantined=sum(part["quarantined"] for part in done),
        incomplete={name: sum(part["incomplete"][name] for part in done) for name in STATUSES},
        statuses={name: sum(part["statuses"][name] for part in done) for name in STATUSES},
        totals={name: sum(part["totals"][name] for part in done) for name in AMOUNTS},
        closest=tuple(CloseAccount.of(row, names) for row in closest),
        notes=everything.notes,
    )
