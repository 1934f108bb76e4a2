-- +goose Up
CREATE TABLE bot_conversations (
  tenant_id    TEXT   NOT NULL,
  chat_id      TEXT   NOT NULL,
  state        TEXT   NOT NULL,
  pending      TEXT   NOT NULL,
  answer_at    BIGINT NOT NULL,
  replies      TEXT   NOT NULL,
  text_only_at BIGINT NOT NULL,
  limited_at   BIGINT NOT NULL,
  updated_at   BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, chat_id)
);
CREATE INDEX bot_conversations_age ON bot_conversations (updated_at);

-- +goose Down
DROP TABLE bot_conversations;
