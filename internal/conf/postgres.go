package conf

import (
	"regexp"
	"strconv"
	"strings"
)

// Postgres is a file of settings, as postgresql.conf includes it.
type Postgres struct{ Text }

// NewPostgres begins a file of the thing at owner.
func NewPostgres(owner, what string) *Postgres {
	p := &Postgres{Of(owner)}
	p.Header(what)
	p.Blank()
	return p
}

// What PostgreSQL's scanner takes for a word or a number without quotes (src/backend/utils/misc/guc-file.l).
var postgresBare = regexp.MustCompile(`^(-?[0-9]+[a-zA-Z]*|-?[0-9]+\.[0-9]+|[a-zA-Z_][a-zA-Z0-9_]*)$`)

var postgresEscapes = strings.NewReplacer(`\`, `\\`, `'`, `''`)

// Set appends a setting.
func (p *Postgres) Set(name, value string, from ...string) {
	if !plain(value) {
		p.Refuse("%s = %q: a setting cannot carry control characters", name, value)
		return
	}
	if !postgresBare.MatchString(value) {
		value = "'" + postgresEscapes.Replace(value) + "'"
	}
	p.Line(name+" = "+value, from...)
}

// Int appends a number without a unit.
func (p *Postgres) Int(name string, n int, from ...string) { p.Set(name, strconv.Itoa(n), from...) }

// Float appends a number with a fraction.
func (p *Postgres) Float(name string, n float64, from ...string) {
	p.Set(name, strconv.FormatFloat(n, 'f', -1, 64), from...)
}

// HBA is pg_hba.conf. The first line that fits a connection decides it.
type HBA struct{ Text }

// NewHBA begins a file of the thing at owner.
func NewHBA(owner, what string) *HBA {
	h := &HBA{Of(owner)}
	h.Header(what)
	h.Blank()
	return h
}

// Local appends a rule for connections over the socket, to these databases by this user. Names stand for themselves;
// nil and "" are all of them.
func (h *HBA) Local(databases []string, user, method string, from ...string) {
	names := []string{"all"}
	if databases != nil {
		names = nil
		for _, d := range databases {
			names = append(names, h.name(d))
		}
	}
	role := "all"
	if user != "" {
		role = h.name(user)
	}
	h.Line("local "+strings.Join(names, ",")+" "+role+" "+method, from...)
}

// RejectHosts appends the rule that refuses all connections over TCP.
func (h *HBA) RejectHosts() { h.Line("host all all all reject") }

// name quotes a name, so that it is no keyword, group or list; a slash at its beginning would make it a regular
// expression even so, from PostgreSQL 16 on.
func (h *HBA) name(name string) string {
	if !plain(name) || name == "" || strings.HasPrefix(name, "/") {
		h.Refuse("%q: pg_hba.conf cannot carry that name", name)
	}
	if hbaBare.MatchString(name) && !hbaWords[name] {
		return name
	}
	return doubled(name, `"`)
}

var (
	hbaBare  = regexp.MustCompile(`^[a-z_][a-z0-9_-]*$`)
	hbaWords = map[string]bool{"all": true, "sameuser": true, "samerole": true, "samegroup": true, "replication": true}
)

// doubled puts text between quotes, and doubles those inside.
func doubled(text, quote string) string {
	return quote + strings.ReplaceAll(text, quote, quote+quote) + quote
}
