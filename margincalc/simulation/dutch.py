"""Derive's Dutch auction: a share of the whole account, offered ever cheaper.

A solvent account is sold at a falling share of its mark value, and no more of it than brings the
buffer margin to zero. An insolvent one is taken by whoever asks least, paid by the security module;
what that cannot pay is shared by all. Source: derivexyz/v2-core, DutchAuction.sol.
"""

from typing import NamedTuple

import numpy as np

from margincalc.margin.base import Parameters, Share
from margincalc.portfolio import Positive, Price
from margincalc.simulation.costs import exposures
from margincalc.simulation.engine import Move, Scene, Standing, State

_LOOKS = 2001  # times at which bidders look, from an auction's start to its end


class DutchAuction(Parameters):
    """Parameters by the contract's own meaning.

    Attributes
    ----------
    start, fast_cut : share of mark value at the start, and after the fast part
    fast_seconds, slow_seconds : of the fall to the cut, and from there to nothing
    insolvent_seconds : in which an insolvent bid reaches the net maintenance margin
    buffer : of the maintenance margin, on top of it
    """

    margin: str = "derive-pm2"
    settings: tuple[str, ...] = ()
    start: Share
    fast_cut: Share
    fast_seconds: Positive
    slow_seconds: Positive
    insolvent_seconds: Positive
    buffer: Price

    def buffer_margin(self, standing: Standing) -> float:
        """Return net margin with the buffer, never above zero."""
        return min(0.0, standing.excess - self.buffer * standing.maintenance)

    def discount(self, seconds: float) -> float:
        """Return the share of mark value that is asked."""
        if seconds <= self.fast_seconds:
            return self.start - (self.start - self.fast_cut) * seconds / self.fast_seconds
        slow = (seconds - self.fast_seconds) / self.slow_seconds
        return max(self.fast_cut * (1.0 - slow), 0.0)

    def most(self, standing: Standing, discount: float, reserved: float = 0.0) -> float:
        """Return the largest share that may be bought; after it the buffer margin is zero."""
        buffer = self.buffer_margin(standing)
        paid = discount * standing.equity + (1.0 - discount) * reserved
        return buffer / (buffer - paid) if buffer else 0.0

    def price(self, equity: float, discount: float, reserved: float = 0.0) -> float:
        """Return what the whole account costs."""
        return (equity - reserved) * discount

    def insolvent_bid(self, standing: Standing, seconds: float) -> float:
        """Return what the whole account costs when it owes: negative, and paid to the bidder."""
        first = min(standing.equity, 0.0)
        elapsed = min(seconds / self.insolvent_seconds, 1.0)
        return first + (standing.excess - first) * elapsed

    def next(self, scene: Scene, state: State) -> Move | str:
        """Return the first bid that pays for a bidder."""
        length = self.fast_seconds + self.slow_seconds
        waited = 0.0
        if state.standing.equity > 0.0:
            for seconds in np.linspace(0.0, length, _LOOKS):
                bid = self._solvent(scene, state, float(seconds))
                if bid.profit >= 0.0:
                    return bid.move
            waited = length
        for seconds in np.linspace(0.0, self.insolvent_seconds, _LOOKS):
            bid = self._insolvent(scene, state, float(seconds))
            if bid.profit >= 0.0:
                return bid.move._replace(seconds=waited + bid.move.seconds)
        return "no bidder earns what unwinding costs, even at the end of the auctions"

    def _solvent(self, scene: Scene, state: State, seconds: float) -> "_Bid":
        discount, equity = self.discount(seconds), state.standing.equity
        share = min(self.most(state.standing, discount), 1.0)
        gain = share * equity * (1.0 - discount)
        size = share * scene.everything(state)
        price = self.price(equity, discount)
        move = Move("bid", size, liquidator=gain, seconds=seconds, price=price)
        return _Bid(move, gain - _cost(scene, state, share, share * price))

    def _insolvent(self, scene: Scene, state: State, seconds: float) -> "_Bid":
        paid = max(-self.insolvent_bid(state.standing, seconds), 0.0)
        gain = state.standing.equity + paid
        by_fund = min(paid, max(state.fund, 0.0))
        move = Move(
            "insolvent bid",
            scene.everything(state),
            liquidator=gain,
            fund=-by_fund,
            others=paid - by_fund,
            seconds=seconds,
            price=-paid,
        )
        return _Bid(move, gain - _cost(scene, state, 1.0, 0.0))


class _Bid(NamedTuple):
    """A bid, and what it leaves to the bidder."""

    move: Move
    profit: float


def _cost(scene: Scene, state: State, share: float, capital: float) -> float:
    """Return what a bidder pays to be rid of a share of the positions again."""
    size = share * scene.closing(state)
    exposure = float(np.sum(np.abs(exposures(scene.desk, size))))
    unwinding = scene.costs.of(scene.desk, size, state.used)
    return unwinding + scene.liquidator.needs(capital, exposure)
