package push

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"odoogen/internal/artifact"
)

// Push is one operator's work on some hosts.
type Push struct {
	Owner          string // who pushes, for the lease and the ledger
	Review         *Review
	OverwriteDrift bool
	LookAgain      bool          // at every file of a host, though none has changed since it was looked at last
	KeepIn         string        // a directory for connections that the next command finds; empty: none are left
	Wait           time.Duration // for another push that holds a host
	RevertAfter    time.Duration // how long a host waits for its confirmation before it goes back; 0: as its actions and probes may take
	ProbeFor       time.Duration // how long a probe may fail until it counts
	Secrets        Secrets       // what the operator has of them
	Say            func(host, text string)

	returns bool // to a generation of before: secrets stay what they are
	number  int  // that generation's
	found   bool // to what the host was found as, which is generation 0
	net     *network
	hosts   []*host
	nonce   string
	ahead   *ahead

	wanted  []*artifact.Host // all of the topology
	moves   []Move
	refused []Refusal
}

// host is a host of this push.
type host struct {
	*wish
	tree *artifact.Tree
	seen *Observation
	plan *Plan
	next string // name of the generation to come

	asked *question // with the lease
}

// Start begins a push to the hosts named, all when none is. The trees are those of the whole topology: a host may be
// reached through another.
func (p *Push) Start(trees []*artifact.Tree, names []string) error {
	for _, name := range names {
		if !slices.ContainsFunc(trees, func(t *artifact.Tree) bool { return t.Host == name }) {
			var has []string
			for _, t := range trees {
				has = append(has, t.Host)
			}
			return fmt.Errorf("the spec has no host %q\nhint: it has %s", name, strings.Join(has, ", "))
		}
	}
	var all []*wish
	for _, t := range trees {
		w, err := wishOf(t)
		if err != nil {
			return err
		}
		all = append(all, w)
		p.wanted = append(p.wanted, w.facts)
		if len(names) > 0 && !slices.Contains(names, t.Host) {
			continue
		}
		p.hosts = append(p.hosts, &host{wish: w, tree: t})
	}
	var err error
	if p.net, err = p.ahead.network(all, p.KeepIn); err != nil {
		return err
	}
	nonce := make([]byte, 12)
	_, err = rand.Read(nonce)
	p.nonce = hex.EncodeToString(nonce)
	return err
}

// Close ends the connections.
func (p *Push) Close() {
	p.ahead.close()
	if p.net != nil {
		p.net.close()
	}
}

// Plan observes the hosts and says what a push would do. Where some do not answer it says that of the others, and which do
// not: enough to look at, and not to push.
func (p *Push) Plan(ctx context.Context) ([]*Plan, error) {
	err := each(p.hosts, func(h *host) error {
		h.plan = nil
		return p.observe(ctx, h)
	})
	answered := slices.DeleteFunc(slices.Clone(p.hosts), func(h *host) bool { return h.plan == nil })
	var plans []*Plan
	var before []*artifact.Host
	for _, h := range answered {
		plans = append(plans, h.plan)
		before = append(before, hostBefore(h.seen.Host))
	}
	if !p.returns { // what comes back finds its data where it was
		p.moves, p.refused = Moved(before, p.wanted, false)
	}
	for _, h := range answered {
		p.place(h)
	}
	return plans, err
}

// place gives a host's plan what of the moves is its own; what may not be pushed is every host's.
func (p *Push) place(h *host) {
	h.plan.Refused = p.refused
	for _, m := range p.moves {
		if m.Host == h.name {
			h.plan.Moves = append(h.plan.Moves, m)
		}
	}
}

// look observes a host, where it was not observed ahead.
func (p *Push) look(ctx context.Context, h *host) (*Observation, error) {
	if seen, err := p.ahead.observation(h.wish); seen != nil || err != nil {
		return seen, err
	}
	return p.net.observe(ctx, h.wish, p.LookAgain)
}

func (p *Push) observe(ctx context.Context, h *host) error {
	seen, err := p.look(ctx, h)
	if err != nil {
		return err
	}
	return p.planFor(ctx, h, seen)
}

