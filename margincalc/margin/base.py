"""What a margin model is, and what it answers."""

import datetime as dt
from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from margincalc.arrays import BoolArray, FloatArray, IntArray
from margincalc.book import Book
from margincalc.errors import ModelRefusal
from margincalc.margin.forms import LinearForm
from margincalc.scenarios import ScenarioGrid

Components = dict[str, FloatArray]
Status = Literal["healthy", "restricted", "liquidatable"]
STATUSES: tuple[Status, ...] = ("healthy", "restricted", "liquidatable")  # from best to worst

Share = Annotated[float, Field(allow_inf_nan=False, strict=True, ge=0, le=1)]
Factor = Annotated[float, Field(allow_inf_nan=False, strict=True, gt=0, le=10)]


class Parameters(BaseModel):
    """Base of every family's parameters: frozen, and strict about names."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


def laid_over(tables: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a model file's tables with changes in their places; what these do not name stays."""
    merged = dict(tables)
    for key, change in changes.items():
        own = merged.get(key)
        if isinstance(own, Mapping) and isinstance(change, Mapping):
            merged[key] = laid_over(own, change)
        else:
            merged[key] = change
    return merged


class Worst(NamedTuple):
    """The scenario that binds, per pool and underlying (G groups).

    Attributes
    ----------
    pool, underlying : rows of the book, shape (G,)
    grid : which of the model's grids the scenario belongs to, shape (G,)
    scenario : row of that grid, shape (G,)
    pnl : weighted profit and loss of the group in it, shape (G,)
    by_position : the same by position row, shape (P,), made when it is first asked for
    every : profit and loss of the group in every scenario, unweighted, shape (G, S), of models
        whose scenarios are more than a product of quantities and a risk array
    """

    pool: IntArray
    underlying: IntArray
    grid: IntArray
    scenario: IntArray
    pnl: FloatArray
    by_position: Callable[[], FloatArray]
    every: FloatArray | None = None


def placed(
    positions: int, *parts: tuple[IntArray, Callable[[], FloatArray]]
) -> Callable[[], FloatArray]:
    """Return what puts the amounts of some position rows in their places, shape (P,), once."""

    def whole() -> FloatArray:
        amount = np.zeros(positions)
        for rows, own in parts:
            amount[rows] = own()
        return amount

    return cache(whole)


class MarginResult(NamedTuple):
    """Equity and requirement of every pool, each array of shape (A,).

    Attributes
    ----------
    equity : value of all that the pool holds; may be negative
    components : parts of the maintenance margin; they sum to it
    initial_components : parts of the initial margin; a model that margins open orders has
        `open_orders` among them, and no other has
    worst : the binding scenarios, of models that have scenarios
    details : figures that a venue reports by its own names, such as an adjusted equity
    left_out : what these books need at the venue beyond their requirement, in words
    """

    equity: FloatArray
    components: Components
    initial_components: Components
    worst: Worst | None = None
    details: Components = {}  # noqa: RUF012 - a named tuple's default, never changed
    left_out: tuple[str, ...] = ()

    @property
    def maintenance(self) -> FloatArray:
        """Maintenance margin, account currency, shape (A,)."""
        return total(self.components, len(self.equity))

    @property
    def initial(self) -> FloatArray:
        """Initial margin, account currency, shape (A,)."""
        return total(self.initial_components, len(self.equity))


def total(components: Mapping[str, FloatArray], pools: int) -> FloatArray:
    """Sum components, shape (A,) each, in their order, so that the same parts give the same sum."""
    result = np.zeros(pools)
    for amount in components.values():
        result = result + amount
    return result


def status_of(equity: float, initial: float, maintenance: float) -> Status:
    """Say where an account stands; equity of nothing cannot carry a requirement.

    All three are in the account currency.
    """
    return STATUSES[int(standing(equity, initial, maintenance))]


def standing(
    equity: float | FloatArray, initial: float | FloatArray, maintenance: float | FloatArray
) -> IntArray:
    """Return the place of each account's status in `STATUSES`, shape of the arguments.

    Raises
    ------
    ModelRefusal
        If a figure is no finite number, of which no account would be told that it fails.
    """
    if not np.all(np.isfinite(equity) & np.isfinite(initial) & np.isfinite(maintenance)):
        raise ModelRefusal("equity or a margin came out as no finite number: no status follows")
    under = (equity < maintenance) | ((equity <= 0.0) & (maintenance > 0.0))
    # A pool that was funded with exactly its initial margin has it but for rounding.
    short = equity < initial * (1.0 - 1e-12)
    return np.where(under, 2, np.where(short, 1, 0))


