package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// anySpec draws a spec that keeps the rules, as far as that can be foreseen: each part of the schema is there or not, is
// as its default or as little like it as the schema allows. It begins near a plain topology, and departs from it in a
// few places at once, so that a failure says which; departing draws more of them the smaller plain is.
type anySpec struct {
	*rapid.T
	plain int // of 2^plain choices one departs from the plain topology
	strings.Builder
	files map[string]string // beside envs.cue

	hosts     []anyHost
	clusters  []anyCluster
	private   bool // there is a private network
	six       bool // of IPv6
	ci        bool // the last host is Jenkins'
	observed  bool
	grafana   bool
	saved     bool // by backups
	instances []string
	vendors   map[string]string // versions of packages that Debian does not have
	code      string            // a repository
}

type anyHost struct {
	name, path string
	number     int
}

type anyCluster struct {
	name, host string
}

// specOf draws a spec: envs.cue, and the files beside it.
func specOf(rt *rapid.T, plain int) map[string]string {
	s := &anySpec{T: rt, plain: plain, files: map[string]string{}, vendors: map[string]string{}}
	s.line("package envs")
	count := rapid.IntRange(1, 3).Draw(rt, "hosts")
	s.private = count > 1 || s.departs("a private network of one")
	s.six = s.private && s.departs("a private network of IPv6")
	s.ci = count > 1 && !s.departs("no CI")
	s.observed = !s.departs("no observability")
	s.grafana = s.observed && !s.departs("no Grafana")
	s.saved = !s.departs("no backup")
	for n := range count {
		s.host(n, s.ci && n == count-1)
	}
	s.network()
	s.access()
	s.sources()
	s.backup()
	s.pipelines()
	s.observability()
	s.packages()
	s.operations()
	s.files["envs.cue"] = s.String()
	return s.files
}

// departs tells whether the spec is to be unlike the plain one here.
func (s *anySpec) departs(where string) bool {
	for range s.plain {
		if !rapid.Bool().Draw(s.T, where) { // the only draw of rapid's that is not bent to the ends
			return false
		}
	}
	return true
}

// pick is the first of the values, or one of the others.
func (s *anySpec) pick(what string, values ...string) string {
	if !s.departs(what) {
		return values[0]
	}
	return rapid.SampledFrom(values[1:]).Draw(s.T, what+", other")
}

// text is a text in CUE: as given, or whatever one line can show.
func (s *anySpec) text(what, usual string) string {
	if s.departs(what) {
		usual = s.odd(what)
	}
	return quoted(usual)
}

// oddities are what a writer of some language could stumble over.
var oddities = []string{
	`"`, `'`, "`", `\`, `\\`, `\n`, `\"`, "$", "$HOME", "${x}", "$(id)", "%", "%n", "%%", "%(x)s", "#", " # ", ";", " ; ", "//", "/*", "*/", "--", "<!-- ", "-->",
	"{", "}", "{{ .x }}", "[x]", "(", ")", "<b>", "&amp;", "|", "~", "!", "*", "_a_", "=", ":", ": ", ",", "@", "^", "^${x}", "?", "+", "-", "- ", "é", "ß", "漢字", "🙂", "\u00a0", "\u00ad",
	"\ufeff", "\u0301", "ﬁ", "yes", "null", "0x1F", "1e3", "EOF", "rm -rf /", " ", "a", "word", "2026-01-01", "$1", "::", "%p", "<<", ">", "\\u0041", "'''", "\"\"\"",
}

// odd is a line of text that is no ordinary one.
func (s *anySpec) odd(what string) string {
	words := rapid.SliceOfN(rapid.SampledFrom(oddities), 1, 6).Draw(s.T, what+", odd")
	if text := strings.Join(words, ""); strings.TrimSpace(text) != "" {
		return text
	}
	return "x"
}

// quoted is a text as CUE reads it.
func quoted(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // no string fails
	return strings.ReplaceAll(strings.TrimSuffix(b.String(), "\n"), "\ufeff", `\ufeff`)
}

// line writes a line of CUE.
func (s *anySpec) line(format string, args ...any) { fmt.Fprintf(s, format+"\n", args...) }

// maybe writes one of the lines, or none.
func (s *anySpec) maybe(what string, lines ...string) {
	if s.departs(what) {
		s.line("%s", rapid.SampledFrom(lines).Draw(s.T, what+", said"))
	}
}

// name is a name among others that are taken, plain or as long or odd as names of the kind may be.
func (s *anySpec) name(what, usual string, taken []string, others ...string) string {
	name := s.pick("the name of "+what, append([]string{usual}, others...)...)
	if slices.Contains(taken, name) {
		return usual
	}
	return name
}

// A key of each type that the schema lets in.
const (
	keyED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB/Fcvil6WIcVsJMCZK9Mqs454049OugDUDijdbmrcsv"
	keyAgent   = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPLrRq2U56ZHw9lyzr663zzYa/9GXCSDml/Lcz4LbtVO"
	keyDeploy  = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOwqLWd+XrBIqp+64g6Bf2r9vRcl/DSxOThtrpBAlcBp"
	keyServer  = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIICf9svRenC/PLKIL9nk6K/pxQgoiFC41wTNvoIncOxs"
	keyECDSA   = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg="
)

// key is a public key, with a comment as odd as ASCII is.
func (s *anySpec) key(what, key string) string {
	if s.departs("the comment of " + what) {
		var ascii strings.Builder
		for _, r := range s.odd("the comment of " + what) {
			if r >= ' ' && r <= '~' {
				ascii.WriteRune(r)
			}
		}
		return quoted(key + " " + ascii.String())
	}
	return quoted(key + " " + what)
}
