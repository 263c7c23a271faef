"""The families of formulas, each imported when a model of it is read; a new one is a line here."""

from collections.abc import Mapping
from typing import Any

from margincalc.margin.base import Build, MarginModel


def _scan(tables: Mapping[str, Any]) -> MarginModel:
    from margincalc.margin import scan

    return scan.build(tables)


def _standard(tables: Mapping[str, Any]) -> MarginModel:
    from margincalc.margin import standard

    return standard.build(tables)


def _strategy(tables: Mapping[str, Any]) -> MarginModel:
    from margincalc.margin import strategy

    return strategy.build(tables)


def _derive_pm1(tables: Mapping[str, Any]) -> MarginModel:
    from margincalc.margin import derive_pm1

    return derive_pm1.build(tables)


def _derive_pm2(tables: Mapping[str, Any]) -> MarginModel:
    from margincalc.margin import derive_pm2

    return derive_pm2.build(tables)


def _derive_sm(tables: Mapping[str, Any]) -> MarginModel:
    from margincalc.margin import derive_sm

    return derive_sm.build(tables)


def _tims(tables: Mapping[str, Any]) -> MarginModel:
    from margincalc.margin import tims

    return tims.build(tables)


def _okx(tables: Mapping[str, Any]) -> MarginModel:
    from margincalc.margin import okx

    return okx.build(tables)


def _okx_options(tables: Mapping[str, Any]) -> MarginModel:
    from margincalc.margin import okx_options

    return okx_options.build(tables)


def _bybit_options(tables: Mapping[str, Any]) -> MarginModel:
    from margincalc.margin import bybit_options

    return bybit_options.build(tables)


def _paradex(tables: Mapping[str, Any]) -> MarginModel:
    from margincalc.margin import paradex

    return paradex.build(tables)


def _paradex_cross(tables: Mapping[str, Any]) -> MarginModel:
    from margincalc.margin import paradex_cross

    return paradex_cross.build(tables)


def _deribit(tables: Mapping[str, Any]) -> MarginModel:
    from margincalc.margin import deribit

    return deribit.build(tables)


def _span(tables: Mapping[str, Any]) -> MarginModel:
    from margincalc.margin import span

    return span.build(tables)


def _nse_span(tables: Mapping[str, Any]) -> MarginModel:
    from margincalc.margin import nse_span

    return nse_span.build(tables)


FAMILIES: dict[str, Build] = {
    "scan": _scan,
    "paradex": _paradex,
    "paradex_cross": _paradex_cross,
    "standard": _standard,
    "deribit": _deribit,
    "strategy": _strategy,
    "derive_pm1": _derive_pm1,
    "derive_pm2": _derive_pm2,
    "derive_sm": _derive_sm,
    "tims": _tims,
    "okx": _okx,
    "okx_options": _okx_options,
    "bybit_options": _bybit_options,
    "span": _span,
    "nse_span": _nse_span,
}
