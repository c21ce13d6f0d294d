package generators_test

import (
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"odoogen/internal/topology"
)

const otherKey = `"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPVrvozm491Ktmi/jJjP0mTUABs7rWVglXr57X3P3WOF other"`

// valid are values, as CUE, for the fields that cannot take just any: the first that the spec accepts is used.
var valid = []struct {
	shape  *regexp.Regexp
	values []string
}{
	{regexp.MustCompile(`(hostKeys|[kK]eys|hostKey|agents\.key)(\[\])?$`), []string{otherKey}},
	{regexp.MustCompile(`^network\.vswitch\.subnet$`), []string{`"10.0.0.0/25"`, `"10.0.0.0/16"`}},
	{regexp.MustCompile(`^hosts\.\*\.private$`), []string{`"10.0.0.77"`}},
	{regexp.MustCompile(`^hosts\.\*\.(public|bootstrap)$`), []string{`"203.0.113.77"`}},
	{regexp.MustCompile(`^hosts\.\*\.public6$`), []string{`"2001:db8::7"`}},
	{regexp.MustCompile(`^hosts\.\*\.jump$`), []string{`"ci"`, `""`}},
	{regexp.MustCompile(`^hosts\.\*\.debian$`), []string{`13`, `12`}},
	{regexp.MustCompile(`^hosts\.\*\.open(\[\])?$`), []string{`8443`}},
	{regexp.MustCompile(`^hosts\.\*\.uplink\.manager$`), []string{`"networkd"`}},
	{regexp.MustCompile(`^hosts\.\*\.uplink\.networkFile$`), []string{`"20-other.network"`}},
	{regexp.MustCompile(`^hosts\.\*\.hardware\.disks\.raid$`), []string{`0`}},
	{regexp.MustCompile(`^network\.time\.zone$`), []string{`"Europe/Berlin"`}},
	{regexp.MustCompile(`^access\.whitelist\[\]\.from$`), []string{`"192.0.2.128/28"`}},
	{regexp.MustCompile(`\.workload$`), []string{`"migrations"`, `"oltp"`}},
	{regexp.MustCompile(`\.huge_pages$`), []string{`"off"`}},
	{regexp.MustCompile(`\.(jit|log_lock_waits)$`), []string{`"on"`, `"off"`}},
	{regexp.MustCompile(`\.wal_compression$`), []string{`"zstd"`, `"pglz"`}},
	{regexp.MustCompile(`\.(checkpoint_timeout|log_min_duration_statement|idle_in_transaction_session_timeout)$`), []string{`"7min"`}},
	{regexp.MustCompile(`\.(checkpoint_completion_target|random_page_cost)$`), []string{`0.7`, `1.2`}},
	{regexp.MustCompile(`^instances\.\*\.version$`), []string{`"17.0"`, `"19.0"`}},
	{regexp.MustCompile(`\.(rev)$`), []string{`"0123456789abcdef0123456789abcdef01234567"`}},
	{regexp.MustCompile(`\.fingerprint$`), []string{`"0123456789ABCDEF0123456789ABCDEF01234567"`}},
	{regexp.MustCompile(`\.sha256$`), []string{`"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"`}},
	{regexp.MustCompile(`\.pip(\[\])?$`), []string{`"phonenumbers==8.13.51"`}},
	{regexp.MustCompile(`^backup\.repository$`), []string{`"sftp://u123456@u123456.your-storagebox.de:23/other"`}},
	{regexp.MustCompile(`^budget\.currency$`), []string{`"CHF"`}},
	{regexp.MustCompile(`^hosts\.\*\.manage\[\]$`), []string{`"sshd"`}},
	{regexp.MustCompile(`^instances\.\*\.nginx(\[\])?$`), []string{`"client_body_timeout 5m;"`}},
	{regexp.MustCompile(`^instances\.\*\.aliases(\[\])?$`), []string{`"other.example.com"`}},
	{regexp.MustCompile(`^packages\.vendors\..*\.packages\.`), []string{`"*"`, `"1.2"`}},
	{regexp.MustCompile(`^sources\.repositories\..*\.credential$`), []string{`"other"`}},
	{regexp.MustCompile(`^ci\.jenkins\.url$`), []string{`"http://jenkins.internal:8080/"`}},
}

