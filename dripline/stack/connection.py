"""Which Temporal we speak to: the one of `temporalio.envconfig`, else the embedded one."""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

from temporalio.client import Client
from temporalio.envconfig import ClientConfigProfile
from temporalio.runtime import LogForwardingConfig, LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter

from dripline.settings import Settings
from dripline.stack.codec import converter
from dripline.stack.temporal import DEFAULT_PORT


async def connect(settings: Settings | None = None, **options: Any) -> Client:
    """A client for the profile in TEMPORAL_* and Temporal's own configuration file; no address: the embedded server.

    What it gives to Temporal is encrypted if the settings have keys for that; without settings it never is.
    `options` are `Client.connect`'s; `lazy=True` connects at the first call, so that Temporal may be away now.
    """
    options.setdefault("runtime", _runtime())
    options.setdefault("data_converter", converter(settings.codec_keys() if settings else {}))
    profile = ClientConfigProfile.load().to_client_connect_config()
    profile.setdefault("target_host", f"127.0.0.1:{DEFAULT_PORT}")
    return await Client.connect(**{**profile, **options})


@cache
def _runtime() -> Runtime:
    """Temporal's core, its log going into ours: by itself it writes to standard output, in colours."""
    forwarding = LogForwardingConfig(
        logger=logging.getLogger("temporalio.core"), append_log_fields_to_message=False
    )
    logs = LoggingConfig(
        filter=TelemetryFilter(core_level="WARN", other_level="ERROR"), forwarding=forwarding
    )
    return Runtime(telemetry=TelemetryConfig(logging=logs))


__all__ = ["connect"]
