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

// Vet runs the checkers over the trees, hosts side by side. An error means that the checks could not be run; what they
// found is in the report.
func (v *Vetter) Vet(ctx context.Context, trees []*artifact.Tree) (*Report, error) {
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
			perHost[i], errs[i] = v.host(ctx, t)
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

// host checks one tree in a root of its own: all classes, or the named ones and those that the others need.
func (v *Vetter) host(ctx context.Context, t *artifact.Tree, only ...string) ([]Result, error) {
	h, err := hostOf(t)
	if err != nil {
		return nil, err
	}
	var readings []reading
	for _, c := range claim(t) {
		if len(only) == 0 || c.class.first || slices.Contains(only, c.class.Name) {
			readings = append(readings, v.unread(h, t, c))
		}
	}
	checks := make([]*check, len(readings))
	for i, r := range readings {
		checks[i] = &check{ctx: ctx, vetter: v, host: h, tree: t, files: r.files,
			Result: Result{Host: t.Host, Class: r.class.Name, Files: r.of, Notes: r.notes}}
	}
	var results []Result
	if slices.ContainsFunc(readings, func(r reading) bool { return len(r.files) > 0 }) {
		standIns, err := v.run(ctx, h, t, readings, checks)
		if err != nil {
			return nil, err
		}
		results = append(results, standIns)
	}
	for i, c := range checks {
		v.accept(readings[i], c.Result)
		results = append(results, c.Result)
	}
	return results, nil
}

// run has the checkers read what is left to read, in a root that looks like the host.
func (v *Vetter) run(ctx context.Context, h *host, t *artifact.Tree, readings []reading, checks []*check) (standIns Result, err error) {
	r, err := enter(v.lower, t.Host)
	if err != nil {
		return standIns, err
	}
	defer r.leave()
	ctx, stop := context.WithCancel(ctx)
	defer stop()

	if err := r.do(func() error { return missing(h, t, readings) }); err != nil {
		return standIns, err
	}
	if standIns, err = furnish(ctx, r, h, t); err != nil {
		return standIns, err
	}
	// Users and directories first: they are made for real, read before or not, since the others need them.
	var wg sync.WaitGroup
	for i, c := range checks {
		c.ctx, c.root = ctx, r
		if class := readings[i].class; class.first {
			c.files = filesOf(t, class.Name)
			class.check(c)
			c.finish()
		}
	}
	for i, c := range checks {
		if class := readings[i].class; !class.first && len(c.files) > 0 {
			wg.Go(func() {
				class.check(c)
				c.finish()
			})
		}
	}
	wg.Wait()
	return standIns, nil
}
