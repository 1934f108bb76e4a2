-- +goose Up
CREATE TABLE services (
  tenant_id      TEXT COLLATE "C" NOT NULL,
  id             TEXT COLLATE "C" NOT NULL,
  name           TEXT             NOT NULL,
  description    TEXT             NOT NULL,
  duration       BIGINT           NOT NULL,
  buffer_before  BIGINT           NOT NULL,
  buffer_after   BIGINT           NOT NULL,
  step           BIGINT           NOT NULL,
  price_amount   BIGINT           NOT NULL,
  price_currency TEXT COLLATE "C" NOT NULL,
  active         BIGINT           NOT NULL,
  created_at     BIGINT           NOT NULL,
  PRIMARY KEY (tenant_id, id)
);

-- +goose Down
DROP TABLE services;
