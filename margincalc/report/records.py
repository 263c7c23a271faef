"""Results as flat records, one for each row of CSV.

Nested figures become columns: `component.scenario_loss`, `liquidation.BTC.below`. Rows of several
levels have the columns of all; `level` says which a row is.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from margincalc.answers.results import Json, to_json

if TYPE_CHECKING:  # what a report is made of is known to who made it
    from margincalc.answers import (
        batch_results,
        explain_results,
        hedge_results,
        liquidation_results,
        model_results,
        passage_results,
        results,
        view_results,
    )
    from margincalc.answers.chain_results import ChainReport
    from margincalc.answers.engine_results import EngineReport
    from margincalc.answers.study import Study
    from margincalc.answers.waterfall_results import WaterfallReport
    from margincalc.report import Report

Record = dict[str, Json]
_SINGULAR = {
    "components": "component",
    "initial_components": "initial_component",
    "details": "detail",
}

_NO_SCENARIO = dict.fromkeys(("index", "label", "spot", "volatility", "pnl"))


def records(report: "Report") -> Iterator[Record]:
    """Yield a result's rows; each has the columns that it has something to say in."""
    for record in _RECORDS[type(report).__name__](report):
        yield flat(record)


def flat(record: Mapping[str, Json], prefix: str = "") -> Record:
    """Return a record whose mappings have become columns, and whose lists have become texts."""
    result: Record = {}
    for key, value in record.items():
        title = f"{prefix}{_SINGULAR.get(key, key)}"
        if isinstance(value, Mapping):
            result |= flat(value, f"{title}.")
        elif isinstance(value, list):
            result[title] = "; ".join(str(item) for item in value)
        else:
            result[title] = value
    return result


def _head(report: "results.Headed") -> Record:
    """Return what tells the rows of one report from those of another."""
    return {
        "account": report.account,
        "as_of": report.as_of,
        "currency": report.currency,
        "mode": report.mode,
        "model": report.model.name,
        "effective": report.model.effective,
    }


def _figures(figures: "results.Figures") -> Record:
    """Return figures; the columns of a worst scenario are there even if it is not."""
    record = figures.figures()
    return {**record, "worst_scenario": record["worst_scenario"] or _NO_SCENARIO}


def _margin(report: "results.MarginReport") -> Iterator[Record]:
    """Yield the account, its pools and its positions."""
    head = _head(report)
    yield {"level": "account", "name": report.account, **head, **_figures(report)}
    for pool in report.pools:
        yield {"level": "pool", "name": pool.pool, **head, **_figures(pool)}
    for line in report.positions:
        yield {"level": "position", "name": line.instrument, **head, **to_json(line)}


def _compare(report: "view_results.CompareReport") -> Iterator[Record]:
    """Yield a record per mode or model; what is refused has a reason and no figures."""
    for column in report.columns:
        first = [entry.name for entry in column.first]
        savings = {"saving": column.saving, "saving_share": column.saving_share}
        figures = _figures(column.report)
        head = {"name": column.name, **_head(column.report)}
        yield {**head, **savings, **figures, "liquidated_first": first, "refused": None}
    for refusal in report.refused:
        yield {"name": refusal.model, "account": report.account, "refused": refusal.reason}


def _lines(report: "view_results.GreeksReport | view_results.ScenariosReport") -> Iterator[Record]:
    """Yield a record per line."""
    head = _head(report)
    for line in report.lines:
        yield {**to_json(line), **head}


def _explained(report: "explain_results.ExplainReport") -> Iterator[Record]:
    """Yield a record per pool, then per position."""
    head = _head(report)
    for pool in report.pools:
        whole = to_json(pool)
        worst = whole["worst_scenario"] or _NO_SCENARIO
        yield {"level": "pool", **whole, "worst_scenario": worst, **head}
    for line in report.positions:
        yield {"level": "position", **to_json(line), **head}


def _changes(report: "explain_results.ChangeReport") -> Iterator[Record]:
    """Yield the old figures, a record per change, and the new figures."""
    head = _head(report)
    yield {"kind": "old", "name": report.old_as_of, **report.old, **head}
    for line in report.lines:
        yield {**to_json(line), **head}
    yield {"kind": "new", "name": report.as_of, **report.new, **head}


def _passages(report: "passage_results.PassageReport") -> Iterator[Record]:
    """Yield a record per pool."""
    names = ("horizon_days", "dynamics", "paths", "seed")
    common = {name: getattr(report, name) for name in names}
    for line in report.pools:
        yield {**to_json(line), **common, **_head(report)}


def _whole(report: "results.CheckReport") -> Iterator[Record]:
    """Yield the report itself."""
    yield {key: value for key, value in report.to_dict().items() if key != "schema"}


def _liquidation(report: "liquidation_results.LiquidationReport") -> Iterator[Record]:
    """Yield a record per pool, interval, crossing, touching interval, frontier line and expiry."""
    head = _head(report)
    for pool in report.pools:
        own = {"pool": pool.pool, **head}
        time = {"volatility": pool.volatility, "days": pool.days, "excess": pool.excess}
        yield {"level": "pool", **own, "status": pool.status, **time}
        for record in (*_regions(pool), *_frontiers(pool)):
            yield {**record, **own}
    for cliff in report.cliffs:
        yield {"level": "cliff", **head, **to_json(cliff)}


