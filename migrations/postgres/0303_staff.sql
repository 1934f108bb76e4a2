-- +goose Up
CREATE TABLE staff (
  tenant_id   TEXT COLLATE "C" NOT NULL,
  id          TEXT COLLATE "C" NOT NULL,
  name        TEXT             NOT NULL,
  location_id TEXT COLLATE "C" NOT NULL,
  active      BIGINT           NOT NULL,
  services    TEXT             NOT NULL,
  hours       TEXT             NOT NULL,
  breaks      TEXT             NOT NULL,
  created_at  BIGINT           NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX staff_location ON staff (tenant_id, location_id);

-- +goose Down
DROP TABLE staff;
