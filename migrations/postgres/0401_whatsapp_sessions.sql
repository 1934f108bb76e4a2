-- +goose Up
CREATE TABLE whatsapp_sessions (
  tenant_id  TEXT COLLATE "C" NOT NULL,
  id         TEXT COLLATE "C" NOT NULL,
  name       TEXT             NOT NULL,
  status     TEXT COLLATE "C" NOT NULL,
  reason     TEXT COLLATE "C" NOT NULL,
  since      BIGINT           NOT NULL,
  until      BIGINT           NOT NULL,
  locked     BIGINT           NOT NULL,
  number     TEXT COLLATE "C" NOT NULL,
  lid        TEXT COLLATE "C" NOT NULL,
  push_name  TEXT             NOT NULL,
  is_linked  BIGINT           NOT NULL,
  is_paused  BIGINT           NOT NULL,
  down_since BIGINT           NOT NULL,
  is_alerted BIGINT           NOT NULL,
  fence      BIGINT           NOT NULL,
  owner      TEXT COLLATE "C" NOT NULL,
  created_at BIGINT           NOT NULL,
  PRIMARY KEY (tenant_id, id)
);

-- +goose Down
DROP TABLE whatsapp_sessions;
