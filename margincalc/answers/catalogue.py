"""The models that ship with the package: what one is, and how two differ."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from margincalc.answers.margining import day_of
from margincalc.answers.model_results import DiffLine, DiffReport, ModelReport
from margincalc.errors import input_error, printable, shown
from margincalc.margin.base import Venue
from margincalc.margin.load import effective_dates, load_model, model_file
from margincalc.times import instant


def described(name: str, settings: Sequence[str], effective: str | None) -> ModelReport:
    """Describe a model with the parameters of a day, else its latest."""
    day = day_of(effective) if effective else dt.date.max
    venue = load_model(name, day, settings)
    dates = effective_dates(name) or [venue.effective]
    return ModelReport(
        name=venue.name,
        title=venue.title,
        family=venue.family,
        mode=venue.mode,
        effective=venue.effective.isoformat(),
        effective_dates=tuple(date.isoformat() for date in dates),
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


def differences(first: str, second: str) -> DiffReport:
    """Compare the parameters of two models, each a name, `NAME@DAY`, or the path of a TOML file."""
    ours, theirs = _dated(first), _dated(second)
    left, right = _flat(ours.parameters), _flat(theirs.parameters)
    keys = [*left, *(key for key in right if key not in left)]
    lines = [DiffLine(key, left.get(key), right.get(key)) for key in keys]
    return DiffReport(
        f"{ours.name} {ours.effective}",
        f"{theirs.name} {theirs.effective}",
        tuple(line for line in lines if line.first != line.second),
    )


def _dated(name: str) -> Venue:
    """Load a model with its latest parameters, or with those of the day after the `@`."""
    model, at, day = name.rpartition("@")
    if not at or name.endswith(".toml"):
        return load_model(name, dt.date.max)
    try:
        return load_model(model, instant(day).date())
    except ValueError:
        wanted = f"NAME@DAY, such as {printable(model)}@2026-11-01"
        raise input_error("models diff", shown(name), wanted) from None


def _flat(tables: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Write nested tables as dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in tables.items():
        flat |= (
            _flat(value, f"{prefix}{key}.")
            if isinstance(value, dict)
            else {f"{prefix}{key}": value}
        )
    return flat
