"""`python -m margincalc` is the command line."""

from margincalc.cli import main

if __name__ == "__main__":
    main()
