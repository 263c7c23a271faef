"""Benchmarks: how long things take against what they could be measured by, in one run.

    __main__ -> report (machine, tables, RESULTS.md)
             -> startup | pricing | book | scaling, one group each
                  -> processes (a command's wall and cpu time)  -> clock (interleaved runs)
                  -> books (a book file of any size)               tables (rows and columns)
                     peers (other people's Black), exact (to the last digit)

A shared machine makes times noisy, so ours and the peer take turns, and what counts is the ratio
of their medians. Each group is a function of its `Sizes`, so that tests run it small.
"""
