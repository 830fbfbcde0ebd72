"""One file a provider. Only `worker.py` knows which there are."""
