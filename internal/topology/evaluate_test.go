package topology

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// words of CUE that a user of envs.cue need not know.
var jargon = regexp.MustCompile(`disjunction|conflicting values|field not allowed|incomplete value|mismatched types|out of bound|non-concrete|_\|_`)

// TestDamagedSpecIsRefusedInPlainWords damages the sample at random: takes words out, doubles them, puts others in
// their place. Whatever comes of it, Load neither panics nor speaks of its own inside, and every mistake has a place
// in the user's file.
func TestDamagedSpecIsRefusedInPlainWords(t *testing.T) {
	word := regexp.MustCompile(`"[^"\n]*"|[A-Za-z0-9_#]+|[{}\[\],:]`)
	damages := []string{"", "0", "-1", "tests", `"x"`, `""`, "3.5", "true", "null", "{}", "[]", "_", "string", "zz: 1", `"150"`, "99999999", "#Host", "#Nothing"}
	rapid.Check(t, func(rt *rapid.T) {
		spec := ""
		_, _, err := loadSpec(t, func(sample string) string {
			for range rapid.IntRange(1, 3).Draw(rt, "damages") {
				at := word.FindAllStringIndex(sample, -1)
				w := at[rapid.IntRange(8, len(at)-1).Draw(rt, "word")]
				damage := rapid.SampledFrom(damages).Draw(rt, "damage")
				sample = sample[:w[0]] + damage + sample[w[1]:]
			}
			spec = sample
			return sample
		})
		if err == nil {
			return // some damages are only another spec
		}
		problems := Problems(nil)
		if !errors.As(err, &problems) {
			rt.Fatalf("%v is not a list of problems", err)
		}
		for _, p := range problems {
			if p.Place.Line == 0 || !strings.HasSuffix(p.Place.File, "/envs.cue") || jargon.MatchString(p.Message) {
				rt.Fatalf("%s\n(%d lines)", p, strings.Count(spec, "\n"))
			}
		}
	})
}

// large is the sample's kind of topology with n instances of one class on as many hosts as that takes.
func large(n int) string {
	var b strings.Builder
	const hosted = 10
	hosts := (n + hosted - 1) / hosted
	fmt.Fprintf(&b, "package envs\nnetwork: {vswitch: {subnet: \"10.0.0.0/16\", vlan: 4000, mtu: 1400}, acme: email: \"a@example.com\"}\n")
	b.WriteString("access: {admins: anna: keys: [\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB/Fcvil6WIcVsJMCZK9Mqs454049OugDUDijdbmrcsv anna\"], whitelist: [{from: \"198.51.100.0/28\", who: \"the office\"}]}\n")
	b.WriteString("backup: none: reason: \"a benchmark\"\nbudget: {currency: \"EUR\", monthly: 1000000}\n")
	b.WriteString("sources: repositories: odoo: {git: \"https://example.com/odoo.git\", branch: \"19.0\", rev: \"1a13ceeaee12fe5cc50f287c31f217d4be2a2eaf\"}\n")
	b.WriteString("sources: versions: \"19.0\": community: \"odoo\"\n")
	for h := range hosts {
		fmt.Fprintf(&b, "hosts: h%d: #Host & {fqdn: \"h%d.internal\", debian: 12, hardware: {model: \"m\", cpu: \"c\", threads: 64, ram: \"512G\", disks: {count: 2, sizeGB: 4000, raid: 1}, monthly: 100}, private: \"10.0.%d.%d\", public: \"198.18.%d.%d\", open: [80, 443]}\n",
			h, h, h/250, h%250+1, h/250, h%250+1)
		fmt.Fprintf(&b, "clusters: c%d: #Cluster & {host: \"h%d\", version: 15, port: 5432, workload: \"oltp\", ram: \"64G\", settings: max_connections: 1000}\n", h, h)
		fmt.Fprintf(&b, "classes: k%d: #Class & {cluster: \"c%d\", CPUQuota: \"150%%\", MemoryMax: \"3G\"}\n", h, h)
		fmt.Fprintf(&b, "patching: windows: h%d: at: \"%s %02d:00\"\n", h, weekdays[h%7], h/7%12*2)
	}
	for i := range n {
		fmt.Fprintf(&b, "instances: i%d: #Instance & {class: \"k%d\", version: \"19.0\", domain: \"i%d.example.com\", http_port: %d}\n", i, i/hosted, i, 20000+2*(i%hosted))
	}
	return b.String()
}

// TestLoadGrowsWithTheTopology holds the work for twice the instances to about twice: nothing is compared with
// everything. Allocations are counted, since times depend on the machine.
func TestLoadGrowsWithTheTopology(t *testing.T) {
	work := func(n int, damage func(string) string) float64 {
		return testing.AllocsPerRun(1, func() {
			_, _, err := loadSpec(t, func(string) string { return damage(large(n)) })
			if whole := damage("x") == "x"; whole != (err == nil) {
				t.Fatal(err)
			}
		})
	}
	for _, tt := range []struct {
		name   string
		damage func(string) string
	}{
		{"without mistakes", func(s string) string { return s }},
		{"with a typo in each instance", func(s string) string { return s + "\n" + typos(s) }},
		{"with one domain for all", func(s string) string {
			return regexp.MustCompile(`i\d+\.example`).ReplaceAllString(s, "i.example") + "\n_x: 1"
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			small, twice := work(100, tt.damage), work(200, tt.damage)
			if ratio := twice / small; ratio > 2.3 {
				t.Errorf("100 instances: %.0f allocations, 200: %.0f, %.1f times as many", small, twice, ratio)
			}
		})
	}
}

// typos sets a field that is none in each instance.
func typos(spec string) string {
	var b strings.Builder
	for _, m := range regexp.MustCompile(`(?m)^instances: (\w+):`).FindAllStringSubmatch(spec, -1) {
		fmt.Fprintf(&b, "instances: %s: htp_port: 1\n", m[1])
	}
	return b.String()
}

func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{6, 60, 600, 6000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			spec := large(n)
			for b.Loop() {
				if _, _, err := loadSpec(b, func(string) string { return spec }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
