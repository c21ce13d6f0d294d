package lab

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// A lab of machines has a virtual machine for each host, with a Debian kernel of its own, which QEMU emulates: slow, but what
// a container cannot have is there. Its limits are those of cgroup v2, it makes VLANs, takes every setting of the kernel, and
// loses with its power what was not synced.

// machinePackages names the programs that a lab of machines runs as well, and Debian's packages of them.
//
//go:embed machine-packages.txt
var machinePackages string

// MissingForMachines is Missing for a lab of machines.
func MissingForMachines() error {
	if err := Missing(); err != nil {
		return err
	}
	if runtime.GOARCH != "amd64" {
		return errors.New("a lab of machines needs an amd64 machine\nhint: leave --machines out")
	}
	return missing(machinePackages)
}

// machined is what a rented machine has beside what is bare: a kernel, and the agent by which its console works.
var machined = []string{"linux-image-cloud-amd64", "udev", "qemu-guest-agent"}

// diskSize is that of a machine's disk. What was never written takes no room.
const diskSize = "20G"

// kernelLine: the disk is the whole of vda, and the network's names are those of the link file below.
const kernelLine = "root=/dev/vda rw console=ttyS0 quiet net.ifnames=0"

// machines are hosts that QEMU emulates.
type machines struct{ *supervisor }

func (s machines) image(suite string) string { return s.MachineImages[suite] }

// card gives the machine's card the name that the spec has for the uplink: systemd.link(5).
func (s machines) card(h *Host) placed {
	return placed{"etc/systemd/network/10-provider.link", 0o644,
		"# The name that the provider's system gives this card.\n[Match]\nDriver=virtio_net\n\n[Link]\nName=" + h.Network.Uplink + "\n"}
}

func (s machines) agent(h *host) agent { return agent(agentSocket(s.dir(), h.Name())) }

func agentSocket(dir, host string) string { return filepath.Join(dir, "hosts", host+".agent") }

// command is the command line that emulates the host. QEMU writes to the disk as the machine asks it to, and syncs when asked;
// what it knows of the disk beside, it writes then too.
func (s machines) command(h *host) ([]string, error) {
	kernel, err := filepath.Glob(filepath.Join(s.MachineImages[h.Suite()], "boot", "vmlinuz-*"))
	if err != nil || len(kernel) != 1 {
		return nil, fmt.Errorf("the image of Debian %s has %d kernels, want one", h.Suite(), len(kernel))
	}
	initrd := strings.Replace(kernel[0], "vmlinuz", "initrd.img", 1)
	memory, err := memoryOf(len(s.Hosts))
	if err != nil {
		return nil, err
	}
	socket := string(s.agent(h))
	_ = os.Remove(socket) // of a machine that lost its power
	return []string{"/usr/bin/qemu-system-x86_64", "-name", h.Name(), "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max",
		"-smp", fmt.Sprint(cores()), "-m", fmt.Sprintf("%dM", memory), "-nodefaults", "-display", "none", "-serial", "stdio",
		"-kernel", kernel[0], "-initrd", initrd, "-append", kernelLine,
		"-drive", "file=" + s.disk(h) + ",if=virtio,format=qcow2,cache=writeback,discard=unmap",
		"-netdev", "tap,id=public,ifname=" + h.cable(Public) + ",script=no,downscript=no",
		"-device", "virtio-net-pci,netdev=public,mac=" + macOf(h.Public()),
		"-device", "virtio-rng-pci", "-device", "virtio-serial",
		"-chardev", "socket,id=agent,server=on,wait=off,path=" + socket,
		"-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0"}, nil
}

// memoryOf is each machine's share of the memory, in MiB, of which this machine keeps one for itself.
func memoryOf(machines int) (int, error) {
	data, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	var kib int
	if _, err := fmt.Sscanf(string(data), "MemTotal: %d kB", &kib); err != nil {
		return 0, fmt.Errorf("/proc/meminfo: %w", err)
	}
	return kib / 1024 / (machines + 1), nil
}

// firstDisk makes an image of what lies in root, which is no longer needed then.
func (s machines) firstDisk(ctx context.Context, h *host) error {
	dir := s.hostDir(h.Name())
	base := filepath.Join(dir, "base.raw")
	if err := run(ctx, "mke2fs", "-q", "-t", "ext4", "-d", filepath.Join(dir, "root"), base, diskSize); err != nil {
		return err
	}
	if err := run(ctx, "umount", filepath.Join(dir, "root")); err != nil {
		return err
	}
	h.layers = []string{base}
	return s.changeDisk(ctx, h, false)
}

func (s machines) disk(h *host) string { return filepath.Join(s.hostDir(h.Name()), "disk.qcow2") }

// changeDisk: layers are images of the whole disk, each upon the one below.
func (s machines) changeDisk(ctx context.Context, h *host, keep bool) error {
	disk := s.disk(h)
	if keep {
		if err := h.keep(disk); err != nil {
			return err
		}
	}
	format := strings.TrimPrefix(filepath.Ext(h.layers[0]), ".")
	return run(ctx, "qemu-img", "create", "-q", "-f", "qcow2", "-b", h.layers[0], "-F", format, disk)
}

func (s machines) fill(*host, bool) error {
	return errors.New("the disk of a machine cannot be filled from outside\nhint: leave --machines out, and say --memory")
}

// plug lays one cable, as a rented machine has: the private network's frames are tagged, and take the same.
func (s machines) plug(ctx context.Context, h *host) error {
	near := h.cable(Public)
	return runAll(ctx, [][]string{{"ip", "tuntap", "add", "dev", near, "mode", "tap"}, {"ip", "link", "set", near, "master", publicBridge, "up"}})
}

func (s machines) cables(_ *host, sides []string) ([]string, error) {
	if slices.Equal(sides, []string{Private}) {
		return nil, errors.New("a machine has one cable, which the private network shares\nhint: leave --private out")
	}
	return []string{Public}, nil
}

func (s machines) first(qemu int, _ <-chan struct{}) (int, error) { return qemu, nil }

func (s machines) inside(ctx context.Context, h *host, argv ...string) (string, error) {
	return s.agent(h).output(ctx, argv...)
}

func (s machines) finish(context.Context, *host) error { return nil }

func (s machines) patience() time.Duration { return 10 * time.Minute }
