"""A file that changes while it is read is said, and nothing is made of two states of it."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

import margincalc as mc
from margincalc.batch import partition, run, watched
from margincalc.batch.universe import universe
from margincalc.errors import InputError, input_error
from margincalc.files.unchanged import states_of, unchanged
from tests.batch.conftest import PARTS, resumed
from tests.batch.venues import files

CHANGED = r"{}\n.*found a file that changed while it was read"


@pytest.fixture
def own(inputs: Path, tmp_path: Path) -> Path:
    """Copy a venue that may be changed."""
    return copytree(inputs, tmp_path / "in")


def changes(file: Path, work: Callable[..., Any]) -> Callable[..., Any]:
    """Return work, of which a file is longer by a byte when it is done."""

    def done(*given: Any, **more: Any) -> Any:
        found = work(*given, **more)
        with file.open("ab") as more_of_it:
            more_of_it.write(b"x")
        return found

    return done


@pytest.mark.parametrize("name", ["positions/part-0003.parquet", "balances.parquet"])
def test_a_file_that_changes_before_it_is_margined(
    own: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "universe", changes(own / name, universe))
    with pytest.raises(InputError, match=CHANGED.format(name)):
        mc.batch(own, output=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_file_that_changes_between_parts(
    own: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    """What was done before is of the state that the run is of, and stays."""
    output, file = tmp_path / "out", own / "positions" / f"part-{PARTS - 1:04d}.parquet"
    before, other = file.read_bytes(), (own / "positions" / "part-0000.parquet").read_bytes()

    def replaced(accounts: int, rows: int, of: int) -> None:
        if not accounts:
            file.write_bytes(other)

    with pytest.raises(InputError, match=CHANGED.format(file.name)):
        mc.batch(own, output=output, workers=1, progress=replaced)
    left = files(output)
    assert b'"complete": false' in left["manifest.json"]
    assert len([name for name in left if name.startswith("done/")]) == PARTS - 1
    del left["manifest.json"]
    assert left == {name: whole[name] for name in left}
    with pytest.raises(InputError, match=r"again in row 1, after others|results of other files"):
        mc.batch(own, output=output, resume=True)
    file.write_bytes(before)
    assert resumed(own, output) == whole


def test_a_file_that_is_written_to_is_said_to_be_whatever_else_is_wrong_with_it(
    own: Path, tmp_path: Path
) -> None:
    file = own / "positions" / "part-0005.parquet"

    def cut(accounts: int, rows: int, of: int) -> None:
        os.truncate(file, 1000)

    with pytest.raises(InputError, match=CHANGED.format(file.name)):
        mc.batch(own, output=tmp_path / "out", progress=cut)


def test_a_file_that_changes_while_accounts_are_to_be_watched(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = own / "balances.parquet"
    monkeypatch.setattr(watched, "universe", changes(file, universe))
    with pytest.raises(InputError, match=CHANGED.format(file.name)):
        mc.watch(own)


def test_a_file_that_changes_while_it_is_grouped(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = own / "balances.parquet"
    monkeypatch.setattr(partition, "_bounds", changes(file, partition._bounds))
    with pytest.raises(InputError, match=CHANGED.format(file.name)):
        mc.partition(own, output=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_share_that_cuts_off_nanoseconds_changes_no_file(own: Path) -> None:
    """As one by SMB does, which a worker may have where the command has the file itself."""
    file = own / "balances.parquet"
    os.utime(file, ns=(0, 1_700_000_000_123_456_789))
    with unchanged(states_of([str(file)])):
        os.utime(file, ns=(0, 1_700_000_000_123_456_700))
    with pytest.raises(InputError), unchanged(states_of([str(file)])):
        os.utime(file, ns=(0, 1_700_000_000_123_457_000))


def test_what_a_worker_finds_arrives_as_it_was_said() -> None:
    error = input_error("place", "this", "that", "mend it")
    arrived = pickle.loads(pickle.dumps(error))
    assert (str(arrived), arrived.faults) == (str(error), error.faults)
