-- +goose Up
CREATE TABLE closures (
  tenant_id   TEXT COLLATE "C" NOT NULL,
  id          TEXT COLLATE "C" NOT NULL,
  location_id TEXT COLLATE "C" NOT NULL,
  staff_id    TEXT COLLATE "C",
  first_date  TEXT COLLATE "C" NOT NULL,
  last_date   TEXT COLLATE "C" NOT NULL,
  from_at     BIGINT           NOT NULL,
  to_at       BIGINT           NOT NULL,
  reason      TEXT             NOT NULL,
  created_at  BIGINT           NOT NULL,
  PRIMARY KEY (tenant_id, id)
);

-- +goose Down
DROP TABLE closures;
