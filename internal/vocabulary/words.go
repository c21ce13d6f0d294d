// Package vocabulary knows the words of the programs that a host runs: the options of odoo.conf, PostgreSQL's settings,
// what a systemd unit may say. They are these programs' own lists, by version, so that a misspelt word is refused where
// the user wrote it, before any host sees it.
package vocabulary

import "strings"

func words(s string) []string { return strings.Fields(s) }
