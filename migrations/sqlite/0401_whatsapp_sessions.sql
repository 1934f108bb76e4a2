-- +goose Up
CREATE TABLE whatsapp_sessions (
  tenant_id  TEXT   NOT NULL,
  id         TEXT   NOT NULL,
  name       TEXT   NOT NULL,
  status     TEXT   NOT NULL,
  reason     TEXT   NOT NULL,
  since      BIGINT NOT NULL,
  until      BIGINT NOT NULL,
  locked     BIGINT NOT NULL,
  number     TEXT   NOT NULL,
  lid        TEXT   NOT NULL,
  push_name  TEXT   NOT NULL,
  is_linked  BIGINT NOT NULL,
  is_paused  BIGINT NOT NULL,
  down_since BIGINT NOT NULL,
  is_alerted BIGINT NOT NULL,
  fence      BIGINT NOT NULL,
  owner      TEXT   NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, id)
);

-- +goose Down
DROP TABLE whatsapp_sessions;
