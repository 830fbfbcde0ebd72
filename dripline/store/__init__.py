"""The truth: leads, events, runs, plans and the message ledger, on SQLite or PostgreSQL."""
