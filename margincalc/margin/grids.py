"""The scenarios of a model as its file writes them: a grid, tails, and rows of their own."""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from margincalc.arrays import FloatArray, IntArray
from margincalc.book import Book, Kind
from margincalc.margin.base import Factor, Parameters, Share, Worst, placed
from margincalc.margin.scope import NotPublished, published
from margincalc.scenarios import ScenarioGrid, VolatilityRule, grid

SpotMove = Annotated[float, Field(allow_inf_nan=False, strict=True, ge=-0.99, le=100)]
VolatilityMove = Annotated[float, Field(allow_inf_nan=False, strict=True, ge=-1, le=10)]
Power = Annotated[float, Field(allow_inf_nan=False, strict=True, ge=0, le=10)]


class Grid(Parameters):
    """Every spot move with every volatility move."""

    spot: tuple[SpotMove, ...] = Field(min_length=1)
    volatility: Annotated[tuple[VolatilityMove, ...], Field(min_length=1)] | NotPublished


class Tails(Parameters):
    """Large moves of which a share counts: `cover` over the move's size, unless stated."""

    spot: tuple[SpotMove, ...]
    volatility: VolatilityMove
    cover: Share | None = None
    weight: tuple[Share, ...] | None = None

    @model_validator(mode="after")
    def _weighted(self) -> "Tails":
        if self.weight is None and self.cover is None:
            raise ValueError("`cover`, or a `weight` for each of `spot`")
        if self.weight is not None and len(self.weight) != len(self.spot):
            raise ValueError(f"a `weight` for each of `spot`, which has {len(self.spot)}")
        return self

    def weights(self) -> tuple[float, ...]:
        """Return the share of each tail's loss that counts."""
        if self.weight is not None:
            return self.weight
        cover = self.cover or 0.0
        return tuple(min(cover / abs(move), 1.0) if move else 1.0 for move in self.spot)


class Row(Parameters):
    """One scenario written out."""

    spot: SpotMove
    volatility: VolatilityMove
    weight: Factor = 1.0
    days_forward: Annotated[float, Field(allow_inf_nan=False, strict=True, ge=0, le=365)] = 0.0


class VolatilityShock(Parameters):
    """How stated volatility moves apply; see `scenarios.VolatilityRule`."""

    rule: Literal["relative", "absolute"]
    short_power: Power | NotPublished = 0.0
    long_power: Power | NotPublished = 0.0
    floor_days: Annotated[float, Field(allow_inf_nan=False, strict=True, gt=0, le=400)] = 1.0
    minimum_up: Annotated[float, Field(allow_inf_nan=False, strict=True, ge=0, le=20)] = 0.0

    def shock_rule(self) -> VolatilityRule:
        """Return the rule; a power that is not known is of no use, and scales nothing."""
        return VolatilityRule(
            self.rule == "relative",
            published(self.short_power, "volatility.short_power", needed=False),
            published(self.long_power, "volatility.long_power", needed=False),
            self.floor_days,
            self.minimum_up,
        )


class Scenarios(Parameters):
    """Every table that makes scenarios."""

    grid: Grid | None = None
    tails: Tails | None = None
    rows: tuple[Row, ...] = ()
    volatility: VolatilityShock

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.grid is None and not self.rows and not (self.tails and self.tails.spot):
            raise ValueError("at least one scenario, in `grid`, `tails` or `rows`")
        return self

    def scenario_grid(self) -> ScenarioGrid:
        """Return the scenarios: the grid, then the tails, then the rows."""
        rows = [
            [move, shock, 1.0, 0.0]
            for move in (self.grid.spot if self.grid else ())
            for shock in self._grid_volatility()
        ]
        if self.tails is not None:
            rows += [
                [move, self.tails.volatility, weight, 0.0]
                for move, weight in zip(self.tails.spot, self.tails.weights(), strict=True)
            ]
        rows += [[row.spot, row.volatility, row.weight, row.days_forward] for row in self.rows]
        return grid(np.array(rows, np.float64).reshape(-1, 4), self.volatility.shock_rule())

    def refuse_unpublished(self, book: Book) -> None:
        """Refuse a book with options where what moves their volatility is not known.

        Raises
        ------
        ModelRefusal
        """
        if not len(book.rows(Kind.OPTION)):
            return
        shock = self.volatility
        published(shock.short_power, "volatility.short_power")
        published(shock.long_power, "volatility.long_power")
        if self.grid is not None and isinstance(self.grid.volatility, str):
            published(self.grid.volatility, "grid.volatility")

    def _grid_volatility(self) -> tuple[float, ...]:
        """Return the moves of volatility; none that is not known."""
        if self.grid is None or isinstance(self.grid.volatility, str):
            return (0.0,)
        return self.grid.volatility


def joined(found: list[tuple[IntArray, Worst]], book: Book) -> Worst:
    """Put the sets' worst scenarios together, by pool and underlying."""
    rows = [(rows, part.by_position) for rows, part in found]
    by_position = placed(len(book.quantity), *rows)
    if len(found) == 1 and _in_order(found[0][1].pool, found[0][1].underlying):
        return found[0][1]._replace(by_position=by_position)
    pool, underlying, grid, scenario, pnl = (
        np.concatenate([getattr(part, name) for _, part in found])
        for name in ("pool", "underlying", "grid", "scenario", "pnl")
    )
    every = _stacked([part.every for _, part in found])
    if _in_order(pool, underlying):
        return Worst(pool, underlying, grid, scenario, pnl, by_position, every)
    order = np.lexsort((underlying, pool))
    return Worst(
        pool[order],
        underlying[order],
        grid[order],
        scenario[order],
        pnl[order],
        by_position,
        None if every is None else every[order],
    )


def _in_order(pool: IntArray, underlying: IntArray) -> bool:
    """Whether rows ascend by pool, and those of a pool by underlying."""
    if len(pool) < 2:
        return True
    step, within = np.diff(pool), np.diff(underlying)
    return bool(np.all((step > 0) | ((step == 0) & (within >= 0))))


def _stacked(parts: list[FloatArray | None]) -> FloatArray | None:
    """Stack profits of sets whose grids may differ in size; None where a set has none."""
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    size = max(part.shape[1] for part in known)
    return np.concatenate([np.pad(part, ((0, 0), (0, size - part.shape[1]))) for part in known])
