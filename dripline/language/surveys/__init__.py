"""Surveys: what is asked, as the workspace says it and as plans keep it, and what an answer means."""
