"""Leads from a file: in, a chunk of rows to a transaction, and out again."""
