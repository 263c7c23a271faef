"""Machine code is kept where it can be, and never taken for that of another signature."""

from pathlib import Path
from typing import Any

import pytest
from numba.core.caching import CacheImpl

from margincalc.kernels._jit import MachineCode, kernel


def doubled(value: float) -> float:
    return 2.0 * value


def test_two_processes_that_begin_at_once_name_no_file_alike(tmp_path: Path) -> None:
    made: Any = MachineCode
    first, second, later = (made(str(tmp_path), "kernel", "today") for _ in range(3))
    first._load_index = second._load_index = dict  # both had looked before either wrote
    first.save("of floats", "adds floats")
    second.save("of whole numbers", "adds whole numbers")
    first.save("of floats", "adds floats")
    kept = {key: later.load(key) for key in ("of floats", "of whole numbers")}
    assert kept == {"of floats": "adds floats", "of whole numbers": None}  # None is made again
    assert len(list(tmp_path.glob("*.nbc"))) == 2


def test_a_function_is_compiled_where_nothing_can_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CacheImpl, "_locator_classes", [])
    assert kernel(doubled)(1.5) == 3.0


def test_what_is_kept_is_kept_by_signature() -> None:
    made: Any = kernel(doubled)
    assert isinstance(made._cache._cache_file, MachineCode)
