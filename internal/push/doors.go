package push

import (
	"slices"
	"strings"

	"odoogen/internal/artifact"
)

// behind is what of a generation a door leads to, as the beginning of paths: "nginx/", "systemd/system/".
func behind(d artifact.Door) string {
	const current = "/etc/odoogen/current/"
	if d.Link != "" {
		return strings.TrimPrefix(d.Link, current) + "/"
	}
	_, rest, _ := strings.Cut(d.Content, current)
	return rest[:strings.LastIndex(rest[:strings.IndexAny(rest+"\n", "\"';\n")], "/")+1]
}

// ways are all that a host's HOST.json says of places outside the generation: doors, and what shall not be.
func ways(h *artifact.Host) map[string]artifact.Door {
	all := map[string]artifact.Door{}
	for _, d := range h.Doors {
		all[d.Path] = d
	}
	for _, path := range append(slices.Clone(h.Absent), h.Disabled...) {
		all[path] = artifact.Door{Path: path}
	}
	return all
}

// compareDoors notes what becomes of doors beside being made: those that the generation which runs has, and that are not
// as it has them, were changed by hand; those that the new one does not have go; and what is in the way is kept.
func (p *Plan) compareDoors(was, host *artifact.Host, seen *Observation) {
	before, after := ways(was), ways(host)
	for _, path := range seen.Doors {
		turned := seen.Ejected && before[path].Link != "" // into a directory, by eject
		if d, ok := before[path]; ok && d == after[path] && !turned {
			p.changedDoor(path)
		}
	}
	for path := range before {
		if _, stays := after[path]; !stays {
			p.Closed = append(p.Closed, path)
		}
	}
	slices.Sort(p.Closed)
	for _, path := range seen.Covered {
		if strings.HasPrefix(path, "/usr/local/lib/") { // which systemd reads
			p.Covered = append(p.Covered, path)
		}
	}
	for _, path := range seen.Theirs {
		if _, stood := before[path]; stood && !seen.Ejected {
			p.Replaced = append(p.Replaced, path)
		} else {
			p.Aside = append(p.Aside, path)
		}
	}
}

// changedDoor notes a door that somebody has changed, once.
func (p *Plan) changedDoor(path string) {
	if !slices.Contains(p.Drift, path) {
		p.Drift = append(slices.Clone(p.Drift), path)
	}
}

// reloadBehind owes the reloads of what is read through doors that are made: a daemon has read without it.
func reloadBehind(host *artifact.Host, made []string, files []artifact.Entry, owed map[Action]bool) {
	for _, d := range host.Doors {
		if !slices.Contains(made, d.Path) {
			continue
		}
		for _, e := range files {
			for _, effect := range e.Effects {
				if a := actionOf(effect); a.Verb == "reload" && strings.HasPrefix(e.Path, behind(d)) {
					owed[a] = true
				}
			}
		}
	}
}
