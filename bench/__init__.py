"""The bench: how fast Dripline is, beside the obvious alternative, in one run on one machine."""
