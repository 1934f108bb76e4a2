-- +goose Up
CREATE TABLE jobs (
  id           TEXT   NOT NULL PRIMARY KEY,
  pos          BIGINT NOT NULL,
  tenant_id    TEXT   NOT NULL,
  kind         TEXT   NOT NULL,
  order_key    TEXT   NOT NULL,
  unique_key   TEXT,
  payload      TEXT   NOT NULL,
  state        TEXT   NOT NULL,
  run_at       BIGINT NOT NULL,
  next_at      BIGINT NOT NULL,
  attempts     BIGINT NOT NULL,
  locked_until BIGINT NOT NULL,
  locked_by    TEXT   NOT NULL,
  last_error   TEXT   NOT NULL,
  created_at   BIGINT NOT NULL
);
CREATE UNIQUE INDEX jobs_unique ON jobs (tenant_id, kind, unique_key);
CREATE INDEX jobs_due ON jobs (state, next_at, pos);
CREATE INDEX jobs_order ON jobs (tenant_id, order_key, state, run_at, pos);

-- +goose Down
DROP TABLE jobs;
