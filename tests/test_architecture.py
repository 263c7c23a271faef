"""The house stands as it is drawn: imports point down only, and strangers stay in their rooms.

Imports are read from the source, those inside functions too. A module imports from strictly lower
floors; inside a package, from strictly earlier steps. Each rule is shown a planted violation, so
that it is known to be able to fail.
"""

import ast
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

import margincalc

ROOT = "margincalc"
Sources = Mapping[str, str]
"""The text of each module, by its full name."""

FLOORS: tuple[tuple[str, ...], ...] = (
    ("_version", "errors", "pricer", "times", "unprinted"),
    ("arrays",),
    ("", "pricing", "scenarios"),
    ("book", "kernels", "portfolio"),
    ("files", "risk"),
    ("assembly", "margin"),
    ("attribution", "hedge", "liquidation"),
    ("feed", "simulation"),
    ("answers",),
    ("batch",),
    ("report",),
    ("api",),
    ("cli",),
    ("__main__",),
)
"""Floor 0 first; a name is a module or a package, "" is the package's own `__init__`."""

STEPS: dict[str, tuple[tuple[str, ...], ...]] = {
    "answers": (
        ("shown",),
        ("results",),
        (
            "account",
            "batch_results",
            "chain_results",
            "explain_results",
            "hedge_results",
            "liquidation_results",
            "model_results",
            "passage_results",
            "view_results",
        ),
        ("lines", "margining", "page_results"),
        ("page_grid", "statement"),
        (
            "breakdown",
            "catalogue",
            "changes",
            "comparison",
            "explanation",
            "hedging",
            "liquidation",
            "passing",
        ),
        (
            "accounts",
            "page",
            "routes",
            "slippage",
            "stress",
            "study",
            "verify",
            "waterfall_results",
        ),
        (
            "chain",
            "collateral",
            "contagion",
            "dynamic",
            "engine_results",
            "oracle",
            "venues",
            "waterfall",
        ),
        ("deleveraged", "walked"),
        ("cascade", "optimum"),
        ("engines", "monitor"),
        ("page_population",),
        ("",),
    ),
    "api": (("rules",), ("account", "models", "reading", "studies"), ("venue",), ("",)),
    "assembly": (
        ("draft",),
        ("columns", "contract_rows", "holding"),
        ("assemble",),
        ("keys", "pools", "what_if"),
        ("funding",),
        ("trades",),
        ("",),
    ),
    "attribution": (("weighted",), ("shapley", "shares", "taylor"), ("change",), ("",)),
    "batch": (
        ("survey", "universe"),
        ("instruments", "lines", "parts"),
        ("aside",),
        ("holdings",),
        ("books", "rows"),
        ("piece",),
        ("manifest", "partition"),
        ("connection",),
        ("versions",),
        ("cluster",),
        ("engines",),
        ("run",),
        ("watched",),
        ("",),
    ),
    "book": (("columns", "labels", "orders"), ("holdings",), ("book",), ("",)),
    "cli": (
        ("complete",),
        ("options",),
        ("output",),
        ("inputs", "program", "progress", "sources", "stopping", "units"),
        ("commands.*",),
        ("commands",),
        ("",),
    ),
    "feed": (
        ("ticks",),
        ("reach", "sources"),
        ("market",),
        ("desk", "websocket"),
        ("jumps", "states"),
        ("session",),
        ("",),
    ),
    "files": (
        ("broker", "folders", "parquet", "tree", "unchanged", "whole"),
        ("columns",),
        ("prices", "source", "yaml_text"),
        ("csv_text", "explain", "history", "json_text", "schema"),
        ("exports.rows",),
        ("exports.draft", "exports.flex"),
        ("exports.pages",),
        ("exports.*",),
        ("exports",),
        ("holders", "reader", "writer"),
        ("",),
    ),
    "kernels": (
        ("_jit", "_lanes", "shared"),
        ("_elementary", "groups", "screen"),
        ("black", "sums"),
        ("",),
    ),
    "hedge": (
        ("aims",),
        ("catalogue", "costs"),
        ("problem",),
        ("programme", "trial"),
        ("rows", "search"),
        ("optimum",),
        ("diagnosis",),
        ("cure",),
        ("",),
    ),
    "liquidation": (
        ("dynamics", "moved", "passage", "surface"),
        ("nearest",),
        ("bridge", "decay", "line"),
        ("pieces", "search", "sensitivity", "simulate"),
        ("apart", "isolate"),
        ("region",),
        ("volatility",),
        ("",),
    ),
    "margin": (
        ("faults", "forms", "lots", "payoff", "settings", "simplex", "strategies"),
        ("base", "programmes"),
        ("fees", "linear", "pairing_rows", "scope", "*_shocks"),
        ("grids", "pairing"),
        ("charges", "composite", "liquidity"),
        ("deposits",),
        ("derive_groups", "okx_terms", "scan_charges", "span_entries"),
        ("okx_classes", "span_arrays", "span_positional", "span_spreads", "span_xml"),
        ("*_risk", "single_options", "span_files"),
        ("*_rules",),
        ("*",),  # the families
        ("paradex_cross",),
        ("families",),
        ("load",),
        ("",),
    ),
    "portfolio": (
        ("names",),
        ("written",),
        ("portfolio",),
        ("contracts.contract", "contracts.layers"),
        ("contracts.terms",),
        ("contracts.checks", "contracts.keys"),
        ("contracts",),
        ("quotes",),
        ("",),
    ),
    "pricing": (
        ("_checks", "_mills", "impact", "roots"),
        ("_kernel",),
        ("_boundary", "black", "implied", "svi"),
        ("_lattice", "black_scholes", "inverse", "svi_fit"),
        ("american",),
        ("",),
    ),
    "risk": (
        ("known", "states"),
        ("latest", "values"),
        ("aging", "marks", "pnl", "sensitivities"),
        ("",),
    ),
    "report": (
        ("records",),
        ("as_csv", "as_json", "layout", "screen"),
        ("numbers",),
        ("parts",),
        ("*_line", "*_table"),
        ("margin_table",),
        ("plots.style",),
        ("plots.picture", "plots.*_plot"),
        ("plots",),
        ("html.elements", "html.plane"),
        ("html.drawing",),
        ("html.curves", "html.first", "html.refusal", "html.spread"),
        ("html.compared", "html.cure", "html.danger", "html.moves", "html.population"),
        ("html.made",),
        ("html",),
        ("tables",),
        ("",),
    ),
    "simulation": (
        (
            "backtest",
            "cascade",
            "dealers",
            "deposits",
            "events",
            "feeds",
            "population",
            "procyclical",
            "rankings",
            "replay",
            "shares",
            "transfers",
        ),
        ("drawn", "linear_accounts"),
        ("curves", "desk", "firesale", "lending", "minimax"),
        ("closing", "costs"),
        ("deleveraging",),
        ("waterfall",),
        ("engine",),
        ("dutch", "fillable", "incremental", "lenders", "partial", "pro_rata", "tiers"),
        ("engines",),
        ("",),
    ),
}
"""Inside each package, the first step first; a name that is written out holds over a pattern."""