// planFor makes a host's plan by what was seen of it.
func (p *Push) planFor(ctx context.Context, h *host, seen *Observation) (err error) {
	h.seen = seen
	if p.found {
		h.plan, err = p.planOfFound(ctx, h)
		return err
	}
	if h.plan, err = NewPlan(h.tree, h.seen, p.digests(h)); err != nil {
		return err
	}
	if p.returns { // who comes forth again needs them
		h.plan.Secrets = slices.DeleteFunc(h.plan.Secrets, func(s SecretChange) bool { return s.Kind == SecretRemoved })
	}
	h.next, h.plan.Commit = h.plan.To, p.source()
	return nil
}

// ErrChanged is of a host that is not what it was when its plan was made: somebody else has pushed meanwhile, say.
var ErrChanged = errors.New("the host has changed since the plan was made")

// Execute does what the plans say. Hosts whose plan is empty are left alone; the others are coupled: none is confirmed
// before all have passed their probes, else all go back. An error is a *Verdict.
func (p *Push) Execute(ctx context.Context) error {
	hosts := slices.DeleteFunc(slices.Clone(p.hosts), func(h *host) bool { return h.plan.Empty() })
	if len(hosts) == 0 {
		return nil
	}
	if err := p.allowed(hosts); err != nil {
		return &Verdict{Failed, err}
	}
	defer p.beat(hosts)()
	values, err := p.open(hosts)
	if err != nil {
		return &Verdict{Failed, fmt.Errorf("%w\nno host was turned", err)}
	}
	if err := p.prepare(ctx, hosts, values); err != nil {
		return &Verdict{Failed, fmt.Errorf("%w\nno host was turned", err)}
	}
	if err := p.turn(ctx, hosts); err != nil {
		return p.revert(hosts, err)
	}
	// One may have lost its power after its own probes, while another was still probed: it goes back, and so must all. Of one
	// alone its confirmation asks that.
	if len(hosts) > 1 {
		if err := p.waiting(ctx, hosts); err != nil {
			return p.revert(hosts, err)
		}
	}
	return p.confirm(ctx, hosts)
}

// allowed refuses what no push may do.
func (p *Push) allowed(hosts []*host) error {
	var all []error
	for _, r := range p.refused {
		all = append(all, fmt.Errorf("%s: %s\nhint: %s", r.Path, r.Why, r.Hint))
	}
	for _, h := range hosts {
		if len(h.plan.Missing) > 0 {
			all = append(all, fmt.Errorf("%s: secrets are missing: %s\nhint: %s", h.name, strings.Join(h.plan.Missing, ", "), p.wayTo(h.plan.Missing[0])))
		}
		if masked := h.plan.masked(); len(masked) > 0 && !p.found {
			all = append(all, fmt.Errorf("%s: masked by hand: %s\nhint: systemctl unmask, and then start, on the host, or take it out of the spec", h.name,
				strings.Join(masked, ", ")))
		}
		if len(h.plan.Covered) > 0 && !p.found {
			all = append(all, fmt.Errorf("%s: a link of odoogen's would take the place of the directory of %s\n"+
				"hint: move them below /etc, where systemd reads them as well, as to /etc/systemd/system, and systemctl reenable units", h.name, strings.Join(h.plan.Covered, ", ")))
		}
		if len(h.plan.Drift) > 0 && !p.OverwriteDrift {
			hint := "odoogen drift --adopt prints what would keep them in the spec; --overwrite-drift takes back what the spec does not have"
			if p.returns {
				hint = "--overwrite-drift takes the changes back"
			}
			all = append(all, fmt.Errorf("%s: changed by hand: %s\nhint: %s", h.name, strings.Join(h.plan.Drift, ", "), hint))
		}
	}
	return errors.Join(all...)
}

