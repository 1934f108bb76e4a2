-- +goose Up
CREATE TABLE users (
  tenant_id          VARCHAR(64)  NOT NULL,
  id                 VARCHAR(64)  NOT NULL,
  email              VARCHAR(254) NOT NULL,
  name               VARCHAR(255) NOT NULL,
  role               VARCHAR(16)  NOT NULL,
  password_hash      VARCHAR(255) NOT NULL,
  password_temporary BIGINT       NOT NULL,
  active             BIGINT       NOT NULL,
  created_at         BIGINT       NOT NULL,
  updated_at         BIGINT       NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE KEY users_email (email)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE users;
