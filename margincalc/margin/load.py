"""Find a model by name or path, read its TOML file, and build its family.

Several files may carry one name with different effective dates; the one in force at the valuation
time is chosen. A rule change is a new file, never an edit.
"""

import datetime as dt
import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from margincalc.errors import InputError, did_you_mean, input_error, shown
from margincalc.margin.base import Build, MarginModel, Parameters, Source, Venue
from margincalc.margin.faults import Written, faults_of
from margincalc.margin.settings import divided, with_settings


def _scan(tables: Mapping[str, Any]) -> MarginModel:
    from margincalc.margin import scan

    return scan.build(tables)


def _standard(tables: Mapping[str, Any]) -> MarginModel:
    from margincalc.margin import standard

    return standard.build(tables)


def _strategy(tables: Mapping[str, Any]) -> MarginModel:
    from margincalc.margin import strategy

    return strategy.build(tables)


def _derive_pm1(tables: Mapping[str, Any]) -> MarginModel:
    from margincalc.margin import derive_pm1

    return derive_pm1.build(tables)


def _derive_pm2(tables: Mapping[str, Any]) -> MarginModel:
    from margincalc.margin import derive_pm2

    return derive_pm2.build(tables)


def _derive_sm(tables: Mapping[str, Any]) -> MarginModel:
    from margincalc.margin import derive_sm

    return derive_sm.build(tables)


def _tims(tables: Mapping[str, Any]) -> MarginModel:
    from margincalc.margin import tims

    return tims.build(tables)


def _okx(tables: Mapping[str, Any]) -> MarginModel:
    from margincalc.margin import okx

    return okx.build(tables)


def _okx_options(tables: Mapping[str, Any]) -> MarginModel:
    from margincalc.margin import okx_options

    return okx_options.build(tables)


def _bybit_options(tables: Mapping[str, Any]) -> MarginModel:
    from margincalc.margin import bybit_options

    return bybit_options.build(tables)


def _paradex(tables: Mapping[str, Any]) -> MarginModel:
    from margincalc.margin import paradex

    return paradex.build(tables)


def _paradex_cross(tables: Mapping[str, Any]) -> MarginModel:
    from margincalc.margin import paradex_cross

    return paradex_cross.build(tables)


def _deribit(tables: Mapping[str, Any]) -> MarginModel:
    from margincalc.margin import deribit

    return deribit.build(tables)


def _span(tables: Mapping[str, Any]) -> MarginModel:
    from margincalc.margin import span

    return span.build(tables)


def _nse_span(tables: Mapping[str, Any]) -> MarginModel:
    from margincalc.margin import nse_span

    return nse_span.build(tables)


# A family is imported when a model of it is read; a new one is a line here.
FAMILIES: dict[str, Build] = {
    "scan": _scan,
    "paradex": _paradex,
    "paradex_cross": _paradex_cross,
    "standard": _standard,
    "deribit": _deribit,
    "strategy": _strategy,
    "derive_pm1": _derive_pm1,
    "derive_pm2": _derive_pm2,
    "derive_sm": _derive_sm,
    "tims": _tims,
    "okx": _okx,
    "okx_options": _okx_options,
    "bybit_options": _bybit_options,
    "span": _span,
    "nse_span": _nse_span,
}
ELSEWHERE = "elsewhere"  # what names no venue, in names of several models
FOLDER = Path(__file__).parent.parent / "venues"
PROOFS = ("exact", "partly", "rules only", "own")  # from most to least
MAXIMUM_BYTES = 1 << 20
_Text = Annotated[str, Field(min_length=1)]


class _Source(Parameters):
    what: _Text
    url: _Text
    read: dt.date | None = None


class _File(Parameters):
    """The head of a model file; its `parameters` are read by the family."""

    name: _Text
    title: _Text
    family: _Text
    mode: Literal["isolated", "cross", "portfolio"]
    effective: dt.date
    proof: Literal["exact", "partly", "rules only", "own"]
    sources: tuple[_Source, ...] = ()
    notes: tuple[_Text, ...] = ()
    parameters: dict[str, Any]


def load_model(
    name: str,
    as_of: dt.date,
    settings: Sequence[str] = (),
    folder: Path = FOLDER,
) -> Venue:
    """Load the model called `name`, or the file at a path that ends in `.toml`.

    Parameters
    ----------
    as_of : the parameters in force on this day are chosen
    settings : changes of parameters, each `key.key=value` with the value in TOML

    Raises
    ------
    InputError
        If there is no such model, or its file or a setting is wrong.
    """
    if name.endswith(".toml"):
        return _read(Path(name), settings, ())
    dated = _dated(folder).get(name)
    if dated is None:
        raise _unknown(name, folder)
    in_force = [day for day in sorted(dated) if day <= as_of]
    if in_force:
        return _read(dated[in_force[-1]], settings, ())
    first = min(dated)
    note = f"{name} has no parameters before {first}; those of that day are used for {as_of}"
    return _read(dated[first], settings, (note,))


