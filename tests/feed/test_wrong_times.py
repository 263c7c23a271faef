"""A wrong time that lines agreed on is taken back when more lines say so; nothing is lost by it."""

from collections.abc import Iterable

import numpy as np
import pytest

import margincalc as mc
from margincalc.feed import jumps
from margincalc.feed.session import Session
from tests.cli import STRANGLE
from tests.feed.following import anew
from tests.feed.test_held import CALL, Event, spot, statuses, watched

PUT = "BTC-25DEC26-90000-P"
REAL = [spot(seconds, 100_000.0 + 100.0 * seconds) for seconds in range(1, 31)]


def wrong(count: int, far: float = 40 * 86_400.0 / 8) -> list[bytes]:
    """Return lines of a wrong time and a wrong price, at most seven days ahead."""
    return [spot(far + number, 118_000.0 - number) for number in range(count)]


def last(lines: Iterable[bytes], **wishes: float) -> tuple[Session, list[Event]]:
    session = mc.watch(mc.load(STRANGLE), latency=False, **wishes)  # type: ignore[arg-type]
    return session, [*session.events(lines)]


@pytest.mark.parametrize("position", [0, 1, 7])
@pytest.mark.parametrize("count", [1, 2, 3, 10])
def test_after_wrong_lines_all_is_as_without_them(count: int, position: int) -> None:
    lines = [*REAL[:position], *wrong(count), *REAL[position:]]
    healed, said = last(lines, every=1)
    plain, _ = last(REAL, every=1)
    assert (
        healed.desk.time
        == plain.desk.time
        == healed.desk.aged_to + (plain.desk.time - plain.desk.aged_to)
    )
    for own, other, fresh in zip(
        healed.desk.figures, plain.desk.figures, anew(healed.desk), strict=True
    ):
        np.testing.assert_array_equal(own, other)
        np.testing.assert_array_equal(own, fresh)
    assert (said[-1]["ticks"], said[-1]["refused"]) == (len(REAL), count)
    taken = [each["line"] for each in said if "taken back" in each.get("reason", "")]
    assert taken == ([] if count == 1 else list(range(position + 1, position + 1 + count)))


@pytest.mark.parametrize("count", [2, 3, 10])
def test_a_wrong_time_that_a_refused_line_confirms_is_taken_back(count: int) -> None:
    first, *others = wrong(count)
    unknown = first.replace(b'"BTC"', b'"DOGE"')
    healed, said = last([*REAL[:5], unknown, *others, *REAL[5:]])
    plain, _ = last(REAL)
    assert healed.desk.time == plain.desk.time
    np.testing.assert_array_equal(healed.desk.figures.equity, plain.desk.figures.equity)
    assert (said[-1]["ticks"], said[-1]["refused"]) == (len(REAL), count)


def test_lines_of_which_a_part_is_old_say_nothing_against_a_time() -> None:
    def wide(second: int) -> bytes:
        return b"[%s, %s]" % (
            spot(3600.0 + second, 100_000.0),
            spot(3400.0 + second, 1e5, "BTC_USDC"),
        )

    said = watched([*REAL[:5], *wrong(2, 3600.0), *map(wide, range(2, 20))])
    assert said[-1]["time"] == "2026-11-20T09:00:01Z"
    assert (said[-1]["ticks"], said[-1]["status"]) == (7, "liquidatable")
    assert not [each for each in said if "taken back" in each.get("reason", "")]


def test_wrong_times_one_after_the_other_are_all_taken_back() -> None:
    lines = [*REAL[:5], *wrong(2, 3600.0), *wrong(4, 86_400.0), *wrong(3, 7200.0), *REAL[5:]]
    healed, said = last(lines)
    plain, _ = last(REAL)
    assert healed.desk.time == plain.desk.time
    np.testing.assert_array_equal(healed.desk.figures.equity, plain.desk.figures.equity)
    assert said[-1]["ticks"] == len(REAL)


def test_what_expired_at_a_wrong_time_is_there_again() -> None:
    quote = f'{{"instrument": "{CALL}", "volatility": 0.6}}'.encode()
    far = [
        spot(6 * 86_400.0 * week + second, 100_000.0) for week in range(1, 7) for second in (0, 1)
    ]
    healed, said = last([*far, quote, *REAL])
    assert any("nothing is left but money" in each.get("reason", "") for each in said)
    row = healed.desk.book.names.instruments.index(PUT)
    assert healed.desk.book.instruments.strike[row] == 90_000.0
    plain, _ = last(REAL)
    np.testing.assert_array_equal(healed.desk.figures.equity, plain.desk.figures.equity)


