// Package native has every file of a tree read by the program that will read it on the host: nginx, sshd, systemd,
// PostgreSQL and the others, run for real in a throw-away root that looks like the host. The promise: what they
// accept here, the host accepts. Warnings count, since several of these programs exit 0 on what they then ignore.
// Nothing on the machine changes, and every file is claimed by exactly one checker, or refused.
package native

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"

	"odoogen/internal/artifact"
)

// Vet runs the checkers over the trees, hosts side by side. It works over a copy-on-write view of lower: "/" for this
// machine, or the directory of another Debian system. An error means that the checks could not be run; what they
// found is in the report.
func Vet(ctx context.Context, trees []*artifact.Tree, lower string) (*Report, error) {
	if err := privileged(os.Geteuid()); err != nil {
		return nil, err
	}
	perHost := make([][]Result, len(trees))
	errs := make([]error, len(trees))
	var wg sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, t := range trees {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			perHost[i], errs[i] = vetHost(ctx, t, lower)
		})
	}
	wg.Wait()
	report := &Report{}
	for i := range trees {
		if errs[i] != nil {
			return nil, fmt.Errorf("%s: %w", trees[i].Host, errs[i])
		}
		report.Results = append(report.Results, perHost[i]...)
	}
	return report, ctx.Err()
}

// privileged refuses a user who may make no mounts. Nothing is checked then, rather than a part in silence.
func privileged(uid int) error {
	if uid != 0 {
		return errors.New("the native checkers need root, for a throw-away root file system of their own: sudo odoogen vet --native")
	}
	return nil
}

// vetHost checks one tree in a root of its own: all classes, or the named ones and those that the others need.
func vetHost(ctx context.Context, t *artifact.Tree, lower string, only ...string) ([]Result, error) {
	h, err := hostOf(t)
	if err != nil {
		return nil, err
	}
	r, err := enter(lower, t.Host)
	if err != nil {
		return nil, err
	}
	defer r.leave()
	ctx, stop := context.WithCancel(ctx)
	defer stop()

	claims := slices.DeleteFunc(claim(t), func(c claimed) bool {
		return len(only) > 0 && !c.class.first && !slices.Contains(only, c.class.Name)
	})
	if err := r.do(func() error { return missing(h, t, claims) }); err != nil {
		return nil, err
	}
	standIns, err := furnish(ctx, r, h, t)
	if err != nil {
		return nil, err
	}
	results := []Result{standIns}
	checks := make([]*check, len(claims))
	for i, c := range claims {
		checks[i] = &check{ctx: ctx, root: r, host: h, tree: t, files: c.files,
			Result: Result{Host: t.Host, Class: c.class.Name, Files: len(c.files)}}
	}
	// Users and directories first: they are made for real, and the others need them.
	for i, c := range claims {
		if c.class.first {
			c.class.check(checks[i])
			checks[i].finish()
		}
	}
	var wg sync.WaitGroup
	for i, c := range claims {
		if !c.class.first {
			wg.Go(func() {
				c.class.check(checks[i])
				checks[i].finish()
			})
		}
	}
	wg.Wait()
	for _, c := range checks {
		results = append(results, c.Result)
	}
	return results, nil
}
