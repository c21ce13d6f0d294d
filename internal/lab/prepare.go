package lab

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// prepare lays the host's disk over the base image and writes what a provider's installer would write: names,
// network, keys; and what makes the lab's world be trusted as the real one is: its certificate authorities and the
// key of its package archives.
func (s *supervisor) prepare(ctx context.Context, h *host) error {
	dir := s.hostDir(h.Name())
	root := filepath.Join(dir, "root")
	if err := overlay(ctx, s.body.image(h.Suite()), dir); err != nil {
		return err
	}
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		return err
	}
	key, err := os.ReadFile(filepath.Join(s.dir(), "keys", "hosts", h.Name()))
	if err != nil {
		return err
	}
	public, err := os.ReadFile(filepath.Join(s.dir(), "keys", "hosts", h.Name()+".pub"))
	if err != nil {
		return err
	}
	operator, err := os.ReadFile(filepath.Join(s.dir(), "keys", "operator.pub"))
	if err != nil {
		return err
	}
	authorities, err := os.ReadFile(s.world.authorities())
	if err != nil {
		return err
	}
	archive := filepath.Join(cache, "archive-key")
	armored, err := os.ReadFile(filepath.Join(archive, "key.asc"))
	if err != nil {
		return err
	}
	binary, err := os.ReadFile(filepath.Join(archive, "key.gpg"))
	if err != nil {
		return err
	}
	for _, f := range []placed{
		s.body.card(h.Host),
		{"etc/hostname", 0o644, h.Name() + "\n"},
		{"etc/hosts", 0o644, fmt.Sprintf("127.0.0.1 localhost\n127.0.1.1 %s %s\n", h.FQDN, h.Name())},
		{"etc/machine-id", 0o444, hex.EncodeToString(id) + "\n"},
		{"etc/resolv.conf", 0o644, "nameserver " + worldAddress + "\n"},
		{"etc/network/interfaces", 0o644, interfaces(h.Host)},
		{"etc/ssh/ssh_host_ed25519_key", 0o600, string(key)},
		{"etc/ssh/ssh_host_ed25519_key.pub", 0o644, string(public)},
		{"root/.ssh/authorized_keys", 0o600, string(operator)},
		{"usr/local/share/ca-certificates/odoogen-lab.crt", 0o644, string(authorities)},
		{"etc/apt/trusted.gpg.d/odoogen-lab.asc", 0o644, string(armored)},
	} {
		name := filepath.Join(root, f.name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, []byte(f.data), f.mode); err != nil {
			return err
		}
	}
	if err := os.Chmod(filepath.Join(root, "root/.ssh"), 0o700); err != nil {
		return err
	}
	keyrings, err := filepath.Glob(root + "/usr/share/keyrings/debian-archive-keyring.*")
	if err != nil {
		return err
	}
	for _, name := range keyrings {
		if err := appendTo(name, binary); err != nil {
			return err
		}
	}
	if err := appendTo(filepath.Join(root, "etc/ssl/certs/ca-certificates.crt"), authorities); err != nil {
		return err
	}
	if err := putPlugins(root, h.Plugins); err != nil {
		return err
	}
	if err := s.body.firstDisk(ctx, h); err != nil {
		return err
	}
	return s.body.changeDisk(ctx, h, true) // so that there is always a disk to return to
}

// putPlugins puts empty files in the place of Jenkins' plugins, which whoever runs a host puts there by hand before its
// first push: Jenkins does not start without them.
func putPlugins(root string, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	dir := filepath.Join(root, "var/lib/jenkins/plugins")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, id := range ids {
		if err := os.WriteFile(filepath.Join(dir, id+".jpi"), nil, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// interfaces is /etc/network/interfaces as a provider leaves it: the uplink, and nothing of a private network. The
// public network is one wire, so every address is on the link.
func interfaces(h *Host) string {
	var b strings.Builder
	b.WriteString("auto lo\niface lo inet loopback\n\nauto " + h.Network.Uplink + "\n")
	if a := h.Public(); a != "" {
		fmt.Fprintf(&b, "iface %s inet static\n\taddress %s/32\n\tup ip route add default dev %s\n", h.Network.Uplink, a, h.Network.Uplink)
	} else {
		fmt.Fprintf(&b, "iface %s inet manual\n", h.Network.Uplink)
	}
	if a := h.Network.Public6; a != "" {
		fmt.Fprintf(&b, "iface %s inet6 static\n\taddress %s\n\tdad-attempts 0\n", h.Network.Uplink, a)
	}
	return b.String()
}

// overlay mounts dir/root: what is written there goes to dir/upper, over the layers below, first one topmost. It takes
// no heed of fsync: the machine's own power stays on, and dpkg and PostgreSQL are much faster.
func overlay(ctx context.Context, layers, dir string) error {
	for _, name := range []string{"upper", "work", "root"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
	}
	options := "lowerdir=" + layers + ",upperdir=" + dir + "/upper,workdir=" + dir + "/work,volatile"
	return run(ctx, "mount", "-t", "overlay", "overlay", "-o", options, dir+"/root")
}

func appendTo(name string, data []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
