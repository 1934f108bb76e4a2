-- +goose Up
CREATE TABLE booking_locks (
  tenant_id TEXT COLLATE "C" NOT NULL,
  id        TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, id)
);

-- +goose Down
DROP TABLE booking_locks;