def load_venues(models: Mapping[str, str], as_of: dt.date, settings: Sequence[str] = ()) -> Venue:
    """Load the model of each venue, "" for what names none, as one.

    Parameters
    ----------
    settings : each of the models that have its parameter, or of one by `VENUE:key=value`

    Raises
    ------
    InputError
        As `load_model`.
    """
    from margincalc.margin.composite import PerVenue

    shares = _shares(models, as_of, settings)
    each = {venue: load_model(name, as_of, shares[venue]) for venue, name in models.items()}
    tables = {venue or ELSEWHERE: dict(model.parameters) for venue, model in each.items()}
    titles = [
        f"{m.name} at {venue}" if venue else f"{m.name} {ELSEWHERE}" for venue, m in each.items()
    ]
    return Venue(
        name=", ".join(titles),
        title="Each venue by its own model",
        family="composite",
        mode="portfolio",
        effective=max(model.effective for model in each.values()),
        proof=max((model.proof for model in each.values()), key=PROOFS.index),
        sources=tuple(source for model in each.values() for source in model.sources),
        parameters=tables,
        parameters_sha256=_digest(tables),
        model=PerVenue({venue: model.model for venue, model in each.items()}),
        notes=tuple(note for model in each.values() for note in model.notes),
        remarks=tuple(remark for model in each.values() for remark in model.remarks),
        parts=each,
    )


def _shares(
    models: Mapping[str, str], as_of: dt.date, settings: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Return the settings of each venue's model."""
    if not settings:
        return dict.fromkeys(models, ())
    plain = {venue: load_model(name, as_of).parameters for venue, name in models.items()}
    shares = divided(settings, {venue or ELSEWHERE: table for venue, table in plain.items()})
    return {venue: shares[venue or ELSEWHERE] for venue in models}


def model_names(folder: Path = FOLDER) -> list[str]:
    """List the models that ship with the package."""
    return sorted(_dated(folder))


def effective_dates(name: str, folder: Path = FOLDER) -> list[dt.date]:
    """List the days from which a model's parameter sets apply; none for a path."""
    return sorted(_dated(folder).get(name, {}))


def model_file(name: str, effective: dt.date, folder: Path = FOLDER) -> Path:
    """Return the file that a model was read from."""
    return _dated(folder).get(name, {}).get(effective, Path(name))


def _dated(folder: Path) -> dict[str, dict[dt.date, Path]]:
    """Index files called `NAME.YYYY-MM-DD.toml`."""
    found: dict[str, dict[dt.date, Path]] = {}
    for path in sorted(folder.glob("*.toml")):
        name, _, day = path.stem.rpartition(".")
        found.setdefault(name, {})[dt.date.fromisoformat(day)] = path
    return found


def _unknown(name: str, folder: Path) -> InputError:
    names = model_names(folder)
    remedy = did_you_mean(name, names) or "`margincalc models` lists them"
    return input_error(
        "--model", shown(name), f"a path ending in .toml, or one of {', '.join(names)}", remedy
    )


def _read(path: Path, settings: Sequence[str], notes: tuple[str, ...]) -> Venue:
    content = _parse(path)
    try:
        file = _File.model_validate(content)
    except ValidationError as error:
        complete = _complete("generic-portfolio", content.get("family"))
        raise faults_of(Written(f"{path}, ", content, (), complete), error) from None
    if file.family not in FAMILIES:
        known = ", ".join(sorted(FAMILIES))
        raise input_error(f"{path}, family", file.family, f"one of {known}")
    tables = with_settings(file.parameters, settings)
    try:
        model = FAMILIES[file.family](tables)
    except ValidationError as error:
        complete = _complete(file.name, file.family)
        written = Written(f"{path.name}, parameters.", tables, settings, complete)
        raise faults_of(written, error) from None
    if settings:
        notes += (f"parameters changed: {', '.join(settings)}",)
    sources = tuple(Source(source.what, source.url, source.read) for source in file.sources)
    return Venue(
        file.name,
        file.title,
        file.family,
        file.mode,
        file.effective,
        file.proof,
        sources,
        tables,
        _digest(tables),
        model,
        file.notes,
        notes,
    )


def _parse(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAXIMUM_BYTES:
            raise input_error(str(path), "a larger file", f"at most {MAXIMUM_BYTES} bytes")
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise input_error(str(path), error.strerror or "no file", "a model file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise input_error(str(path), str(error), "TOML") from None


def _complete(name: str, family: object) -> str:
    """Name a model that shows a complete set: the model itself, or one of its family."""
    texts = {
        name: path.read_text("utf-8")
        for name, dates in _dated(FOLDER).items()
        for path in dates.values()
    }
    alike = [each for each, text in texts.items() if f'\nfamily = "{family}"' in text]
    return name if name in alike or not alike else alike[0]


def _digest(tables: Mapping[str, Any]) -> str:
    text = json.dumps(tables, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
