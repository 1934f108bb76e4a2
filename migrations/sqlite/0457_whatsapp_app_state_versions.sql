-- +goose Up
CREATE TABLE whatsapp_app_state_versions (
  tenant_id  TEXT   NOT NULL,
  session_id TEXT   NOT NULL,
  name       TEXT   NOT NULL,
  version    BIGINT NOT NULL,
  data       BLOB   NOT NULL,
  PRIMARY KEY (tenant_id, session_id, name)
);

-- +goose Down
DROP TABLE whatsapp_app_state_versions;
