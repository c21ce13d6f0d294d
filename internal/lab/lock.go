package lab

import (
	"os"

	"golang.org/x/sys/unix"
)

// lockFile takes the lock of that name; closing the file gives it back, as does the end of the process. Without
// patient it returns unix.EWOULDBLOCK where somebody else has it.
func lockFile(name string, patient bool) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	how := unix.LOCK_EX
	if !patient {
		how |= unix.LOCK_NB
	}
	for {
		err = unix.Flock(int(f.Fd()), how)
		if err != unix.EINTR {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