// prepare brings every host to where only the flip is missing. Where it fails on one, it is taken back on all.
func (p *Push) prepare(ctx context.Context, hosts []*host, values map[string][]byte) error {
	leased, err := p.leases(ctx, hosts)
	if err == nil {
		err = each(hosts, func(h *host) error { return p.ready(ctx, h, values) })
	}
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		return nil
	}
	ctx, cancel := forAtMost(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	return errors.Join(err, each(leased, func(h *host) error {
		return p.net.call(ctx, call{host: h.name, verb: "abandon", args: []string{p.nonce}})
	}))
}

// leases takes the hosts: one after another where it may wait, else two pushes would wait for each other.
func (p *Push) leases(ctx context.Context, hosts []*host) (leased []*host, err error) {
	var mu sync.Mutex
	take := func(h *host) error {
		if p.Wait == 0 { // else what is seen of the first may be old when the last is taken
			h.asked = h.question()
		}
		err := p.lease(ctx, h, h.asked)
		if err == nil {
			mu.Lock()
			leased = append(leased, h)
			mu.Unlock()
		}
		return err
	}
	if p.Wait == 0 {
		err := each(hosts, take)
		return leased, err
	}
	for _, h := range hosts {
		if err := take(h); err != nil {
			return leased, fmt.Errorf("%s: %w", h.name, err)
		}
	}
	return leased, nil
}

// lookAtTaken observes a host that is leased, where it has not answered with the lease.
func (p *Push) lookAtTaken(ctx context.Context, h *host) (*Observation, error) {
	if h.asked == nil {
		return p.look(ctx, h)
	}
	return h.asked.answer()
}

// ready brings a host to where only the flip is missing.
func (p *Push) ready(ctx context.Context, h *host, values map[string][]byte) error {
	shown := h.plan
	seen, err := p.lookAtTaken(ctx, h)
	if err != nil {
		return err
	}
	if err := p.planFor(ctx, h, seen); err != nil {
		return err
	}
	p.place(h)
	if !reflect.DeepEqual(shown, h.plan) {
		return ErrChanged
	}
	if p.found {
		return p.checkFound(ctx, h)
	}
	if err := p.stage(ctx, h); err != nil {
		return err
	}
	if err := p.install(ctx, h); err != nil {
		return err
	}
	if err := p.check(ctx, h); err != nil {
		return err
	}
	return p.give(ctx, h, values)
}

// beat keeps the leases until it is told to stop. A host takes one for lost that was silent for half a minute.
func (p *Push) beat(hosts []*host) (stop func()) {
	every := time.NewTicker(8 * time.Second)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			case <-every.C:
				for _, h := range hosts {
					p.net.beat(h.name, p.nonce)
				}
			}
		}
	}()
	return func() { every.Stop(); close(done) }
}

// lease takes a host, or says who has it. With a question, the host answers that too, once it is taken.
func (p *Push) lease(ctx context.Context, h *host, q *question) error {
	p.Say(h.name, "lease")
	args, ask := []string{p.nonce}, p.Owner+"\n"
	if q != nil {
		args, ask = append(args, "observe"), ask+q.ask.text()
	}
	said := ""
	for end := time.Now().Add(p.Wait); ; {
		leased, holder, frozen := false, "", []string{}
		err := p.net.call(ctx, call{host: h.name, verb: "lease", args: args, stdin: strings.NewReader(ask),
			line: func(w []string) {
				switch {
				case w[0] == "leased":
					leased = true
				case w[0] == "held" && len(w) == 2:
					holder = w[1]
				case w[0] == "frozen" && len(w) == 3:
					frozen = w
				case q != nil:
					q.line(w)
				}
			}})
		if len(frozen) > 0 {
			return fmt.Errorf("frozen since %s: %s\nhint: odoogen-host unlock, on the host", frozen[1], frozen[2])
		}
		if err != nil || leased {
			return err
		}
		if holder == "" {
			return errors.New("its answer to lease was cut short")
		}
		if !time.Now().Before(end) {
			return fmt.Errorf("held by %s\nhint: --wait 10m waits for it", holder)
		}
		if said != holder {
			said = holder
			p.Say(h.name, "waits for "+said)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Second):
		}
	}
}

