"""The wheel installs in an empty environment and works there; the sources make the same wheel."""

import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from tests.cli import ROOT, STRANGLE

PINNED = ROOT / "requirements-dev.txt"


def ran(*command: str | Path, folder: Path = ROOT) -> str:
    """Run a command, and return what it prints."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Build the sources, and from these alone the wheel."""
    source, out = (tmp_path_factory.mktemp(name) for name in ("source", "out"))
    archive = source / "tree.tar"
    # whoever owns the clone: git asks that it be who runs this
    tracked = ran("git", "-c", f"safe.directory={ROOT}", "ls-files").splitlines()
    with tarfile.open(archive, "w") as tree:
        for name in tracked:
            if (ROOT / name).is_file():
                tree.add(ROOT / name, name)
    with tarfile.open(archive) as tree:
        tree.extractall(source / "tree", filter="data")
    ran(sys.executable, "-m", "build", "--outdir", out, source / "tree")
    (sdist,), (wheel,) = out.glob("*.tar.gz"), out.glob("*.whl")
    return sdist, wheel


def test_the_wheel_has_the_package_and_its_data_and_nothing_else(built: tuple[Path, Path]) -> None:
    names = set(zipfile.ZipFile(built[1]).namelist())
    package = ROOT / "margincalc"
    wanted = {
        str(path.relative_to(ROOT))
        for pattern in ("*.py", "*.toml", "*.json", "*.yaml", "*.css", "*.js", "py.typed")
        for path in package.rglob(pattern)
        if "__pycache__" not in path.parts
    }
    inside = {name for name in names if not name.partition("/")[0].endswith(".dist-info")}
    assert inside == wanted


def test_the_sources_can_be_tested(built: tuple[Path, Path]) -> None:
    with tarfile.open(built[0]) as sources:
        inside = {name.partition("/")[2] for name in sources.getnames()}
    assert {"pyproject.toml", "README.md", "margincalc/__init__.py"} <= inside


def test_the_wheel_works_in_an_empty_environment(built: tuple[Path, Path], tmp_path: Path) -> None:
    home = tmp_path / "home"
    venv.create(home, with_pip=True)
    pip = (home / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "-q", "install")
    ran(*pip, "--constraint", PINNED, built[1], folder=tmp_path)
    program = home / "bin" / "margincalc"
    here = ran(sys.executable, "-m", "margincalc", "margin", STRANGLE)
    assert ran(program, "margin", STRANGLE, folder=tmp_path) == here
    assert ran(program, "--version", folder=tmp_path).startswith("margincalc ")
    assert "HEALTHY" in ran(program, "demo", folder=tmp_path)
    assert "figures match" in ran(program, "models", "verify", "okx-options", folder=tmp_path)
