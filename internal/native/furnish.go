package native

import (
	"context"
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"odoogen/internal/artifact"
)

// generation is where the tree lies in the root.
const generation = "/etc/odoogen/generations/1"

// emptied are directories in which the host has nothing but what the tree and its doors bring. Whatever this
// machine has there is covered.
var emptied = []string{
	"/etc/odoogen", "/var/lib/odoogen",
	"/etc/systemd/system", "/etc/systemd/network", "/usr/local/lib/systemd",
	"/usr/local/lib/sysusers.d", "/usr/local/lib/tmpfiles.d", "/usr/local/lib/sysctl.d",
	"/etc/nginx/conf.d", "/etc/nginx/sites-enabled",
	"/etc/ssh/sshd_config.d", "/etc/sudoers.d",
	"/etc/apt/sources.list.d", "/etc/apt/preferences.d",
	"/etc/postgresql", "/var/lib/postgresql",
}

// furnish makes the root look like the host: the tree with its doors, and stand-ins for what cannot be had here,
// which the result lists.
func furnish(ctx context.Context, r *root, h *host, t *artifact.Tree) (Result, error) {
	shown := Result{Host: t.Host, Class: "stand-ins"}
	var users string
	err := r.do(func() error {
		for _, dir := range emptied {
			if err := empty(dir); err != nil {
				return err
			}
		}
		if err := place(t); err != nil {
			return err
		}
		for _, d := range h.Doors {
			// A cluster's door opens when the cluster has been made.
			if strings.HasPrefix(d.Path, "/etc/postgresql/") {
				continue
			}
			if _, err := os.Lstat(d.Path); err == nil && strings.HasPrefix(d.Link, current+"/files/") {
				h.taken = append(h.taken, d.Path)
				continue
			}
			if err := open(d); err != nil {
				return err
			}
		}
		for _, name := range h.Absent {
			if err := os.RemoveAll(name); err != nil {
				return err
			}
		}
		if r := release(); r != h.Debian {
			shown.Notes = append(shown.Notes, fmt.Sprintf("read by the programs of Debian %d, while the host has Debian %d", r, h.Debian))
		}
		var err error
		if users, err = standIns(t, &shown); err != nil {
			return err
		}
		return certificates(t, &shown)
	})
	if err != nil {
		return shown, err
	}
	if users != "" {
		if res := r.runCommand(ctx, command{argv: []string{"systemd-sysusers", "-"}, stdin: users}); res.code != 0 {
			return shown, fmt.Errorf("stand-in users: %s", res.stderr)
		}
	}
	return shown, nil
}

// empty covers a directory with an empty one of the same mode and owner.
func empty(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var s unix.Stat_t
	if err := unix.Stat(dir, &s); err != nil {
		return err
	}
	return mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("mode=%04o,uid=%d,gid=%d", s.Mode&0o7777, s.Uid, s.Gid))
}

// place writes the tree as the host's current generation.
func place(t *artifact.Tree) error {
	for i := range t.Files {
		f := &t.Files[i]
		if err := write(generation+"/"+f.Path, f.Data, os.FileMode(f.Mode)); err != nil {
			return err
		}
	}
	if err := write(generation+"/"+artifact.ManifestName, t.Manifest(), 0o444); err != nil {
		return err
	}
	return os.Symlink(strings.TrimPrefix(generation, path.Dir(current)+"/"), current)
}

// open makes a door.
func open(d door) error {
	if d.Link != "" {
		if err := os.MkdirAll(path.Dir(d.Path), 0o755); err != nil {
			return err
		}
		// One of the emptied directories may be the door itself.
		if err := unix.Unmount(d.Path, unix.MNT_DETACH); err == nil {
			os.Remove(d.Path)
		}
		return os.Symlink(d.Link, d.Path)
	}
	mode, err := strconv.ParseUint(d.Mode, 8, 32)
	if err != nil {
		return fmt.Errorf("HOST.json: door %s: mode %q", d.Path, d.Mode)
	}
	return write(d.Path, []byte(d.Content), os.FileMode(mode))
}

// openBelow makes the doors that lie below a directory.
func openBelow(h *host, dir string) error {
	for _, d := range h.Doors {
		if strings.HasPrefix(d.Path, dir) {
			if err := open(d); err != nil {
				return err
			}
		}
	}
	return nil
}

func write(name string, data []byte, mode os.FileMode) error {
	if err := os.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(name, data, mode); err != nil {
		return err
	}
	return os.Chmod(name, mode) // whatever the umask is
}
