// Package app is the composition root: the only package that imports all others. It reads the configuration, builds the
// modules that the process runs from one table, joins them (a module's need for another is an interface that is satisfied
// here), serves them under one address, and stops them in order.
package app
