-- +goose Up
INSERT INTO outbox_consumers (name, part, seq, holder, updated_at)
  SELECT c.name, n.part, c.seq, '', c.updated_at FROM outbox_consumers c CROSS JOIN
    (SELECT 1 AS part UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7) n
  WHERE c.name NOT LIKE '~%';

-- +goose Down
DELETE FROM outbox_consumers WHERE EXISTS
  (SELECT 1 FROM outbox_consumers o WHERE o.name = outbox_consumers.name AND (o.seq, o.part) < (outbox_consumers.seq, outbox_consumers.part));
