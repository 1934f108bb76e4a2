-- +goose Up
CREATE TABLE whatsapp_app_state_keys (
  tenant_id  TEXT   NOT NULL,
  session_id TEXT   NOT NULL,
  key_id     BLOB   NOT NULL,
  made_at    BIGINT NOT NULL,
  data       BLOB   NOT NULL,
  PRIMARY KEY (tenant_id, session_id, key_id)
);

-- +goose Down
DROP TABLE whatsapp_app_state_keys;
