"""What can be wrong with a file before its content is looked at."""

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from margincalc.errors import InputError
from margincalc.files.source import LARGEST, read_source


def fault(work: Callable[[], object]) -> str:
    """Return the message of the one fault that `work` raises."""
    with pytest.raises(InputError) as caught:
        work()
    assert len(caught.value.faults) == 1
    return str(caught.value)


def test_a_sparse_gigabyte_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "book.yaml"
    path.touch()
    os.truncate(path, 2**30)
    message = fault(lambda: read_source(path))
    assert "1,024 MiB" in message
    assert "64 MiB" in message


def test_standard_input_is_bounded() -> None:
    class Endless(io.RawIOBase):
        def read(self, size: int = -1, /) -> bytes:
            assert 0 < size <= LARGEST + 1
            return b" " * size

    message = fault(lambda: read_source("-", Endless()))  # type: ignore[arg-type]
    assert "more than 64 MiB" in message


def test_a_device_without_size_is_bounded() -> None:
    if not Path("/dev/zero").exists():
        pytest.skip("this system has no /dev/zero")
    assert "more than 64 MiB" in fault(lambda: read_source("/dev/zero"))


def test_folder(tmp_path: Path) -> None:
    assert "found a folder" in fault(lambda: read_source(tmp_path))


def test_missing_file_names_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "portfolio.yaml").write_text("x: 1")
    assert "did you mean `portfolio.yaml`?" in fault(
        lambda: read_source(tmp_path / "portfolo.yaml")
    )
    assert "did you mean" not in fault(lambda: read_source(tmp_path / "zzz"))


def test_missing_folder(tmp_path: Path) -> None:
    assert "no folder" in fault(lambda: read_source(tmp_path / "nowhere" / "book.yaml"))


def test_unreadable_file(tmp_path: Path) -> None:
    path = tmp_path / "book.yaml"
    path.touch(mode=0o000)
    if os.access(path, os.R_OK):
        pytest.skip("who runs this may read every file, as root may")
    assert "may not be read" in fault(lambda: read_source(path))


def test_permission_denied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "book.yaml"
    path.write_text("a: 1")

    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    assert "may not be read" in fault(lambda: read_source(path))


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", ""])
def test_impossible_paths(name: str) -> None:
    assert "; wanted " in fault(lambda: read_source(name))


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "an empty file"),
        (b" \n\t\n", "an empty file"),
        (b"a: \xff", "the byte 0xff at position 3"),
        (b"abc\x00", "a zero byte at position 3"),
        (b"PK\x03\x04rest", "spreadsheet"),
        (b"PAR1", "Parquet"),
        ("a: 1".encode("utf-16"), "UTF-16"),
        (b"  <HTML><body>", "a web page"),
    ],
)
def test_what_is_no_text(data: bytes, found: str) -> None:
    message = fault(lambda: read_source("-", io.BytesIO(data)))
    assert message.startswith("standard input\n")
    assert found in message


def test_forgiven_marks_and_line_ends() -> None:
    assert read_source("-", io.BytesIO(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")).text == "a: 1\nb: 2\n"


@pytest.mark.parametrize(
    ("text", "format_"), [(' \n{"a": 1}', "json"), ("[]", "json"), ("a: 1", "yaml")]
)
def test_format_by_content(text: str, format_: str, tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    path.write_text(text, "utf-8")
    assert read_source(path).format == format_
    assert read_source("-", io.BytesIO(text.encode())).format == format_


@pytest.mark.parametrize(
    ("name", "format_"),
    [("a.YAML", "yaml"), ("a.yml", "yaml"), ("a.json", "json"), ("a.csv", "csv")],
)
def test_format_by_extension(name: str, format_: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("{}")
    assert read_source(tmp_path / name).format == format_


def test_no_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert "nothing to read" in fault(lambda: read_source("-"))


def test_a_folder_that_cannot_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> list[str]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "listdir", denied)
    assert "no such file" in fault(lambda: read_source(tmp_path / "book.yaml"))
