"""What the tests of reports borrow from those of the command line."""

from tests.cli.conftest import run as run
