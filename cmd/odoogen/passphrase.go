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
	type answer struct {
		text []byte
		err  error
	}
	typed := make(chan answer, 1)
	go func() {
		text, err := term.ReadPassword(int(tty.Fd()))
		typed <- answer{text, err}
	}()
	select {
	case <-ctx.Done(): // Ctrl-C: the terminal shows again what is typed
		_ = term.Restore(int(tty.Fd()), before)
		fmt.Fprintln(tty)
		return nil, ctx.Err()
	case a := <-typed:
		fmt.Fprintln(tty)
		return a.text, a.err
	}
}
