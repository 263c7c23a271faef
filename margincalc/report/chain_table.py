"""The smiles of a chain with their errors, and the volatilities that they fill in."""

from margincalc.answers.chain_results import ChainReport, FilledLine, SmileLine
from margincalc.report import numbers
from margincalc.report.layout import Block, Column, Row, name, table, wrapped
from margincalc.report.parts import identity, unshown

_MOST = 20  # filled options; --format csv has all
_SMILES = (
    Column("Smiles", left=True),
    Column("expiry", left=True),
    Column("quotes"),
    Column("forward", rank=1),
    Column("at money"),
    Column("rho", rank=2),
    Column("a", rank=3),
    Column("b", rank=3),
    Column("m", rank=3),
    Column("sigma", rank=3),
    Column("error"),
    Column("largest"),
)
_UNITS = "errors in points of volatility: weighted by vega, and the largest"
_FILLED = (Column("Filled in", left=True), Column("volatility"), Column("from", left=True))


def chain_blocks(report: ChainReport, width: int) -> list[Block]:
    """Return the smiles, what could not be fitted, and what was filled in."""
    fitted = [_smile(line) for line in report.smiles if line.problem is None]
    failed = [line for line in report.smiles if line.problem is not None]
    filled = [_filling(line) for line in report.filled[:_MOST]]
    return [
        identity(width, report.account, report.as_of),
        table(_SMILES, fitted, width) if fitted else ["No expiry has a smile"],
        [
            line
            for each in failed
            for line in wrapped(
                f"{name(each.underlying)} {numbers.expiry(each.expiry)}: {each.problem}", width
            )
        ],
        (table(_FILLED, filled, width) + unshown(len(report.filled), "options", width))
        if filled
        else [],
        wrapped(_UNITS, width) if fitted else [],
    ]


def _smile(line: SmileLine) -> Row:
    parameters = [line.rho, line.a, line.b, line.m, line.sigma]
    return (
        name(line.underlying),
        numbers.expiry(line.expiry),
        f"{line.quotes:,}",
        numbers.level(line.forward, line.forward),
        numbers.volatility(line.at_the_money),
        *(numbers.greek(value or 0.0) for value in parameters),
        numbers.points(line.error),
        numbers.points(line.largest_error),
    )


def _filling(line: FilledLine) -> Row:
    return name(line.instrument), numbers.volatility(line.volatility), line.source
