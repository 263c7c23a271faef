"""Find a model by name or path, read its TOML file, and build its family.

Several files may carry one name with different effective dates; the one in force at the valuation
time is chosen. A rule change is a new file, never an edit.
"""

import datetime as dt
import hashlib
import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, ValidationError

from margincalc.errors import InputError, did_you_mean, input_error, shown
from margincalc.margin.base import ELSEWHERE, MarginModel, Parameters, Source, Venue
from margincalc.margin.families import FAMILIES as FAMILIES  # its readers ask here
from margincalc.margin.faults import Written, faults_of
from margincalc.margin.settings import divided, with_settings

FOLDER = Path(__file__).parent.parent / "venues"


class Shelf(NamedTuple):
    """Dated files of one kind, and what reads them.

    Attributes
    ----------
    folder : where those are that ship with the package
    families : by name, what builds from their parameters
    option : how a name is given
    setting : how a parameter is changed
    """

    folder: Path
    families: Mapping[str, Callable[[Mapping[str, Any]], Any]]
    option: str
    setting: str


MODELS = Shelf(FOLDER, FAMILIES, "--model", "--set")
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
    shelf: Shelf = MODELS,
) -> Venue:
    """Load the model called `name`, or the file at a path that ends in `.toml`.

    Parameters
    ----------
    as_of : the parameters in force on this day are chosen
    settings : changes of parameters, each `key.key=value` with the value in TOML
    shelf : where names are looked up, and what reads the files

    Raises
    ------
    InputError
        If there is no such model, or its file or a setting is wrong.
    """
    if name.endswith(".toml"):
        return _read(Path(name), settings, shelf)
    dated = _dated(shelf.folder).get(name)
    if dated is None:
        raise _unknown(name, shelf)
    in_force = [day for day in sorted(dated) if day <= as_of]
    if in_force:
        return _read(dated[in_force[-1]], settings, shelf)
    first = min(dated)
    note = f"{name} has no parameters before {first}; those of that day are used for {as_of}"
    venue = _read(dated[first], settings, shelf)
    return venue._replace(remarks=(note, *venue.remarks))


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
    shares = _shares(models, as_of, settings)
    each = {venue: load_model(name, as_of, shares[venue]) for venue, name in models.items()}
    tables = {venue or ELSEWHERE: dict(model.parameters) for venue, model in each.items()}
    return Venue(
        name=", ".join(model.at(venue) for venue, model in each.items()),
        title="Each venue by its own model",
        family="composite",
        mode="portfolio",
        effective=max(model.effective for model in each.values()),
        proof=max((model.proof for model in each.values()), key=PROOFS.index),
        sources=tuple(source for model in each.values() for source in model.sources),
        parameters=tables,
        parameters_sha256=_digest(tables),
        model=side_by_side(each),
        notes=tuple(note for model in each.values() for note in model.notes),
        remarks=tuple(remark for model in each.values() for remark in model.remarks),
        parts=each,
    )


def side_by_side(parts: Mapping[str, Venue]) -> MarginModel:
    """Return the rules of an account over venues, of which each keeps its own."""
    from margincalc.margin.composite import PerVenue

    return PerVenue(parts)


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


def _unknown(name: str, shelf: Shelf) -> InputError:
    names = model_names(shelf.folder)
    remedy = did_you_mean(name, names)
    if not remedy and shelf.option == MODELS.option:
        remedy = "`margincalc models` lists them"
    return input_error(
        shelf.option, shown(name), f"a path ending in .toml, or one of {', '.join(names)}", remedy
    )


def _read(path: Path, settings: Sequence[str], shelf: Shelf) -> Venue:
    content = _parse(path)
    try:
        file = _File.model_validate(content)
    except ValidationError as error:
        complete = _complete("generic-portfolio", content.get("family"), shelf.folder)
        raise faults_of(Written(f"{path}, ", content, (), complete, shelf.setting), error) from None
    if file.family not in shelf.families:
        known = ", ".join(sorted(shelf.families))
        raise input_error(f"{path}, family", file.family, f"one of {known}")
    tables = with_settings(file.parameters, settings, shelf.setting)
    try:
        model = shelf.families[file.family](tables)
    except ValidationError as error:
        complete = _complete(file.name, file.family, shelf.folder)
        written = Written(f"{path.name}, parameters.", tables, settings, complete, shelf.setting)
        raise faults_of(written, error) from None
    notes = (f"parameters changed: {', '.join(settings)}",) if settings else ()
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


def _complete(name: str, family: object, folder: Path) -> str:
    """Name a model that shows a complete set: the model itself, or one of its family.

    Of what `models` does not show, none.
    """
    if folder != FOLDER:
        return ""
    texts = {
        name: path.read_text("utf-8")
        for name, dates in _dated(folder).items()
        for path in dates.values()
    }
    alike = [each for each, text in texts.items() if f'\nfamily = "{family}"' in text]
    return name if name in alike or not alike else alike[0]


def _digest(tables: Mapping[str, Any]) -> str:
    text = json.dumps(tables, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