func (p *Push) stage(ctx context.Context, h *host) error {
	p.Say(h.name, "stage "+h.next)
	tar, err := blobs(h.tree, h.seen)
	if err != nil {
		return err
	}
	ctx, cancel := forAtMost(ctx, 2*time.Minute)
	defer cancel()
	return p.net.call(ctx, call{host: h.name, verb: "stage", args: []string{p.nonce, h.next}, stdin: strings.NewReader(string(tar))})
}

// install brings packages and PostgreSQL clusters: what no rollback undoes.
func (p *Push) install(ctx context.Context, h *host) error {
	ctx, cancel := forAtMost(ctx, 30*time.Minute)
	defer cancel()
	if len(h.plan.Packages) > 0 {
		p.Say(h.name, fmt.Sprintf("install %d packages", len(h.plan.Packages)))
		wanted := func(name string) bool { return slices.Contains(h.plan.Packages, name) }
		var f facts
		vendors := map[string]bool{}
		for _, pkg := range h.facts.Packages {
			switch {
			case !wanted(pkg.Name):
			case pkg.Vendor == "":
				f.add("package", pkg.Name, pkg.Version)
			default:
				vendors[pkg.Vendor] = true
				f.add("late", pkg.Name, pkg.Version)
			}
		}
		for _, v := range h.facts.Vendors {
			if len(vendors) > 0 {
				f.add("vendor", v.Key, v.Fingerprint, v.Keyring)
			}
		}
		for _, d := range h.facts.Downloads {
			if wanted(d.Package) {
				f.add("download", d.Package, d.URL, d.SHA256)
			}
		}
		if err := p.net.call(ctx, call{host: h.name, verb: "packages", args: []string{p.nonce, h.next}, stdin: f.reader()}); err != nil {
			return err
		}
	}
	if len(h.plan.Clusters) > 0 {
		var f facts
		for _, c := range h.plan.Clusters {
			p.Say(h.name, fmt.Sprintf("cluster %d/%s", c.Version, c.Name))
			f.add(strconv.Itoa(c.Version), c.Name, strconv.Itoa(c.Port))
		}
		if err := p.net.call(ctx, call{host: h.name, verb: "clusters", args: []string{p.nonce}, stdin: f.reader()}); err != nil {
			return err
		}
	}
	if len(h.plan.Packages)+len(h.plan.Clusters) == 0 {
		return nil
	}
	// What packages brought may stand in the way of doors.
	seen, err := p.look(ctx, h)
	if err == nil {
		h.plan.Doors = seen.Doors
	}
	return err
}

// doors are facts of the doors that the plan makes, and of those that it closes.
func (h *host) doors() *facts {
	var f facts
	f.doors(h.facts, func(path string) bool { return slices.Contains(h.plan.Doors, path) })
	for _, path := range h.plan.Closed {
		f.add("closed", path)
	}
	return &f
}

// check has the host's own programs read what of the generation they would not read as before.
func (p *Push) check(ctx context.Context, h *host) error {
	p.Say(h.name, "check")
	f := h.doors()
	areas := map[string]bool{}
	for _, c := range h.plan.Files {
		area, rest, _ := strings.Cut(c.Path, "/")
		if area == "certbot" {
			area = "nginx"
		}
		if !areas[area] {
			areas[area] = true
			f.add("area", area)
		}
		if unit, ok := strings.CutPrefix(rest, "system/"); ok && area == "systemd" && c.Kind != 'D' && !strings.Contains(unit, "@.") {
			unit, _, _ = strings.Cut(unit, "/")
			f.add("unit", strings.TrimSuffix(unit, ".d"))
		}
	}
	for _, c := range h.facts.Clusters {
		f.add("cluster", fmt.Sprintf("%d/%s", c.Version, c.Name))
	}
	ctx, cancel := forAtMost(ctx, 2*time.Minute)
	defer cancel()
	return p.net.call(ctx, call{host: h.name, verb: "check", args: []string{p.nonce, h.next}, stdin: f.reader()})
}

