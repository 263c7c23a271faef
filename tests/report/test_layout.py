"""Blocks and columns."""

from margincalc.report.layout import (
    Column,
    beside,
    folded,
    name,
    packed,
    sections,
    shortened,
    table,
    wrapped,
)

COLUMNS = (Column("name", left=True), Column("a", rank=2), Column("b", rank=1), Column("c"))
ROWS = [("  x", "1.00", "22.00", "3"), ("yy", "", "2.00", "4")]


def test_table_keeps_indentation_and_aligns_numbers_right() -> None:
    assert table(COLUMNS, ROWS, 80) == [
        "name     a      b  c",
        "  x   1.00  22.00  3",
        "yy           2.00  4",
    ]


def test_table_leaves_out_what_matters_least() -> None:
    assert table(COLUMNS, ROWS, 19)[0] == "name      b  c"
    assert table(COLUMNS, ROWS, 10)[0] == "name  c"


def test_names_are_cut_last() -> None:
    assert table(COLUMNS, [("BTC-25DEC26-100000-C", "1", "2", "3")], 17) == [
        "name            c",
        "BTC-25..0000-C  3",
    ]


def test_shortened_keeps_both_ends() -> None:
    assert shortened("BTC-25DEC26-100000-C", 20) == "BTC-25DEC26-100000-C"
    assert shortened("BTC-25DEC26-100000-C", 12) == "BTC-2..000-C"


def test_folded_continues_below_under_the_same_names() -> None:
    columns = (Column("", left=True), *(Column(f"mode{number}") for number in range(4)))
    lines = folded(columns, [("equity", "1.00", "2.00", "3.00", "4.00")], 20)
    assert lines == [
        "        mode0  mode1",
        "equity   1.00   2.00",
        "",
        "        mode2  mode3",
        "equity   3.00   4.00",
    ]


def test_folded_to_one_column_at_a_time() -> None:
    columns = (Column("", left=True), Column("wide-heading"), Column("wide-heading"))
    lines = folded(columns, [("equity", "1.00", "2.00")], 20)
    assert [line for line in lines if "equity" in line] == [
        "equity          1.00",
        "equity          2.00",
    ]


def test_beside() -> None:
    assert beside(["a", "bbb"], ["1", "2", "3"]) == ["a     1", "bbb   2", "      3"]


def test_packed_hangs_under_its_start() -> None:
    assert packed(["one", "two", "three"], 20, "Equity  ") == ["Equity  one   two", "        three"]
    assert packed([], 20, "Equity  ") == ["Equity"]


def test_wrapped_does_not_break_addresses() -> None:
    assert wrapped("see https://example.org/a-b-c", 12, "# ") == [
        "# see",
        "# https://example.org/a-b-c",
    ]


def test_sections_skip_what_is_empty() -> None:
    assert sections([["a"], [], ["b", "c"]]) == "a\n\nb\nc\n"


def test_a_name_may_be_as_long_as_it_is_allowed_to_be() -> None:
    assert name("a" * 500, 1000) == "a" * 500
    assert len(name("a" * 500)) == 60
