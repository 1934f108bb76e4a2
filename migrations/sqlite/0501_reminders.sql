-- +goose Up
CREATE TABLE reminders (
  tenant_id      TEXT NOT NULL,
  id             TEXT NOT NULL,
  appointment_id TEXT NOT NULL,
  channel        TEXT NOT NULL,
  offset_minutes BIGINT NOT NULL,
  start_at       BIGINT NOT NULL,
  due_at         BIGINT NOT NULL,
  state          TEXT NOT NULL,
  reason         TEXT NOT NULL,
  message_id     TEXT NOT NULL,
  wa_id          TEXT NOT NULL,
  chat_id        TEXT,
  recipient      TEXT NOT NULL,
  name           TEXT NOT NULL,
  service        TEXT NOT NULL,
  staff          TEXT NOT NULL,
  zone           TEXT NOT NULL,
  as_of          BIGINT NOT NULL,
  created_at     BIGINT NOT NULL,
  updated_at     BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX reminders_once ON reminders (tenant_id, appointment_id, channel, offset_minutes, start_at);
CREATE INDEX reminders_due ON reminders (tenant_id, due_at, id);

-- +goose Down
DROP TABLE reminders;
