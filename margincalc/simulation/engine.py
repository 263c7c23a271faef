"""What every liquidation engine has in common: it is triggered, moves step by step, and ends.

A move changes quantities at the mark and says who receives what beside: the market (slippage), a
liquidator, the fund, and what others pay in (socialised loss). The trader bears the sum, so that
money is conserved by construction; after each move the pool is margined anew.
"""

from typing import Literal, NamedTuple, Protocol

import numpy as np

from margincalc.arrays import FloatArray
from margincalc.simulation.costs import Costs, Liquidator
from margincalc.simulation.desk import Desk

End = Literal["healthy", "closed", "bankrupt", "unfinished"]
MOST_STEPS = 500
DUST = 1e-12  # of a position: what is left by rounding
NOISE = 1e-12  # of the sums that a standing comes from


class Standing(NamedTuple):
    """Equity and maintenance margin of a pool."""

    equity: float
    maintenance: float

    @property
    def excess(self) -> float:
        """Equity less maintenance margin; below zero an engine acts."""
        return self.equity - self.maintenance


class Move(NamedTuple):
    """What an engine does next.

    Attributes
    ----------
    action : what it is called
    size : change of every quantity, shape (P,); money is the driver's
    market : paid to the market as slippage and spread
    liquidator, fund : received; negative where they pay
    others : paid in by those who share the loss
    seconds : since the step before
    price : at which it is done, where it is one
    """

    action: str
    size: FloatArray
    market: float = 0.0
    liquidator: float = 0.0
    fund: float = 0.0
    others: float = 0.0
    seconds: float = 0.0
    price: float | None = None


class State(NamedTuple):
    """Where a liquidation stands.

    Attributes
    ----------
    quantity : of every row, shape (P,)
    used : exposure bought and sold so far, shape (2, U)
    fund : what the fund holds
    seconds : since the trigger
    """

    quantity: FloatArray
    used: FloatArray
    standing: Standing
    fund: float
    seconds: float = 0.0
    steps: int = 0


class Step(NamedTuple):
    """A move that was made, and the state after it."""

    move: Move
    before: State
    after: State


class Scene(NamedTuple):
    """A pool, its market and who stands by."""

    desk: Desk
    costs: Costs = Costs()
    liquidator: Liquidator = Liquidator()
    fund: float = 0.0

    def start(self) -> State:
        """Return the pool before anything is done."""
        quantity = self.desk.book.quantity.copy()
        used = np.zeros((2, len(self.desk.book.spot)))
        return State(quantity, used, self.standing(quantity), self.fund)

    def standing(self, quantity: FloatArray) -> Standing:
        """Margin one state."""
        result = self.desk.margins(quantity[None, :])
        return Standing(float(result.equity[0]), float(result.maintenance[0]))

    def noise(self, quantity: FloatArray) -> float:
        """How far below zero an excess may be by rounding alone."""
        return NOISE * float(np.sum(np.abs(quantity * self.desk.unit)))

    def trades(self, state: State, action: str, size: FloatArray, fee: float = 0.0) -> Move:
        """Return market orders, with a fee to the fund as a share of their notional."""
        charged = fee * float(np.sum(np.abs(size) * self.desk.notional))
        cost = self.costs.of(self.desk, size, state.used)
        return Move(action, size, market=cost, fund=charged)

    def closing(self, state: State) -> FloatArray:
        """Return what closes every position, shape (P,)."""
        return np.where(self.desk.contract, -state.quantity, 0.0)

    def made(self, state: State, move: Move) -> State:
        """Return the state after a move, margined anew."""
        cost = move.market + move.liquidator + move.fund - move.others
        quantity = self.desk.paid(state.quantity, move.size, cost)
        left = np.abs(quantity) <= DUST * np.abs(state.quantity)
        quantity[left & (move.size != 0.0)] = 0.0
        used = self.costs.after(self.desk, move.size, state.used) if move.market else state.used
        return State(
            quantity,
            used,
            self.standing(quantity),
            state.fund + move.fund,
            state.seconds + move.seconds,
            state.steps + 1,
        )

    def liquidatable(self, state: State) -> bool:
        """Whether equity is below maintenance margin, by more than rounding."""
        return state.standing.excess < -self.noise(state.quantity)

    def owes(self, state: State) -> bool:
        """Whether there are debts that deposits are held against."""
        deposit = self.desk.deposit
        lent = bool(np.any(deposit & (state.quantity > 0.0)))
        return lent and bool(np.any(deposit & (state.quantity < 0.0)))

    def everything(self, state: State) -> FloatArray:
        """Return what takes over all that the pool holds but its money, shape (P,)."""
        size = -state.quantity
        size[-1] = 0.0
        return size

    def holds(self, state: State) -> bool:
        """Whether there are positions left."""
        return bool(np.any(self.desk.contract & (state.quantity != 0.0)))


class Engine(Protocol):
    """A venue's rules: what it does next with a pool below maintenance margin."""

    @property
    def margin(self) -> str:
        """The margin model that the venue would use."""

    @property
    def settings(self) -> tuple[str, ...]:
        """Changes of that model's parameters."""

    def next(self, scene: Scene, state: State) -> Move | str:
        """Return the next move, or the reason why there is none."""


class Run(NamedTuple):
    """A liquidation from its trigger to its end.

    Attributes
    ----------
    steps : none where the pool was healthy
    end : `closed` has paid for itself, `bankrupt` has not; `unfinished` is left below maintenance
    reason : of an end that is not `healthy`
    """

    start: State
    steps: tuple[Step, ...]
    end: End
    reason: str

    @property
    def last(self) -> State:
        """The state at the end."""
        return self.steps[-1].after if self.steps else self.start


def run(engine: Engine, scene: Scene) -> Run:
    """Let an engine act until the pool is healthy, closed or bankrupt, or it has nothing to do."""
    state = start = scene.start()
    steps: list[Step] = []
    reason = f"{MOST_STEPS} steps"
    while scene.liquidatable(state) and len(steps) < MOST_STEPS:
        move = engine.next(scene, state)
        if isinstance(move, str):
            reason = move
            break
        steps.append(Step(move, state, scene.made(state, move)))
        state = steps[-1].after
        if not scene.holds(state) and not scene.owes(state) and state.standing.equity < 0.0:
            steps.append(covered(scene, state))
            state = steps[-1].after
    return Run(start, tuple(steps), *_ended(scene, tuple(steps), state, reason))


def covered(scene: Scene, state: State) -> Step:
    """Let the fund pay what a closed pool owes, and others what the fund cannot."""
    owed = -state.standing.equity
    paid = min(owed, max(state.fund, 0.0))
    size = np.zeros_like(state.quantity)
    move = Move("deficit", size, fund=-paid, others=owed - paid)
    return Step(move, state, scene.made(state, move))


def _ended(scene: Scene, steps: tuple[Step, ...], state: State, reason: str) -> tuple[End, str]:
    """Say how it ended; what is left below maintenance says why."""
    open_ = scene.holds(state) or scene.owes(state)
    if open_ and scene.liquidatable(state):
        return "unfinished", reason
    if open_ or not steps:
        return "healthy", ""
    if any(step.move.others > 0.0 for step in steps):
        return "bankrupt", "others paid for its loss"
    if sum(step.move.fund for step in steps) < -scene.noise(steps[0].before.quantity):
        return "bankrupt", "the fund paid for its loss"
    return "closed", "no position is left"
