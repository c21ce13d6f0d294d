package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"odoogen/internal/artifact"
)

// The commands that a review prints for data whose place changes are run as they stand, by root, between two real clusters
// with the settings, roles and rules of their trees: what the instance had, it has in its new place, and it is the
// instance's own.
func TestDataMovesAsTheReviewSays(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(repository, "envs.cue"))
	if err != nil {
		t.Fatal(err)
	}
	envs := string(data)
	for _, m := range []struct {
		name     string
		changes  [][2]string
		from, to string // the instance, and its cluster
		ends     string
	}{
		{"to another cluster", changesOf(t, "move-instance"), "15/main ba19", "15/staging ba19",
			"systemctl start odoo-ba19.service\n"},
		{"to another name", changesOf(t, "rename-instance"), "15/main ba19", "15/main analysts19",
			"systemctl start odoo-analysts19.service\n"},
		{"along with its cluster", changesOf(t, "rename-cluster"), "15/main qa17", "15/primary qa17",
			"systemctl stop odoo-qa17.service\nsystemctl start odoo-qa17.service\n"},
	} {
		t.Run(m.name, func(t *testing.T) {
			dir := t.TempDir()
			before, after := built(t, envs), built(t, envsWith(t, envs, m.changes))
			from := stand(t, dir, "before", before, m.from)
			to := stand(t, dir, "after", after, m.to)
			var steps []string
			for _, p := range compare(t, before, after).Hosts {
				for _, move := range p.Moves {
					if _, name, _ := strings.Cut(m.to, " "); move.What == "instance "+name {
						steps = move.Steps
					}
				}
			}
			if !slices.Contains(steps, "# after it") {
				steps = append([]string{"# after it"}, steps...)
			}
			for name, text := range map[string]string{"from": from, "to": to, "steps": strings.Join(steps, "\n")} {
				put(t, filepath.Join(dir, name), text+"\n")
			}
			out, err := exec.Command("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "bash", "testdata/moved.sh", dir).CombinedOutput()
			if err != nil {
				t.Fatalf("%v (it needs root)\n%s\n%s", err, strings.Join(steps, "\n"), out)
			}
			role := func(s string) string { return strings.Fields(s)[2] }
			has := func(role string) string {
				return "1000|14893|naïve \\ ' \" 1|1000 " + role + " t e|large " + role + " 600 an attachment a release\n"
			}
			stopped, started, _ := strings.Cut(m.ends, "systemctl start")
			want := has(role(from)) + stopped + "systemctl start" + started + has(role(to)) + heldUntil(after, m.to) + "\n"
			if d := cmp.Diff(want, string(out)); d != "" {
				t.Errorf("(-want +got)\n%s\nafter\n%s", d, strings.Join(steps, "\n"))
			}
		})
	}
}

// changesOf are those of one pull request of TestDiffComments.
func changesOf(t *testing.T, name string) [][2]string {
	t.Helper()
	for _, e := range pullRequests {
		if e.name == name {
			return e.changes
		}
	}
	t.Fatalf("no edit %s", name)
	return nil
}

// stand writes what the session reads of a spec's host tests, and gives the line that tells where an instance is.
func stand(t *testing.T, dir, when string, trees []*artifact.Tree, at string) string {
	t.Helper()
	for _, tree := range trees {
		if tree.Host != "tests" {
			continue
		}
		if _, err := artifact.Write(filepath.Join(dir, when+"-out"), []*artifact.Tree{tree}); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(dir, when+"-out", "tests"), filepath.Join(dir, when)); err != nil {
			t.Fatal(err)
		}
		h, err := tree.ReadHost()
		if err != nil {
			t.Fatal(err)
		}
		clusters := ""
		for _, c := range h.Clusters {
			clusters += fmt.Sprintf("%d %s %d\n", c.Version, c.Name, c.Port)
		}
		put(t, filepath.Join(dir, "clusters-"+when), clusters)
		for _, d := range h.Doors {
			if strings.HasPrefix(d.Path, "/etc/postgresql/") {
				put(t, filepath.Join(dir, "root-"+when, d.Path), d.Content)
			}
		}
		cluster, name, _ := strings.Cut(at, " ")
		for _, i := range h.Instances {
			if i.Name == name {
				return strings.Join([]string{cluster, i.Database, i.Role, i.DataDir, i.Releases}, " ")
			}
		}
	}
	t.Fatalf("no instance %s", at)
	return ""
}

func heldUntil(trees []*artifact.Tree, at string) string {
	_, name, _ := strings.Cut(at, " ")
	for _, tree := range trees {
		h, err := tree.ReadHost()
		if err != nil {
			continue
		}
		for _, i := range h.Instances {
			if i.Name == name {
				return i.HeldUntil
			}
		}
	}
	return ""
}

// put writes a file, and the folders above it.
func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
