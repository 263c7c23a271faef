"""How long proofs are: a working day's, or with MARGINCALC_PROVE set, `make prove`'s."""

import os

PROVE = bool(os.environ.get("MARGINCALC_PROVE"))
LONGER = 25  # times as many examples
MOST = 1000


def examples(few: int) -> int:
    """Return how many examples a property with costly ones is tried on."""
    return min(LONGER * few, MOST) if PROVE else few
