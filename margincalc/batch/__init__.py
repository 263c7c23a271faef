"""Every account of a venue: Parquet in, Parquet out, through the functions of a single file.

    tables (Parquet files and their columns) -> survey (who is where) -> parts (what is one piece)
    universe (the instruments, revalued once) -> holdings (accounts as books) -> rows (results)
    piece (one part, from file to file) -> engines (threads, dask) -> run (all of them)
    partition (groups a folder by account, out of core)

A part is a run of whole accounts of one file. Its rows depend on nothing but the input, so that
neither threads, nor machines, nor an interruption change a byte.
"""
