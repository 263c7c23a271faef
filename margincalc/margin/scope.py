"""What a venue lists and what it publishes: a book beyond either is refused, with the reason.

A value that a venue does not publish is written `"not published"` in its file. A book that does not
need it is margined; one that does is refused until the value is given with `--set`.
"""

from collections.abc import Collection
from typing import Literal

import numpy as np

from margincalc.arrays import BoolArray
from margincalc.book import Book, Kind
from margincalc.errors import ModelRefusal, few
from margincalc.margin.base import Parameters

NotPublished = Literal["not published"]
_CONTRACTS = (Kind.OPTION, Kind.FUTURE, Kind.PERPETUAL)


class Scope(Parameters):
    """What a venue lists; empty or absent says nothing.

    Attributes
    ----------
    underlyings : those with parameters, without the settlement money: `BTC` is also `BTC_USDC`
    default : those of them to which the tables of no underlying apply; empty for all
    settlement : of all its contracts
    coin_accounts : whether it keeps accounts in coin
    american : whether it lists options that may be exercised early
    listed_only : whether it margins no options but an exchange's equity options, and no spot but
        their stocks
    beside : the contracts that it margins beside options
    """

    underlyings: tuple[str, ...] = ()
    default: tuple[str, ...] = ()
    settlement: Literal["linear", "inverse"] | None = None
    coin_accounts: bool = True
    american: bool = False
    listed_only: bool = False
    beside: tuple[Literal["future", "perpetual"], ...] = ("future", "perpetual")

    def refuse_unrated(self, tables: Collection[str]) -> None:
        """Refuse underlyings of which neither the default tables nor tables of their own are.

        Raises
        ------
        ValueError
        """
        known = (*self.default, *tables)
        missing = [name for name in self.underlyings if name not in known]
        if self.default and missing:
            rated = ", ".join(self.default)
            raise ValueError(
                f"scope.underlyings names {missing[0]}, and the rates are of {rated}; give "
                f"underlyings.{missing[0]}"
            )

    def refuse_beyond(self, book: Book) -> None:
        """Refuse a book that holds or orders what the venue does not list.

        Raises
        ------
        ModelRefusal
        """
        if book.coin and not self.coin_accounts:
            raise ModelRefusal("it keeps accounts in money, and this one is kept in coin")
        contracts = book.instruments.is_kind(*_CONTRACTS)
        inverse = book.instruments.inverse[contracts]
        if self.settlement is not None and np.any(inverse != (self.settlement == "inverse")):
            found = "linear" if self.settlement == "inverse" else "inverse"
            raise ModelRefusal(f"it lists {self.settlement} contracts, and the book has {found}")
        self._refuse_underlyings(book, contracts)
        self._refuse_kinds(book)
        self._refuse_options(book)

    def _refuse_options(self, book: Book) -> None:
        columns = book.instruments
        option = columns.is_kind(Kind.OPTION)
        if not self.american and np.any(columns.american[option]):
            raise ModelRefusal("it lists European options, and the book has American ones")
        if self.listed_only and not np.all(columns.listed[option]):
            raise ModelRefusal(
                "it margins an exchange's equity options, and the book has others; an option is "
                "one by its OCC symbol, or by `listed: true`"
            )
        if self.listed_only:
            self._refuse_coins(book)

    def _refuse_coins(self, book: Book) -> None:
        """Refuse spots that neither are said to be stocks nor have listed options in the book."""
        columns = book.instruments
        stocks = set(columns.underlying[columns.listed].tolist())
        held = columns.underlying[columns.is_kind(Kind.SPOT)].tolist()
        others = sorted({book.names.underlyings[row] for row in held if row not in stocks})
        if others:
            raise ModelRefusal(
                f"it margins an exchange's stocks, and nothing says that {', '.join(others)} is "
                "one; `listed: true` in its market does, or an option by its OCC symbol"
            )

    def _refuse_kinds(self, book: Book) -> None:
        for kind in (Kind.FUTURE, Kind.PERPETUAL):
            name = kind.name.lower()
            if name not in self.beside and np.any(book.instruments.is_kind(kind)):
                raise ModelRefusal(f"it has no rules for {name}s, and the book has some")

    def _refuse_underlyings(self, book: Book, contracts: BoolArray) -> None:
        names = book.names.underlyings
        if not self.underlyings or all(base(name) in self.underlyings for name in set(names)):
            return
        rows = set(book.instruments.underlying[contracts].tolist())
        beyond = sorted({names[row] for row in rows if base(names[row]) not in self.underlyings})
        if beyond:
            raise ModelRefusal(
                f"it has parameters for {few(self.underlyings)}, and none for {few(beyond)}"
            )


def base(underlying: str) -> str:
    """Return an underlying's own name, without the money its contracts settle in."""
    return underlying.partition("_")[0]


def published(value: float | NotPublished, key: str, *, needed: bool = True) -> float:
    """Return a parameter, or 0 for one that is not known and not needed.

    Raises
    ------
    ModelRefusal
        If a book needs a value that the venue does not publish.
    """
    if not isinstance(value, str):
        return value
    if needed:
        raise ModelRefusal(f"the venue does not publish {key}; give it with --set {key}=VALUE")
    return 0.0
