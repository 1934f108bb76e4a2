package main

import (
	"context"
	"fmt"
	"time"
)

// audited are the tables that only the owner of a session writes.
var audited = []string{"whatsapp_devices", "whatsapp_signal_sessions", "whatsapp_identities", "whatsapp_sender_keys", "whatsapp_pre_keys"}

// failing is the table on which writes can be made to fail: every decryption and encryption writes it.
const failing = "whatsapp_signal_sessions"

// The database itself notes who took which fence of a session, and compares, for every row that only an owner writes, the writer with the
// owner. On PostgreSQL it does so as the last thing before the commit, by what is committed then: a write that began in time and
// commits too late is seen as well.
var auditPostgres = []string{
	`CREATE TABLE chaos_terms (session_id TEXT NOT NULL, fence BIGINT NOT NULL, who TEXT NOT NULL, at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp())`,
	`CREATE INDEX ON chaos_terms (session_id, fence)`,
	`CREATE TABLE chaos_stale (session_id TEXT NOT NULL, place TEXT NOT NULL, who TEXT NOT NULL, owner TEXT, fence BIGINT, at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp())`,
	`CREATE SEQUENCE chaos_compared`,
	`CREATE TABLE chaos_switch (is_failing BOOLEAN NOT NULL)`,
	`INSERT INTO chaos_switch VALUES (false)`,
	`CREATE FUNCTION chaos_term() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	   INSERT INTO chaos_terms (session_id, fence, who) VALUES (NEW.id, NEW.fence, session_user);
	   RETURN NULL;
	 END $$`,
	`CREATE TRIGGER chaos_term AFTER UPDATE ON whatsapp_sessions FOR EACH ROW WHEN (OLD.fence IS DISTINCT FROM NEW.fence) EXECUTE FUNCTION chaos_term()`,
	`CREATE FUNCTION chaos_compare() RETURNS trigger LANGUAGE plpgsql AS $$
	 DECLARE now_fence BIGINT; now_owner TEXT;
	 BEGIN
	   PERFORM nextval('chaos_compared');
	   SELECT fence INTO now_fence FROM whatsapp_sessions WHERE tenant_id = NEW.tenant_id AND id = NEW.session_id;
	   SELECT who INTO now_owner FROM chaos_terms WHERE session_id = NEW.session_id AND fence = now_fence;
	   IF now_owner IS DISTINCT FROM session_user THEN
	     INSERT INTO chaos_stale (session_id, place, who, owner, fence) VALUES (NEW.session_id, TG_TABLE_NAME, session_user, now_owner, now_fence);
	   END IF;
	   RETURN NULL;
	 END $$`,
	`CREATE CONSTRAINT TRIGGER chaos_compare AFTER INSERT ON whatsapp_messages DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.direction = 'in') EXECUTE FUNCTION chaos_compare()`,
	`CREATE FUNCTION chaos_fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	   IF (SELECT is_failing FROM chaos_switch) THEN RAISE EXCEPTION 'chaos: this write fails'; END IF;
	   RETURN NEW;
	 END $$`,
	`CREATE TRIGGER chaos_fail BEFORE INSERT OR UPDATE ON ` + failing + ` FOR EACH ROW EXECUTE FUNCTION chaos_fail()`,
}