ROOMS = {
    "click": ("cli",),
    "matplotlib": ("report",),
    "pydantic": ("portfolio", "files", "margin"),
    "tabulate": ("report",),
}
"""Who alone may import what."""

HEAVY = ("matplotlib", "numba", "pyarrow", "scipy", "tabulate", "vollib")
"""What is imported where it is used, and never when a module is."""

COMPILED = f"{ROOT}.kernels."
"""Modules that import numba when they are imported, and so are as heavy themselves."""

PROTOCOL = ("margin.base", "margin.forms", "margin.load", "margin.settings")
"""All that code above `margin` knows of it: the protocol, not the families."""


# Reading the source


@cache
def package_sources() -> Sources:
    """Read every module of the package."""
    folder = Path(margincalc.__file__).parent
    found = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder.parent).with_suffix("").parts
        own = parts[:-1] if parts[-1] == "__init__" else parts
        found[".".join(own)] = path.read_text("utf-8")
    return found


def nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree, leaving out what only type checkers read."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from nodes(child)


def imported(text: str, known: Sources, *, at_start: bool = False) -> set[str]:
    """Return the modules that a text imports; `at_start` leaves out those inside functions."""
    found = set()
    for module, name in statements(text, at_start):
        full = f"{module}.{name}"
        found.add(full if full in known else module)
    return found


