"""The computed form: columns of instruments, who holds how much, and the moves a market makes.

Order: columns, holdings (netted before they are a book), then book.
"""

from margincalc.book.book import NO_ORDERS, Book, Names, Orders, Pool
from margincalc.book.columns import Instruments, Kind

__all__ = ["NO_ORDERS", "Book", "Instruments", "Kind", "Names", "Orders", "Pool"]
