-- +goose Up
CREATE TABLE locations (
  tenant_id     TEXT   NOT NULL,
  id            TEXT   NOT NULL,
  name          TEXT   NOT NULL,
  zone          TEXT   NOT NULL,
  address       TEXT   NOT NULL,
  notice        BIGINT NOT NULL,
  horizon_days  BIGINT NOT NULL,
  closure_dates TEXT   NOT NULL,
  created_at    BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, id)
);

-- +goose Down
DROP TABLE locations;