// turn flips all hosts, has them act, and then probes them, from themselves and from each other, and logs in anew.
func (p *Push) turn(ctx context.Context, hosts []*host) error {
	err := each(hosts, func(h *host) error {
		f := h.doors()
		if !p.found {
			f.made(h.facts, h.seen.Made)
		}
		for _, a := range h.plan.Actions {
			f.add("do", a.Verb, a.Unit)
		}
		for _, a := range h.plan.undo {
			f.add("undo", a.Verb, a.Unit)
		}
		for _, s := range h.plan.Secrets {
			if s.Kind == SecretRemoved {
				f.add("forget", s.Name, strconv.FormatInt(h.seen.Given[s.Name].Time, 10))
			}
		}
		seconds := p.armed(h.plan)
		ctx, cancel := forAtMost(ctx, seconds)
		defer cancel()
		var err error
		if p.found {
			err = p.leave(ctx, h, f, seconds)
		} else {
			err = p.net.call(ctx, call{host: h.name, verb: "turn", args: []string{p.nonce, h.next, fmt.Sprint(int(seconds.Seconds()))},
				stdin: f.reader(), line: func(w []string) { p.Say(h.name, strings.TrimSuffix(strings.Join(w[1:], " "), " -")) }})
		}
		if errors.As(err, new(tooLong)) {
			err = fmt.Errorf("%w\nhint: it goes back by itself then; a longer --revert-after gives what it does more time", err)
		}
		return err
	})
	if err != nil {
		return err
	}
	var both sync.WaitGroup
	var locked error
	both.Go(func() { locked = p.waiting(ctx, hosts) })
	err = each(hosts, func(h *host) error {
		p.Say(h.name, "probe")
		_, skipped, err, seen := p.probe(ctx, h, p.probes(h), int(p.ProbeFor.Seconds()))
		for _, why := range skipped {
			p.Say(h.name, "not probed: "+why)
		}
		return errors.Join(err, seen)
	})
	both.Wait()
	return errors.Join(err, locked)
}

// waiting asks every host whether it waits for its confirmation, over the connection that will bring that. The first time it makes
// the connections, over routes that are not those of the push: what confirms has logged in through the new firewall, to
// the new sshd. All of them stand before the first host is confirmed.
func (p *Push) waiting(ctx context.Context, hosts []*host) error {
	ctx, cancel := forAtMost(ctx, 30*time.Second)
	defer cancel()
	return each(hosts, func(h *host) error {
		waits := false
		err := p.net.call(ctx, call{host: h.name, verb: "standing", fresh: true, line: func(w []string) { waits = waits || w[0] == "armed" }})
		if err == nil && !waits {
			err = errors.New("it has gone back by itself")
		}
		if err != nil {
			return fmt.Errorf("over a new connection: %w", err)
		}
		return nil
	})
}

// peer is another host that this push talks to.
func (p *Push) peer(h *host) *host {
	for _, other := range p.hosts {
		if other != h {
			return other
		}
	}
	return nil
}

// armed is how long a host waits for its confirmation before it goes back: as long as its actions and its probes may
// take, and a little more.
func (p *Push) armed(plan *Plan) time.Duration {
	if p.RevertAfter > 0 {
		return p.RevertAfter
	}
	return 2*time.Minute + max(p.ProbeFor, time.Minute) + time.Duration(len(plan.Actions))*5*time.Second
}

