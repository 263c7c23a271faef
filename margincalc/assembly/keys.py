"""Keys of pools as columns: a venue's accounts have millions of pools, and few are looked at."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, Literal, get_args

import numpy as np

from margincalc.arrays import AnyArray, IntArray
from margincalc.book import Pool

_Called = Literal["account", "group", "instrument", "unallocated"]
_SHARES: tuple[_Called, ...] = get_args(_Called)  # as `Share` numbers them


class Share(IntEnum):
    """What shares a pool; see `Pool.share`."""

    ACCOUNT = 0
    GROUP = 1
    INSTRUMENT = 2
    UNALLOCATED = 3


@dataclass(frozen=True, eq=False)
class PoolKeys(Sequence[Pool]):
    """Keys of A pools, each made when somebody asks.

    Attributes
    ----------
    owner, venue, share, name : shape (A,), rows of `owners`, `venues` (-1 of none), `Share`, and
        of the names that pools of its share have
    owners : accounts
    names : for each share
    """

    owner: IntArray
    venue: AnyArray
    share: IntArray
    name: IntArray
    owners: Sequence[Any]
    venues: Sequence[str]
    names: tuple[Sequence[Any], ...]

    def __len__(self) -> int:
        return len(self.owner)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        share, venue = int(self.share[index]), int(self.venue[index])
        return Pool(
            self.venues[venue] if venue >= 0 else "",
            _SHARES[share],
            str(self.names[share][int(self.name[index])]),
            str(self.owners[int(self.owner[index])]),
        )

    def take(self, pools: IntArray) -> "PoolKeys":
        """Return the keys of some pools."""
        return replace(
            self,
            owner=self.owner[pools],
            venue=self.venue[pools],
            share=self.share[pools],
            name=self.name[pools],
        )


def as_columns(keys: Sequence[Pool]) -> PoolKeys:
    """Return keys as columns, unless they are."""
    if isinstance(keys, PoolKeys):
        return keys
    owners, venues, names = (
        {own: number for number, own in enumerate(dict.fromkeys(column))}
        for column in (
            (key.owner for key in keys),
            (key.venue for key in keys),
            (key.name for key in keys),
        )
    )
    rows = [
        (owners[key.owner], venues[key.venue], _SHARES.index(key.share), names[key.name])
        for key in keys
    ]
    owner, venue, share, name = np.array(rows, np.int64).reshape(len(rows), 4).T
    called = (tuple(names),) * len(Share)
    return PoolKeys(owner, venue, share, name, tuple(owners), tuple(venues), called)
