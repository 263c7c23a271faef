"""The linear form of a requirement: what a linear programme can make of a margin model.

Both margins of one pool are a sum, over the quantities ``q`` of its position rows, of

* worst losses, ``weight * max(0, max_s loss[s] . q)``: a scan over scenarios;
* parts, ``weight * max(0, c . q)``: an amount per unit long or short, of a row or of a net.

With weights that are not negative the sum is convex, and a programme whose variables bound each
maximum from above is exact. A part of negative weight (an offset) needs a binary variable.
"""

from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray, IntArray, group_sum
from margincalc.scenarios import ScenarioGrid

MARGINS = 2  # maintenance, then initial


class WorstOf(NamedTuple):
    """The largest loss over the scenarios of one underlying, nothing where each of them gains.

    Attributes
    ----------
    underlying : row of `Book.spot`
    scenarios : what the rows of `loss` are
    loss : weighted loss of one long unit of each position row, account currency, shape (S, P)
    weight : in maintenance and in initial margin, shape (2,)
    """

    underlying: int
    scenarios: ScenarioGrid
    loss: FloatArray
    weight: FloatArray


class Parts(NamedTuple):
    """Amounts ``max(0, c . q)``, G of them, as N entries of a sparse matrix.

    Attributes
    ----------
    part, row, coefficient : shape (N,); the largest coefficient of a part is 1 in absolute value
    weight : in maintenance and in initial margin, shape (2, G)
    """

    part: IntArray
    row: IntArray
    coefficient: FloatArray
    weight: FloatArray

    def amounts(self, quantity: FloatArray) -> FloatArray:
        """Return each part before its weight, shape (G,)."""
        net = group_sum(self.coefficient * quantity[self.row], self.part, self.weight.shape[1])
        return np.maximum(net, 0.0)


NO_PARTS = Parts(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros((MARGINS, 0)))


class LinearForm(NamedTuple):
    """Both margins of a pool as such a sum.

    Attributes
    ----------
    without : rules that are no such sums and are not in it, in words; with any, the form is no more
        than a guide
    floor : whether those rules only ever add to the sum, so that no requirement is below it
    """

    worst: tuple[WorstOf, ...] = ()
    parts: Parts = NO_PARTS
    without: tuple[str, ...] = ()
    floor: bool = False

    @property
    def exact(self) -> bool:
        """Whether it is the requirement."""
        return not self.without

    @property
    def offsets(self) -> bool:
        """Whether some part is deducted, so that the sum is not convex."""
        return bool(np.any(self.parts.weight < 0.0))

    def margins(self, quantity: FloatArray) -> FloatArray:
        """Return maintenance and initial margin of quantities of shape (P,), shape (2,)."""
        total = self.parts.weight @ self.parts.amounts(quantity)
        for scan in self.worst:
            total = total + scan.weight * max(float(np.max(scan.loss @ quantity)), 0.0)
        return total
