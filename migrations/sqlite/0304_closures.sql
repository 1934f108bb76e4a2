-- +goose Up
CREATE TABLE closures (
  tenant_id   TEXT   NOT NULL,
  id          TEXT   NOT NULL,
  location_id TEXT   NOT NULL,
  staff_id    TEXT,
  first_date  TEXT   NOT NULL,
  last_date   TEXT   NOT NULL,
  from_at     BIGINT NOT NULL,
  to_at       BIGINT NOT NULL,
  reason      TEXT   NOT NULL,
  created_at  BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, id)
);

-- +goose Down
DROP TABLE closures;
