"""What the tests of feeds share."""

import pytest


@pytest.fixture(autouse=True)
def _without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reach the servers of the tests, which are here, also where others are behind a proxy."""
    monkeypatch.setenv("no_proxy", "*")
