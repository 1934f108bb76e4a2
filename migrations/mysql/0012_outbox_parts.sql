-- +goose Up
INSERT INTO outbox_consumers (name, part, seq, holder, updated_at)
  SELECT c.name, n.part, c.seq, '', c.updated_at FROM outbox_consumers c CROSS JOIN
    (SELECT 1 AS part UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7) n
  WHERE c.name NOT LIKE '~%';

-- +goose Down
DELETE c FROM outbox_consumers c JOIN outbox_consumers o
  ON o.name = c.name AND (o.seq < c.seq OR (o.seq = c.seq AND o.part < c.part));
