"""Bringing friends: who comes by whose code, what both get for it, and who gets nothing.

A friend's coming and buying (`joining.py`, `purchases.py`) are written under the friend's lock alone. Who brought it is
told, and rewarded, by `settling.py`, which locks both, in id order: so nobody waits for another's lock out of turn.
"""
