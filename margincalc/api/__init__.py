"""One function per command: the library twin of the command line.

    import margincalc as mc
    portfolio = mc.load("book.yaml")
    mc.margin(portfolio, mode="portfolio").maintenance_margin

Each function has its command's options, with the same defaults. Order: rules (how an account is
margined, which most functions take), then reading, account, models, studies, and venue, which
reads. All raise InputError where portfolio, model or setting is wrong.
"""

from typing import Any, Literal

from margincalc.answers.shown import show_by


def _written(result: Any, format: Literal["table", "json", "rows"]) -> str:
    from margincalc.report import render  # only who shows a result needs it

    if format == "rows":
        from margincalc.report.as_csv import csv_text

        return csv_text(result, guarded=False)
    return render(result, format)


show_by(_written)
