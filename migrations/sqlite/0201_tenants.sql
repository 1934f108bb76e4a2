-- +goose Up
CREATE TABLE tenants (
  id               TEXT   NOT NULL,
  slug             TEXT   NOT NULL,
  name             TEXT   NOT NULL,
  status           TEXT   NOT NULL,
  zone             TEXT   NOT NULL,
  language         TEXT   NOT NULL,
  country          TEXT   NOT NULL,
  address          TEXT   NOT NULL,
  reminder_offsets TEXT   NOT NULL,
  bot_enabled      BIGINT NOT NULL,
  greeting         TEXT   NOT NULL,
  first_admin      TEXT   NOT NULL,
  created_at       BIGINT NOT NULL,
  updated_at       BIGINT NOT NULL,
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX tenants_slug ON tenants (slug);

-- +goose Down
DROP TABLE tenants;
