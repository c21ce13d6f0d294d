package native

import (
	_ "embed"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"odoogen/internal/artifact"
)

// packagesText lists what the checkers need: a Debian package and the file that shows it is there, in each line.
// The Makefile installs the first column.
//
//go:embed packages.txt
var packagesText string

// packageOf is the Debian package of each program or unit file.
var packageOf = sync.OnceValue(func() map[string]string {
	of := map[string]string{}
	for line := range strings.Lines(packagesText) {
		if name, file, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			of[file] = name
		}
	}
	return of
})

// release is the root's release of Debian: 12, or 0 where it does not say a number. Only to be called inside the root.
func release() int {
	text, _ := os.ReadFile("/etc/debian_version")
	major, _, _ := strings.Cut(strings.TrimSpace(string(text)), ".")
	n, _ := strconv.Atoi(major)
	return n
}

// missing refuses a root that lacks what the tree's checkers run or what its units name, in one message. Only to be
// called inside the root.
func missing(h *host, t *artifact.Tree, readings []reading) error {
	absent := map[string]string{} // package: what for
	need := func(file, why string) {
		if name, known := packageOf()[file]; known && !exists(file) {
			absent[name] = why
		}
	}
	for _, r := range readings {
		for _, program := range r.class.programs {
			need(program, r.class.Name)
		}
	}
	for _, program := range programs(t) {
		need(program, "systemd units")
	}
	for _, unit := range extended(t, filesOf(t, "systemd units")) {
		need("/lib/systemd/system/"+template(unit), "systemd units")
	}
	for _, cluster := range h.Clusters {
		if !exists(fmt.Sprintf("/usr/lib/postgresql/%d/bin/postgres", cluster.Version)) {
			absent[fmt.Sprintf("postgresql-%d", cluster.Version)] = "cluster " + cluster.Name
		}
	}
	if len(absent) == 0 {
		return nil
	}
	names := slices.Sorted(maps.Keys(absent))
	hint := ""
	if r := release(); r != h.Debian {
		hint = fmt.Sprintf("; or give a system of the host's own release, Debian %d, with --root DIR", h.Debian)
	}
	return fmt.Errorf("programs that the native checks need are missing; install them: apt-get install --no-install-recommends %s%s",
		strings.Join(names, " "), hint)
}
