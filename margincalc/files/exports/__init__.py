"""Exports of venues and brokers: their files in, the mapping that a native file would hold out.

Order: rows, draft and flex, pages, one file per venue and native (what they make together), then
this file. A venue's file says from which documentation it was written. Nothing here is imported
for a native file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType

from margincalc.errors import Fault, InputError, few, input_error, printable, shown
from margincalc.files.exports import bybit, ccxt, deribit, derive, flex, ibkr, okx
from margincalc.files.exports.documented import FIELDS
from margincalc.files.exports.draft import Draft
from margincalc.files.exports.native import native
from margincalc.files.exports.pages import MARKET, Page, Section, Within, unwrap, wrapped
from margincalc.files.exports.rows import Row, joined
from margincalc.files.json_text import json_growth, read_json
from margincalc.files.source import Source
from margincalc.files.tree import Places, Tree

VENUES: Mapping[str, ModuleType] = {
    "deribit": deribit,
    "okx": okx,
    "bybit": bybit,
    "derive": derive,
    "ccxt": ccxt,
}
"""The readers of JSON, in the order in which a file is tried against them."""

_NEAR = 0.5  # share of a section's fields by which a damaged row is still recognised


@dataclass(frozen=True)
class Gathered:
    """What exports together say.

    Attributes
    ----------
    tree : what a native file would hold
    origin : says where a part of `tree` was read
    remarks : as what the files were read, what was decided, and by name what was left out
    """

    tree: dict[str, Tree]
    origin: "Origin"
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Origin:
    """Says where parts of the portfolio stand in the files that they were gathered from."""

    rows: Mapping[str, Row]
    name: str

    def __call__(self, path: str) -> str:
        """Return the place of the row that said a part, and the part; else the files' names."""
        row = self._row(path)
        if row is None:
            return f"{self.name}, {printable(path)}" if path else self.name
        return f"{row.place()} (as {printable(path)})"

    def line(self, path: str) -> int:
        """Return the line of that row; 0 where there is none."""
        row = self._row(path)
        return row.locate.line(row.path) if row is not None else 0

    def __contains__(self, path: str) -> bool:
        return self._row(path) is not None

    def _row(self, path: str) -> Row | None:
        known = [key for key in self.rows if path == key or path.startswith(f"{key}.")]
        return self.rows[max(known, key=len)] if known else None


@dataclass(frozen=True)
class _Read:
    """A file as one kind of answer of one venue."""

    venue: str
    section: Section
    page: Page


def foreign(tree: Tree, native: frozenset[str]) -> bool:
    """Whether a JSON tree is an export for certain, and no portfolio file with a slip in it."""
    if isinstance(tree, dict) and tree.keys() <= native:
        return False
    faults: list[Fault] = []
    try:
        page = unwrap(tree, _Nowhere(), faults)
    except InputError:
        return True  # the venue's own refusal is in its envelope
    return wrapped(tree) or _recognised(page, [*VENUES]) is not None


def gather(sources: Sequence[Source], venue: str | None = None) -> Gathered:
    """Read the answers in several files into one portfolio.

    Parameters
    ----------
    venue : a name of `VENUES`, or `ibkr`; by default that which recognises each file

    Raises
    ------
    InputError
        With every fault found.
    """
    draft = Draft()
    once = {source.text: source for source in reversed(sources)}  # the first of those alike
    for source in sources:
        if once[source.text] is not source:
            draft.remark(f"{source.name}: the same as {once[source.text].name}, and read once")
    parts = [
        part
        for source in sources
        if once[source.text] is source
        for part in _parts(source, venue, draft)
    ]
    _refuse_several(parts)
    for part in sorted(parts, key=lambda part: part.section.turn):
        part.section.read(part.page, draft)
    tree = native(draft) if not draft.faults else {}
    if draft.faults:
        raise InputError([*{(fault.place, fault.found): fault for fault in draft.faults}.values()])
    left_out = [f"left out: {refusal}" for refusal in dict.fromkeys(draft.refused)]
    remarks = (*draft.remarks, *_aside(draft), *left_out)
    names = ", ".join(source.name for source in sources)
    return Gathered(tree, Origin(draft.origin, names), remarks)


def _parts(source: Source, venue: str | None, draft: Draft) -> list[_Read]:
    """Read one file, and say as what."""
    if source.format == "xml" or venue == "ibkr":
        ibkr.statement(flex.read_flex(source.text, source.name, draft.faults), draft)
        draft.remark(f"{source.name}: read as ibkr, Flex statement")
        return []
    tree = read_json(source.text, source.name)
    page = unwrap(tree, Places(source.name, source.text, json_growth), draft.faults)
    if not page.rows:
        draft.remark(f"{source.name}: nothing in it")
        return []
    known = [venue] if venue is not None else [*VENUES]
    found = _recognised(page, known) or _nearest(page, known)
    if found is None:
        raise _unknown(page, venue)
    parts = _beneath(found, draft) if found.venue == "ccxt" else [found]
    for part in parts:
        beneath = (
            "" if part.venue == found.venue else f", under `info` of ccxt's {found.section.title}"
        )
        draft.remark(f"{source.name}: read as {part.venue}, {part.section.title}{beneath}")
        if unread := _undocumented(part):
            draft.remark(f"{source.name}: fields that were not known, and not read: {unread}")
    return parts


