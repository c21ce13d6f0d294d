package main

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/term"
)

// askPassphrase asks on the terminal, whatever stdin is.
func askPassphrase(ctx context.Context, file string) ([]byte, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("%s has a passphrase, and there is no terminal to ask for it", file)
	}
	defer tty.Close()
	before, err := term.GetState(int(tty.Fd()))
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(tty, "passphrase of %s: ", file)
	text, err := typed(ctx, func() ([]byte, error) { return term.ReadPassword(int(tty.Fd())) })
	if ctx.Err() != nil { // the terminal shows again what is typed
		_ = term.Restore(int(tty.Fd()), before)
	}
	fmt.Fprintln(tty)
	return text, err
}
