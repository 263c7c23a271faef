"""The tables of a `tims` model's file: ranges, classes, and the groups in which they offset."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from margincalc.margin.base import Parameters, Share
from margincalc.margin.grids import SpotMove

EQUITY = "equity"  # the range of an underlying that no class names
Points = Annotated[tuple[SpotMove, ...], Field(min_length=1)]


class Class(Parameters):
    """What offsets in full: the underlying it is named for, and others."""

    range: str
    underlyings: tuple[str, ...] = ()


class ProductGroup(Parameters):
    """Classes that offset in part."""

    classes: tuple[str, ...]
    offset: Share


class PortfolioGroup(Parameters):
    """Product groups that offset in part."""

    product_groups: tuple[str, ...]
    offset: Share


class TimsParameters(Parameters):
    """The file's tables."""

    contract_minimum: Annotated[float, Field(allow_inf_nan=False, ge=0, le=1e6)]
    ranges: dict[str, Points]
    classes: dict[str, Class]
    product_groups: dict[str, ProductGroup]
    portfolio_groups: dict[str, PortfolioGroup]

    @model_validator(mode="after")
    def _refer_to_what_is_there(self) -> Self:
        if EQUITY not in self.ranges or len({len(row) for row in self.ranges.values()}) > 1:
            raise ValueError(f"ranges include {EQUITY}, and all have the same number of points")
        _each_once([own.range for own in self.classes.values()], self.ranges, repeated=True)
        _each_once(self.underlyings(), None)
        products, portfolios = self.product_groups.values(), self.portfolio_groups.values()
        _each_once([name for group in products for name in group.classes], self.classes)
        named = [name for group in portfolios for name in group.product_groups]
        _each_once(named, self.product_groups)
        return self

    def underlyings(self) -> list[str]:
        """List the underlyings of all classes."""
        return [each for name, own in self.classes.items() for each in members(name, own)]


def members(name: str, own: Class) -> tuple[str, ...]:
    """Return the underlyings of a class, that of its name first."""
    return (name, *(each for each in own.underlyings if each != name))


def _each_once(
    names: list[str], known: Mapping[str, Any] | None, *, repeated: bool = False
) -> None:
    missing = [name for name in names if known is not None and name not in known]
    if missing:
        raise ValueError(f"{missing[0]} is referred to, and defined nowhere")
    if not repeated and len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice} belongs to two groups")
