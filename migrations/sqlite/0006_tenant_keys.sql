-- +goose Up
CREATE TABLE tenant_keys (
  tenant_id  TEXT   NOT NULL PRIMARY KEY,
  wrapped    TEXT   NOT NULL,
  created_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE tenant_keys;
