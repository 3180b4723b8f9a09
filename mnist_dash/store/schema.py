"""The tables of the store."""

from sqlalchemy import JSON, Column, Float, ForeignKey, Integer, LargeBinary, MetaData, String, Table, Text

SCHEMA_VERSION = 5  # the number of the newest file in migrations/versions

metadata = MetaData()
schema_table = Table("schema_version", metadata, Column("version", Integer, primary_key=True))
alembic_table = Table("alembic_version", metadata, Column("version_num", String(32), primary_key=True))
VERSION_TABLES = (schema_table, alembic_table)  # they say the same; versions up to 0.4 know the first alone
experiments_table = Table(
    "experiments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("title", Text, nullable=False),
    Column("owner", String(128), nullable=False, default=""),
    Column("created_at", Float, nullable=False),
    sqlite_autoincrement=True,
)
runs_table = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("variant", String(64), nullable=False),
    Column("settings", JSON, nullable=False),
    Column("dataset", String(64), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("custom_data", JSON(none_as_null=True)),  # number of images and class names, unless the data is published
    Column("status", String(16), nullable=False, index=True),
    Column("owner", String(128), nullable=False, default=""),
    Column("created_at", Float, nullable=False),
    Column("started_at", Float),
    Column("finished_at", Float),
    Column("heartbeat_at", Float),
    Column("attempt", Integer, nullable=False, default=0),
    Column("claim", String(64), key="lease"),
    Column("wanted", String(16), key="requested_status"),
    Column("lost", Integer, nullable=False, default=0, server_default="0"),
    Column("experiment_id", ForeignKey("experiments.id"), index=True),
    Column("continues", Integer),
    Column("progress", JSON(none_as_null=True)),
    Column("error", Text),
    Column("reference", String(128), unique=True),
    Column("test_loss", Float),
    Column("test_accuracy", Float),
    Column("fit_seconds", Float),
    Column("weights", Integer),
    Column("prediction_ms", Float),
    Column("device", Text),
    sqlite_autoincrement=True,  # the number of a deleted run is never given to another
)
epochs_table = Table(
    "epochs",
    metadata,
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("loss", Float, nullable=False),
    Column("accuracy", Float, nullable=False),
    Column("val_loss", Float),
    Column("val_accuracy", Float),
    Column("seconds", Float, nullable=False),
)
artifacts_table = Table(
    "artifacts",
    metadata,
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("sha256", String(64)),  # in hexadecimal; what an earlier version wrote has none
)
kept_digits_table = Table(
    "kept_digits",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("owner", String(128), nullable=False, index=True),
    Column("label", Integer, nullable=False),
    Column("pixels", LargeBinary, nullable=False),  # 28 × 28 bytes, row by row
    Column("created_at", Float, nullable=False),
    sqlite_autoincrement=True,  # a page that is out of date never takes out another digit than it shows
)

tags_table = Table(
    "tags",
    metadata,
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String(64), primary_key=True),
)
robustness_table = Table(
    "robustness",
    metadata,
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("suite", Integer, nullable=False),
    Column("status", String(16), nullable=False, index=True),
    Column("owner", String(128), nullable=False, default=""),
    Column("requested_at", Float, nullable=False),
    Column("heartbeat_at", Float),
    Column("attempt", Integer, nullable=False, default=0),
    Column("claim", String(64), key="lease"),
    Column("lost", Integer, nullable=False, default=0),
    Column("progress", JSON(none_as_null=True)),  # what was measured so far
    Column("error", Text),
    Column("mean", Float),
)
datasets_table = Table(
    "datasets",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("fingerprint", String(64), nullable=False, unique=True),
    Column("owner", String(128), nullable=False, index=True),
    Column("created_at", Float, nullable=False),
    Column("train", Integer, nullable=False),
    Column("test", Integer, nullable=False),
    Column("classes", JSON, nullable=False),
    Column("content", LargeBinary, nullable=False),  # an .npz file with the four arrays
)
keys_table = Table(
    "keys", metadata, Column("name", String(32), primary_key=True), Column("content", LargeBinary, nullable=False)
)
events_table = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("created_at", Float, nullable=False),
    Column("level", String(16), nullable=False),
    Column("source", String(64), nullable=False),
    Column("run_id", Integer),  # of a run that may be deleted by now
    Column("message", Text, nullable=False),
    sqlite_autoincrement=True,
)
