-- +goose Up
ALTER TABLE outbox_consumers
  DROP COLUMN held_until,
  ADD COLUMN part BIGINT NOT NULL DEFAULT 0,
  DROP PRIMARY KEY,
  ADD PRIMARY KEY (name, part);

-- +goose Down
ALTER TABLE outbox_consumers
  DROP PRIMARY KEY,
  DROP COLUMN part,
  ADD COLUMN held_until BIGINT NOT NULL DEFAULT 0,
  ADD PRIMARY KEY (name);
