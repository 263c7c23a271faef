"""Market data that arrives: ticks, where they come from, and an account that follows them.

sources, websocket (lines from a stream, a growing file, a websocket)
  ticks (what a line says, or why it is refused)
    reach, market (how far a price may move at once; a tick's effect on the columns of a book)
      desk (an account in the market of the last tick; only what it touches is computed again)
        jumps, states (times that may be wrong; where a pool stands)
        session (ticks in, changes of status out)
"""
