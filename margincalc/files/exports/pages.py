"""Envelopes: what a venue wraps around the rows of an answer, and the sections that rows are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from margincalc.errors import Fault, InputError, shown
from margincalc.files.exports.draft import Draft
from margincalc.files.exports.rows import Row, joined, rows_of
from margincalc.files.tree import Locator, Tree

_LISTS = ("list", "summaries", "tickers")  # of a result, that which holds its rows
_MAPPED = "tickers"  # which may be a mapping as well
MARKET, ACCOUNT, ORDERS = range(3)  # in this order they are read: what a contract is comes first


@dataclass(frozen=True)
class Page:
    """The rows of one answer.

    Attributes
    ----------
    top : the envelope
    head : the mapping around the rows; `top` where there is none
    """

    top: Row
    head: Row
    rows: list[Row]


@dataclass(frozen=True)
class Section:
    """One kind of answer of a venue.

    Attributes
    ----------
    title : what messages call it
    needs : fields by which its rows are recognised
    read : takes the rows into a draft
    turn : when it is read; what says sizes of contracts and prices helps to read the others
    """

    title: str
    needs: frozenset[str]
    read: Callable[[Page, Draft], None]
    turn: int = ACCOUNT


def section(
    title: str, needs: str, read: Callable[[Page, Draft], None], turn: int = ACCOUNT
) -> Section:
    """Return a section; `needs` lists field names."""
    return Section(title, frozenset(needs.split()), read, turn)


@dataclass(frozen=True)
class Within:
    """Says where the parts of a value stand that is itself a part of a file."""

    locate: Locator
    path: str

    def __call__(self, path: str) -> str:
        """Return where a part of the value stands."""
        return self.locate(joined(self.path, path))

    def line(self, path: str) -> int:
        """Return the line of a part of the value."""
        return self.locate.line(joined(self.path, path))


def unwrap(tree: Tree, locate: Locator, faults: list[Fault]) -> Page:
    """Return the rows of an answer, whatever it is wrapped in.

    JSON-RPC (`result`), `{code, data}`, `{retCode, result}`, a bare list or a bare mapping.

    Raises
    ------
    InputError
        If the answer is the venue's own error, or no list or mapping at all.
    """
    top = Row(tree if isinstance(tree, dict) else {}, "", locate, faults)
    _refuse_error(top)
    node, path = _inner(tree)
    head = Row(node, path, locate, faults) if isinstance(node, dict) else top
    if isinstance(node, dict):
        for key in _LISTS:
            if isinstance(node.get(key), list) or (key in node and key != _MAPPED):
                return Page(top, head, head.rows(key))
        if node and all(isinstance(each, dict) and "symbol" in each for each in node.values()):
            return Page(top, head, [head.inner(key) for key in node])
        return Page(top, head, [head])
    return Page(top, head, list(rows_of(node, path, locate, faults)))


def wrapped(tree: Tree) -> bool:
    """Whether a tree is in the envelope of a venue."""
    return _inner(tree)[1] != ""


def _inner(tree: Tree) -> tuple[Tree, str]:
    if isinstance(tree, dict):
        if "result" in tree and ({"jsonrpc", "id", "retCode"} & tree.keys()):
            return tree["result"], "result"
        if "data" in tree and "code" in tree:
            return tree["data"], "data"
    return tree, ""


def _refuse_error(top: Row) -> None:
    """Refuse the answer of a request that failed, in the venue's own words."""
    fields: Mapping[str, Tree] = top.fields
    error = fields.get("error")
    said = None
    if isinstance(error, dict):
        said, key = error.get("message"), "error"
    elif {"data", "msg"} & fields.keys() and str(fields.get("code", "0")) not in ("0", ""):
        said, key = fields.get("msg"), "code"
    elif str(fields.get("retCode", "0")) not in ("0", ""):
        said, key = fields.get("retMsg"), "retCode"
    else:
        return
    remedy = "ask the venue again, and save the answer"
    found = f"the venue's refusal {shown(said)}"
    raise InputError([Fault(top.place(key), found, "an answer", remedy)])
