"""Which accounts and instruments stand where: one look at every file, before anything is computed.

Of each row group it keeps the first and last account, and where the next one begins. Accounts that
ascend through all files cannot reappear, and nothing more is kept; of others, eight bytes each.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from margincalc.arrays import IntArray
from margincalc.errors import input_error, shown
from margincalc.files.parquet import (
    Wanted,
    account_keys,
    arrow,
    columns_of,
    opened,
    read,
    readable,
    sizes_of,
)

Key: TypeAlias = str | int
Map: TypeAlias = Callable[..., Iterable[Any]]
"""`map`, in threads or on a cluster."""
_GLANCE = 1 << 15  # rows after which it is asked whether every name has been seen
_PRIME = np.uint64(0x100000001B3)
_NOBODY = np.zeros(0, np.int64)


class Group(NamedTuple):
    """A row group.

    Attributes
    ----------
    file, number : which file of the survey, and which row group of it
    start, rows : of which row of the file it is the first, and how many there are
    first, last : accounts
    lead : rows of the first account
    accounts : runs of rows of one account
    ascending : whether the accounts are in ascending order
    """

    file: int
    number: int
    start: int
    rows: int
    first: Key
    last: Key
    lead: int
    accounts: int
    ascending: bool


class Nobody(NamedTuple):
    """A row group without any account; see `Group`."""

    file: int
    number: int
    start: int
    rows: int


class Survey(NamedTuple):
    """The row groups of files, and the distinct names in their second column.

    Attributes
    ----------
    nobody : the row groups of which no row says whose it is; `groups` has the others
    """

    files: tuple[str, ...]
    groups: tuple[Group, ...]
    names: tuple[str, ...]
    nobody: tuple[Nobody, ...] = ()

    @property
    def ascending(self) -> bool:
        """Whether accounts ascend through all files; one may go on in its file's next group."""
        return (
            all(group.ascending for group in self.groups)
            and all(
                before.last < after.first  # type: ignore[operator]  # both are texts or both numbers
                or (before.last == after.first and before.file == after.file)
                for before, after in zip(self.groups, self.groups[1:], strict=False)
            )
        )


def survey(files: Sequence[str], wanted: dict[str, Wanted], each: Map = map) -> Survey:
    """Look at the account and the name, the second column wanted, of every row.

    Raises
    ------
    InputError
        For a file that cannot be read, lacks a column, or names accounts in another way.
    """
    tasks = []
    for number, path in enumerate(files):
        with opened(path) as file:
            columns = columns_of(file, path, wanted)
            sizes = sizes_of(file, path)
        starts = np.concatenate([[0], np.cumsum(sizes)]).tolist()
        tasks += [
            (path, (number, group, starts[group]), tuple(columns[:2]))
            for group, rows in enumerate(sizes)
            if rows
        ]
    groups, nobody, names = [], [], set[str]()
    for group, found in each(_look, *zip(*tasks, strict=True)) if tasks else ():
        if isinstance(group, Nobody):
            nobody.append(group)
        else:
            groups.append(group)
            names |= found
    for group in groups:
        if isinstance(group.first, str) != isinstance(groups[0].first, str):
            place = f"{files[group.file]}, column account"
            remedy = "write accounts in one way in all files"
            raise input_error(place, "accounts of another type", "that of the others", remedy)
    return Survey(tuple(files), tuple(groups), tuple(sorted(names)), tuple(nobody))


def _look(path: str, place: tuple[int, int, int], columns: tuple[str, ...]) -> Any:
    pa = arrow()
    with opened(path) as file:
        table = read(file, [place[1]], columns)
    accounts = account_keys(table.column(columns[0]), path)
    if accounts.null_count == len(accounts):
        return Nobody(*place, len(accounts)), set()
    accounts = filled(accounts)
    starts = runs(accounts)
    heads = accounts.take(pa.array(starts))
    rising = pa.compute.all(pa.compute.less(heads[:-1], heads[1:])).as_py()
    named = readable(table.column(columns[1]))
    names = set[str]().union(*(_distinct(chunk) for chunk in named.chunks))
    lead = int(starts[1]) if len(starts) > 1 else len(accounts)
    ends = accounts[0].as_py(), accounts[-1].as_py()
    return Group(*place, len(accounts), *ends, lead, len(starts), rising is not False), names


def _distinct(column: Any) -> set[str]:
    """Return the names in a column; of a dictionary those that are used."""
    pa = arrow()
    if not pa.types.is_dictionary(column.type):
        return set(pa.compute.unique(column).drop_null().to_pylist())
    indices, used = column.indices, np.zeros(len(column.dictionary), bool)
    code = (indices.drop_null() if indices.null_count else indices).to_numpy()
    for first in range(0, len(code), _GLANCE):
        used[code[first : first + _GLANCE]] = True
        if np.all(used):  # as in most files long before the last row
            break
    return set(column.dictionary.filter(pa.array(used)).drop_null().to_pylist())


