"""The `scan` family: the worst loss over a grid of scenarios, plus charges.

Each underlying of a pool takes its own worst scenario and the losses add up. A loss counts with
its scenario's weight; tail scenarios are weighted by ``cover / |move|``, the loss that a move as
large as the cover would have made. Initial margin is the same loss under another factor.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from pydantic import Field

from margincalc.arrays import FloatArray, IntArray, group_rows, group_sum
from margincalc.book import Book
from margincalc.margin.base import Components, Factor, MarginResult, Parameters, Share, Worst
from margincalc.margin.charges import collateral_haircut, delta_one_charge, short_option_charge
from margincalc.risk import equity, now, risk_array, scenario_pnl
from margincalc.scenarios import ScenarioGrid, VolatilityRule, grid

SpotMove = Annotated[float, Field(allow_inf_nan=False, ge=-0.99, le=100)]
VolatilityMove = Annotated[float, Field(allow_inf_nan=False, ge=-1, le=10)]
Power = Annotated[float, Field(allow_inf_nan=False, ge=0, le=10)]


class Grid(Parameters):
    """Every spot move with every volatility move."""

    spot: tuple[SpotMove, ...] = Field(min_length=1)
    volatility: tuple[VolatilityMove, ...] = Field(min_length=1)


class Tails(Parameters):
    """Large moves of which a share counts: `cover` over the move's size, unless stated."""

    spot: tuple[SpotMove, ...]
    volatility: VolatilityMove
    cover: Share | None = None
    weight: tuple[Share, ...] | None = None


class Row(Parameters):
    """One scenario written out."""

    spot: SpotMove
    volatility: VolatilityMove
    weight: Factor = 1.0
    days_forward: Annotated[float, Field(allow_inf_nan=False, ge=0, le=365)] = 0.0


class VolatilityShock(Parameters):
    """How stated volatility moves apply; see `scenarios.VolatilityRule`."""

    rule: Literal["relative", "absolute"]
    short_power: Power = 0.0
    long_power: Power = 0.0
    floor_days: Annotated[float, Field(allow_inf_nan=False, gt=0, le=400)] = 1.0
    minimum_up: Annotated[float, Field(allow_inf_nan=False, ge=0, le=20)] = 0.0


class Charges(Parameters):
    """Shares of spot per net short option, and of delta-one notional."""

    short_options: Share = 0.0
    delta_one: Share = 0.0


class Factors(Parameters):
    """What the loss and charges are multiplied by."""

    maintenance: Factor = 1.0
    initial: Factor = 1.0


class ScanSet(Parameters):
    """The parameters of one underlying."""

    grid: Grid | None = None
    tails: Tails | None = None
    rows: tuple[Row, ...] = ()
    volatility: VolatilityShock
    charges: Charges = Charges()
    factors: Factors = Factors()

    def scenario_grid(self) -> ScenarioGrid:
        """Return the scenarios: the grid, then the tails, then the rows."""
        rows = [[m, v, 1.0, 0.0] for m in self._axis("spot") for v in self._axis("volatility")]
        if self.tails is not None:
            rows += [
                [move, self.tails.volatility, weight, 0.0]
                for move, weight in zip(self.tails.spot, _weights(self.tails), strict=True)
            ]
        rows += [[row.spot, row.volatility, row.weight, row.days_forward] for row in self.rows]
        shock = self.volatility.model_dump(exclude={"rule"})
        rule = VolatilityRule(relative=self.volatility.rule == "relative", **shock)
        return grid(np.array(rows, np.float64).reshape(-1, 4), rule)

    def _axis(self, name: str) -> tuple[float, ...]:
        return getattr(self.grid, name) if self.grid is not None else ()


def _weights(tails: Tails) -> tuple[float, ...]:
    if tails.weight is not None:
        return tails.weight
    cover = tails.cover or 1.0
    return tuple(min(cover / abs(move), 1.0) if move else 1.0 for move in tails.spot)


class ScanParameters(ScanSet):
    """The file's tables: a default set, and what differs for some underlyings."""

    underlyings: dict[str, dict[str, Any]] = Field(default_factory=dict)


class _Set(NamedTuple):
    """Parameters of some underlyings, with their scenarios."""

    parameters: ScanSet
    grid: ScenarioGrid


