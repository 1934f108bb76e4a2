-- +goose Up
CREATE TABLE jobs (
  id           VARCHAR(64)  NOT NULL PRIMARY KEY,
  pos          BIGINT       NOT NULL,
  tenant_id    VARCHAR(64)  NOT NULL,
  kind         VARCHAR(64)  NOT NULL,
  order_key    VARCHAR(191) NOT NULL,
  unique_key   VARCHAR(191),
  payload      MEDIUMTEXT   NOT NULL,
  state        VARCHAR(16)  NOT NULL,
  run_at       BIGINT       NOT NULL,
  next_at      BIGINT       NOT NULL,
  attempts     BIGINT       NOT NULL,
  locked_until BIGINT       NOT NULL,
  locked_by    VARCHAR(191) NOT NULL,
  last_error   TEXT         NOT NULL,
  created_at   BIGINT       NOT NULL,
  UNIQUE KEY jobs_unique (tenant_id, kind, unique_key),
  KEY jobs_due (state, next_at, pos),
  KEY jobs_order (tenant_id, order_key, state, run_at, pos)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE jobs;
