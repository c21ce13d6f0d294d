package push

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"odoogen/internal/artifact"
)

// from names what a host is: its generation, "0" for one that was taken back to what it was found as, "ejected", and ""
// for one that had no push yet.
func (o *Observation) from() string {
	switch {
	case o.Ejected:
		return "ejected"
	case o.AsFound:
		return "0"
	}
	return o.Generation
}

// ReturnToFound makes the push one that turns its only host to generation 0, what it was found as: doors go, what was in
// their way comes back, and what a push started stops. Packages, clusters, users and data stay.
func (p *Push) ReturnToFound() error {
	if len(p.hosts) != 1 {
		return errors.New("a rollback is of one host")
	}
	p.found, p.returns, p.net.anyWay = true, true, true
	return nil
}

// planOfFound asks the host also what it was found as. Where nothing of odoogen's stands, nothing is to be done.
func (p *Push) planOfFound(ctx context.Context, h *host) (*Plan, error) {
	if h.seen.Generation == "" && !h.seen.Ejected && !h.seen.Unconfirmed {
		return &Plan{Host: h.name, From: h.seen.from(), To: "0", Frozen: h.seen.Frozen}, nil
	}
	if h.seen.Generation == "" {
		return nil, errors.New("no generation of odoogen's stands there")
	}
	h.next = "0"
	ctx, cancel := forAtMost(ctx, time.Minute)
	defer cancel()
	err := p.net.call(ctx, call{host: h.name, verb: "zero", line: func(w []string) {
		switch {
		case len(w) != 2:
		case w[0] == "aside":
			h.seen.Aside = append(h.seen.Aside, w[1])
		case w[0] == "goes":
			h.seen.Going = append(h.seen.Going, w[1])
		}
	}})
	if err != nil {
		return nil, err
	}
	return NewPlanOfFound(h.tree, h.seen)
}

// NewPlanOfFound is the plan of a return to generation 0: no file of the host's generation is left in anybody's way. Units that ran before
// the first push run on, and read again what the generation changed for them.
func NewPlanOfFound(tree *artifact.Tree, seen *Observation) (*Plan, error) {
	before, err := artifact.ParseManifest(seen.Manifest)
	if err != nil {
		return nil, fmt.Errorf("%s: the host's own %w", tree.Host, err)
	}
	was := hostBefore(seen.Host)
	plan := &Plan{Host: tree.Host, From: seen.from(), Ran: seen.Commit, To: "0", Drift: seen.Drift, Closed: seen.Going, Back: seen.Aside, Unconfirmed: seen.Unconfirmed, Frozen: seen.Frozen}
	plan.Hands = plan.besideDoors(seen.Hands)
	var stay []string
	for _, unit := range was.Units {
		if slices.Contains(seen.Was, unit) {
			stay = append(stay, unit)
		}
	}
	plan.stay = stay
	owed, undo := map[Action]bool{}, map[Action]bool{}
	plan.Files = turning{before, nil, was.Units, stay}.gather(owed, nil)
	turning{nil, before, stay, was.Units}.gather(undo, nil)
	for a := range owed {
		// What a generation's own units would do is not done: only what was there before reads its files anew.
		if a.Verb != "stop" && a.Unit != "" && !slices.Contains(seen.Was, a.Unit) {
			delete(owed, a)
		}
	}
	owed[Action{"stop", target}], owed[Action{"daemon-reload", ""}] = true, true
	undo[Action{"start", target}], undo[Action{"daemon-reload", ""}] = true, true
	plan.Actions, plan.undo = inOrder(owed), inOrder(undo)
	plan.Units = plan.units(was, &artifact.Host{Units: stay})
	if len(was.Instances) > 0 {
		out := Felt{Cause: "odoogen leaves", Means: "stopped, and answers no more"}
		for _, i := range was.Instances {
			out.By = append(out.By, i.Name)
		}
		plan.Felt = []Felt{out}
	}
	return plan, nil
}

// checkFound has the host's own programs read what they will read without the generation.
func (p *Push) checkFound(ctx context.Context, h *host) error {
	p.Say(h.name, "check")
	var f facts
	f.add("area", "ssh")
	if slices.Contains(h.plan.stay, "nginx.service") {
		f.add("area", "nginx")
	}
	ctx, cancel := forAtMost(ctx, 2*time.Minute)
	defer cancel()
	return p.net.call(ctx, call{host: h.name, verb: "check", args: []string{p.nonce, "0"}, stdin: f.reader()})
}

// leave turns the host to what it was found as. The route of this push may go with the generation, so the host does it
// by itself, and is asked over whatever route there is how far it came.
func (p *Push) leave(ctx context.Context, h *host, f *facts, within time.Duration) error {
	err := p.net.call(ctx, call{host: h.name, verb: "leave", args: []string{p.nonce, strconv.Itoa(int(within.Seconds()))}, stdin: f.reader()})
	if err != nil {
		return err
	}
	told := 0
	for {
		var said []string
		ended := ""
		asking, cancel := forAtMost(ctx, 5*time.Second)
		err := p.net.call(asking, call{host: h.name, verb: "left", line: func(w []string) {
			if w[0] == "ended" {
				ended = w[1]
			} else {
				said = append(said, strings.Join(w, " "))
			}
		}})
		cancel()
		if err == nil {
			for ; told < len(said); told++ {
				step := strings.TrimPrefix(strings.TrimPrefix(said[told], "phase "), "acting ")
				if step != said[told] {
					p.Say(h.name, strings.TrimSuffix(step, " -"))
				}
			}
		}
		switch {
		case err == nil && ended == "0":
			return nil
		case err == nil && ended != "":
			return errors.New(strings.Join(steps(said), "\n"))
		case err != nil:
			_ = p.net.findAgain(ctx, h.name)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// steps are the lines that are no steps: why it ended.
func steps(said []string) []string {
	return slices.DeleteFunc(slices.Clone(said), func(line string) bool {
		return strings.HasPrefix(line, "phase ") || strings.HasPrefix(line, "acting ")
	})
}
