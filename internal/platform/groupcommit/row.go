package groupcommit

import (
	"strconv"

	"turnero/internal/platform/sqlkit"
)

// Kind is what a column holds.
type Kind int

// The kinds of column, with the Go type of their values.
const (
	Text  Kind = iota // string
	Int               // int64
	Bytes             // []byte, never nil
)

// Column is one column of a Table.
type Column struct {
	Name string
	Kind Kind
}

// Table describes a table whose rows are put whole. It must not change once it is used.
type Table struct {
	Name   string
	Keys   []Column // of its primary key
	Values []Column // all others that are written; at least one
	// KeepFirst lets a row that is there stay as it is when it is put again.
	KeepFirst bool
	// OnlyNew refuses a row whose key, or other unique value, is there already: its member fails. Of rows with one key in one group the last is
	// put; a Batch must not make such.
	OnlyNew bool
	// OnlyOld changes rows that are there and makes none.
	OnlyOld bool
}

// rank orders what is done to one table: new rows come before changes.
func (t *Table) rank() int {
	if t.OnlyOld {
		return 1
	}
	return 0
}

// Row is one row to put, or to delete.
type Row struct {
	Table *Table
	// Values are those of Table.Keys, then those of Table.Values. A row to delete has only the former.
	Values []any
}

func (r *Row) isDelete() bool { return len(r.Values) == len(r.Table.Keys) }

// id names the row among those of its table.
func (r *Row) id(buf []byte) []byte {
	for _, v := range r.Values[:len(r.Table.Keys)] {
		switch v := v.(type) {
		case string:
			buf = append(strconv.AppendInt(buf, int64(len(v)), 10), ':')
			buf = append(buf, v...)
		case []byte:
			buf = append(strconv.AppendInt(buf, int64(len(v)), 10), ':')
			buf = append(buf, v...)
		case int64:
			buf = append(strconv.AppendInt(buf, v, 10), ';')
		}
	}
	return buf
}

// mostPerStatement bounds the rows of one statement where every value is part of the text.
const mostPerStatement = 400

// mostPerDelete bounds the rows that one statement names by their keys.
const mostPerDelete = 100

// chunk is how many rows a statement may have.
func chunk(d sqlkit.Dialect, isDelete bool) int {
	switch {
	case d == sqlkit.Postgres: // arrays: the number of parameters does not grow
		return 5000
	case d == sqlkit.SQLite: // no round trip to save, and one text for each number of rows would have to be compiled every time
		return 1
	case isDelete:
		return mostPerDelete
	}
	return mostPerStatement
}
