"""Changing a journey that leads are in: what an edit changes, what becomes of each run, and doing it."""
