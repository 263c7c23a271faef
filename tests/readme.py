"""The examples of the README and of docs/, found in their text and run.

``python -m tests.readme`` rewrites what they print. A ``console`` block holds commands after ``$ ``
and what they print; a ``pycon`` block holds an interactive session. Both run in the repository's
folder.
"""

import code
import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = (README, *sorted((ROOT / "docs").rglob("*.md")))
BLOCK = re.compile(r"```(console|pycon)\n(.*?)```", re.DOTALL)


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """Yield the kind and content of every block that can be run."""
    for match in BLOCK.finditer(text):
        yield match[1], match[2]


def rerun(kind: str, content: str) -> str:
    """Return a block as it should read."""
    return _console(content) if kind == "console" else _session(content)


def refresh(text: str) -> str:
    """Return the text with the output of every block brought up to date."""
    return BLOCK.sub(lambda match: f"```{match[1]}\n{rerun(match[1], match[2])}```", text)


def _console(content: str) -> str:
    commands = [line[2:] for line in content.splitlines() if line.startswith("$ ")]
    with tempfile.TemporaryDirectory() as own:
        said = [f"$ {command}\n{_output(command, own)}" for command in commands]
    return "\n".join(said)


def _output(command: str, own: str) -> str:
    """Return what a command prints whose /tmp is a folder of its own: another run has another."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    given = {"PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "TMPDIR": own}
    done = subprocess.run(
        ["bash", "-c", command.replace("/tmp/", f"{own}/")],
        cwd=ROOT,
        env={**os.environ, **given},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    return done.stdout.replace(f"{own}/", "/tmp/")


def _session(content: str) -> str:
    console, lines = code.InteractiveConsole(), []
    before = Path.cwd()
    os.chdir(ROOT)
    try:
        for line in content.splitlines():
            if line.startswith((">>> ", "... ")):
                out = io.StringIO()
                with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
                    console.push(line[4:])
                lines.append(f"{line}\n{out.getvalue()}")
    finally:
        os.chdir(before)
    return "".join(lines)


if __name__ == "__main__":
    for page in [Path(name).resolve() for name in sys.argv[1:]] or PAGES:
        page.write_text(refresh(page.read_text("utf-8")), "utf-8")
