"""Which inputs and parameters of a case an adapter looks at: one that nobody reads is a failure.

An example is computed from what it states. An input of which the figures do not depend is named by
its topic, in `UNREAD`, with the reason.
"""

from collections.abc import Iterator, Mapping
from typing import Any

READ = ("inputs", "parameters")  # of an example
REMARKS = ("note", "_note")  # how keys end whose content is words


class Reading(dict[str, Any]):
    """A mapping that notes which of its keys were asked for."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        super().__init__({key: noted(value) for key, value in content.items()})
        self.asked: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self.asked.add(key)
        return super().__getitem__(key)

    def __iter__(self) -> Iterator[str]:
        self.asked.update(self.keys())
        return super().__iter__()

    def get(self, key: str, default: Any = None) -> Any:
        """Return an item, which is noted."""
        self.asked.add(key)
        return super().get(key, default)

    def items(self) -> Any:
        """Return all items, which are noted."""
        self.asked.update(self.keys())
        return super().items()

    def values(self) -> Any:
        """Return all values, which are noted."""
        self.asked.update(self.keys())
        return super().values()


def noted(value: Any) -> Any:
    """Return a case whose mappings note what is read of them."""
    if isinstance(value, Mapping):
        return Reading(value)
    return [noted(item) for item in value] if isinstance(value, list) else value


def unread(case: Reading) -> list[str]:
    """Name the inputs and parameters that were not asked for, as dotted paths without numbers."""
    found = [
        path
        for key in READ
        if isinstance(part := dict.get(case, key), Reading)
        for path in _unread(part, key)
    ]
    return list(dict.fromkeys(found))


def _unread(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _unread(item, path)
    elif isinstance(value, Reading):
        for key in value.keys():  # noqa: SIM118 - iterating would note them
            if key.endswith(REMARKS):
                continue
            if key in value.asked:
                yield from _unread(dict.get(value, key), f"{path}.{key}")
            else:
                yield f"{path}.{key}"
