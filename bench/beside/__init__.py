"""What Dripline is compared with: the same journey written by hand, and the bare shell of our own."""

WAIT = 8.0
"""Seconds between the two messages of a burst: longer than all first messages of one take, so that each run of
each contender really waits. (Ours counts from the event; what is late already would not wait at all.)"""
