"""Risk parameter files: the arrays that a clearing house publishes each day.

Two formats are read: the XML of `.spn` (`span_xml`), and the expanded positional format of `.pa2`
(`span_positional`). Of either, what scanning needs: each contract's sixteen values, composite
delta, expiry and strike. Charges, credits, minimums and scan ranges are not read; they stay in the
model's file. Records and elements that are not known are skipped.

Files hold losses of one long contract; what is returned are gains. Extreme rows are weighted
already. A contract is known by its underlying's product code, right, strike and expiry; the expiry
is a day where the file has it (`setlDate`, `pe` of eight digits, a `B` record), else a month.

Not confirmed: wide arrays against a real file, and a schema of the XML, of which no page was found.
"""

from codecs import BOM_UTF8
from pathlib import Path

from margincalc.errors import input_error, printable
from margincalc.margin.span_entries import Entries
from margincalc.margin.span_positional import read_positional
from margincalc.margin.span_xml import read_xml

MAXIMUM_BYTES = 256 * 2**20


def read(path: Path) -> Entries:
    """Read a risk parameter file.

    Raises
    ------
    InputError
        If there is no such file, or it is damaged; with the line.
    """
    name = printable(str(path))
    try:
        with path.open("rb") as file:
            data = file.read(MAXIMUM_BYTES + 1)
    except (OSError, ValueError) as error:  # the latter of a path that no system has
        found = (getattr(error, "strerror", None) or "no file").lower()
        raise input_error(name, found, "a risk parameter file") from None
    if len(data) > MAXIMUM_BYTES:
        raise input_error(name, "a larger file", f"at most {MAXIMUM_BYTES >> 20} MiB")
    data = data.removeprefix(BOM_UTF8)
    in_xml = b"<" in data.lstrip()[:4]  # the first sign, behind the marks and zeros of UTF-16
    entries = (read_xml if in_xml else read_positional)(name, data)
    if not entries:
        raise input_error(name, "no risk arrays", "an .spn file, or a .pa2 file (expanded format)")
    return entries
