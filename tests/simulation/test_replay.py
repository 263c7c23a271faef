"""Feeds over a history: each against its definition, and an engine against a plain loop."""

from random import Random

import numpy as np
import pytest

from margincalc.simulation import feeds, replay


def test_feeds_are_what_they_say() -> None:
    time = np.arange(0.0, 600.0, 60.0)
    price = np.array([100, 101, 99, 98, 98.2, 97, 97.5, 101, 102, 100.0])
    assert replay.lagged(time, price, 120.0).tolist() == [100, 100, 100, *price[1:-2].tolist()]
    assert replay.stepped(time, price, 0.015, 1e9).tolist() == [
        100, 100, 100, 98, 98, 98, 98, 101, 101, 101,
    ]  # fmt: skip
    assert replay.stepped(time, price, 1.0, 180.0).tolist() == [
        100, 100, 100, 98, 98, 98, 97.5, 97.5, 97.5, 100,
    ]  # fmt: skip
    average = replay.averaged(time, price, 120.0)
    assert average[3] == pytest.approx((101 + 99) / 2)
    assert average[1] == pytest.approx(100.0)


def test_an_engine_closes_whom_a_plain_loop_closes() -> None:
    rng = Random(3)
    for _ in range(60):
        true = np.array([100.0 + rng.gauss(0.0, 4.0) for _ in range(30)])
        seen = true + np.array([rng.gauss(0.0, 2.0) for _ in range(30)])
        up = rng.random() < 0.5
        price = np.array([100.0 + rng.gauss(0.0, 6.0) for _ in range(20)])
        size = np.array([rng.random() for _ in range(20)])
        bankrupt = price * (1.02 if up else 0.98)
        found = replay.errors(true, seen, replay.Closed(price, size, bankrupt), up=up)
        sign = -1.0 if up else 1.0
        counts = [0, 0, 0, 0]
        slipped = owed = 0.0
        for at, units, zero in zip(price, size, bankrupt, strict=True):
            due = next((n for n, now in enumerate(true) if sign * now <= sign * at), None)
            done = next((n for n, now in enumerate(seen) if sign * now <= sign * at), None)
            counts[0] += done is not None
            counts[1] += done is not None and (due is None or due > done)
            counts[2] += done is not None and due is not None and due < done
            counts[3] += done is None and due is not None
            if done is not None:
                slipped += max(sign * (at - true[done]), 0.0) * units
                owed += max(sign * (zero - true[done]), 0.0) * units
        assert list(found[:4]) == counts
        assert found.slipped == pytest.approx(slipped)
        assert found.bad_debt == pytest.approx(owed)


def test_a_buffer_keeps_the_loss_to_its_bound() -> None:
    rng = Random(4)
    for _ in range(50):
        past = np.array([rng.gauss(0.0, 0.01) for _ in range(30)])
        weight = np.array([rng.random() for _ in range(30)])
        found = replay.Errors(30, 0, 0, 0, 0.0, 0.0, past, weight)
        bound = rng.choice((0.0, 1e-4, 1e-3, 1e-2))
        buffer = found.buffer(bound)

        def loss(b: float, past: np.ndarray = past, weight: np.ndarray = weight) -> float:
            return float(np.sum(np.maximum(past - b, 0.0) * weight) / np.sum(weight))

        assert loss(buffer) <= bound + 1e-12
        assert buffer == 0.0 or loss(buffer - 1e-6) > bound


def test_a_model_buffer_is_the_least_that_holds() -> None:
    deviation = feeds.lag(3.0, 600.0).deviation
    buffer = feeds.buffer_for(deviation, 1e-4)
    assert feeds.beyond(deviation, buffer) == pytest.approx(1e-4)
    jumps = feeds.Jumps(10.0, 0.06, 0.06)
    assert feeds.buffer_for(deviation, 1e-4, 600.0, jumps) > buffer
    assert feeds.Jumps(10.0, 0.06, 0.0).beyond(feeds.SECONDS, 0.02) == pytest.approx(0.4)
