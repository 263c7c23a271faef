"""How far a price may move at once; one that moves farther has to be said twice.

A wrong price mostly stands alone, and what truly jumped, as while nothing was heard, is said again.
"""

from dataclasses import dataclass, field

from margincalc.errors import input_error
from margincalc.feed.ticks import Refused, Tick

JUMP = 0.5  # a fall by half, or a doubling
MOST_TIMES = 10.0  # from one price to the next, however often it is said: it is in another unit
MOST_JUMP = 1.0 - 1.0 / MOST_TIMES


@dataclass
class Reach:
    """How far prices may move at once, and what was farther.

    Attributes
    ----------
    jump : the share by which a price may fall at once; it may rise by what undoes such a fall
    far : the last quote of each price, where it was refused for its move
    """

    jump: float = JUMP
    far: dict[str, tuple[float, Tick]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a share that is none."""
        if not 0.0 < self.jump <= MOST_JUMP:
            wanted = f"a share above 0 and at most {MOST_JUMP:g}"
            raise input_error("--jump", f"{self.jump:g}", wanted)

    def refuse(self, what: str, tick: Tick, after: float, before: float) -> None:
        """Refuse a price that is far from the one before, unless the last quote said the same.

        Raises
        ------
        Refused
            If it is far, and the last quote was not as far or is said again word for word.
        """
        if self._near(after, before):
            self.far.pop(what, None)
            return
        move = f"{(after / before - 1.0) * 100.0:+.1f} % at once" if before else "from 0"
        said = f"a {what.replace(' ', f' of {after:g} for ', 1)}, {move}"
        if not before < MOST_TIMES * after < MOST_TIMES**2 * before:
            raise Refused(f"{said}; wanted less than ten times as much, and more than a tenth")
        last, self.far[what] = self.far.get(what), (after, tick)
        if last is None or last[1] == tick or not self._near(after, last[0]):
            raise Refused(f"{said}; used if the next quote is near it")
        del self.far[what]

    def _near(self, after: float, before: float) -> bool:
        least = 1.0 - self.jump
        return least * before <= after and least * after <= before
