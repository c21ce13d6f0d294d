// Command odoogen compiles a CUE topology of Odoo test environments into the exact files of every host, and makes
// the hosts be that.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"odoogen/internal/push"
	"odoogen/internal/topology"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// Exit codes: what a script may rely on.
const (
	exitOK        = 0
	exitWrong     = 1 // the spec, the command line or the machine is at fault
	exitDifferent = 2 // differences were found
)

// errDifferent ends a command that found differences and has printed them.
var errDifferent = errors.New("differences found")

// run is the whole program: arguments in, exit code out.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // who asks twice does not want to wait: the next signal ends the program
	cmd := newRoot()
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err := cmd.ExecuteContext(ctx)
	var problems topology.Problems
	var verdict *push.Verdict
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errDifferent):
		return exitDifferent
	case errors.As(err, &problems):
		fmt.Fprintln(stderr, err) // each begins with its place, where an editor finds it
	case errors.As(err, &verdict):
		fmt.Fprintln(stderr, "odoogen:", err)
		return verdict.Code
	default:
		fmt.Fprintln(stderr, "odoogen:", err)
	}
	return exitWrong
}
