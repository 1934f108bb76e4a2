-- +goose Up
CREATE TABLE tenants (
  id               TEXT COLLATE "C" NOT NULL,
  slug             TEXT COLLATE "C" NOT NULL,
  name             TEXT             NOT NULL,
  status           TEXT COLLATE "C" NOT NULL,
  zone             TEXT COLLATE "C" NOT NULL,
  language         TEXT COLLATE "C" NOT NULL,
  country          TEXT COLLATE "C" NOT NULL,
  address          TEXT             NOT NULL,
  reminder_offsets TEXT             NOT NULL,
  bot_enabled      BIGINT           NOT NULL,
  greeting         TEXT             NOT NULL,
  first_admin      TEXT COLLATE "C" NOT NULL,
  created_at       BIGINT           NOT NULL,
  updated_at       BIGINT           NOT NULL,
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX tenants_slug ON tenants (slug);

-- +goose Down
DROP TABLE tenants;
