"""Impact of a trade: the square-root law, a walk through a book, the risk of an unwind."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from margincalc.pricing.impact import SquareRoot, sliced_deviation, unwind_deviation, walk

Case = Mapping[str, Any]


def impact(case: Case) -> dict[str, Any]:
    """Every figure that the file prints."""
    found = {}
    for number, row in enumerate(case["square_root"]):
        law, size = SquareRoot(row["sigma_d"], row["V"], row["Y"]), np.array(float(row["Q"]))
        found[f"square_root.{number}.peak"] = float(law.peak(size))
        found[f"square_root.{number}.average"] = float(law.average(size))
    given = case["book_walk"]
    price, size = np.array(given["levels"], float).T
    for quantity in given["vwap"]:
        found[f"book_walk.vwap.{quantity}"] = walk(price, size, float(quantity)).price
    for quantity in given["insufficient"]:
        left = walk(price, size, float(quantity)).unfilled
        found[f"book_walk.insufficient.{quantity}.unfilled"] = left
    sd, days = case["linear_unwind_sd"], case["linear_unwind_sd"]["days"]
    found["linear_unwind_sd.continuous"] = float(unwind_deviation(sd["sigma_d"], np.array(days)))
    found["linear_unwind_sd.daily_slices"] = sliced_deviation(sd["sigma_d"], days)
    return found


ADAPTERS = {"impact": impact}
