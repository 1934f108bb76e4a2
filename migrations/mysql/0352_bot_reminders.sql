-- +goose Up
CREATE TABLE bot_reminders (
  tenant_id      VARCHAR(64) NOT NULL,
  appointment_id VARCHAR(64) NOT NULL,
  reminded_at    BIGINT      NOT NULL,
  PRIMARY KEY (tenant_id, appointment_id),
  KEY bot_reminders_age (reminded_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE bot_reminders;