class Scan(NamedTuple):
    """Worst weighted loss over a grid, plus charges, times a factor."""

    sets: Mapping[str, _Set]  # by underlying; "" for all others

    @property
    def grids(self) -> tuple[ScenarioGrid, ...]:
        """The scenarios, the default set's first."""
        return tuple(chosen.grid for chosen in self.sets.values())

    def margin(self, book: Book) -> MarginResult:
        """Margin every pool of a book."""
        value = now(book)
        maintenance: Components = {}
        initial: Components = {}
        found = []
        for number, rows in self._split(book):
            chosen = list(self.sets.values())[number]
            part, held = book.restricted(rows)
            worst, losses = _losses(part, chosen, value[held])
            found.append((rows, worst._replace(grid=np.full(len(worst.pool), number))))
            factors = chosen.parameters.factors
            for name, loss in losses.items():
                _add(maintenance, name, factors.maintenance * loss)
                _add(initial, name, factors.initial * loss)
        _add(maintenance, "collateral_haircut", collateral_haircut(book, initial=False))
        _add(initial, "collateral_haircut", collateral_haircut(book, initial=True))
        return MarginResult(equity(book, value), maintenance, initial, _joined(found, book))

    def _split(self, book: Book) -> Iterator[tuple[int, IntArray]]:
        """Yield each set's number with the position rows that it applies to."""
        number = {name: index for index, name in enumerate(self.sets)}
        chosen = np.array([number.get(name, 0) for name in book.names.underlyings], np.int64)
        underlying = book.underlying
        for index in range(len(self.sets)):
            rows = np.flatnonzero(underlying >= 0)
            rows = rows[chosen[underlying[rows]] == index]
            if len(rows) or index == 0:
                yield index, rows


def _losses(book: Book, chosen: _Set, value: FloatArray) -> tuple[Worst, Components]:
    """Scan one set's rows and charge them; `value` is their present one, shape (I,)."""
    first, labels = group_rows(book.pool, book.underlying)
    risk = risk_array(book, chosen.grid, value) * chosen.grid.weight
    pnl = scenario_pnl(book, risk, labels, len(first))
    scenario = np.argmin(pnl, axis=1) if len(first) else np.zeros(0, np.int64)
    worst = Worst(
        book.pool[first],
        book.underlying[first],
        np.zeros(len(first), np.int64),
        scenario,
        pnl[np.arange(len(first)), scenario],
        book.quantity * risk[book.instrument, scenario[labels]],
    )
    charges = chosen.parameters.charges
    loss = np.maximum(-worst.pnl, 0.0)
    return worst, {
        "scenario_loss": group_sum(loss, worst.pool, book.pools),
        "short_options": short_option_charge(book, charges.short_options),
        "delta_one": delta_one_charge(book, charges.delta_one),
    }


def _add(components: Components, name: str, amount: FloatArray) -> None:
    components[name] = components[name] + amount if name in components else amount


def _joined(found: list[tuple[IntArray, Worst]], book: Book) -> Worst:
    """Put the sets' worst scenarios together, by pool and underlying."""
    by_position = np.zeros(len(book.quantity))
    for rows, part in found:
        by_position[rows] = part.by_position
    pool, underlying, grid, scenario, pnl = (
        np.concatenate([getattr(part, name) for _, part in found])
        for name in ("pool", "underlying", "grid", "scenario", "pnl")
    )
    order = np.lexsort((underlying, pool))
    return Worst(
        pool[order], underlying[order], grid[order], scenario[order], pnl[order], by_position
    )


def build(tables: Mapping[str, Any]) -> Scan:
    """Read a scan model's tables.

    Raises
    ------
    pydantic.ValidationError
        If a parameter is missing, unknown or out of bounds.
    """
    whole = ScanParameters.model_validate(tables)
    base = whole.model_dump(exclude={"underlyings"}, exclude_unset=True)
    sets = {"": base, **{name: base | other for name, other in whole.underlyings.items()}}
    made = {name: ScanSet.model_validate(table) for name, table in sets.items()}
    return Scan({name: _Set(chosen, chosen.scenario_grid()) for name, chosen in made.items()})
