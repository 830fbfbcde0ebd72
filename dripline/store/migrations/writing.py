"""Write the next migration: the difference between what the migrations make and `schema.metadata`.

Run as `make migration NAME="hold messages for review"`, then read what it wrote.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any, Literal

from alembic import command
from alembic.autogenerate.api import AutogenContext

from dripline.store.database import Store
from dripline.store.migrate import alembic_config, migrate
from dripline.store.schema import Json, Utc


def render_type(kind: str, item: Any, context: AutogenContext) -> str | Literal[False]:
    """Our own column types by SQLAlchemy's names, so that no migration depends on today's program."""
    if kind != "type":
        return False
    if isinstance(item, Utc):
        return "sa.DateTime(timezone=True)"
    if item is Json:
        context.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


def write_migration(name: str, versions: Path) -> Path:
    """Write the next numbered migration into the folder `versions` and return its path."""
    number = len(list(versions.glob("[0-9]*.py"))) + 1
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{folder}/empty.db")
        if number > 1:
            migrate(store)
        config = alembic_config()
        config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
        with store.write() as connection:
            config.attributes.update(connection=connection, batch=number > 1)
            command.revision(config, message=name, autogenerate=True, rev_id=f"{number:04}")
        store.close()
    path = next(versions.glob(f"{number:04}_*.py"))
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "# ###" not in line))  # Alembic's banners
    return path


if __name__ == "__main__":
    path = write_migration(" ".join(sys.argv[1:]), Path(__file__).parent / "versions")
    sys.stdout.write(f"{path}\n")
