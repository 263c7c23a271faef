"""CSV."""

def csv_text(report: object) -> str:
    raise NotImplementedError
