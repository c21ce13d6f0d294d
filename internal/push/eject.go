package push

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ReadyToEject tells what the only host of the push is, and which of its files and doors were changed by hand.
func (p *Push) ReadyToEject(ctx context.Context) (from string, drift []string, err error) {
	if len(p.hosts) != 1 {
		return "", nil, errors.New("one host is ejected at a time")
	}
	h := p.hosts[0]
	if err := p.observe(ctx, h); err != nil {
		return "", nil, fmt.Errorf("%s: %w", h.name, err)
	}
	if h.seen.Generation == "" && !h.seen.Ejected {
		return "", nil, fmt.Errorf("%s: no generation of odoogen's stands there", h.name)
	}
	return h.seen.from(), h.plan.Drift, nil
}

// Eject makes the host's configuration plain files, and odoogen no longer part of it: what ReadyToEject has told of, not what
// somebody has pushed since. The host does it in one go, and a loss of power on the way takes it back.
func (p *Push) Eject(ctx context.Context) error {
	h := p.hosts[0]
	told := h.seen.from()
	if err := p.lease(ctx, h, nil); err != nil {
		return fmt.Errorf("%s: %w", h.name, err)
	}
	ctx, cancel := forAtMost(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	err := p.observe(ctx, h)
	if err == nil && h.seen.from() != told {
		err = errors.New("the host has changed since it was shown")
	}
	if err != nil {
		return errors.Join(fmt.Errorf("%s: %w", h.name, err), p.net.call(ctx, call{host: h.name, verb: "abandon", args: []string{p.nonce}}))
	}
	if err := p.net.call(ctx, call{host: h.name, verb: "eject", args: []string{p.nonce}, stdin: strings.NewReader("by " + p.Owner + "\n")}); err != nil {
		return fmt.Errorf("%s: %w", h.name, err)
	}
	p.Say(h.name, "ejected")
	return nil
}
