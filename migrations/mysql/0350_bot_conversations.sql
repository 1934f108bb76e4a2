-- +goose Up
CREATE TABLE bot_conversations (
  tenant_id    VARCHAR(64) NOT NULL,
  chat_id      VARCHAR(64) NOT NULL,
  state        MEDIUMTEXT  NOT NULL,
  pending      MEDIUMTEXT  NOT NULL,
  answer_at    BIGINT      NOT NULL,
  replies      MEDIUMTEXT  NOT NULL,
  text_only_at BIGINT      NOT NULL,
  limited_at   BIGINT      NOT NULL,
  updated_at   BIGINT      NOT NULL,
  PRIMARY KEY (tenant_id, chat_id),
  KEY bot_conversations_age (updated_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE bot_conversations;
