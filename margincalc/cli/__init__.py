"""The command line: parse options, call `margincalc.api`, hand the result to `margincalc.report`.

    main (a process of its own)
      program (the group; errors become messages and exit statuses here, once)
        commands/ (one short function each)
          inputs (the portfolio and the rules that options name)
          options (what commands share, as one frozen object)
          output (standard output, files, closed pipes)

Importing it costs click and little more: what a command needs is imported when it runs.
"""

import atexit
import gc
import os


def main() -> None:
    """Run a command line in a process that is short and need not tidy up after itself."""
    # Half of a start is collecting garbage that there is not, and starting threads for linear
    # algebra that sums never use.
    gc.set_threshold(100_000, 50, 50)
    atexit.register(gc.freeze)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from margincalc.cli.commands import program

    program()
