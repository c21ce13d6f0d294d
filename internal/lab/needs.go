package lab

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// needs are the programs that the lab runs on this machine, and Debian's packages of them.
var needs = []struct{ program, pkg string }{
	{"mmdebstrap", "mmdebstrap"},
	{"systemd-nspawn", "systemd-container"},
	{"ip", "iproute2"},
	{"ssh", "openssh-client"},
	{"ssh-keygen", "openssh-client"},
	{"gpg", "gnupg"},
	{"gpgconf", "gnupg"},
	{"dpkg-deb", "dpkg"},
	{"nsenter", "util-linux"},
	{"unshare", "util-linux"},
	{"mount", "mount"},
}

// Missing says, in one error with a hint, what this machine lacks for a lab; nil where nothing is missing.
func Missing() error {
	if _, err := os.Stat("/etc/debian_version"); err != nil {
		return errors.New("the lab boots real Debian hosts and needs a Debian machine for that\n" +
			"hint: run it in a virtual machine with Debian 12 or 13")
	}
	if os.Geteuid() != 0 {
		return errors.New("the lab boots real hosts (mounts, namespaces, cgroups) and needs root for that\n" +
			"hint: sudo odoogen lab ...")
	}
	var programs, packages []string
	for _, n := range needs {
		if _, err := find(n.program); err != nil {
			programs = append(programs, n.program)
			packages = append(packages, n.pkg)
		}
	}
	if len(programs) == 0 {
		return nil
	}
	slices.Sort(packages)
	return fmt.Errorf("the lab misses %s\nhint: apt-get install %s",
		strings.Join(programs, ", "), strings.Join(slices.Compact(packages), " "))
}
