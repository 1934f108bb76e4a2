// Package migrations embeds the SQL files of the schema: a folder per kind of database, one table per file.
//
// Numbers are grouped by owner: 00xx the platform, 01xx auth, 02xx tenants, 03xx appointments, 04xx whatsapp,
// 05xx notifications, 06xx analytics. A released file is never changed; a change is a new file with the next number of all.
package migrations

import "embed"

// Files holds the folders sqlite, postgres and mysql.
//
//go:embed sqlite/*.sql postgres/*.sql mysql/*.sql
var Files embed.FS
