package conf

import "strings"

// SQL is a script for psql that may be run again and again.
type SQL struct{ Text }

// NewSQL begins a script of the thing at owner.
func NewSQL(owner, what string) *SQL {
	s := &SQL{Of(owner)}
	s.Comment(s.notice(what))
	s.Blank()
	return s
}

// Comment appends a comment, a "-- " before each of its lines.
func (s *SQL) Comment(text string, from ...string) { s.comment("-- ", text, from) }

// Run appends a statement.
func (s *SQL) Run(statement string, from ...string) { s.Line(statement+";", from...) }

// Unless appends a statement that runs only where the query has no row: CREATE ROLE and CREATE DATABASE know no IF
// NOT EXISTS, and the second may not stand in a DO block, but psql runs what a query returns.
func (s *SQL) Unless(query, statement string, from ...string) {
	s.Line("SELECT "+s.Literal(statement)+" WHERE NOT EXISTS ("+query+`) \gexec`, from...)
}

// Connect goes on in another database.
func (s *SQL) Connect(database string, from ...string) {
	if strings.ContainsAny(database, "=:") {
		s.Refuse("%q: psql would take it for a connection string", database)
	}
	s.Line(`\connect `+s.Name(database), from...)
}

// Name quotes the name of a role, a database and the like. PostgreSQL would cut one of more than 63 bytes.
func (s *SQL) Name(name string) string {
	if !plain(name) || name == "" || len(name) > 63 {
		s.Refuse("%q: PostgreSQL cannot carry that name", name)
	}
	return doubled(name, `"`)
}

// Literal quotes a text. A backslash stands for itself (standard_conforming_strings).
func (s *SQL) Literal(text string) string {
	if !plain(text) {
		s.Refuse("%q: a script cannot carry control characters", text)
	}
	return doubled(text, `'`)
}
