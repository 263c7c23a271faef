"""What a simulation answers: facts and tables, every column with its unit.

One shape for many questions: a fact is a named figure, a table a list of records with the same
fields. JSON has them by their keys, a report sets them by their units.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from margincalc.answers.results import Json, to_json
from margincalc.answers.shown import Shown
from margincalc.errors import input_error, shown

Unit = Literal[
    "text",
    "count",
    "money",
    "price",
    "move",
    "share",
    "number",
    "ratio",
    "factor",
    "seconds",
    "flag",
    "status",
]


class Fact(NamedTuple):
    """A figure of the whole.

    Attributes
    ----------
    value : None where it does not exist
    unit : how it is written; JSON has the plain number
    """

    key: str
    title: str
    value: Any
    unit: Unit


class Field(NamedTuple):
    """A column; those of high rank leave a narrow table first."""

    key: str
    title: str
    unit: Unit
    rank: int = 0


class Table(NamedTuple):
    """Records with the same fields.

    Attributes
    ----------
    shown : how many a report shows, evenly chosen; 0 shows the first 20
    """

    key: str
    fields: tuple[Field, ...]
    rows: tuple[tuple[Any, ...], ...]
    shown: int = 0
    hidden: bool = False

    def records(self) -> list[dict[str, Json]]:
        """Return the rows by the keys of their fields."""
        keys = [field.key for field in self.fields]
        return [dict(zip(keys, to_json(row), strict=True)) for row in self.rows]

    def column(self, key: str) -> list[Any]:
        """Return one field of every row."""
        place = [field.key for field in self.fields].index(key)
        return [row[place] for row in self.rows]


Limits = Mapping[str, tuple[float, float]]
"""Between what the terms of a study lie, by their names on the command line."""


def refuse_outside(terms: Mapping[str, float | None], limits: Limits) -> None:
    """Refuse terms that are beyond their limits, or no numbers; None is not said.

    Raises
    ------
    InputError
    """
    for name, (least, most) in limits.items():
        value = terms[name]
        if value is not None and not least <= value <= most:
            raise input_error(f"--{name}", shown(value), f"a number from {least:g} to {most:g}")


@dataclass(frozen=True, repr=False)
class Study(Shown):
    """The answer of a simulation.

    Attributes
    ----------
    name : of the question, such as `cascade`
    title : of what was simulated
    currency : of amounts
    notes : what a reader of the figures should know
    """

    name: str
    title: str
    currency: str
    facts: tuple[Fact, ...]
    tables: tuple[Table, ...]
    notes: tuple[str, ...] = ()

    def __getitem__(self, key: str) -> Any:
        """Return a fact's value, or a table's records, by its key."""
        for fact in self.facts:
            if fact.key == key:
                return fact.value
        return self.table(key).records()

    def table(self, key: str) -> Table:
        """Return a table by its key."""
        return next(table for table in self.tables if table.key == key)

    def to_dict(self) -> dict[str, Json]:
        """Return the JSON."""
        facts: Mapping[str, Json] = {fact.key: to_json(fact.value) for fact in self.facts}
        tables = {table.key: table.records() for table in self.tables}
        head = {"schema": f"margincalc.{self.name}/1", "of": self.title, "currency": self.currency}
        return {**head, **facts, **tables, "notes": list(self.notes)}
