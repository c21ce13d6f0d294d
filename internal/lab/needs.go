package lab

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// packages names the programs that the lab runs on this machine, and Debian's packages of them.
//
//go:embed packages.txt
var packages string

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
	return missing(packages)
}

func missing(list string) error {
	var files, install []string
	for line := range strings.Lines(list) {
		pkg, file, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || pkg == "#" {
			continue
		}
		if _, err := os.Stat(file); err != nil {
			files, install = append(files, file), append(install, pkg)
		}
	}
	if len(files) == 0 {
		return nil
	}
	return fmt.Errorf("the lab misses %s\nhint: apt-get install %s", strings.Join(files, ", "), strings.Join(slices.Compact(install), " "))
}