def filled(accounts: Any) -> Any:
    """Give rows without account to their neighbour's run; they are refused later, one by one."""
    pa = arrow()
    if not accounts.null_count:
        return accounts
    return pa.compute.fill_null_backward(pa.compute.fill_null_forward(accounts))


def runs(accounts: Any) -> IntArray:
    """Return the rows at which another account begins, the first row among them."""
    pa = arrow()
    if not len(accounts):
        return np.zeros(0, np.int64)
    if pa.types.is_integer(accounts.type) and not accounts.null_count:
        number = accounts.to_numpy()
        changed = number[1:] != number[:-1]
    else:
        changed = pa.compute.not_equal(accounts[1:], accounts[:-1]).to_numpy(zero_copy_only=False)
    return np.concatenate([[0], np.flatnonzero(changed) + 1])


def digests(accounts: Any) -> IntArray:
    """Return a number for each account: whole numbers themselves, texts hashed."""
    pa = arrow()
    if pa.types.is_integer(accounts.type):
        return np.asarray(accounts.to_numpy(zero_copy_only=False), np.int64)
    offsets = np.frombuffer(accounts.buffers()[1], np.int32)
    offsets = offsets[accounts.offset : accounts.offset + len(accounts) + 1].astype(np.int64)
    data = accounts.buffers()[2]
    text = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    length = np.diff(offsets)
    digest = length.astype(np.uint64) + np.uint64(0xCBF29CE484222325)
    for place in range(int(length.max(initial=0))):
        rows = np.flatnonzero(length > place)
        mixed = (digest[rows] ^ text[offsets[rows] + place]) * _PRIME
        digest[rows] = mixed ^ (mixed >> np.uint64(29))
    return digest.view(np.int64)


def accounts_of(surveyed: Survey, group: Group) -> Any:
    """Read the accounts of a row group, one for each run."""
    return _heads(surveyed, group)[0]


def _heads(surveyed: Survey, group: Group) -> tuple[Any, IntArray]:
    """Read the account of each run of a row group, and the row of its file at which it begins."""
    path = surveyed.files[group.file]
    with opened(path) as file:
        accounts = filled(account_keys(read(file, [group.number], ["account"]).column(0), path))
    starts = runs(accounts)
    return accounts.take(arrow().array(starts)), group.start + starts


def refuse_reappearing(surveyed: Survey) -> tuple[IntArray, IntArray]:
    """Refuse an account that appears in two places.

    Returns
    -------
    digest, group : of every account, by ascending digest, and the row group that it begins in

    Raises
    ------
    InputError
        Naming the account, both places and the remedy.
    """
    found, owner, before = [_NOBODY], [_NOBODY], None
    for number, group in enumerate(surveyed.groups):
        own = digests(accounts_of(surveyed, group))
        goes_on = before is not None and before.file == group.file and before.last == group.first
        found.append(own[1:] if goes_on else own)
        owner.append(np.full(len(found[-1]), number))
        before = group
    digest, place = np.concatenate(found), np.concatenate(owner)
    order = np.argsort(digest, kind="stable")
    digest, place = digest[order], place[order]
    for at in np.flatnonzero(digest[1:] == digest[:-1]).tolist():
        _refuse_twice(surveyed, int(digest[at]), (int(place[at]), int(place[at + 1])))
    return digest, place


def _refuse_twice(surveyed: Survey, digest: int, places: tuple[int, int]) -> None:
    """Refuse the account of a digest in two row groups, unless they are two accounts."""
    found: list[tuple[Any, str, int]] = []
    for number in dict.fromkeys(places):
        group = surveyed.groups[number]
        accounts, starts = _heads(surveyed, group)
        own = np.flatnonzero(digests(accounts) == digest)
        names = accounts.take(arrow().array(own)).to_pylist()
        rows = (starts[own] + 1).tolist()  # counted from 1, as people count them
        found += [
            (name, surveyed.files[group.file], row) for name, row in zip(names, rows, strict=True)
        ]
    names = [name for name, _, _ in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is None:
        return
    (_, file, row), *_, (_, other, again) = (place for place in found if place[0] == twice)
    raise input_error(
        other,
        f"account {shown(twice)} again in row {again:,}, after others; it begins in "
        + (f"row {row:,}" if file == other else f"{file} row {row:,}"),
        "the rows of each account together, in one file",
        "group them first: margincalc batch POSITIONS --balances BALANCES --partition -o FOLDER",
    )
