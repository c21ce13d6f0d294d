package lab

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// bare is what a rented server has on its first day, and nothing more: push must bring the rest.
var bare = []string{
	"systemd", "systemd-sysv", "dbus", "openssh-server", "iproute2", "ifupdown", "procps", "sudo", "ca-certificates",
}

// image is a Debian release with these packages, made once and never changed: hosts are overlays of it.
func image(ctx context.Context, suite string, packages []string, say func(string)) (string, error) {
	dir := filepath.Join(cache, "images", suite+"-"+keyOf(append(slices.Clone(packages), suite)...))
	return dir, once(dir, func(made string) error {
		say("making the base image of Debian " + suite + " (once, about 30 s)")
		err := run(ctx, alone("mmdebstrap", "--quiet", "--variant=minbase", "--include="+strings.Join(packages, ","), suite, made)...)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("base image: %w\nhint: it is fetched from deb.debian.org; is the network there?", err)
		}
		// Every host gets keys of its own, and its own place in the network.
		keys, err := filepath.Glob(made + "/etc/ssh/ssh_host_*")
		if err != nil {
			return err
		}
		for _, name := range append(keys, made+"/etc/machine-id", made+"/etc/resolv.conf", made+"/etc/hostname") {
			if err := os.Remove(name); err != nil && !os.IsNotExist(err) {
				return err
			}
		}
		return nil
	})
}

// keyOf names what a recipe makes.
func keyOf(recipe ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(recipe, "\n")))
	return hex.EncodeToString(sum[:4])
}

// once makes a directory of the cache, unless it is there. It is made beside and renamed, so that one which was
// interrupted is never taken for whole; of two who make the same one, the second waits.
func once(dir string, make func(made string) error) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	lock, err := lockFile(dir+".lock", true)
	if err != nil {
		return err
	}
	defer lock.Close()
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	made := dir + ".part"
	if err := os.RemoveAll(made); err != nil {
		return err
	}
	if err := make(made); err != nil {
		os.RemoveAll(made)
		return err
	}
	return os.Rename(made, dir)
}
