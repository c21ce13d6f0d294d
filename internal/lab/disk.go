package lab

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Fill makes the host's disk full: not a byte more fits, whoever writes it. Only a disk in memory can be filled.
func (l *Lab) Fill(ctx context.Context, host string) error {
	_, err := l.ask(ctx, request{Op: "fill", Host: host})
	return err
}

// Drain gives the disk its room back.
func (l *Lab) Drain(ctx context.Context, host string) error {
	_, err := l.ask(ctx, request{Op: "drain", Host: host})
	return err
}

// fill limits the file system that holds what the host writes to what it holds now, or lifts the limit: tmpfs(5), size.
func (s *supervisor) fill(h *host, full bool) error {
	if s.Machines {
		return errors.New("the disk of a machine cannot be filled from outside\nhint: leave --machines out, and say --memory")
	}
	if !s.Memory {
		return errors.New("only a disk in memory can be filled\nhint: odoogen lab up --memory")
	}
	dir, size := s.hostDir(h.Name()), "50%"
	if full {
		var st unix.Statfs_t
		if err := unix.Statfs(dir, &st); err != nil {
			return err
		}
		size = fmt.Sprint((st.Blocks - st.Bfree) * uint64(st.Bsize))
	}
	return unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT, "mode=0755,size="+size)
}
