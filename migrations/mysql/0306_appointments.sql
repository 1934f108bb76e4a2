-- +goose Up
CREATE TABLE appointments (
  tenant_id      VARCHAR(64)  NOT NULL,
  id             VARCHAR(64)  NOT NULL,
  status         VARCHAR(191) NOT NULL,
  location_id    VARCHAR(64)  NOT NULL,
  service_id     VARCHAR(64)  NOT NULL,
  staff_id       VARCHAR(64)  NOT NULL,
  customer_id    VARCHAR(64)  NOT NULL,
  starts_at      BIGINT       NOT NULL,
  ends_at        BIGINT       NOT NULL,
  occupied_from  BIGINT       NOT NULL,
  occupied_to    BIGINT       NOT NULL,
  price_amount   BIGINT       NOT NULL,
  price_currency VARCHAR(191) NOT NULL,
  origin         VARCHAR(191) NOT NULL,
  notes          TEXT         NOT NULL,
  booked_by      VARCHAR(191) NOT NULL,
  booked_at      BIGINT       NOT NULL,
  cancelled_by   VARCHAR(191) NOT NULL,
  cancelled_at   BIGINT       NOT NULL,
  cancel_reason  TEXT         NOT NULL,
  version        BIGINT       NOT NULL,
  PRIMARY KEY (tenant_id, id),
  KEY appointments_busy (tenant_id, staff_id, occupied_from, occupied_to),
  KEY appointments_start (tenant_id, starts_at, id),
  KEY appointments_customer (tenant_id, customer_id, starts_at, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE appointments;
