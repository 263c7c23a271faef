"""The command line: parse options, call `margincalc.api`, hand the result to `margincalc.report`.

    program (the group; errors become messages and exit statuses here, once)
      commands (one short function each)
        options (what commands share, as one frozen object)
        output (standard output, files, closed pipes)

Importing it costs click and little more: what a command needs is imported when it runs.
"""

from margincalc.cli.commands import program as main

__all__ = ["main"]
