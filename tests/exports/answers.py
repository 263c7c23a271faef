"""Answers of venues, made here for a test, and what is loaded from them."""

import json
from pathlib import Path
from typing import Any

import margincalc as mc

TIME = 1795161600000  # 2026-11-20 08:00 UTC
Answer = dict[str, Any]


def deribit(*rows: Answer) -> Answer:
    return {"jsonrpc": "2.0", "id": 1, "result": [*rows], "usOut": TIME * 1000}


def okx(*rows: Answer) -> Answer:
    return {"code": "0", "msg": "", "data": [*rows]}


def bybit(*rows: Answer, category: str = "linear") -> Answer:
    result = {"category": category, "nextPageCursor": "", "list": [*rows]}
    return {"retCode": 0, "retMsg": "OK", "result": result, "time": TIME}


def loaded(folder: Path, *answers: Any, **options: Any) -> mc.Portfolio:
    files = []
    for number, answer in enumerate(answers):
        files.append(folder / f"{number}.json")
        files[-1].write_text(json.dumps(answer), "utf-8")
    return mc.load(files[0], join=files[1:], **options)


def holdings(portfolio: mc.Portfolio) -> list[tuple[object, float]]:
    return [(held.instrument, held.quantity) for held in portfolio.positions]


def position(name: str, **said: Any) -> Answer:
    """Return a position of Deribit."""
    plain = {"instrument_name": name, "direction": "buy", "size": 1, "average_price": 100.0}
    return {**plain, "mark_price": 101.0, "index_price": 100_000.0, **said}
