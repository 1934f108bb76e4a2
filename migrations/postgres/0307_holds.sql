-- +goose Up
CREATE TABLE holds (
  tenant_id     TEXT COLLATE "C" NOT NULL,
  id            TEXT COLLATE "C" NOT NULL,
  location_id   TEXT COLLATE "C" NOT NULL,
  service_id    TEXT COLLATE "C" NOT NULL,
  staff_id      TEXT COLLATE "C" NOT NULL,
  starts_at     BIGINT           NOT NULL,
  ends_at       BIGINT           NOT NULL,
  occupied_from BIGINT           NOT NULL,
  occupied_to   BIGINT           NOT NULL,
  origin        TEXT COLLATE "C" NOT NULL,
  held_by       TEXT COLLATE "C" NOT NULL,
  created_at    BIGINT           NOT NULL,
  expires_at    BIGINT           NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX holds_busy ON holds (tenant_id, staff_id, occupied_from);

-- +goose Down
DROP TABLE holds;