def test_statuses_go_back_with_the_time() -> None:
    said = [each for each in watched([*wrong(2), *REAL[:3]]) if each["event"] == "status"]
    assert [(each["from"], each["status"], each["time"][:13]) for each in said] == [
        ("healthy", "liquidatable", "2026-11-25T08"),
        ("liquidatable", "healthy", "2026-11-20T08"),
    ]


def test_a_line_without_a_time_is_kept_when_a_time_is_taken_back() -> None:
    quote = f'{{"instrument": "{CALL}", "volatility": 0.7}}'.encode()
    healed, _ = last([*wrong(2), quote, *REAL])
    plain, _ = last([quote, *REAL])
    np.testing.assert_array_equal(healed.desk.figures.equity, plain.desk.figures.equity)


@pytest.mark.parametrize("silence", [3600.0, 86_400.0, 6.9 * 86_400.0])
def test_a_feed_that_stops_and_goes_on_is_believed(silence: float) -> None:
    later = [spot(silence + second, 100_000.0 + second) for second in range(40)]
    said = watched([*REAL[:5], *later])
    assert (said[-1]["ticks"], said[-1]["refused"]) == (45, 0)
    assert [each["event"] for each in said].count("held") == 1


def test_old_lines_among_new_ones_take_nothing_back() -> None:
    """Whatever their number, while not more in a row than there are of the new."""
    new = [spot(3600.0 + second, 100_000.0) for second in range(20)]
    old = REAL[:10]
    mixed = [line for pair in zip(new[10:], old, strict=True) for line in pair]
    for lines in ([*new, *old], [*new[:10], *mixed], [*new[:2], *old[:2], *new[2:], *old[2:]]):
        said = watched(lines)
        assert said[-1]["time"] == "2026-11-20T09:00:19Z"
        assert (said[-1]["ticks"], said[-1]["refused"]) == (20, 10)
        assert not [each for each in said if each["event"] == "status"]


def test_old_lines_of_all_sorts_of_times_do_not_agree() -> None:
    old = [spot(100.0 * number, 90_000.0) for number in range(1, 20)]
    said = watched([*wrong(2), *old])
    assert said[-1]["time"] == "2026-11-25T08:00:01Z"


def test_an_old_line_again_and_again_is_one() -> None:
    said = watched([*wrong(2), *[REAL[0]] * 20])
    assert said[-1]["time"] == "2026-11-25T08:00:01Z"


def test_sources_in_another_order_are_one_feed() -> None:
    lines = REAL.copy()
    lines[1::2], lines[::2] = lines[::2], lines[1::2]
    later = [spot(7200.0 + second, 100_000.0) for second in (3, 1, 2, 0, 9, 5, 40, 30)]
    said = watched([*lines, *later])
    assert said[-1]["time"] == "2026-11-20T10:00:40Z"
    assert not [each for each in said if "taken back" in each.get("reason", "")]


def test_what_is_kept_in_mind_is_bounded() -> None:
    session = mc.watch(mc.load(STRANGLE), latency=False)
    many = [spot(3600.0 + second / 100.0, 100_000.0) for second in range(2 * jumps.SETTLED)]
    list(session.events([*wrong(2, 1800.0), *many[:100]]))
    assert session._jumps
    list(session.events(many[100:]))
    assert not session._jumps


def test_what_is_said_against_a_time_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jumps, "MOST_TICKS", 30)
    session, old = mc.watch(mc.load(STRANGLE), latency=False), []
    for second in range(1, 40):
        line = b", ".join(spot(second, price) for price in (1e5, 2e5, 3e5))
        old.append(b"[%s]" % line)
    said = [*session.events([*wrong(50), *old])]
    (jump,) = session._jumps
    assert not jump.against
    assert (said[-1]["ticks"], said[-1]["refused"]) == (50, 39)
    kept = most = 0
    for each in said[:-1]:
        kept = kept + 1 if each["event"] == "held" else 0
        most = max(most, kept)
    assert most == 10


def test_a_time_said_wrong_by_many_lines_and_taken_back_is_so_in_a_replay() -> None:
    lines = [*REAL[:3], *wrong(10), *REAL[3:]]
    assert watched(lines, every=1) == watched(lines, every=1)
    assert statuses(watched(lines))[-1] == statuses(watched(REAL))[-1]
