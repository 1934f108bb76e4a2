-- +goose Up
CREATE TABLE services (
  tenant_id      TEXT   NOT NULL,
  id             TEXT   NOT NULL,
  name           TEXT   NOT NULL,
  description    TEXT   NOT NULL,
  duration       BIGINT NOT NULL,
  buffer_before  BIGINT NOT NULL,
  buffer_after   BIGINT NOT NULL,
  step           BIGINT NOT NULL,
  price_amount   BIGINT NOT NULL,
  price_currency TEXT   NOT NULL,
  active         BIGINT NOT NULL,
  created_at     BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, id)
);

-- +goose Down
DROP TABLE services;
