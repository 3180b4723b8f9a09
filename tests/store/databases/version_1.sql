BEGIN TRANSACTION;
CREATE TABLE artifacts (
	run_id INTEGER NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	content BLOB NOT NULL, 
	PRIMARY KEY (run_id, name), 
	FOREIGN KEY(run_id) REFERENCES runs (id) ON DELETE CASCADE
);
INSERT INTO "artifacts" VALUES(1,'model.keras',X'6B65726173');
INSERT INTO "artifacts" VALUES(1,'model.tflite',X'74666C697465');
INSERT INTO "artifacts" VALUES(2,'checkpoint',X'61667465722031');
INSERT INTO "artifacts" VALUES(3,'checkpoint',X'61667465722031');
CREATE TABLE epochs (
	run_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	loss FLOAT NOT NULL, 
	accuracy FLOAT NOT NULL, 
	val_loss FLOAT, 
	val_accuracy FLOAT, 
	seconds FLOAT NOT NULL, 
	PRIMARY KEY (run_id, number), 
	FOREIGN KEY(run_id) REFERENCES runs (id) ON DELETE CASCADE
);
INSERT INTO "epochs" VALUES(1,1,0.36,0.9,NULL,NULL,0.4);
INSERT INTO "epochs" VALUES(2,1,0.36,0.9,NULL,NULL,0.4);
INSERT INTO "epochs" VALUES(3,1,0.36,0.9,NULL,NULL,0.4);
CREATE TABLE kept_digits (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	owner VARCHAR(128) NOT NULL, 
	label INTEGER NOT NULL, 
	pixels BLOB NOT NULL, 
	created_at FLOAT NOT NULL
);
CREATE TABLE runs (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	variant VARCHAR(64) NOT NULL, 
	settings JSON NOT NULL, 
	dataset VARCHAR(64) NOT NULL, 
	fingerprint VARCHAR(64) NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	owner VARCHAR(128) NOT NULL, 
	created_at FLOAT NOT NULL, 
	started_at FLOAT, 
	finished_at FLOAT, 
	heartbeat_at FLOAT, 
	attempt INTEGER NOT NULL, 
	claim VARCHAR(64), 
	cancel_wanted BOOLEAN NOT NULL, 
	progress JSON, 
	error TEXT, 
	reference VARCHAR(128), 
	test_loss FLOAT, 
	test_accuracy FLOAT, 
	fit_seconds FLOAT, 
	weights INTEGER, 
	prediction_ms FLOAT, 
	UNIQUE (reference)
);
INSERT INTO "runs" VALUES(1,'dense-32','{"epochs": 3, "batch_size": 32, "learning_rate": 0.001, "schedule": "constant", "validation": "none", "fold": 1, "hidden_units": 32, "dropout": 0.0, "augmentation": 0.0, "pixel_scaling": "0-1", "seed": 0}','mnist-sample','0123456789abcdef','done','ann',1000.0,1000.0,1000.0,1000.0,1,'a00d301427144e2e8805afb799664b03',0,NULL,NULL,NULL,0.1856,0.9469,0.7,25450,0.2);
INSERT INTO "runs" VALUES(2,'dense-32','{"epochs": 3, "batch_size": 32, "learning_rate": 0.001, "schedule": "constant", "validation": "none", "fold": 1, "hidden_units": 32, "dropout": 0.0, "augmentation": 0.0, "pixel_scaling": "0-1", "seed": 0}','mnist-sample','0123456789abcdef','running','ann',1000.0,1000.0,NULL,1000.0,1,'1dbbecc3ce4a4bccba7ceca69c56b390',1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "runs" VALUES(3,'dense-32','{"epochs": 3, "batch_size": 32, "learning_rate": 0.001, "schedule": "constant", "validation": "none", "fold": 1, "hidden_units": 32, "dropout": 0.0, "augmentation": 0.0, "pixel_scaling": "0-1", "seed": 0}','mnist-sample','0123456789abcdef','running','ann',1000.0,1000.0,NULL,1000.0,1,'00dfd828ff894f9abd292100be8ea2ef',0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "runs" VALUES(4,'dense-32','{"epochs": 3, "batch_size": 32, "learning_rate": 0.001, "schedule": "constant", "validation": "none", "fold": 1, "hidden_units": 32, "dropout": 0.0, "augmentation": 0.0, "pixel_scaling": "0-1", "seed": 0}','mnist-sample','0123456789abcdef','queued','ann',1000.0,NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "runs" VALUES(5,'dense-32','{"epochs": 3, "batch_size": 32, "learning_rate": 0.001, "schedule": "constant", "validation": "none", "fold": 1, "hidden_units": 32, "dropout": 0.0, "augmentation": 0.0, "pixel_scaling": "0-1", "seed": 0}','mnist-sample','0123456789abcdef','cancelled','ann',1000.0,NULL,1000.0,NULL,0,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE schema_version (
	version INTEGER NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "schema_version" VALUES(1);
CREATE INDEX ix_runs_status ON runs (status);
CREATE INDEX ix_kept_digits_owner ON kept_digits (owner);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('runs',5);
COMMIT;