var calendars = []string{`"03:10"`, `"Sun 10:10"`, `"Sat 10:10"`, `"Mon 04:20"`, `"*-02,05,08,11-16 07:10"`, `"12:30"`}

// candidates are other values for a field, as CUE, the likeliest to be accepted first.
func candidates(f specField, t *topology.Topology) []string {
	for _, v := range valid {
		if v.shape.MatchString(shape(f.path)) {
			return v.values
		}
	}
	switch v := f.value.Interface().(type) {
	case topology.Calendar:
		return calendars
	case topology.Size, topology.PGSize, topology.Percent, topology.Span:
		return measures(fmt.Sprint(v))
	}
	switch f.value.Kind() {
	case reflect.Bool:
		return []string{strconv.FormatBool(!f.value.Bool())}
	case reflect.Int, reflect.Int64:
		n := f.value.Int()
		return integers(n)
	case reflect.Float64:
		x := f.value.Float()
		return []string{fmt.Sprint(x * 0.9), fmt.Sprint(x + 1), fmt.Sprint(x * 1.01)}
	}
	if names := referable(f.path, t); names != nil {
		return names
	}
	return texts(f.value.String())
}

// referable are the names that a field may have which says the name of something else; nil for another field.
func referable(path string, t *topology.Topology) (names []string) {
	add := func(name string) { names = append(names, strconv.Quote(name)) }
	path, _, _ = strings.Cut(path, "[")
	switch path[strings.LastIndexByte(path, '.')+1:] {
	case "host":
		for _, h := range t.Hosts {
			add(h.Name)
		}
	case "cluster":
		for _, c := range t.Clusters {
			add(c.Name)
		}
	case "class":
		for _, c := range t.Classes {
			add(c.Name)
		}
	case "repository", "community", "enterprise", "addons":
		for _, r := range t.Sources.Repositories {
			add(r.Name)
		}
	}
	return names
}

func integers(n int64) []string {
	var all []string
	for _, m := range []int64{n + 1, n - 1, n + 2, n / 2, n * 2, 1, 8, 64, 4, 20001} {
		all = append(all, strconv.FormatInt(m, 10))
	}
	return all
}

// measures vary the number of "150%", "3G" or "90min", and fall back to the bytes below.
func measures(text string) []string {
	digits := strings.TrimRight(text, "%KMGTBkminhds")
	n, unit := 0, text[len(digits):]
	fmt.Sscan(digits, &n)
	var all []string
	if n <= 0 {
		for _, u := range []string{"1G", "8MB", "50%", "1h"} {
			all = append(all, strconv.Quote(u))
		}
		return all
	}
	for _, m := range []int{n + 1, n - 1, n * 2, n / 2, n + 10, n - 10} {
		if m > 0 {
			all = append(all, strconv.Quote(strconv.Itoa(m)+unit))
		}
	}
	if smaller := map[string]string{"G": "M", "GB": "MB", "T": "G", "TB": "GB", "h": "min", "d": "h", "min": "s", "M": "K", "MB": "kB"}[unit]; smaller != "" {
		all = append(all, strconv.Quote(strconv.Itoa(n*59)+smaller), strconv.Quote(strconv.Itoa(n*1000)+smaller))
	}
	return all
}

// texts vary a string: another that has the same form, or just another.
func texts(s string) []string {
	var all []string
	add := func(s string) { all = append(all, strconv.Quote(s)) }
	if s != "" {
		last := s[len(s)-1]
		switch {
		case last >= '0' && last <= '9':
			add(s[:len(s)-1] + string('0'+(last-'0'+1)%10))
		case last >= 'a' && last <= 'y':
			add(s + "x")
			add(s[:len(s)-1] + string(last+1))
		default:
			add(s + "x")
		}
		add("x" + s)
	}
	for _, other := range []string{"other", "other.example.com", "10.0.0.99", "1.2", "*"} {
		add(other)
	}
	return all
}