@cache
def statements(text: str, at_start: bool) -> tuple[tuple[str, str], ...]:
    """Return the imports of a text: a module, and what of it where that is said."""
    tree = ast.parse(text)
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
    }
    found: list[tuple[str, str]] = []
    for node in nodes(tree):
        if at_start and id(node) in inside:
            continue
        if isinstance(node, ast.Import):
            found += [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [(node.module or "", alias.name) for alias in node.names]
    return tuple(found)


def local(name: str) -> str:
    """Return a module's name inside the package."""
    return name.removeprefix(ROOT).removeprefix(".")


def room(name: str) -> str:
    """Return the file or package of the first level that a module is in."""
    return local(name).partition(".")[0]


def level(table: tuple[tuple[str, ...], ...], name: str) -> int | None:
    """Return the row of a table that has a name, written out or else by pattern."""
    for matches in (str.__eq__, fnmatch):
        for number, row in enumerate(table):
            if any(matches(name, own) for own in row):
                return number
    return None


# The rules, each a list of what is wrong


def without_floor(sources: Sources) -> list[str]:
    """Return the modules that no table has."""
    lost = []
    for name in sources:
        steps = STEPS.get(room(name))
        inner = local(name).partition(".")[2]
        if level(FLOORS, room(name)) is None or (steps and level(steps, inner) is None):
            lost.append(name)
        if inner and steps is None:
            lost.append(name)
    return lost


def upward(sources: Sources) -> list[str]:
    """Return the imports that do not point down."""
    found = []
    for name, text in sources.items():
        for other in sorted(imported(text, sources)):
            if other.partition(".")[0] == ROOT and other != name and not _below(other, name):
                found.append(f"{name} imports {other}")
    return found


def _below(other: str, name: str) -> bool:
    """Whether a module stands lower than the one that imports it."""
    table, key, own = FLOORS, room(other), room(name)
    if key == own:
        table = STEPS.get(own, ())
        key, own = (local(module).partition(".")[2] for module in (other, name))
    lower, upper = level(table, key), level(table, own)
    return lower is not None and upper is not None and lower < upper


def cycles(sources: Sources) -> list[str]:
    """Return a module of every import cycle that a walk meets."""
    graph = {name: imported(text, sources) & sources.keys() for name, text in sources.items()}
    found: list[str] = []
    done: set[str] = set()

    def walk(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            found.append(" -> ".join((*path[path.index(name) :], name)))
        elif name not in done:
            for other in sorted(graph[name] - {name}):
                walk(other, (*path, name))
            done.add(name)

    for name in sources:
        walk(name, ())
    return found


def strangers(sources: Sources) -> list[str]:
    """Return the imports of other projects outside the rooms that may have them."""
    return [
        f"{name} imports {other}"
        for name, text in sources.items()
        for other in sorted({each.partition(".")[0] for each in imported(text, sources)})
        if other in ROOMS and room(name) not in ROOMS[other]
    ]


def heavy_at_start(sources: Sources) -> list[str]:
    """Return the modules that import something heavy when they are imported."""
    return [
        f"{name} imports {other}"
        for name, text in sources.items()
        for other in sorted(imported(text, sources, at_start=True))
        if not name.startswith(COMPILED)
        and (other.partition(".")[0] in HEAVY or other.startswith(COMPILED))
    ]


def past_the_protocol(sources: Sources) -> list[str]:
    """Return the imports of margin families by what should know none."""
    return [
        f"{name} imports {other}"
        for name, text in sources.items()
        for other in sorted(imported(text, sources))
        if room(name) != "margin" and room(other) == "margin" and local(other) not in PROTOCOL
    ]


def undocumented(sources: Sources) -> list[str]:
    """Return the modules and public names without a docstring."""
    found = []
    for name, text in sources.items():
        found += [f"{name}{public}" for public in silent(text)]
    return found


@cache
def silent(text: str) -> tuple[str, ...]:
    """Return what has no docstring in a module's text, "" for the module itself."""
    tree = ast.parse(text)
    own = [""] if ast.get_docstring(tree) is None else []
    return (*own, *(f".{public}" for public in _silent(tree)))


def _silent(tree: ast.Module | ast.ClassDef) -> Iterator[str]:
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        if ast.get_docstring(node) is None:
            yield node.name
        if isinstance(node, ast.ClassDef):
            yield from (f"{node.name}.{inner}" for inner in _silent(node))


RULES = (
    without_floor,
    upward,
    cycles,
    strangers,
    heavy_at_start,
    past_the_protocol,
    undocumented,
)


# The package keeps them, and every one of them can fail


def test_all_files_are_seen() -> None:
    sources = package_sources()
    assert len(sources) > 60
    assert {"margincalc", "margincalc.risk", "margincalc.margin.scan"} <= sources.keys()
    rooms = {own for floor in FLOORS for own in floor}
    assert rooms == {room(name) for name in sources}


@pytest.mark.parametrize("rule", RULES)
def test_the_package_keeps_the_rule(rule: object) -> None:
    assert callable(rule)
    assert rule(package_sources()) == []


PLANTED = (
    (without_floor, "margincalc.attic", '"""An attic."""'),
    (without_floor, "margincalc.liquidation.cellar", '"""A cellar."""'),
    (upward, "margincalc.risk", "from margincalc.assembly.assemble import assemble"),
    (upward, "margincalc.risk", "def f():\n    import margincalc.api"),
    (upward, "margincalc.book.columns", "from margincalc import files"),
    (upward, "margincalc.book", "from margincalc.attic import anything"),
    (upward, "margincalc.margin.base", "from margincalc.margin.charges import anything"),
    (upward, "margincalc.margin.scan", "from margincalc.margin import standard"),
    (upward, "margincalc.pricing.black", "from margincalc.pricing import inverse"),
    (strangers, "margincalc.api.account", "import click"),
    (strangers, "margincalc.cli.program", "def f():\n    from tabulate import tabulate"),
    (strangers, "margincalc.report.layout", "import pydantic.fields"),
    (strangers, "margincalc.book.columns", "from pydantic import BaseModel"),
    (strangers, "margincalc.cli.program", "import matplotlib.pyplot as plt"),
    (heavy_at_start, "margincalc.pricing.black", "from scipy.special import ndtr"),
    (heavy_at_start, "margincalc.answers.verify", "import vollib.black"),
    (heavy_at_start, "margincalc.risk", "try:\n    import numba\nexcept ImportError:\n    pass"),
    (heavy_at_start, "margincalc.files.reader", "class A:\n    import pyarrow"),
    (heavy_at_start, "margincalc.api.account", "from margincalc.kernels.black import price"),
    (heavy_at_start, "margincalc.kernels", "from margincalc.kernels import groups"),
    (past_the_protocol, "margincalc.api.account", "from margincalc.margin import scan"),
    (past_the_protocol, "margincalc.liquidation.nearest", "import margincalc.margin.charges"),
    (undocumented, "margincalc.risk", "x = 1"),
    (undocumented, "margincalc.risk", '"""A module."""\ndef f():\n    pass'),
    (undocumented, "margincalc.risk", '"""A."""\nclass A:\n    """A."""\n    def f(self): ...'),
)


@pytest.mark.parametrize(("rule", "name", "text"), PLANTED)
def test_a_planted_violation_is_found(rule: object, name: str, text: str) -> None:
    assert callable(rule)
    sources = package_sources()
    found = set(rule({**sources, name: text})) - set(rule(sources))
    assert found
    assert all(fault.startswith(name) for fault in found)


def test_a_planted_cycle_is_found() -> None:
    sources = {
        "margincalc.a": "from margincalc import b",
        "margincalc.b": "def f():\n    from margincalc.c import anything",
        "margincalc.c": "import margincalc.a",
    }
    assert cycles(sources) == ["margincalc.a -> margincalc.b -> margincalc.c -> margincalc.a"]


def test_what_only_type_checkers_read_is_no_import() -> None:
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from margincalc import api"
    assert upward({"margincalc.risk": text, "margincalc.api": ""}) == []
