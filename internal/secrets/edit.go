package secrets

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// Edit has an editor change a value, and returns what became of it. The value is in a file of a directory that only the
// user can read, in memory where there is such a place, and the directory goes whatever happens.
func Edit(editor, name string, value []byte) ([]byte, error) {
	// Ctrl-C is the editor's, however often. What would end this process ends the editing, so that the directory goes.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)
	dir, err := os.MkdirTemp(privatePlace(), "odoogen-secret-") // 0700
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, value, 0o600); err != nil {
		return nil, err
	}
	// As git and others do it: EDITOR is a command of the user's own shell, "code --wait".
	cmd := exec.CommandContext(ctx, "sh", "-c", editor+` "$1"`, editor, file)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 3 * time.Second
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w", editor, errors.Join(ctx.Err(), err))
	}
	return os.ReadFile(file)
}

// privatePlace is a directory in memory; where there is none, the usual one for temporary files.
func privatePlace() string {
	for _, dir := range []string{os.Getenv("XDG_RUNTIME_DIR"), "/dev/shm"} {
		if info, err := os.Stat(dir); dir != "" && err == nil && info.IsDir() {
			return dir
		}
	}
	return ""
}

// Editor is the user's: VISUAL, EDITOR, or vi.
func Editor() string {
	for _, name := range []string{"VISUAL", "EDITOR"} {
		if editor := os.Getenv(name); editor != "" {
			return editor
		}
	}
	return "vi"
}
