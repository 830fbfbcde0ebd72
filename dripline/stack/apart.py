"""A throw-away installation beside the real one: the same programs over a folder, ports and a Temporal of their own."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from dripline.settings import Settings
from dripline.stack.supervise import Program
from dripline.stack.up import any_port, programs


@dataclass(frozen=True)
class Apart:
    """What runs there. Nothing of it is the real installation's but the workspace's files and the providers."""

    folder: Path
    settings: Settings
    programs: tuple[Program, ...]

    @property
    def log(self) -> Path:
        """Where the programs' own lines go."""
        return self.folder / "log"


@contextmanager
def apart(settings: Settings, *, keep: bool = False) -> Iterator[Apart]:
    """A throw-away installation over the workspace of these settings; its folder goes with it, unless `keep`.

    It is never production: only those on the workspace's list are messaged. Raises CannotStart.
    """
    folder = Path(tempfile.mkdtemp(prefix="dripline-try-"))
    try:
        port = any_port()
        own = settings.model_copy(
            update={
                "workspace": settings.workspace.resolve(),
                "data": folder,
                "database_url": f"sqlite:///{folder / 'dripline.db'}",
                "environment": "development",
                "host": "127.0.0.1",
                "port": port,
                "public_url": f"http://127.0.0.1:{port}",
            }
        )
        environment = _environment(own)
        parts = programs(own, temporal_ui=False, apart=True)
        yield Apart(
            folder,
            own,
            tuple(replace(one, environment={**environment, **one.environment}) for one in parts),
        )
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _environment(own: Settings) -> dict[str, str | None]:
    """What the programs are told. Of the Temporal that is configured they must know nothing."""
    return {
        **{name: None for name in os.environ if name.startswith("TEMPORAL_")},
        "TEMPORAL_CONFIG_FILE": str(own.data / "none.toml"),
        "DRIPLINE_WORKSPACE": str(own.workspace),
        "DRIPLINE_DATA": str(own.data),
        "DRIPLINE_DATABASE_URL": own.database_url,
        "DRIPLINE_ENVIRONMENT": own.environment,
        "DRIPLINE_HOST": own.host,
        "DRIPLINE_LOG_FORMAT": "json",
        "DRIPLINE_TRYING": "true",
    }


__all__ = ["Apart", "apart"]
