"""First passage: closed forms, the bridge, and engines that look only now and then."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from margincalc.liquidation.dynamics import Diffusion
from margincalc.liquidation.passage import Walk, met, polled, single
from margincalc.liquidation.simulate import Passage, Run, passage
from margincalc.liquidation.surface import Layer, Surface
from tests.conformance.runner import Sampled

Case = Mapping[str, Any]
DAYS = 365.0
PATHS = 400_000
REACH = 0.5


def first_passage(case: Case) -> dict[str, Any]:
    """Compute every probability of the file."""
    found: dict[str, Any] = {}
    for n, one in enumerate(case["cases"]):
        walk = _walk(one)
        low, high = one.get("L"), one.get("U")
        if "B" in one:
            low, high = (one["B"], None) if one["B"] < one["S"] else (None, one["B"])
        found[f"cases.{n}.p"] = met(walk, low, high)
    two = next(one for one in case["cases"] if "L" in one)
    for steps in (7, 56):
        for name, bridge in (("bridge", True), ("no_bridge", False)):
            sampled = _sampled(two, (two["L"], two["U"]), steps, bridge=bridge)
            path = f"mc.{name}_{steps}_steps"
            found[f"{path}.0" if bridge else path] = sampled
            if bridge:
                found[f"{path}.1"] = sampled.standard_error
    discrete = case["discrete_monitoring"]
    walk = _walk(two)
    for n, one in enumerate(discrete["cases"]):
        barrier = float(discrete["B"])
        moved = polled(barrier, walk, walk.years / one["m"])
        found[f"discrete_monitoring.cases.{n}.corrected"] = single(walk, moved)
        sampled = _sampled(two, (barrier, None), int(one["m"]), bridge=False)
        several = isinstance(one["mc"], list)
        path = f"discrete_monitoring.cases.{n}.mc"
        found[f"{path}.0" if several else path] = sampled
        if several:
            found[f"{path}.1"] = sampled.standard_error
    return found


def _walk(one: Case) -> Walk:
    return Walk(float(one["S"]), float(one["mu"]), float(one["sigma"]), one["T_days"] / DAYS)


def _sampled(
    one: Case, barriers: tuple[float, float | None], steps: int, *, bridge: bool
) -> Sampled:
    """Simulate a pool whose excess is the distance to the nearer barrier."""
    walk = _walk(one)
    low = np.log(barriers[0] / walk.spot)
    high = np.inf if barriers[1] is None else np.log(barriers[1] / walk.spot)
    nodes = np.linspace(-REACH, REACH, 100_001)
    excess = np.minimum(nodes - low, high - nodes)[None, :]
    layer = Layer(excess, excess, None)
    surface = Surface(np.zeros(1, np.int64), nodes, (layer,) * (steps + 1), 0.0)
    motion = Diffusion(np.array([walk.drift]), np.array([walk.volatility]), 0.0)
    times = np.linspace(0.0, walk.years, steps + 1)
    found: Passage = passage(surface, motion, Run(times, PATHS, 1, bridge))
    error = float(np.std(found.probability) / np.sqrt(PATHS))
    return Sampled(float(np.mean(found.probability)), error)


ADAPTERS = {"first_passage": first_passage}
