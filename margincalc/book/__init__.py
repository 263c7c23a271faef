"""The computed form: columns of instruments, who holds how much, and the moves a market makes.

Order: columns, holdings (netted before they are a book), labels and orders, then book.
"""

from margincalc.book.book import Book
from margincalc.book.columns import Instruments, Kind
from margincalc.book.labels import Names, Pool
from margincalc.book.orders import NO_ORDERS, Orders

__all__ = ["NO_ORDERS", "Book", "Instruments", "Kind", "Names", "Orders", "Pool"]
