package generators

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"odoogen/internal/topology"
)

func runbookOf(t *testing.T, spec *topology.Topology, host string) string {
	t.Helper()
	return generated(t, Runbook, spec, host)["RUNBOOK.md"]
}

// commandsOf are the lines between fences, and the code in the text that begins like a command.
func commandsOf(text string) []string {
	var commands []string
	inside := false
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, "```") {
			inside = !inside
		} else if inside {
			line, _, _ = strings.Cut(line, " # ")
			if body, is := strings.CutPrefix(line, "restic() { command "); is { // for the lines after it
				line = strings.TrimSuffix(body, "; }")
			}
			commands = append(commands, strings.Split(line, "; ")...)
		}
	}
	for _, code := range regexp.MustCompile("`([a-z]+ [^`]+)`").FindAllStringSubmatch(text, -1) {
		commands = append(commands, strings.Split(code[1], "; ")...)
	}
	return commands
}

// packageOf names the package of a command that may be missing.
var packageOf = map[string]string{
	"certbot": "certbot", "nginx": "nginx-light", "openssl": "openssl", "curl": "curl", "ip": "iproute2", "restic": "restic",
	"pg_lsclusters": "postgresql-common", "psql": "postgresql-client-15", "sudo": "sudo", "ssh": "openssh-client", "loginctl": "systemd",
	"nft": "nftables", "pg_ctlcluster": "postgresql-common", "pg_restore": "postgresql-client-15", "dropdb": "postgresql-client-15",
}

// What a person types at night is there: as a program of the system, or as a script of the tree.
func TestRunbookCommandsExist(t *testing.T) {
	spec := sampleTopology(t)
	seen := 0
	for _, host := range []string{"tests", "ci"} {
		for _, command := range commandsOf(runbookOf(t, spec, host)) {
			words := strings.Fields(command)
			if words[0] == "sudo" && len(words) > 3 && words[1] == "-u" {
				words = words[3:]
			}
			program := words[0]
			if program == spec.JavaHome()+"/bin/java" {
				continue // Debian has none that is new enough
			}
			seen++
			if program == "odoogen-host" { // push brings it
				if script, err := os.ReadFile("../internal/push/host/verbs.sh"); err != nil || !strings.Contains(string(script), "\n  "+words[1]+" ") {
					t.Errorf("%s: %v, or its help has no %s", command, err, words[1])
				}
				continue
			}
			if script, ok := strings.CutPrefix(program, topology.Bin+"/"); ok {
				if _, err := constants.ReadFile("files/bin/" + script); err != nil {
					t.Errorf("%s: no script %s", command, script)
				}
				continue
			}
			if _, err := exec.LookPath(program); err != nil {
				t.Errorf("%s: %v; where it is missing: apt-get install %s", command, err, packageOf[program])
			}
		}
	}
	if seen < 30 {
		t.Errorf("%d commands", seen)
	}
}

// It speaks of this host alone, and of all that runs on it.
func TestRunbookNamesWhatRuns(t *testing.T) {
	spec := sampleTopology(t)
	for _, h := range spec.Hosts {
		text := runbookOf(t, spec, h.Name)
		for _, u := range spec.Units(h) {
			if !strings.Contains(text, strings.TrimSuffix(u.Unit, ".timer")) {
				t.Errorf("%s: nothing of %s", h.Name, u.Unit)
			}
		}
		for _, l := range spec.Listeners(h) {
			if !strings.Contains(text, "| "+itoa(l.Port)+" | ") {
				t.Errorf("%s: nothing of port %d", h.Name, l.Port)
			}
		}
		for _, d := range spec.Decisions {
			if !strings.Contains(text, d.Title) || !strings.Contains(text, d.Instead) {
				t.Errorf("%s: nothing of %q", h.Name, d.Title)
			}
		}
	}
	if text := runbookOf(t, spec, "ci"); strings.Contains(text, "qa17") {
		t.Error("the runbook of ci speaks of an instance of tests")
	}
	if text := runbookOf(t, spec, "ci"); !strings.Contains(text, "port 5000 and 50G of disk") {
		t.Error("nothing of the place that is kept for a registry")
	}
}

func TestRunbookSaysWhatIsNotBackedUp(t *testing.T) {
	spec := sampleTopology(t)
	spec.Instances[0].Backup = false
	if text := runbookOf(t, spec, "tests"); !strings.Contains(text, "**Not backed up:** "+spec.Instances[0].Name+".") {
		t.Error("nothing of the instance without backup")
	}
	spec.Backup.None = &topology.NoBackup{Reason: "all data is made <again>"}
	text := runbookOf(t, spec, "tests")
	if !strings.Contains(text, `**Nothing on this host is backed up.** The reason given: all data is made \<again\>`) {
		t.Error("nothing of the reason")
	}
	if strings.Contains(text, "restic -r") {
		t.Error("commands of a repository that is none")
	}
}

