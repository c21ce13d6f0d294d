package topology

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Size is a size in bytes, written as systemd does: "3G" is 3 GiB.
type Size int64

// The units of Size.
const (
	KiB Size = 1 << 10
	MiB Size = 1 << 20
	GiB Size = 1 << 30
	TiB Size = 1 << 40
)

// String is the size as systemd reads it, in the largest unit that divides it.
func (s Size) String() string {
	for _, u := range []struct {
		size Size
		name string
	}{{TiB, "T"}, {GiB, "G"}, {MiB, "M"}, {KiB, "K"}} {
		if s >= u.size && s%u.size == 0 {
			return fmt.Sprintf("%d%s", s/u.size, u.name)
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// Postgres is the size as PostgreSQL reads it (kB, MB, GB, TB, all to the base of 1024).
func (s Size) Postgres() string {
	return PGSize(s).String()
}

// Nginx is the size as nginx reads it: k, m or g.
func (s Size) Nginx() string {
	if s%TiB == 0 {
		return fmt.Sprintf("%dg", s/GiB)
	}
	return strings.ToLower(s.String())
}

func (s *Size) parse(text string) error {
	return s.parseUnits(text, map[string]Size{"K": KiB, "M": MiB, "G": GiB, "T": TiB})
}

// most is the largest size: sums over thousands of them stay numbers.
const most = 1024 * TiB

func (s *Size) parseUnits(text string, units map[string]Size) error {
	digits := strings.TrimRight(text, "kBKMGT")
	n, err := strconv.ParseInt(digits, 10, 64)
	unit := units[text[len(digits):]]
	if err != nil || unit == 0 || n > int64(most/unit) {
		return fmt.Errorf("%s is too large", text)
	}
	*s = Size(n) * unit
	return nil
}

// PGSize is a size in bytes, written as PostgreSQL does: "16MB" is 16 MiB.
type PGSize int64

// String is the size in the largest of PostgreSQL's units that divides it.
func (s PGSize) String() string {
	for _, u := range []struct {
		size Size
		name string
	}{{TiB, "TB"}, {GiB, "GB"}, {MiB, "MB"}} {
		if Size(s) >= u.size && Size(s)%u.size == 0 {
			return fmt.Sprintf("%d%s", Size(s)/u.size, u.name)
		}
	}
	return fmt.Sprintf("%dkB", Size(s)/KiB)
}

func (s *PGSize) parse(text string) error {
	return (*Size)(s).parseUnits(text, map[string]Size{"kB": KiB, "MB": MiB, "GB": GiB, "TB": TiB})
}

// Percent is a percentage; as a CPU quota, 100 is one CPU.
type Percent int

func (p Percent) String() string { return strconv.Itoa(int(p)) + "%" }

func (p *Percent) parse(text string) error {
	n, err := strconv.Atoi(strings.TrimSuffix(text, "%"))
	if err != nil || n > 1_000_000 {
		return fmt.Errorf("%s is too large", text)
	}
	*p = Percent(n)
	return nil
}

// Span is a length of time in seconds, written as systemd does: "90min".
type Span int64

// Duration is the span as Go has it.
func (s Span) Duration() time.Duration { return time.Duration(s) * time.Second }

// String is the span as systemd reads it, in the largest unit that divides it.
func (s Span) String() string {
	switch {
	case s != 0 && s%86400 == 0:
		return fmt.Sprintf("%dd", s/86400)
	case s != 0 && s%3600 == 0:
		return fmt.Sprintf("%dh", s/3600)
	case s != 0 && s%60 == 0:
		return fmt.Sprintf("%dmin", s/60)
	}
	return fmt.Sprintf("%ds", int64(s))
}

func (s *Span) parse(text string) error {
	digits := strings.TrimRight(text, "smindh")
	n, err := strconv.ParseInt(digits, 10, 32)
	if err != nil {
		return fmt.Errorf("%s is too long", text)
	}
	*s = Span(n) * map[string]Span{"s": 1, "min": 60, "h": 3600, "d": 86400}[text[len(digits):]]
	if *s > 3650*86400 {
		return fmt.Errorf("%s is too long", text)
	}
	return nil
}
