"""A run that was killed, or had no room, goes on and ends in the same bytes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest
from pyarrow import parquet

import margincalc as mc
from margincalc.batch import parts
from tests.batch.conftest import PARTS, resumed
from tests.batch.venues import files

PROVE = bool(os.environ.get("MARGINCALC_PROVE"))
KILLS = 20 if PROVE else 1
LITTLE_ROOM = """
import os, resource, sys
room = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
os.execv(sys.argv[2], sys.argv[2:])
"""


def command(inputs: Path, output: Path, *more: str) -> list[str]:
    run = [sys.executable, "-m", "margincalc", "batch", str(inputs), "-o", str(output)]
    return [*run, "--format", "json", "--workers", "2", *more]


@pytest.mark.parametrize("seed", range(KILLS))
def test_a_killed_run_goes_on_and_ends_in_the_same_bytes(
    inputs: Path, whole: dict[str, bytes], tmp_path: Path, seed: int
) -> None:
    output, rng = tmp_path / "out", Random(seed)
    process = subprocess.Popen(command(inputs, output), stdout=subprocess.DEVNULL)
    wanted = rng.randrange(PARTS)
    while process.poll() is None and len(list(output.glob("done/*.json"))) < wanted:
        time.sleep(0.001)
    time.sleep(rng.uniform(0.0, 0.02))
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert resumed(inputs, output) == whole


def test_a_full_disk_is_said_and_what_is_done_stays(
    inputs: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    output = tmp_path / "out"
    size = sorted(len(own) for name, own in whole.items() if name.startswith("accounts/"))
    room = size[len(size) // 2] - 1  # for half of the parts
    line = [sys.executable, "-c", LITTLE_ROOM, str(room), *command(inputs, output)]
    done = subprocess.run(line, check=False, capture_output=True, text=True)
    assert done.returncode == 3
    assert "could not be written" in done.stderr
    assert "--resume" in done.stderr
    assert "Traceback" not in done.stderr
    left = files(output)
    kept = {name: own for name, own in left.items() if name.startswith("accounts/part")}
    assert all(whole[name] == own for name, own in kept.items())
    assert not any(name.endswith(".draft") for name in left)
    assert resumed(inputs, output) == whole


def test_a_run_that_was_cut_into_other_parts_is_another(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    positions, market = tmp_path / "positions.parquet", inputs / "market.json"
    held = parquet.read_table(inputs / "positions" / "part-0000.parquet")
    parquet.write_table(held, positions, row_group_size=held.num_rows // 2)
    assert mc.batch(positions, market=market, output=tmp_path / "out").parts == 1
    monkeypatch.setattr(parts, "ROWS", 1)
    with pytest.raises(mc.InputError, match="--resume"):
        mc.batch(positions, market=market, output=tmp_path / "out", resume=True)


def test_the_threads_change_no_byte(inputs: Path, whole: dict[str, bytes], tmp_path: Path) -> None:
    mc.batch(inputs, output=tmp_path / "out", workers=1)
    assert files(tmp_path / "out") == whole


def test_a_run_that_was_killed_before_its_first_manifest_goes_on(
    inputs: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    output = tmp_path / "out"
    output.mkdir()
    (output / ".manifest.json.1.draft").write_text("{")
    assert resumed(inputs, output) == whole
    (output / ".manifest.json.1.draft").write_text("{")
    assert resumed(inputs, output) == whole


def test_what_a_worker_that_died_had_begun_is_removed(
    inputs: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    output = tmp_path / "out"

    def died(accounts: int, rows: int, all_rows: int) -> None:
        (output / "accounts").mkdir(exist_ok=True)
        (output / "accounts" / ".part-000001.parquet.1.draft").write_text("half")

    mc.batch(inputs, output=output, progress=died)
    assert files(output) == whole


def test_a_part_whose_file_was_changed_is_done_again(
    inputs: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    output = tmp_path / "out"
    mc.batch(inputs, output=output)
    part = output / min(name for name in whole if name.startswith("accounts/"))
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.write_bytes(content)
    assert resumed(inputs, output) == whole
