package lab

import (
	"context"
	"os"
	"time"
)

// body is what a host is made of: a container or a virtual machine.
type body interface {
	// image is what the disk of a host with this release of Debian begins as.
	image(suite string) string

	// card is what the host's system finds of its network cards.
	card(h *Host) placed

	// firstDisk makes the host's first disk of what lies in root, in the host's directory.
	firstDisk(ctx context.Context, h *host) error

	// changeDisk keeps what was written since the last time, as a layer below what is written from now on; or forgets it. The
	// host is off.
	changeDisk(ctx context.Context, h *host, keep bool) error

	// fill lets not a byte more onto the disk, or gives it its room back.
	fill(h *host, full bool) error

	// plug makes the host's cards and cables anew, as they are after power on.
	plug(ctx context.Context, h *host) error

	// cables are those that these sides of the host have.
	cables(h *host, sides []string) ([]string, error)

	// command is the command line that runs the host.
	command(h *host) ([]string, error)

	// first finds the host's first process, as this machine numbers it, of what runs the host.
	first(runs int, ended <-chan struct{}) (int, error)

	// inside runs a program on the host and returns what it prints.
	inside(ctx context.Context, h *host, argv ...string) (string, error)

	// finish does what is to be done once the host's systemd runs.
	finish(ctx context.Context, h *host) error

	// patience is how long a host may take to boot.
	patience() time.Duration
}

// placed is a file of a host's disk.
type placed struct {
	name string
	mode os.FileMode
	data string
}
