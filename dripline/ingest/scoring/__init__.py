"""Scores: points for what leads do and are, kept with the lead, its history and its reasons."""
