-- +goose Up
CREATE TABLE appointments (
  tenant_id      TEXT COLLATE "C" NOT NULL,
  id             TEXT COLLATE "C" NOT NULL,
  status         TEXT COLLATE "C" NOT NULL,
  location_id    TEXT COLLATE "C" NOT NULL,
  service_id     TEXT COLLATE "C" NOT NULL,
  staff_id       TEXT COLLATE "C" NOT NULL,
  customer_id    TEXT COLLATE "C" NOT NULL,
  starts_at      BIGINT           NOT NULL,
  ends_at        BIGINT           NOT NULL,
  occupied_from  BIGINT           NOT NULL,
  occupied_to    BIGINT           NOT NULL,
  price_amount   BIGINT           NOT NULL,
  price_currency TEXT COLLATE "C" NOT NULL,
  origin         TEXT COLLATE "C" NOT NULL,
  notes          TEXT             NOT NULL,
  booked_by      TEXT COLLATE "C" NOT NULL,
  booked_at      BIGINT           NOT NULL,
  cancelled_by   TEXT COLLATE "C" NOT NULL,
  cancelled_at   BIGINT           NOT NULL,
  cancel_reason  TEXT             NOT NULL,
  version        BIGINT           NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX appointments_busy ON appointments (tenant_id, staff_id, occupied_from, occupied_to);
CREATE INDEX appointments_start ON appointments (tenant_id, starts_at, id);
CREATE INDEX appointments_customer ON appointments (tenant_id, customer_id, starts_at, id);

-- +goose Down
DROP TABLE appointments;
