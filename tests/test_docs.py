"""The documentation builds without a broken link, and says something of every key and model."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import margincalc as mc
from margincalc.cli.commands import FILES as COMMANDS
from margincalc.margin.families import FAMILIES
from margincalc.report.tables import _BLOCKS
from tests.readme import PAGES, ROOT

DOCS = ROOT / "docs"
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"```.*?```", re.DOTALL)
ROW = re.compile(r"^\| ([^|]*) \|", re.MULTILINE)
TABLES = {  # a table of docs/file.md, and the structure whose keys it has
    "The file": "",
    "An underlying": "Underlying",
    "An expiry": "ExpiryMarket",
    "A forward in two parts": "Forward",
    "A smile": "Svi",
    "A dividend": "Dividend",
    "A perpetual": "Perpetual",
    "A quote": "Quote",
    "Terms of an instrument": "Instrument",
    "A position": "Position",
    "A deposit": "Collateral",
    "A haircut of two": "Haircut",
    "A tier": "Tier",
    "An order": "Order",
    "A venue": "VenueRules",
    "What a venue states": "Stated",
}


def text(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def sections(page: str) -> dict[str, str]:
    """Divide a page at its headings, whatever their depth."""
    parts = re.split(r"^#+ (.+)$", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def keys(structure: str) -> set[str]:
    schema: dict[str, Any] = mc.schema()
    whole = schema["$defs"][structure] if structure else schema
    return set(whole["properties"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_to_files_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(FENCE.sub("", page.read_text("utf-8"))):
        if "://" not in target and not target.startswith("#"):
            assert (page.parent / target.partition("#")[0]).exists(), target


@pytest.mark.parametrize("title", TABLES)
def test_the_file_page_has_a_row_for_every_key(title: str) -> None:
    column = ROW.findall(sections(text("file.md"))[title])
    assert set(re.findall(r"`(\w+)`", " ".join(column))) == keys(TABLES[title])


def test_the_file_page_has_a_table_for_every_structure() -> None:
    assert {name for name in TABLES.values() if name} == set(mc.schema()["$defs"])


def test_every_family_has_a_section_that_names_its_models() -> None:
    by_heading = sections(text("models.md"))
    for family in FAMILIES:
        (said,) = [said for title, said in by_heading.items() if f"`{family}`" in title]
        for model in mc.models():
            assert model.family != family or f"`{model.name}`" in said, model.name


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_a_number_worked_by_hand(family: str) -> None:
    """`test_readme` runs the sessions; here the model's figures are those of the arithmetic."""
    (said,) = [
        said for title, said in sections(text("models.md")).items() if f"`{family}`" in title
    ]
    (session,) = re.findall(r"```pycon\n(.*?)```", said, re.DOTALL)
    assert 'model="' in session
    lines = [line for line in session.splitlines() if line.startswith(">>> round(")]
    figures = [float(line) for line in session.splitlines() if not line.startswith(">>>")]
    assert len(lines) == len(figures)
    for (asked, worked), figure, hand in zip(
        zip(lines[::2], lines[1::2], strict=True), figures[::2], figures[1::2], strict=True
    ):
        assert "mc.margin(" in asked
        assert "mc." not in worked
        assert figure == pytest.approx(hand, rel=1e-12)


def test_every_result_is_in_the_reference(site: Path) -> None:
    page = (site / "reference.html").read_text("utf-8")
    found = {name.rsplit(".", 1)[-1] for name in re.findall(r'id="(margincalc\.[\w.]+)"', page)}
    assert set(_BLOCKS) <= found
    public = {name for name in mc.__all__ if not name.startswith("_")}
    assert public <= found


def test_every_command_has_a_section_with_an_example() -> None:
    by_heading = sections(text("commands.md"))
    for name in COMMANDS:
        assert "```" in by_heading[f"`{name}`"], name


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the pages as `make docs` does, without a network."""
    pytest.importorskip("mkdocs")
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-W", "ignore", "-m", "mkdocs", "build", "--strict", "--quiet"]
    done = subprocess.run(
        [*build, "--site-dir", folder], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_model_is_in_the_built_page(site: Path) -> None:
    page = (site / "models.html").read_text("utf-8")
    for model in mc.models():
        assert f'id="{model.name}"' in page
        for source in model.sources:
            assert str(source.get("url", "")).replace("&", "&amp;") in page


def test_built_pages_load_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        said = page.read_text("utf-8")
        loaded = re.findall(r'<(?:script|img|iframe|source)[^>]*\ssrc="([^"]*)"', said)
        loaded += re.findall(r'<link[^>]*rel="(?:stylesheet|preconnect)"[^>]*href="([^"]*)"', said)
        assert [address for address in loaded if "//" in address] == []


def test_search_finds_every_public_function(site: Path) -> None:
    index = json.loads((site / "search" / "search_index.json").read_text("utf-8"))
    found = {entry["location"].partition("#")[2].rsplit(".", 1)[-1] for entry in index["docs"]}
    functions = {name for name in mc.__all__ if name[0].islower()}
    assert functions <= found
