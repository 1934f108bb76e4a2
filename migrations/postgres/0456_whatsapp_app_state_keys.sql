-- +goose Up
CREATE TABLE whatsapp_app_state_keys (
  tenant_id  TEXT COLLATE "C" NOT NULL,
  session_id TEXT COLLATE "C" NOT NULL,
  key_id     BYTEA            NOT NULL,
  made_at    BIGINT           NOT NULL,
  data       BYTEA            NOT NULL,
  PRIMARY KEY (tenant_id, session_id, key_id)
);

-- +goose Down
DROP TABLE whatsapp_app_state_keys;
