package generators

import (
	"os"
	"os/exec"
	"regexp"
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
