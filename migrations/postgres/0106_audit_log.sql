-- +goose Up
CREATE TABLE audit_log (
  tenant_id  TEXT COLLATE "C" NOT NULL,
  id         TEXT COLLATE "C" NOT NULL,
  at         BIGINT           NOT NULL,
  actor      TEXT COLLATE "C" NOT NULL,
  action     TEXT COLLATE "C" NOT NULL,
  target     TEXT COLLATE "C" NOT NULL,
  address    TEXT             NOT NULL,
  request_id TEXT COLLATE "C" NOT NULL,
  detail     TEXT             NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX audit_log_tenant ON audit_log (tenant_id, at, id);
CREATE INDEX audit_log_all ON audit_log (at, id);

-- +goose Down
DROP TABLE audit_log;
