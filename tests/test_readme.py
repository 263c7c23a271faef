"""Every example in the README is run, and prints what the README says it prints."""

import re
import shutil
from pathlib import Path

import pytest

import margincalc as mc
from tests.readme import README, blocks, rerun

EXAMPLES = [
    pytest.param(kind, content, id=content.splitlines()[0][:60])
    for kind, content in blocks(README.read_text("utf-8"))
    if "jq" not in content or shutil.which("jq")  # where there is no jq, its example is not run
]


@pytest.mark.parametrize(("kind", "content"), EXAMPLES)
def test_example_prints_what_the_readme_says(kind: str, content: str) -> None:
    assert rerun(kind, content) == content


def test_readme_has_examples() -> None:
    assert len(EXAMPLES) >= 3


def test_the_file_shown_is_a_file(tmp_path: Path) -> None:
    text = README.read_text("utf-8")
    shown = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert len(shown) == 1
    path = tmp_path / "book.yaml"
    path.write_text(shown[0], "utf-8")
    assert mc.margin(mc.load(path)).maintenance_margin > 0.0
