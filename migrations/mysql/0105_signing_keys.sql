-- +goose Up
CREATE TABLE signing_keys (
  generation  BIGINT      NOT NULL,
  kid         VARCHAR(64) NOT NULL,
  public_key  VARCHAR(64) NOT NULL,
  sealed_seed TEXT        NOT NULL,
  created_at  BIGINT      NOT NULL,
  PRIMARY KEY (generation),
  UNIQUE KEY signing_keys_kid (kid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE signing_keys;
