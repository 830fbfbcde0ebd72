"""Durable and deterministic: what Temporal replays. Imports no I/O."""
