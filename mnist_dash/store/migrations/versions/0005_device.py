"""The GPU or processor that a run was trained on."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Adds the column; earlier runs do not know theirs."""
    op.add_column("runs", sa.Column("device", sa.Text))
