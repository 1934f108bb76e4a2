// Package sqlstore is the whatsapp.Store on SQLite, PostgreSQL and MySQL/MariaDB.
//
// Every statement names the tenant. An address that is not known is NULL in whatsapp_contacts, so that the unique keys over
// number and LID hold for those that are; everywhere else "none" is empty text or 0. A queued message is one with is_queued
// = 1, a column that changes once in a message's life, so that receipts touch no index. Rows are locked in the order
// session, contacts, chats, messages.
package sqlstore
