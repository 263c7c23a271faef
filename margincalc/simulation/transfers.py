"""Collateral that is spread over venues: who can send what to whom, and the least buffers."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from margincalc.arrays import BoolArray, FloatArray


class Route(NamedTuple):
    """How money goes from one venue to another.

    Attributes
    ----------
    sender, receiver : venues
    seconds : until it arrives; infinite where it cannot go
    cost : share that is lost
    most : that may be sent at once
    """

    sender: str
    receiver: str
    seconds: float
    cost: float = 0.0
    most: float = np.inf


class Network(NamedTuple):
    """Every pair of venues, shape (V, V) each, senders in rows; nobody sends to itself.

    Attributes
    ----------
    seconds : until money arrives, halts among them; infinite where it never does
    cost : share that is lost
    most : that may be sent at once
    halted : whether nothing leaves now
    """

    seconds: FloatArray
    cost: FloatArray
    most: FloatArray
    halted: BoolArray

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        default: Route,
        routes: Sequence[Route],
        halts: Mapping[tuple[str, str], float],
    ) -> "Network":
        """Return the network of venues.

        Parameters
        ----------
        default : of pairs without a route of their own
        halts : seconds for which nothing leaves, by sender and receiver; `""` is any receiver
        """
        own = {(route.sender, route.receiver): route for route in routes}
        seconds, cost, most, halted = (np.zeros((len(names), len(names))) for _ in range(4))
        for a, sender in enumerate(names):
            for b, receiver in enumerate(names):
                route = own.get((sender, receiver), default)
                halt = max(halts.get((sender, ""), 0.0), halts.get((sender, receiver), 0.0))
                seconds[a, b], cost[a, b], most[a, b] = route.seconds + halt, route.cost, route.most
                halted[a, b] = halt
        np.fill_diagonal(seconds, np.inf)
        return cls(seconds, cost, most, halted > 0.0)

    def movable(self, spare: FloatArray) -> FloatArray:
        """Return what may leave each venue now, shape (V,); of a single one, for anywhere."""
        if len(spare) == 1:
            return np.where(self.halted[0], 0.0, spare)
        leaves = np.isfinite(self.seconds) & ~self.halted
        most: FloatArray = np.minimum(spare, np.sum(np.where(leaves, self.most, 0.0), axis=1))
        return most

    def arriving(self, spare: FloatArray) -> FloatArray:
        """Return what each could send to each, after costs, shape (V, V)."""
        sent = np.minimum(spare[:, None], self.most) * (1.0 - self.cost)
        return np.where(np.isfinite(self.seconds), sent, 0.0)

    def soonest(self, spare: FloatArray) -> FloatArray:
        """Return who with something to spare reaches each venue first, shape (V,); -1 for nobody.

        Returns
        -------
        array of int64
        """
        seconds = np.where((self.arriving(spare) > 0.0), self.seconds, np.inf)
        first = np.argmin(seconds, axis=0)
        return np.where(np.isfinite(np.min(seconds, axis=0)), first, -1)

    def within(self, seconds: float) -> BoolArray:
        """Return which pairs money passes in time, shape (V, V)."""
        return self.seconds <= seconds


class Buffers(NamedTuple):
    """Idle collateral per venue that survives every scenario.

    Attributes
    ----------
    held : shape (V,), to add at each venue
    alone : shape (V,), to add if nothing could move between venues
    """

    held: FloatArray
    alone: FloatArray


def least_buffers(need: FloatArray, network: Network, horizon: float) -> Buffers:
    """Find the least collateral to add so that each venue survives each scenario.

    A linear programme: ``min sum c_v`` so that in every scenario what a venue lacks is added there
    or arrives in time from venues that have it to spare. Money goes directly: what arrives is not
    sent on, which would take the time of two routes. With everything added where it lacks nothing
    has to move, so that there is always an answer.

    Parameters
    ----------
    need : shape (V, S), maintenance less equity in each scenario; negative is spare
    horizon : seconds within which money has to arrive
    """
    from scipy.optimize import linprog

    venues, scenarios = need.shape
    sender, receiver = np.nonzero(network.within(horizon))
    pairs, cost = len(sender), network.cost[sender, receiver]
    sent, arrived = np.zeros((2, venues, pairs))
    sent[sender, np.arange(pairs)] = 1.0
    arrived[receiver, np.arange(pairs)] = 1.0 - cost
    added = np.tile(-np.eye(venues), (scenarios, 1))
    blocks = [
        np.hstack([added, np.kron(np.eye(scenarios), flow)]) for flow in (sent - arrived, sent)
    ]
    limit = np.concatenate([-need.T.ravel(), np.maximum(-need.T.ravel(), 0.0)])
    # Of answers that add as little, the one that moves least.
    weight = np.concatenate([np.ones(venues), np.full(pairs * scenarios, 1e-9)])
    scale = max(float(np.max(np.abs(need))), 1e-12)
    most = np.tile(network.most[sender, receiver] / scale, scenarios)
    upper = np.concatenate([np.full(venues, np.inf), most])
    bounds = np.stack([np.zeros(len(upper)), upper], axis=1)
    found = linprog(weight, np.vstack(blocks), limit / scale, bounds=bounds, method="highs")
    alone = np.maximum(np.max(need, axis=1), 0.0)
    return Buffers(scale * found.x[:venues] if found.success else alone, alone)
