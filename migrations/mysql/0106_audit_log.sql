-- +goose Up
CREATE TABLE audit_log (
  tenant_id  VARCHAR(64)  NOT NULL,
  id         VARCHAR(64)  NOT NULL,
  at         BIGINT       NOT NULL,
  actor      VARCHAR(64)  NOT NULL,
  action     VARCHAR(64)  NOT NULL,
  target     VARCHAR(64)  NOT NULL,
  address    VARCHAR(64)  NOT NULL,
  request_id VARCHAR(191) NOT NULL,
  detail     TEXT         NOT NULL,
  PRIMARY KEY (tenant_id, id),
  KEY audit_log_tenant (tenant_id, at, id),
  KEY audit_log_all (at, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE audit_log;
