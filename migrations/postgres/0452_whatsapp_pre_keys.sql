-- +goose Up
CREATE TABLE whatsapp_pre_keys (
  tenant_id   TEXT COLLATE "C" NOT NULL,
  session_id  TEXT COLLATE "C" NOT NULL,
  key_id      BIGINT           NOT NULL,
  is_uploaded BIGINT           NOT NULL,
  data        BYTEA            NOT NULL,
  PRIMARY KEY (tenant_id, session_id, key_id)
);

-- +goose Down
DROP TABLE whatsapp_pre_keys;
