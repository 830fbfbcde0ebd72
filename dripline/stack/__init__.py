"""`dripline up`: Temporal, worker and web process started together, watched, and stopped together."""
