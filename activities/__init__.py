"""Every effect that a workflow asks for."""
