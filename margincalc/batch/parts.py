"""Pieces of work: runs of whole accounts of one file, and the balances that may be theirs."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np

from margincalc.arrays import IntArray
from margincalc.batch.survey import (
    Group,
    Key,
    Survey,
    accounts_of,
    digests,
    refuse_reappearing,
)
from margincalc.errors import input_error

ROWS = 1 << 19  # of positions in a part, about: it bounds memory, and what a kill can cost


class Part(NamedTuple):
    """A piece.

    Attributes
    ----------
    number : its place among all
    file : that holds its positions; "" of the balances of accounts without positions
    groups : its row groups of that file, with those in which its last account goes on
    first, skip, rows : the row of the file at which they begin, how many rows from there are
        another part's, and how many after those are its own
    balances : row groups in which its accounts may have balances, as file and number
    ascending : whether accounts ascend; then those after `after`, up to `until`, are its own too
    after, until : accounts; None where there is no end
    nobody : whether no row says whose it is
    """

    number: int
    file: str
    groups: tuple[int, ...]
    first: int
    skip: int
    rows: int
    balances: tuple[tuple[str, int], ...] = ()
    ascending: bool = False
    after: Key | None = None
    until: Key | None = None
    nobody: bool = False

    @property
    def files(self) -> tuple[str, ...]:
        """All that it is read from."""
        named = (self.file, *(file for file, _ in self.balances))
        return tuple(file for file in dict.fromkeys(named) if file)


class Plan(NamedTuple):
    """All pieces; `known` has the digests of accounts with positions, where not all have any."""

    parts: tuple[Part, ...]
    known: IntArray | None = None


def planned(positions: Survey, balances: Survey) -> Plan:
    """Cut the positions into parts, and find each part's balances.

    Raises
    ------
    InputError
        If an account reappears.
    """
    ends = [survey.groups[0].first for survey in (positions, balances) if survey.groups]
    if len({isinstance(end, str) for end in ends}) > 1:
        wanted = "names or numbers, as the positions have them"
        raise input_error("--balances, column account", "accounts of another type", wanted)
    parts = list(_cut(positions))
    if positions.ascending and balances.ascending and parts:
        plan = Plan(tuple(_ascending(parts, balances)))
    else:
        plan = _by_digest(parts, positions, balances)
    more = tuple(_nobodys(positions, balances, len(plan.parts)))
    return plan._replace(parts=plan.parts + more)


def _nobodys(positions: Survey, balances: Survey, count: int) -> Iterator[Part]:
    """Yield a part for each row group without accounts, numbered from `count`."""
    for number, group in enumerate(positions.nobody, count):
        path = positions.files[group.file]
        yield Part(number, path, (group.number,), group.start, 0, group.rows, nobody=True)
    for number, group in enumerate(balances.nobody, count + len(positions.nobody)):
        served = ((balances.files[group.file], group.number),)
        yield Part(number, "", (), 0, 0, 0, served, nobody=True)


def _cut(survey: Survey) -> Iterator[Part]:
    """Yield parts without balances; `until` is the last account of each."""
    number = 0
    for file, members in groupby(survey.groups, key=lambda group: group.file):
        groups = list(members)
        starts = _starts(groups)
        for begin, end in zip(starts, [*starts[1:], len(groups)], strict=True):
            skip, more = _lead(groups, begin), _lead(groups, end)
            rows = sum(group.rows for group in groups[begin:end]) - skip + more
            reach = end
            while more > 0:
                more -= groups[reach].rows
                reach += 1
            if rows > 0:
                numbers = tuple(group.number for group in groups[begin:reach])
                first, last = groups[begin].start, groups[end - 1].last
                path = survey.files[file]
                yield Part(number, path, numbers, first, skip, rows, until=last)
                number += 1


def _starts(groups: Sequence[Group]) -> list[int]:
    """Return the groups at which parts begin: each of `ROWS` rows, or a little more."""
    starts, rows = [0], 0
    for number, group in enumerate(groups):
        if rows >= ROWS:
            starts.append(number)
            rows = 0
        rows += group.rows
    return starts


def _lead(groups: Sequence[Group], number: int) -> int:
    """Return how many rows, from a group on, are of the last account before it."""
    rows = 0
    if number == 0:
        return rows
    for group in groups[number:]:
        if group.first != groups[number - 1].last:
            break
        rows += group.lead
        if group.lead < group.rows:
            break
    return rows


def _ascending(parts: Sequence[Part], balances: Survey) -> Iterator[Part]:
    """Give each part the balances of accounts after the last part's, up to its own last."""
    after: Key | None = None
    for part in parts:
        until = None if part is parts[-1] else part.until
        served = tuple(
            (balances.files[group.file], group.number)
            for group in balances.groups
            if (after is None or _above(group.last, after))
            and (until is None or not _above(group.first, until))
        )
        yield part._replace(balances=served, ascending=True, after=after, until=until)
        after = until


def _above(one: Key, other: Key) -> bool:
    return one > other  # type: ignore[operator]  # both are texts or both numbers


def _by_digest(parts: list[Part], positions: Survey, balances: Survey) -> Plan:
    """Give each part the row groups in which its accounts occur; the rest is a part of its own."""
    digest, group = refuse_reappearing(positions)
    owner = _owners(parts, positions)[group]
    served: list[list[tuple[str, int]]] = [[] for _ in range(len(parts) + 1)]
    for each in balances.groups:
        wanted = np.unique(digests(accounts_of(balances, each)))
        at = np.minimum(np.searchsorted(digest, wanted), max(len(digest) - 1, 0))
        found = digest[at] == wanted if len(digest) else np.zeros(len(wanted), bool)
        places = np.where(found, owner[at] if len(digest) else -1, len(parts))
        for part in np.unique(places).tolist():
            served[part].append((balances.files[each.file], each.number))
    made = [
        part._replace(balances=tuple(own), until=None)
        for part, own in zip(parts, served, strict=False)
    ]
    if not served[-1]:
        return Plan(tuple(made))
    rest = Part(len(parts), "", (), 0, 0, 0, tuple(served[-1]))
    return Plan((*made, rest), digest)


def _owners(parts: Sequence[Part], positions: Survey) -> IntArray:
    """Return the part in which the accounts that begin in each row group are."""
    owner = np.zeros(len(positions.groups), np.int64)
    number = {
        (positions.files[group.file], group.number): at for at, group in enumerate(positions.groups)
    }
    for part in parts:
        for group in part.groups:  # of one that several have, all but the last have the lead alone
            owner[number[part.file, group]] = part.number
    return owner