def _beneath(found: _Read, draft: Draft) -> list[_Read]:
    """Return ccxt's rows as the exchange's own answer, where a reader knows it, and the rest.

    A symbol without settlement is a spot pair, which an exchange may name like a contract.
    """
    parts: dict[tuple[str, Section], list[Page]] = {}
    rest = []
    for row in found.page.rows:
        if found.section.title in ccxt.DATED:
            draft.seen(row.maybe("timestamp"))
        own = _own(row) if ":" in str(row.fields.get("symbol", ":")) else None
        if own is None:
            rest.append(row)
        else:
            parts.setdefault((own.venue, own.section), []).append(own.page)
    read = [
        _Read(*key, Page(pages[0].top, pages[0].head, [row for page in pages for row in page.rows]))
        for key, pages in parts.items()
    ]
    return read + ([replace(found, page=replace(found.page, rows=rest))] if rest else [])


def _own(row: Row) -> _Read | None:
    """Return the exchange's own answer that ccxt keeps beside its own, if a reader knows it."""
    info = row.fields.get("info")
    if not isinstance(info, dict | list):
        return None
    page = unwrap(info, Within(row.locate, joined(row.path, "info")), row.faults)
    return _recognised(page, [name for name in VENUES if name != "ccxt"])


def _undocumented(read: _Read) -> str:
    """Name the fields of rows that the venue's documentation did not have; at most a few."""
    known = FIELDS.get(read.venue, {}).get(read.section.title, "").split()
    found = {key for row in read.page.rows for key in row.fields}
    unread = [printable(key) for key in sorted(found - {*known} - read.section.needs) if known]
    return few([f"`{key}`" for key in unread])


def _aside(draft: Draft) -> list[str]:
    """Name what of the market no portfolio holds, and what the account holds nothing of."""
    reasons = {
        "not of this market, as no option, future or perpetual": draft.passed,
        "left out, as its quantity is 0": draft.empty,
    }
    return [f"{why}: {few(names)}" for why, names in reasons.items() if names]


def _recognised(page: Page, venues: Sequence[str]) -> _Read | None:
    """Return the section whose needs the first row meets, the one that needs most."""
    met = [
        _Read(venue, section, page)
        for venue in venues
        for section in VENUES[venue].SECTIONS
        if page.rows and section.needs <= page.rows[0].fields.keys()
    ]
    return max(met, key=lambda read: len(read.section.needs), default=None)


def _nearest(page: Page, venues: Sequence[str]) -> _Read | None:
    """Return the section that a damaged row is most like; reading it finds what is wrong."""
    keys = page.rows[0].fields.keys()
    alike = [
        (len(section.needs & keys) / len(section.needs), venue, section)
        for venue in venues
        for section in VENUES[venue].SECTIONS
    ]
    share, venue, section = max(alike, key=lambda entry: entry[0])
    if share <= _NEAR:
        return None
    missing = sorted(section.needs - keys)
    for key in missing:
        page.rows[0].number(key)
    return _Read(venue, section, page)


def _unknown(page: Page, venue: str | None) -> InputError:
    row = page.rows[0]
    fields = few([shown(key) for key in row.fields])
    found = f"a row with the fields {fields}" if fields else "a row without fields"
    wanted = f"an answer of {', '.join(VENUES)}"
    remedy = "save the whole answer of the venue, as it comes"
    if venue is not None:
        titles = dict.fromkeys(each.title for each in VENUES[venue].SECTIONS)
        wanted = f"an answer of {venue}: {', '.join(titles)}"
        if (other := _recognised(page, [*VENUES])) is not None:
            remedy = f"it is {other.venue}'s {other.section.title}: --from {other.venue}"
    return input_error(row.place(), found, wanted, remedy)


def _refuse_several(parts: Sequence[_Read]) -> None:
    """Refuse accounts at several venues: what one holds is no collateral of the other."""
    own = [part for part in parts if part.section.turn != MARKET and part.venue != "ccxt"]
    venues = dict.fromkeys(part.venue for part in own)
    if len(venues) > 1:
        place = next(part.page.rows[0].place() for part in own if part.venue != own[0].venue)
        remedy = "convert each alone; in one file, `venue` says where a position or deposit is"
        found = f"accounts at {' and '.join(venues)}"
        raise input_error(place, found, "the files of one account", remedy)


class _Nowhere:
    """Places of a file that is only looked at."""

    def __call__(self, path: str) -> str:
        return path

    def line(self, path: str) -> int:
        return 0


__all__ = ["VENUES", "Gathered", "foreign", "gather"]
