-- +goose Up
CREATE TABLE reminders (
  tenant_id      VARCHAR(64) NOT NULL,
  id             VARCHAR(64) NOT NULL,
  appointment_id VARCHAR(64) NOT NULL,
  channel        VARCHAR(64) NOT NULL,
  offset_minutes BIGINT NOT NULL,
  start_at       BIGINT NOT NULL,
  due_at         BIGINT NOT NULL,
  state          VARCHAR(64) NOT NULL,
  reason         VARCHAR(255) NOT NULL,
  message_id     VARCHAR(64) NOT NULL,
  wa_id          VARCHAR(64) NOT NULL,
  chat_id        VARCHAR(64),
  recipient      VARCHAR(255) NOT NULL,
  name           VARCHAR(255) NOT NULL,
  service        VARCHAR(255) NOT NULL,
  staff          VARCHAR(255) NOT NULL,
  zone           VARCHAR(255) NOT NULL,
  as_of          BIGINT NOT NULL,
  created_at     BIGINT NOT NULL,
  updated_at     BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE KEY reminders_once (tenant_id, appointment_id, channel, offset_minutes, start_at),
  KEY reminders_due (tenant_id, due_at, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE reminders;
