-- +goose Up
CREATE TABLE booking_locks (
  tenant_id TEXT NOT NULL,
  id        TEXT NOT NULL,
  PRIMARY KEY (tenant_id, id)
);

-- +goose Down
DROP TABLE booking_locks;
