"""Write the golden tables anew and print what changes, for somebody to read."""

import difflib

from tests.report import FOLDER, GOLDEN, drawn, golden


def main() -> None:
    """Rewrite every golden file that differs."""
    FOLDER.mkdir(exist_ok=True)
    for name, width in GOLDEN:
        file, new = golden(name, width), drawn(name, width)
        old = file.read_text("utf-8") if file.exists() else ""
        if old != new:
            lines = old.splitlines(), new.splitlines()
            print(*difflib.unified_diff(*lines, "before", file.name, lineterm=""), sep="\n")
            file.write_text(new, "utf-8")


if __name__ == "__main__":
    main()
