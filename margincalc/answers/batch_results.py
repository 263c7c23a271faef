"""What `batch` answers: how many accounts stand where, their totals, and who is nearest to fall."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from margincalc.answers.results import Json, to_json
from margincalc.answers.shown import Shown


class CloseAccount(NamedTuple):
    """An account that is not liquidated yet, with its nearest liquidation prices where asked for.

    Attributes
    ----------
    liquidation : below and above, by underlying
    """

    account: str | int
    status: str
    margin_ratio: float
    equity: float
    maintenance_margin: float
    excess: float
    liquidation: Mapping[str, Mapping[str, float | None]]

    @classmethod
    def of(cls, row: Mapping[str, Any], underlyings: Sequence[str]) -> "CloseAccount":
        """Return what a row of results says."""
        prices = {
            name: {side: row[f"liquidation.{name}.{side}"] for side in ("below", "above")}
            for name in underlyings
        }
        return cls(**{name: row[name] for name in cls._fields[:-1]}, liquidation=prices)


@dataclass(frozen=True, repr=False)
class BatchReport(Shown):
    """The answer of `batch`.

    Attributes
    ----------
    output : the folder with a row for each account
    positions, quarantined : rows that were margined, and rows that were set aside
    incomplete : accounts of which rows were set aside, by the status that their other rows give
    statuses : accounts by status
    totals : sums over accounts
    closest : of the accounts that stand, those of the highest margin ratio, highest first
    """

    output: str
    as_of: str
    currency: str
    model: str
    effective: str
    mode: str
    pricer: str
    parts: int
    accounts: int
    positions: int
    quarantined: int
    incomplete: Mapping[str, int]
    statuses: Mapping[str, int]
    totals: Mapping[str, float]
    closest: tuple[CloseAccount, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Json]:
        """Return the JSON of `batch`."""
        return {"schema": "margincalc.batch/1", **to_json(self)}
