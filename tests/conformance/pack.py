"""The Derive cases that the project carries: those of random portfolios, packed into one file.

`python -m tests.conformance.pack DIR` writes the file anew from the `*_rNNN` cases below a folder.
A scenario set that several cases share is written once, and what no margin depends on left out.
"""

import json
import lzma
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "derive_random.json.xz"
_KEPT = ("case_id", "method", "feeds", "positions", "parameters", "scenarios", "expected")


def cases() -> Iterator[dict[str, Any]]:
    """Yield the carried cases, as their files have them."""
    packed = json.loads(lzma.decompress(FILE.read_bytes()))
    for case in packed["cases"]:
        if "scenarios" in case:
            case["scenarios"] = packed["scenarios"][case["scenarios"]]
        yield case


def pack(folder: Path) -> int:
    """Write the cases below a folder, and return their number."""
    scenarios: list[Any] = []
    packed = []
    for path in sorted(folder.rglob("*_r[0-9]*.json")):
        whole = json.loads(path.read_text("utf-8"))
        case = {key: whole[key] for key in _KEPT if key in whole}
        if "scenarios" in case:
            if case["scenarios"] not in scenarios:
                scenarios.append(case["scenarios"])
            case["scenarios"] = scenarios.index(case["scenarios"])
        packed.append(case)
    text = json.dumps({"scenarios": scenarios, "cases": packed}, separators=(",", ":"))
    FILE.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))
    return len(packed)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(f"{pack(Path(sys.argv[1]))} cases in {FILE.name}, {FILE.stat().st_size} bytes")