// confirm makes every host stay what it is, over the connections that were made after the flip. Who gives up once that has begun
// is not heeded: all hosts have passed, and one would stay without the other.
func (p *Push) confirm(ctx context.Context, hosts []*host) error {
	if err := ctx.Err(); err != nil {
		return p.revert(hosts, err)
	}
	ctx, cancel := forAtMost(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	var mu sync.Mutex
	confirmed := 0
	err := each(hosts, func(h *host) error {
		line := fmt.Sprintf("%s by %s", p.source(), p.Owner)
		err := p.net.call(ctx, call{host: h.name, verb: "confirm", args: []string{p.nonce, "10"}, stdin: strings.NewReader(line + "\n"),
			fresh: true, line: func(w []string) {
				if w[0] == "confirmed" {
					mu.Lock()
					confirmed++
					mu.Unlock()
				}
			}})
		if err == nil {
			p.Say(h.name, "confirmed "+h.next)
		}
		return err
	})
	switch {
	case err == nil:
		return nil
	case confirmed == 0:
		return p.revert(hosts, err)
	}
	err = p.revert(hosts, err)
	var v *Verdict
	if errors.As(err, &v) && v.Code == RolledBack {
		v.Code = Partial
	}
	return err
}

// source is where the trees come from, for the plan and the ledger.
func (p *Push) source() string {
	switch {
	case p.returns:
		return fmt.Sprintf("rollback to %d", p.number)
	case p.Review == nil:
		return "unreviewed"
	}
	return p.Review.Commit + " of " + p.Review.Author
}

// revert has every host go back that has not confirmed, and reads from the hosts what became of them. Where it turns out that
// all have confirmed, and only their answers were lost, nothing is wrong. It does not heed that the operator gave up: what is
// half done is put right first.
func (p *Push) revert(hosts []*host, why error) error {
	var mu sync.Mutex
	stay, still := 0, 0
	verdict := &Verdict{Code: RolledBack, Why: why}
	note := func(code int, format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		verdict.Code = max(verdict.Code, code)
		verdict.Why = fmt.Errorf("%w\n%s", verdict.Why, fmt.Sprintf(format, args...))
	}
	_ = each(hosts, func(h *host) error {
		ctx, cancel := forAtMost(context.Background(), p.armed(h.plan)+20*time.Second)
		defer cancel()
		p.Say(h.name, "revert")
		for {
			var current, confirmed string
			var owed []string
			unarmed := false
			answer := func(w []string) {
				switch w[0] {
				case "unarmed":
					unarmed = true
				case "current":
					current = w[1]
				case "confirmed":
					confirmed = w[1]
				case "failed":
					owed = append(owed, w[1])
				}
			}
			err := p.net.call(ctx, call{host: h.name, verb: "revert", args: []string{p.nonce}, line: answer})
			if err == nil {
				err = p.net.call(ctx, call{host: h.name, verb: "standing", line: answer})
			}
			switch {
			case err == nil && confirmed == h.next:
				note(Partial, "%s: confirmed %s", h.name, h.next)
				mu.Lock()
				stay++
				mu.Unlock()
				return nil
			case err == nil && current == h.seen.Generation:
				if unarmed {
					note(RolledBack, "%s: was not turned", h.name)
					mu.Lock()
					still++
					mu.Unlock()
				} else if owed != nil {
					note(RolledBack, "%s: is %s again, but %s", h.name, h.seen.name(), strings.Join(owed, ", "))
				} else {
					note(RolledBack, "%s: is %s again", h.name, h.seen.name())
				}
				return nil
			case err == nil:
				note(Unknown, "%s: is %s, and %s was expected", h.name, current, h.seen.name())
				return nil
			case !errors.Is(err, errUnreachable):
				note(Unknown, "%s: %v", h.name, err)
				return nil
			}
			select {
			case <-ctx.Done():
				note(Unknown, "%s: does not answer; it goes back by itself, or is back already", h.name)
				return nil
			case <-time.After(2 * time.Second):
				p.Say(h.name, "does not answer; waits until it is back")
				_ = p.net.findAgain(ctx, h.name) // the network of a moment ago may be gone
			}
		}
	})
	switch len(hosts) {
	case stay:
		return nil
	case still:
		return &Verdict{Failed, fmt.Errorf("%w\nno host was turned", why)}
	}
	return verdict
}

// name is what messages call that which a host is.
func (o *Observation) name() string {
	switch {
	case o.Ejected:
		return "ejected"
	case o.Generation == "":
		return "as it was found"
	}
	return o.Generation
}

// parallel is how many hosts are spoken to at a time.
const parallel = 16

// each does something with all hosts at a time, and joins what went wrong.
func each(hosts []*host, do func(*host) error) error {
	var all sync.WaitGroup
	errs := make([]error, len(hosts))
	slots := make(chan struct{}, parallel)
	for i, h := range hosts {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if err := do(h); err != nil {
				errs[i] = fmt.Errorf("%s: %w", h.name, err)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}