// MariaDB has no triggers at the commit: there the comparison is made when the row is written.
var auditMySQL = []string{
	`CREATE TABLE chaos_terms (session_id VARCHAR(64) NOT NULL, fence BIGINT NOT NULL, who VARCHAR(128) NOT NULL, at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), KEY (session_id, fence)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin`,
	`CREATE TABLE chaos_stale (session_id VARCHAR(64) NOT NULL, place VARCHAR(64) NOT NULL, who VARCHAR(128) NOT NULL, owner VARCHAR(128), fence BIGINT, at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin`,
	`CREATE TABLE chaos_counts (n BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY) ENGINE=InnoDB`,
	`CREATE TABLE chaos_switch (is_failing BOOLEAN NOT NULL) ENGINE=InnoDB`,
	`INSERT INTO chaos_switch VALUES (false)`,
	`CREATE TRIGGER chaos_term AFTER UPDATE ON whatsapp_sessions FOR EACH ROW
	 IF OLD.fence <> NEW.fence THEN INSERT INTO chaos_terms (session_id, fence, who) VALUES (NEW.id, NEW.fence, SUBSTRING_INDEX(USER(), '@', 1)); END IF`,
	`CREATE PROCEDURE chaos_compare(tenant VARCHAR(64), session VARCHAR(64), place VARCHAR(64)) BEGIN
	   DECLARE now_fence BIGINT; DECLARE now_owner VARCHAR(128);
	   INSERT INTO chaos_counts VALUES (NULL);
	   SELECT fence INTO now_fence FROM whatsapp_sessions WHERE tenant_id = tenant AND id = session;
	   SELECT MAX(who) INTO now_owner FROM chaos_terms WHERE session_id = session AND fence = now_fence;
	   IF now_owner IS NULL OR now_owner <> SUBSTRING_INDEX(USER(), '@', 1) THEN
	     INSERT INTO chaos_stale (session_id, place, who, owner, fence) VALUES (session, place, SUBSTRING_INDEX(USER(), '@', 1), now_owner, now_fence);
	   END IF;
	 END`,
	`CREATE TRIGGER chaos_compare AFTER INSERT ON whatsapp_messages FOR EACH ROW
	 IF NEW.direction = 'in' THEN CALL chaos_compare(NEW.tenant_id, NEW.session_id, 'whatsapp_messages'); END IF`,
	`CREATE TRIGGER chaos_fail_insert BEFORE INSERT ON ` + failing + ` FOR EACH ROW
	 IF (SELECT is_failing FROM chaos_switch) THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'chaos: this write fails'; END IF`,
	`CREATE TRIGGER chaos_fail_update BEFORE UPDATE ON ` + failing + ` FOR EACH ROW
	 IF (SELECT is_failing FROM chaos_switch) THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'chaos: this write fails'; END IF`,
}

// audit puts the triggers into the migrated database.
func (d *database) audit(ctx context.Context) error {
	statements := auditPostgres
	if d.isMySQL {
		statements = auditMySQL
	}
	for _, table := range audited {
		if !d.isMySQL {
			statements = append(statements, "CREATE CONSTRAINT TRIGGER chaos_compare AFTER INSERT OR UPDATE ON "+table+
				" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION chaos_compare()")
			continue
		}
		for _, change := range []string{"INSERT", "UPDATE"} {
			statements = append(statements, fmt.Sprintf("CREATE TRIGGER chaos_%s_%s AFTER %s ON %s FOR EACH ROW CALL chaos_compare(NEW.tenant_id, NEW.session_id, '%s')",
				table, change, change, table, table))
		}
	}
	for _, s := range statements {
		if _, err := d.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%w\n%s", err, s)
		}
	}
	return nil
}

// fail makes writes of the failing table fail, or not.
func (d *database) fail(ctx context.Context, isOn bool) error {
	_, err := d.ExecContext(ctx, "UPDATE chaos_switch SET is_failing = "+d.placeholder(1), isOn)
	return err
}

// staleWrite is a row that was written by somebody else than the owner.
type staleWrite struct {
	Session, Place, Who string
	Owner               string
	Fence               int64
	At                  time.Time
}

// stale gives the rows that others than the owners wrote, and how many rows were compared.
func (d *database) stale(ctx context.Context) (found []staleWrite, compared int64, err error) {
	count, at := "SELECT last_value FROM chaos_compared", "extract(epoch FROM at)"
	if d.isMySQL {
		count, at = "SELECT COUNT(*) FROM chaos_counts", "UNIX_TIMESTAMP(at)"
	}
	if err = d.QueryRowContext(ctx, count).Scan(&compared); err != nil {
		return nil, 0, err
	}
	rows, err := d.QueryContext(ctx, "SELECT session_id, place, who, COALESCE(owner, ''), COALESCE(fence, 0), "+at+" FROM chaos_stale ORDER BY at LIMIT 1000")
	if err != nil {
		return nil, compared, err
	}
	defer rows.Close()
	for rows.Next() {
		var s staleWrite
		var epoch float64
		if err = rows.Scan(&s.Session, &s.Place, &s.Who, &s.Owner, &s.Fence, &epoch); err != nil {
			return nil, compared, err
		}
		s.At = time.UnixMicro(int64(epoch * 1e6))
		found = append(found, s)
	}
	return found, compared, rows.Err()
}

// doubleFences gives the sessions of which two terms took the same fence, or a later one a lower fence.
func (d *database) doubleFences(ctx context.Context) (found []string, err error) {
	rows, err := d.QueryContext(ctx, "SELECT session_id FROM chaos_terms GROUP BY session_id, fence HAVING COUNT(*) > 1")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err = rows.Scan(&s); err != nil {
			return nil, err
		}
		found = append(found, s)
	}
	return found, rows.Err()
}

// terms counts the terms of ownership so far.
func (d *database) terms(ctx context.Context) (n int64, err error) {
	return n, d.QueryRowContext(ctx, "SELECT COUNT(*) FROM chaos_terms").Scan(&n)
}