// Who is locked out adds to the set that the firewall has, or a rule where it has none.
func TestRunbookLetsIn(t *testing.T) {
	for _, c := range []struct {
		name, host, from, public6 string
		want                      []string
	}{
		{"a whitelist of the family", "tests", "198.51.100.0/28", "", []string{"nft add element inet odoogen admins4 '{ ADDRESS }'"}},
		{"of the other one", "tests", "2001:db8::/48", "2001:db8:1::1", []string{"nft insert rule inet odoogen input ip saddr ADDRESS tcp dport 22 accept",
			"nft add element inet odoogen admins6 '{ ADDRESS6 }'"}},
		{"a host behind a jump host", "ci", "198.51.100.0/28", "", []string{"nft insert rule inet odoogen input ip saddr ADDRESS tcp dport 22 accept"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := sampleTopology(t)
			spec.Access.Whitelist = []topology.Source{{From: c.from, Who: "the office"}}
			for _, h := range spec.Hosts {
				if h.Name == c.host {
					h.Public6 = c.public6
				}
			}
			rules := generated(t, Firewall, spec, c.host)["nftables/odoogen.nft"]
			var got []string
			for _, command := range commandsOf(runbookOf(t, spec, c.host)) {
				if !strings.HasPrefix(command, "nft add ") && !strings.HasPrefix(command, "nft insert ") {
					continue
				}
				got = append(got, command)
				set := strings.Fields(command)[5]
				if strings.HasPrefix(command, "nft add ") && !strings.Contains(rules, "set "+set+" {") {
					t.Errorf("%s: the firewall has no set %s", command, set)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	spec := sampleTopology(t)
	for _, h := range spec.Hosts {
		h.Manage = slices.DeleteFunc(slices.Clone(h.Manage), func(l string) bool { return l == string(topology.FirewallLayer) })
		if text := runbookOf(t, spec, h.Name); strings.Contains(text, "nft ") {
			t.Errorf("%s: commands of a firewall that is somebody else's", h.Name)
		}
	}
}

// The way over the private network is asked for with an address that is not the host's own.
func TestRunbookAsksForAnotherHost(t *testing.T) {
	spec := sampleTopology(t)
	for host, want := range map[string]string{"tests": "ip route get 10.0.0.3 # ci", "ci": "ip route get 10.0.0.2 # tests"} {
		if text := runbookOf(t, spec, host); !strings.Contains(text, "\n"+want+"\n") {
			t.Errorf("%s: no %s", host, want)
		}
	}
	for _, h := range spec.Hosts {
		if h.Name == "ci" {
			h.Private = ""
		}
	}
	if text := runbookOf(t, spec, "tests"); strings.Contains(text, "ip route get") {
		t.Error("a way to a host that has none")
	}
}

// What it says of data is what the host has.
func TestRunbookBringsBackWhatIsSaved(t *testing.T) {
	spec := sampleTopology(t)
	for _, c := range []struct {
		host      string
		has, lack []string
	}{
		{"tests", []string{"An instance. What it had", "mv -T /var/tmp/restored/etc/letsencrypt /etc/letsencrypt", "bin/restore\n", "_before"}, []string{"/var/lib/jenkins"}},
		{"ci", []string{"mv -T /var/tmp/restored/var/lib/jenkins /var/lib/jenkins", "CPUQuota=", "-jar /var/tmp/"},
			[]string{"An instance", "letsencrypt", "_before", "pg_wal", "first-release", "bin/restore"}},
	} {
		text := runbookOf(t, spec, c.host)
		for _, s := range c.has {
			if !strings.Contains(text, s) {
				t.Errorf("%s: no %q", c.host, s)
			}
		}
		for _, s := range c.lack {
			if strings.Contains(text, s) {
				t.Errorf("%s: speaks of %q", c.host, s)
			}
		}
		saved := generated(t, Backup, spec, c.host)["restic/host.paths"]
		for line := range strings.Lines(saved) {
			if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") && !strings.Contains(text, line) {
				t.Errorf("%s: nothing of %s, which is saved", c.host, line)
			}
		}
	}
}

func TestRunbookMoney(t *testing.T) {
	want := "This host costs 54 EUR a month; all hosts and the storage 121, with a buffer of 5% 127.05, of a budget of 130."
	if text := runbookOf(t, sampleTopology(t), "ci"); !strings.Contains(text, want) {
		t.Errorf("no %q", want)
	}
}

// Free text stays text: no heading, no HTML, no end of a table or a comment.
func TestRunbookCarriesHostileText(t *testing.T) {
	spec := sampleTopology(t)
	plain := strings.Count(runbookOf(t, spec, "tests"), "\n")
	for _, s := range []string{"# a", "a\n\n# b", "<script>", "a | b", "```", "-->", "**", "$x `y` %s"} {
		spec.Decisions[0] = topology.Decision{Title: s, Instead: s, Because: s}
		spec.Access.Whitelist[0].Who = s
		text := runbookOf(t, spec, "tests")
		if n := strings.Count(text, "\n"); n != plain {
			t.Errorf("%q: %d lines, want %d", s, n, plain)
		}
		if strings.Contains(text, "<script>") || strings.Contains(text, "%!") {
			t.Errorf("%q is not escaped", s)
		}
	}
}
