"""Which Temporal we speak to: the one of `temporalio.envconfig`, else the embedded one."""

from __future__ import annotations

from typing import Any

from temporalio.client import Client
from temporalio.envconfig import ClientConfigProfile

from dripline.stack.temporal import DEFAULT_PORT


async def connect(**options: Any) -> Client:
    """A client for the profile in TEMPORAL_* and Temporal's own configuration file; no address: the embedded server.

    `options` are `Client.connect`'s; `lazy=True` connects at the first call, so that Temporal may be away now.
    """
    profile = ClientConfigProfile.load().to_client_connect_config()
    profile.setdefault("target_host", f"127.0.0.1:{DEFAULT_PORT}")
    return await Client.connect(**{**profile, **options})


__all__ = ["connect"]
