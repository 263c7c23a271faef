"""What rows of a book are called: pools and who shares them, underlyings, instruments."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from margincalc.arrays import IntArray


class Pool(NamedTuple):
    """Which collateral a row shares; rows of equal pools are margined together.

    Attributes
    ----------
    venue : where it is, "" where that is not said
    share : `account`, `group`, `instrument`, or `unallocated` for deposits that no pool holds yet
    name : of the account, group or instrument
    owner : account that it belongs to, in a book of several; "" where that need not be said
    """

    venue: str
    share: Literal["account", "group", "instrument", "unallocated"]
    name: str
    owner: str = ""

    @property
    def title(self) -> str:
        """What a report calls it."""
        if self.share == "account":
            return self.venue or self.name
        return f"{self.venue}: {self.name}" if self.venue else self.name


class Names(NamedTuple):
    """What the rows are called; carried for reports, never computed with."""

    keys: Sequence[Pool]  # [A]
    underlyings: tuple[str, ...]  # [U]
    instruments: tuple[str, ...]  # [I]

    @property
    def pools(self) -> tuple[str, ...]:
        """What reports call the pools, [A]."""
        return tuple(key.title for key in self.keys)


class Picked(Sequence[Pool]):
    """Some of the keys of pools, looked up when somebody asks: of a million, few are."""

    def __init__(self, keys: Sequence[Pool], rows: IntArray) -> None:
        self._keys, self._rows = keys, rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        chosen = self._rows[index]
        return [self._keys[row] for row in chosen] if chosen.ndim else self._keys[int(chosen)]
