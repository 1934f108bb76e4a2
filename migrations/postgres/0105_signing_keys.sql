-- +goose Up
CREATE TABLE signing_keys (
  generation  BIGINT           NOT NULL,
  kid         TEXT COLLATE "C" NOT NULL,
  public_key  TEXT COLLATE "C" NOT NULL,
  sealed_seed TEXT             NOT NULL,
  created_at  BIGINT           NOT NULL,
  PRIMARY KEY (generation)
);
CREATE UNIQUE INDEX signing_keys_kid ON signing_keys (kid);

-- +goose Down
DROP TABLE signing_keys;
