-- +goose Up
CREATE TABLE locations (
  tenant_id     TEXT COLLATE "C" NOT NULL,
  id            TEXT COLLATE "C" NOT NULL,
  name          TEXT             NOT NULL,
  zone          TEXT COLLATE "C" NOT NULL,
  address       TEXT             NOT NULL,
  notice        BIGINT           NOT NULL,
  horizon_days  BIGINT           NOT NULL,
  closure_dates TEXT COLLATE "C" NOT NULL,
  created_at    BIGINT           NOT NULL,
  PRIMARY KEY (tenant_id, id)
);

-- +goose Down
DROP TABLE locations;
