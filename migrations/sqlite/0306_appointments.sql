-- +goose Up
CREATE TABLE appointments (
  tenant_id      TEXT   NOT NULL,
  id             TEXT   NOT NULL,
  status         TEXT   NOT NULL,
  location_id    TEXT   NOT NULL,
  service_id     TEXT   NOT NULL,
  staff_id       TEXT   NOT NULL,
  customer_id    TEXT   NOT NULL,
  starts_at      BIGINT NOT NULL,
  ends_at        BIGINT NOT NULL,
  occupied_from  BIGINT NOT NULL,
  occupied_to    BIGINT NOT NULL,
  price_amount   BIGINT NOT NULL,
  price_currency TEXT   NOT NULL,
  origin         TEXT   NOT NULL,
  notes          TEXT   NOT NULL,
  booked_by      TEXT   NOT NULL,
  booked_at      BIGINT NOT NULL,
  cancelled_by   TEXT   NOT NULL,
  cancelled_at   BIGINT NOT NULL,
  cancel_reason  TEXT   NOT NULL,
  version        BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX appointments_busy ON appointments (tenant_id, staff_id, occupied_from, occupied_to);
CREATE INDEX appointments_start ON appointments (tenant_id, starts_at, id);
CREATE INDEX appointments_customer ON appointments (tenant_id, customer_id, starts_at, id);

-- +goose Down
DROP TABLE appointments;
