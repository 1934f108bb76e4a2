-- +goose Up
CREATE TABLE bot_reminders (
  tenant_id      TEXT   NOT NULL,
  appointment_id TEXT   NOT NULL,
  reminded_at    BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, appointment_id)
);
CREATE INDEX bot_reminders_age ON bot_reminders (reminded_at);

-- +goose Down
DROP TABLE bot_reminders;
