"""Every example in the README and in docs/ is run, and prints what the page says it prints."""

import re
import shutil
from pathlib import Path

import pytest

import margincalc as mc
from tests.readme import PAGES, README, ROOT, blocks, rerun

EXAMPLES = [
    pytest.param(kind, content, id=f"{page.relative_to(ROOT)}: {content.splitlines()[0][:60]}")
    for page in PAGES
    for kind, content in blocks(page.read_text("utf-8"))
    if "jq" not in content or shutil.which("jq")  # where there is no jq, its example is not run
]
FILES = [
    pytest.param(text, id=f"{page.relative_to(ROOT)} {number}")
    for page in PAGES
    for number, text in enumerate(
        re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    )
]


@pytest.mark.parametrize(("kind", "content"), EXAMPLES)
def test_example_prints_what_its_page_says(kind: str, content: str) -> None:
    assert rerun(kind, content) == content


def test_pages_have_examples_and_files() -> None:
    assert len(EXAMPLES) >= 3
    assert len(FILES) >= 1
    assert README in PAGES


@pytest.mark.parametrize("text", FILES)
def test_a_file_shown_is_a_file(text: str, tmp_path: Path) -> None:
    path = tmp_path / "book.yaml"
    path.write_text(text, "utf-8")
    assert mc.margin(mc.load(path)).maintenance_margin > 0.0
