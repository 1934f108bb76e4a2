-- +goose Up
CREATE TABLE outbox_consumers_parted (
  name       TEXT   NOT NULL,
  part       BIGINT NOT NULL,
  seq        BIGINT NOT NULL,
  holder     TEXT   NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (name, part)
);
INSERT INTO outbox_consumers_parted (name, part, seq, holder, updated_at) SELECT name, 0, seq, '', updated_at FROM outbox_consumers;
DROP TABLE outbox_consumers;
ALTER TABLE outbox_consumers_parted RENAME TO outbox_consumers;

-- +goose Down
CREATE TABLE outbox_consumers_whole (
  name       TEXT   NOT NULL PRIMARY KEY,
  seq        BIGINT NOT NULL,
  holder     TEXT   NOT NULL,
  held_until BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
INSERT INTO outbox_consumers_whole (name, seq, holder, held_until, updated_at) SELECT name, seq, '', 0, updated_at FROM outbox_consumers;
DROP TABLE outbox_consumers;
ALTER TABLE outbox_consumers_whole RENAME TO outbox_consumers;
