-- +goose Up
CREATE TABLE tenants (
  id               VARCHAR(64)   NOT NULL,
  slug             VARCHAR(64)   NOT NULL,
  name             VARCHAR(255)  NOT NULL,
  status           VARCHAR(16)   NOT NULL,
  zone             VARCHAR(64)   NOT NULL,
  language         VARCHAR(16)   NOT NULL,
  country          VARCHAR(16)   NOT NULL,
  address          VARCHAR(1024) NOT NULL,
  reminder_offsets VARCHAR(255)  NOT NULL,
  bot_enabled      BIGINT        NOT NULL,
  greeting         TEXT          NOT NULL,
  first_admin      VARCHAR(64)   NOT NULL,
  created_at       BIGINT        NOT NULL,
  updated_at       BIGINT        NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY tenants_slug (slug)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE tenants;
