"""Write the expected messages anew and print what changes, for somebody to read."""

import difflib

from tests.errors import cases, expected, text


def main() -> None:
    """Rewrite every expected file that differs."""
    for path in cases():
        file, new = expected(path), text(path)
        old = file.read_text("utf-8") if file.exists() else ""
        if old != new:
            lines = old.splitlines(), new.splitlines()
            print(*difflib.unified_diff(*lines, path.name, file.name, lineterm=""), sep="\n")
            file.write_text(new, "utf-8")


if __name__ == "__main__":
    main()