class MarginModel(Protocol):
    """A family with a venue's parameters: maps a book to margins, knowing nothing of files."""

    @property
    def grids(self) -> tuple[ScenarioGrid, ...]:
        """The scenarios, where the model has any."""

    def margin(self, book: Book) -> MarginResult:
        """Margin every pool of a book.

        Raises
        ------
        ModelRefusal
            If the book holds or orders what the venue does not list, or needs a parameter that it
            does not publish.
        """

    def linear(self, book: Book) -> LinearForm:
        """Return both margins of a book of one pool as a linear form, or what keeps it from one."""


class Scanned(NamedTuple):
    """A part of a requirement: ``factor * max(0, -min(weight * pnl))`` per pool and underlying.

    Attributes
    ----------
    rows : position rows whose profit and loss it is
    grid : the scenarios over which the least is taken
    factor : of the loss in maintenance margin
    """

    rows: IntArray
    grid: ScenarioGrid
    factor: float


class Kinks(NamedTuple):
    """Where a requirement bends as spot moves, each of shape (N,).

    Attributes
    ----------
    instrument : row of the book's instruments
    level : price, quote currency
    at_spot : whether it bends where the spot, and not the instrument's forward, is at the level
    """

    instrument: IntArray
    level: FloatArray
    at_spot: BoolArray


class Marked(NamedTuple):
    """Options, N position rows, in whose requirement is their own mark.

    Attributes
    ----------
    rows : position rows
    taken : share of its mark that each needs
    floor : share of its mark that each needs at least; 0 of what has no such rule
    instead : what the rows of a book with such a floor need otherwise: straight lines
    """

    rows: IntArray
    taken: FloatArray
    floor: FloatArray
    instead: Callable[[Book], FloatArray]


class Shape(NamedTuple):
    """How maintenance margin depends on spot: scanned losses, and straight lines between kinks.

    Nothing else: whoever states a shape says that the requirement less `scanned` and `marked` is,
    between two neighbouring kinks, linear in every spot (of an account in coin: once multiplied by
    the spot).
    """

    scanned: tuple[Scanned, ...]
    kinks: Kinks
    marked: tuple[Marked, ...] = ()


NOT_APART = "the rules of this model are not taken apart"


@runtime_checkable
class Shaped(Protocol):
    """A model that can say how its requirement depends on spot, so that nothing is missed."""

    def shape(self, book: Book) -> Shape | str:
        """State it for a book, or say in words which of its rules is of another kind."""


def kinks(*parts: tuple[IntArray, FloatArray, bool]) -> Kinks:
    """Gather kinks: instruments, levels, and whether it is the spot that is compared."""
    instrument = np.concatenate([rows for rows, _, _ in parts])
    level = np.concatenate([np.asarray(levels, np.float64) for _, levels, _ in parts])
    at_spot = np.repeat([flag for _, _, flag in parts], [len(rows) for rows, _, _ in parts])
    known = np.isfinite(level)
    return Kinks(instrument[known], level[known], at_spot[known])


@runtime_checkable
class Apart(Protocol):
    """A model that margins some underlyings of a pool apart from others.

    Beside what no spot moves, the maintenance margin of a pool is then a sum over what is margined
    together: a spot that moves changes one of its terms.
    """

    def together(self, book: Book) -> IntArray | None:
        """Number what each underlying is margined with, shape (U,); None where that is all."""


class Source(NamedTuple):
    """Where a parameter was published, and when it was read."""

    what: str
    url: str
    read: dt.date | None


ELSEWHERE = "elsewhere"  # what names no venue, in names of several models


class Venue(NamedTuple):
    """A model with its papers: what a TOML file says.

    Attributes
    ----------
    name, title, family : what it is
    mode : who shares collateral under it
    effective : from when the parameters apply
    proof : `exact`, `partly`, `rules only`, or `own` for rules of margincalc's own
    sources : where the parameters come from
    parameters : the tables of the file, after `--set`
    parameters_sha256 : digest of them
    model : the family with these parameters
    notes : what its file says is not known, or was decided
    remarks : what was done to it here: another day's parameters, changed ones
    parts : the models of an account over several venues, by venue, "" for what names none
    """

    name: str
    title: str
    family: str
    mode: str
    effective: dt.date
    proof: str
    sources: tuple[Source, ...]
    parameters: Mapping[str, Any]
    parameters_sha256: str
    model: MarginModel
    notes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    parts: "Mapping[str, Venue]" = {}  # noqa: RUF012 - a named tuple's default, never changed

    def at(self, place: str) -> str:
        """Name it as the model of one of several venues, "" for what names none."""
        return f"{self.name} at {place}" if place else f"{self.name} {ELSEWHERE}"


Build = Callable[[Mapping[str, Any]], MarginModel]
