package topology

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Compatibility is the table of what runs with what, and until when it is maintained. Its rows are named by version.
type Compatibility struct {
	Odoo       []*OdooRelease       `cue:"odoo"`
	Debian     []*DebianRelease     `cue:"debian"`
	PostgreSQL []*PostgreSQLRelease `cue:"postgresql"`
	Java       []*JavaRelease       `cue:"java"`
	Jenkins    []*JenkinsRelease    `cue:"jenkins"`
}

// OdooRelease is an Odoo version: "19.0".
type OdooRelease struct {
	Name       string  `cue:",name"`
	Path       string  `cue:",path"`
	Python     Pythons `cue:"python"`
	PostgreSQL int     `cue:"postgresql"` // the oldest
	Ends       Date    `cue:"ends"`
}

// Pythons are the versions from one to another, both of them included.
type Pythons struct {
	From TwoNumbers `cue:"from"`
	To   TwoNumbers `cue:"to"`
}

// DebianRelease is what a Debian release ships: "13".
type DebianRelease struct {
	Name        string     `cue:",name"`
	Path        string     `cue:",path"`
	Python      TwoNumbers `cue:"python"`
	PostgreSQL  int        `cue:"postgresql"`
	Java        []int      `cue:"java"`
	Wkhtmltopdf bool       `cue:"wkhtmltopdf"`
	Security    Date       `cue:"security"` // the last day of the security team
	Ends        Date       `cue:"ends"`     // the last day of the LTS team
}

// PostgreSQLRelease is a major version: "17".
type PostgreSQLRelease struct {
	Name string `cue:",name"`
	Path string `cue:",path"`
	Ends Date   `cue:"ends"`
}

// JavaRelease is a Java version: "21".
type JavaRelease struct {
	Name string `cue:",name"`
	Path string `cue:",path"`
	Ends Date   `cue:"ends"`
}

// JenkinsRelease is every release of Jenkins from this one on, until the next of the table: "2.545".
type JenkinsRelease struct {
	Name string `cue:",name"`
	Path string `cue:",path"`
	Java []int  `cue:"java"`
}

// odoo is the row of an Odoo version, or nil.
func (c *Compatibility) odoo(version string) *OdooRelease {
	return row(c.Odoo, func(r *OdooRelease) bool { return r.Name == version })
}

// debian is the row of a Debian release, or nil.
func (c *Compatibility) debian(release int) *DebianRelease {
	return row(c.Debian, func(r *DebianRelease) bool { return r.Name == strconv.Itoa(release) })
}

// postgresql is the row of a major version, or nil.
func (c *Compatibility) postgresql(major int) *PostgreSQLRelease {
	return row(c.PostgreSQL, func(r *PostgreSQLRelease) bool { return r.Name == strconv.Itoa(major) })
}

// java is the row of a Java version, or nil.
func (c *Compatibility) java(version int) *JavaRelease {
	return row(c.Java, func(r *JavaRelease) bool { return r.Name == strconv.Itoa(version) })
}

// jenkins is the row of a release: the last that does not come after it; of any release ("*", "2.*") the newest; nil
// for one that is older than the table.
func (c *Compatibility) jenkins(version string) *JenkinsRelease {
	var found *JenkinsRelease
	first := TwoNumbers(0)
	pinned := firstNumbers().FindString(version)
	for _, r := range c.Jenkins {
		var from, of TwoNumbers
		if from.parse(r.Name) != nil || pinned != "" && of.parse(pinned) == nil && from > of {
			continue
		}
		if found == nil || from > first {
			found, first = r, from
		}
	}
	return found
}

var firstNumbers = lazily(`^[0-9]+\.[0-9]+`)

func row[T any](rows []*T, is func(*T) bool) *T {
	if n := slices.IndexFunc(rows, is); n >= 0 {
		return rows[n]
	}
	return nil
}

// javaVersion is the number in the name of a package of Java: 21 for temurin-21-jre; 0 where it has none.
func javaVersion(pkg string) int {
	m := javaPackage().FindStringSubmatch(pkg)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

var javaPackage = lazily(`-([0-9]{1,2})-`)

// TwoNumbers is a version such as "3.11", as a number that orders versions: 30011.
type TwoNumbers int

const secondNumber = 10_000 // what the first number counts

func (v TwoNumbers) String() string { return fmt.Sprintf("%d.%d", v/secondNumber, v%secondNumber) }

func (v *TwoNumbers) parse(text string) error {
	a, b, _ := strings.Cut(text, ".")
	first, err := strconv.Atoi(a)
	second, err2 := strconv.Atoi(b)
	if err != nil || err2 != nil || second >= secondNumber {
		return fmt.Errorf("%s is no version of two numbers", text)
	}
	*v = TwoNumbers(first*secondNumber + second)
	return nil
}

// Date is a day, "2026-11-23": text that sorts as days do.
type Date string

// dateLayout is how a day is written.
const dateLayout = "2006-01-02"

// DateOf is the day of a time, where that time is.
func DateOf(t time.Time) Date { return Date(t.Format(dateLayout)) }

// ParseDate reads a day of the calendar.
func ParseDate(text string) (Date, error) {
	var d Date
	err := d.parse(text)
	return d, err
}

func (d *Date) parse(text string) error {
	if _, err := time.Parse(dateLayout, text); err != nil {
		return fmt.Errorf("%s is no day of the calendar", text)
	}
	*d = Date(text)
	return nil
}

// time is the beginning of the day, in UTC; days are only ever compared with days.
func (d Date) time() time.Time {
	t, _ := time.Parse(dateLayout, string(d))
	return t
}

// days is how many there are from d until the other day.
func (d Date) days(until Date) int { return int(until.time().Sub(d.time()).Hours() / 24) }
