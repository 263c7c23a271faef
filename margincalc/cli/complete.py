"""What the shell offers at TAB: names of models and engines, sample portfolios, and files."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

SAMPLES = "sample_portfolios"  # where the examples of help find theirs
VENUES, ENGINES = (Path(__file__).parent.parent / folder for folder in ("venues", "engines"))
_FORMS = (".yaml", ".yml", ".json", ".csv")


def models(context: object, parameter: object, incomplete: str) -> "list[CompletionItem]":
    """Offer the models that ship with the package, and files."""
    return _shipped(VENUES, incomplete)


def engines(context: object, parameter: object, incomplete: str) -> "list[CompletionItem]":
    """Offer the liquidation engines that ship with the package, and files."""
    return _shipped(ENGINES, incomplete)


def portfolios(context: object, parameter: object, incomplete: str) -> "list[CompletionItem]":
    """Offer files; samples by the beginning of their own names too, where they are at hand."""
    found = sorted(path for path in Path(SAMPLES).glob("*") if path.suffix in _FORMS)
    named = [path.as_posix() for path in found if path.name.startswith(incomplete)]
    return _offered(named, incomplete)


def _shipped(folder: Path, incomplete: str) -> "list[CompletionItem]":
    names = {path.stem.rpartition(".")[0] for path in folder.glob("*.toml")}
    return _offered(sorted(name for name in names if name.startswith(incomplete)), incomplete)


def _offered(names: Iterable[str], incomplete: str) -> "list[CompletionItem]":
    from click.shell_completion import CompletionItem  # wanted at TAB alone

    chosen: list[CompletionItem[Any]] = [CompletionItem(name) for name in names]
    # Files come first: at their line bash forgets what it was offered before.
    return [CompletionItem(incomplete, type="file"), *chosen]