def _regions(pool: "liquidation_results.PoolLiquidation") -> Iterator[Record]:
    for region in pool.regions:
        line = {"underlying": region.underlying, "certified": region.certified}
        for level in ("intervals", "crossings", "unresolved"):
            for each in getattr(region, level):
                yield {"level": level, **line, **to_json(each)}


def _frontiers(pool: "liquidation_results.PoolLiquidation") -> Iterator[Record]:
    for frontier in pool.frontiers:
        for row in frontier.lines:
            line = {"underlying": frontier.underlying, "at_volatility": row.volatility}
            for each in row.intervals:
                yield {"level": "frontier", **line, **to_json(each)}


def _models(report: "model_results.ModelsReport") -> Iterator[Record]:
    """Yield a record per model; its sources are for JSON."""
    for model in report.to_dict()["models"]:
        yield {key: value for key, value in model.items() if key != "sources"}


def _figures_verified(report: "model_results.VerifyReport") -> Iterator[Record]:
    """Yield a record per figure, and one per model that has none."""
    for line in report.lines:
        yield to_json(line)
    for model in report.unproven:
        yield {"model": model, "problem": "unproven"}


def _differences(report: "model_results.DiffReport") -> Iterator[Record]:
    """Yield a record per parameter that differs."""
    for line in report.lines:
        yield {"parameter": line.parameter, report.first: line.first, report.second: line.second}


def _parameters(report: "model_results.ModelReport") -> Iterator[Record]:
    """Yield a record per parameter."""
    for key, value in flat(to_json(report.parameters)).items():
        yield {
            "model": report.name,
            "effective": report.effective,
            "parameter": key,
            "value": value,
        }


def _engine(report: "EngineReport") -> Iterator[Record]:
    """Yield each pool with its end, and each of its steps with what was traded."""
    head = {**_head(report), "engine": report.engine.name}
    for pool in report.pools:
        nested = ("steps", "left", "loan", "optimum")
        own = {key: value for key, value in to_json(pool).items() if key not in nested}
        yield {"level": "pool", "name": pool.pool, **head, **own}
        for step in pool.steps:
            trades = [f"{each.quantity!r} {each.instrument}" for each in step.trades]
            yield {"level": "step", "name": pool.pool, **head, **to_json(step), "trades": trades}


def _waterfall(report: "WaterfallReport") -> Iterator[Record]:
    """Yield the layers, the winners and the policies."""
    money = {"currency": report.currency}
    for each in report.ledger:
        yield {
            "level": "layer",
            "name": each.layer,
            "amount": each.paid,
            "share": each.share,
        } | money
    for winner in report.winners:
        yield {"level": "winner", "name": winner.account, **to_json(winner), **money}
    for line in report.policies:
        yield {"level": "policy", "name": line.policy, **to_json(line), **money}


_POOL_PARTS = ("trades", "nearest", "scenarios", "profile", "deposit_alone", "reduction_alone")


def _hedge(report: "hedge_results.HedgeReport") -> Iterator[Record]:
    """Yield the account, its pools and the trades of each."""
    head = _head(report)
    whole = report.to_dict()
    sums = {key: whole[key] for key in ("feasible", "deposit", "trade_cost", "total_cost")}
    yield {"level": "account", "name": report.account, **head, **sums}
    for pool in report.pools:
        own = to_json(pool)
        kept = {key: own[key] for key in own if key not in _POOL_PARTS}
        alone = {
            "deposit_alone": pool.deposit_alone and pool.deposit_alone.deposit,
            "deposit_alone_cost": pool.deposit_alone and pool.deposit_alone.cost,
            "reduction_alone_cost": pool.reduction_alone and pool.reduction_alone.cost,
        }
        yield {"level": "pool", "name": pool.pool, **head, **kept, **alone}
        for trade in pool.trades:
            yield {"level": "trade", "name": trade.instrument, **head, **to_json(trade)}


def _accounts(report: "batch_results.BatchReport") -> Iterator[Record]:
    """Yield a record per account that is listed; the folder of results has all."""
    head = {"as_of": report.as_of, "currency": report.currency}
    for line in report.closest:
        yield {**to_json(line), **head}


def _chain(report: "ChainReport") -> Iterator[Record]:
    """Yield a record per smile, and one per option filled in."""
    for line in report.smiles:
        yield {"level": "smile", **to_json(line)}
    for filling in report.filled:
        yield {"level": "filled", **to_json(filling)}


def _study(report: "Study") -> Iterator[Record]:
    """Yield the records of every table; what the study is about comes first."""
    for table in report.tables:
        for record in table.records():
            yield {"level": table.key, **record, "currency": report.currency}


_RECORDS: dict[str, Callable[[Any], Iterator[Record]]] = {
    "BatchReport": _accounts,
    "ChainReport": _chain,
    "ChangeReport": _changes,
    "CheckReport": _whole,
    "CompareReport": _compare,
    "DiffReport": _differences,
    "EngineReport": _engine,
    "ExplainReport": _explained,
    "GreeksReport": _lines,
    "HedgeReport": _hedge,
    "LiquidationReport": _liquidation,
    "MarginReport": _margin,
    "ModelReport": _parameters,
    "ModelsReport": _models,
    "PassageReport": _passages,
    "ScenariosReport": _lines,
    "Study": _study,
    "VerifyReport": _figures_verified,
    "WaterfallReport": _waterfall,
}
"""By the name of the result."""
