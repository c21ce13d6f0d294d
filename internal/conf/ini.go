package conf

import (
	"regexp"
	"strconv"
	"strings"
)

// Ini is odoo.conf: one section, read by Python's RawConfigParser. It interpolates nothing, knows comments on lines
// of their own only, and strips white space around a value. Odoo (odoo/tools/config.py) then takes the words True,
// False and None for what they say, whatever the option is.
type Ini struct {
	Text
	seen map[string]bool
}

// NewIni begins the file of the thing at owner with its one section.
func NewIni(owner, what, section string) *Ini {
	f := &Ini{Text: Of(owner), seen: map[string]bool{}}
	f.Header(what)
	f.Blank()
	f.Line("[" + section + "]")
	return f
}

var iniKey = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// Set appends a text value.
func (f *Ini) Set(key, value string, from ...string) {
	switch strings.ToLower(value) {
	case "":
		f.Refuse("%s: an option without a value is left out", key)
	case "true", "false", "none":
		f.Refuse("%s = %s: Odoo reads a boolean here, not the text", key, value)
	}
	f.set(key, value, from)
}

// Int appends a number.
func (f *Ini) Int(key string, n int64, from ...string) { f.set(key, strconv.FormatInt(n, 10), from) }

// Bool appends True or False, as Odoo writes them itself.
func (f *Ini) Bool(key string, b bool, from ...string) {
	value := "False"
	if b {
		value = "True"
	}
	f.set(key, value, from)
}

// List appends values that Odoo separates at commas.
func (f *Ini) List(key string, items []string, from ...string) {
	for _, item := range items {
		if item == "" || strings.Contains(item, ",") || item != strings.TrimSpace(item) {
			f.Refuse("%s: %q is no item of a list that is separated by commas", key, item)
		}
	}
	f.Set(key, strings.Join(items, ","), from...)
}

func (f *Ini) set(key, value string, from []string) {
	switch {
	case !iniKey.MatchString(key):
		f.Refuse("%q is no option", key)
	case f.seen[key]: // Python refuses the whole file
		f.Refuse("%s is set twice", key)
	case !plain(value):
		f.Refuse("%s = %q: an ini file cannot carry control characters", key, value)
	case value != strings.TrimSpace(value):
		f.Refuse("%s = %q: Python drops white space around a value", key, value)
	default:
		f.seen[key] = true
		f.Line(key+" = "+value, from...)
	}
}
