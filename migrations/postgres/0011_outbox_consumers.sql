-- +goose Up
ALTER TABLE outbox_consumers
  DROP COLUMN held_until,
  ADD COLUMN part BIGINT NOT NULL DEFAULT 0,
  ALTER COLUMN holder TYPE TEXT COLLATE "C",
  DROP CONSTRAINT outbox_consumers_pkey,
  ADD PRIMARY KEY (name, part);

-- +goose Down
ALTER TABLE outbox_consumers
  DROP CONSTRAINT outbox_consumers_pkey,
  DROP COLUMN part,
  ADD COLUMN held_until BIGINT NOT NULL DEFAULT 0,
  ADD PRIMARY KEY (name);
