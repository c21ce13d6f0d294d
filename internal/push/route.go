package push

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"odoogen/internal/artifact"
)

// route is one of a host's, straight or through another host.
type route struct {
	artifact.Route
	jump   bool
	socket string // of a connection that outlasts the command; empty where it does not
	kept   bool   // by an earlier command
}

// options are what ssh must know of a connection by this route.
func (r *route) options(n *network, c connection) []string {
	kind, through := "", "ProxyCommand none"
	if c.fresh {
		kind = ".fresh"
	}
	jump := "none"
	if r.jump {
		jump, through = r.Jump, "ProxyJump "+r.Jump
	}
	socket := r.socket
	if socket == "" || c.fresh {
		socket = filepath.Join(n.dir, fmt.Sprintf("%s.%d.%s.%s%s.socket", c.host, n.lost[c.host], r.Name, jump, kind))
	}
	return []string{"HostName " + r.Address, "User root", "HostKeyAlias " + c.host, "ProxyJump " + jump, through,
		"ControlPath " + socket}
}

// way is the route by which a connection was made.
type way struct {
	found chan struct{} // closed when the rest is known
	route *route
	err   error

	tell io.Writer // to the host, while the connection stands
}

// beat has a host know that the push which holds its lease is there.
func (n *network) beat(host, nonce string) {
	n.mu.Lock()
	w := n.ways[connection{host, false}]
	var tell io.Writer
	if w != nil {
		tell = w.tell
	}
	n.mu.Unlock()
	if tell != nil {
		_, _ = io.WriteString(tell, nonce+"\n")
	}
}

// routeOf is the route of a connection, or else of the host's other one; nil where none is known.
func (n *network) routeOf(c connection) *route {
	for _, c := range []connection{c, {c.host, !c.fresh}} {
		if w := n.ways[c]; w != nil && w.route != nil {
			return w.route
		}
	}
	return nil
}

// routes are those that a connection may take, in the order of preference. One that confirms takes that of the push, but
// not a first push's bootstrap: what is confirmed is a way that remains.
func (n *network) routes(c connection) []*route {
	lasting := c.fresh && !n.anyWay
	if r := n.routeOf(c); lasting && r != nil && r.Name != "bootstrap" {
		return []*route{n.by(c, r.Route, r.jump)}
	}
	var all []*route
	for _, r := range n.trees[c.host].Routes {
		if lasting && r.Name == "bootstrap" {
			continue
		}
		all = append(all, n.by(c, r, false))
		if r.Jump != "" {
			all = append(all, n.by(c, r, true))
		}
	}
	return all
}

// by is a way that a connection may be made. By a first push's bootstrap none is left: who finds it would go a way that is
// closed to all others by then.
func (n *network) by(c connection, r artifact.Route, jump bool) *route {
	way := &route{Route: r, jump: jump}
	if n.keepIn != "" && !c.fresh && r.Name != "bootstrap" {
		_, own, _ := strings.Cut(filepath.Base(n.dir), "-")
		way.socket = fmt.Sprintf("%s.%.10s.%d", n.keptName(c.host, r, jump), own, n.lost[c.host])
	}
	return way
}

// findAgain finds whatever route there is now to a host: the one before is gone with the network that it went over.
func (n *network) findAgain(ctx context.Context, host string) error {
	n.mu.Lock()
	delete(n.ways, connection{host, false})
	delete(n.ways, connection{host, true})
	n.lost[host]++ // what is left of the connections keeps its sockets
	n.mu.Unlock()
	return n.call(ctx, call{host: host, verb: "standing"})
}

// forgetLost has hosts that no route led to tried anew by the next call. What is at work still is left alone.
func (n *network) forgetLost() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for c, w := range n.ways {
		select {
		case <-w.found:
			if w.err != nil {
				delete(n.ways, c)
				n.lost[c.host]++
			}
		default:
		}
	}
}

// connect makes the connection that a call goes over, where there is none yet, by doing that call; first says so. Else
// it returns when the connection stands.
func (n *network) connect(ctx context.Context, c call) (first bool, err error) {
	to := connection{c.host, c.fresh}
	n.mu.Lock()
	w := n.ways[to]
	if w == nil {
		r := &race{network: n, call: c, to: to, way: &way{found: make(chan struct{})}, routes: n.routes(to)}
		if !c.fresh {
			if kept := n.kept(c.host); kept != nil {
				r.routes = append([]*route{kept}, r.routes...)
			}
		}
		n.ways[to] = r.way
		n.mu.Unlock()
		return true, r.run(ctx)
	}
	n.mu.Unlock()
	select {
	case <-w.found:
		return false, w.err
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

const (
	stagger  = 250 * time.Millisecond // until the next route is tried as well
	slow     = 2 * time.Second        // the same, where there is a connection, but no sshd has greeted
	patience = 8                      // seconds until a route has failed
	settling = 3 * time.Second        // for which one that fails before a greeting is tried again
)

// race does one call by several routes: the first that answers has won. Each is tried when the one before has failed, or
// its sshd has not greeted in time. The call may so be done twice: it only asks.
//
// A first failure is not the last word. An sshd that reloads closes its port, and listens again a moment later (sshd(8),
// SIGHUP). On a network that has just come back, who began to look for a host before ends in "No route to host".
type race struct {
	*network
	call
	to     connection
	way    *way
	routes []*route
	said   []byte // to stdin of each
	events chan event

	winner sync.Mutex
	others []context.CancelFunc
}

// event is what becomes of a route: ssh has begun to connect, is connected, its sshd greets, and in the end it has done the
// call, or failed.
type event struct {
	route                     int
	begun, connected, greeted bool
	err                       error
}

func (r *race) run(ctx context.Context) error {
	if r.stdin != nil {
		var err error
		if r.said, err = io.ReadAll(r.stdin); err != nil {
			return r.lost(err)
		}
	}
	// Room for all that is said, as nobody may listen any more.
	r.events = make(chan event, 5*len(r.routes)*int(1+settling/stagger))
	began := time.Now()
	tries := make([]context.Context, len(r.routes))
	begun, connected, greeted := map[int]bool{}, map[int]bool{}, map[int]bool{}
	tried := 0
	var refused []error
	why := make([]string, len(r.routes))
	try := func() {
		if tried < len(r.routes) {
			ctx, cancel := context.WithCancelCause(ctx)
			r.winner.Lock()
			r.others = append(r.others, func() { cancel(nil) })
			r.winner.Unlock()
			if r.routes[tried].kept { // ssh does not say what it does, nor does it give up before the connection does
				begun[tried], connected[tried] = true, true
				time.AfterFunc(patience*time.Second, func() { r.giveUp(cancel) })
			}
			tries[tried] = ctx
			go r.try(ctx, tried)
			tried++
		}
	}
	try()
	for failed := 0; failed < len(r.routes); {
		var late <-chan time.Time
		if len(greeted) == 0 && tried < len(r.routes) {
			late = time.After(stagger)
			if len(connected) > 0 || len(begun) < tried { // or ssh itself has not started yet
				late = time.After(slow)
			}
		}
		select {
		case <-ctx.Done():
			return r.lost(context.Cause(ctx))
		case <-late:
			try()
		case e := <-r.events:
			leads, decided := r.leads(e.route)
			switch {
			case e.begun:
				begun[e.route] = true
				continue
			case e.connected:
				connected[e.route] = true
				continue
			case e.greeted:
				greeted[e.route] = true
				continue
			case leads:
				return e.err
			case decided: // it was given up
				continue
			case !errors.Is(e.err, errUnreachable): // the host itself refuses
				return r.lost(e.err)
			case greeted[e.route]:
				if !slices.ContainsFunc(refused, func(r error) bool { return r.Error() == e.err.Error() }) {
					refused = append(refused, e.err)
				}
				delete(greeted, e.route)
				failed++
			case r.routes[e.route].kept || time.Since(began) >= settling:
				failed++
			default:
				time.AfterFunc(stagger, func() {
					if tries[e.route].Err() == nil { // no other has won
						r.try(tries[e.route], e.route)
					}
				})
			}
			why[e.route] = r.routes[e.route].reason(e.err)
			delete(connected, e.route)
			begun[e.route] = true
			try()
		}
	}
	if refused != nil {
		return r.lost(errors.Join(refused...))
	}
	var all []string
	for i, route := range r.routes {
		if !route.kept {
			all = append(all, route.String()+" ("+why[i]+")")
		}
	}
	return r.lost(fmt.Errorf("%w: no ssh answers at %s", errUnreachable, strings.Join(all, ", ")))
}

func (r *route) String() string {
	if r.jump {
		return fmt.Sprintf("%s %s through %s", r.Name, r.Address, r.Jump)
	}
	return r.Name + " " + r.Address
}

// reason is why it failed, in a line, without what tells only where.
func (r *route) reason(err error) string {
	said := strings.TrimPrefix(err.Error(), errUnreachable.Error()+": ")
	said = strings.TrimPrefix(said, "ssh: connect to host "+r.Address+" port 22: ")
	return strings.Join(strings.FieldsFunc(said, func(c rune) bool { return c == '\r' || c == '\n' }), "; ")
}

// lost is a race that nobody wins.
func (r *race) lost(err error) error {
	r.winner.Lock()
	defer r.winner.Unlock()
	if r.way.route == nil && r.way.err == nil {
		r.way.err = err
		close(r.way.found)
	}
	for _, cancel := range r.others {
		cancel()
	}
	return err
}

// won tells whether a route has answered first. The others are given up.
func (r *race) won(i int) bool {
	r.winner.Lock()
	defer r.winner.Unlock()
	if r.way.route == nil && r.way.err == nil {
		r.network.mu.Lock()
		r.way.route = r.routes[i]
		r.way.err = r.write()
		r.network.mu.Unlock()
		close(r.way.found)
		for other, cancel := range r.others {
			if other != i {
				cancel()
				if r.routes[other].kept { // over a network that is no more: nobody is to wait for it again
					_ = os.Remove(r.routes[other].socket)
				}
			}
		}
	}
	return r.way.route == r.routes[i]
}

// giveUp ends a try, unless some route has won.
func (r *race) giveUp(cancel context.CancelCauseFunc) {
	r.winner.Lock() // else it might win between question and answer
	defer r.winner.Unlock()
	if r.way.route == nil {
		cancel(errUnreachable)
	}
}

// leads tells whether a route has won, and whether any has.
func (r *race) leads(i int) (leads, decided bool) {
	r.winner.Lock()
	defer r.winner.Unlock()
	return r.way.route == r.routes[i], r.way.route != nil
}

// try does the call by one route. The ssh that does it stays, as the connection for all calls to come.
func (r *race) try(ctx context.Context, i int) {
	err := r.attempt(ctx, i)
	r.events <- event{route: i, err: err}
}

func (r *race) attempt(ctx context.Context, i int) error {
	way := r.routes[i]
	if way.jump && !way.kept {
		r.events <- event{route: i, begun: true} // by another ssh
		if r.trees[way.Jump] == nil {
			return fmt.Errorf("%w: the spec has no host %q", errUnreachable, way.Jump)
		}
		// Others may wait for that connection, so it does not end with this try.
		if _, err := r.connect(r.life, call{host: way.Jump, verb: "standing", fresh: r.fresh}); err != nil {
			return err
		}
	}
	remote, err := r.remote("keep-open")
	if err != nil {
		return err
	}
	master, persist := "yes", "no"
	switch {
	case way.kept:
		master = "no"
	case way.socket != "":
		persist = keepFor
	}
	argv := []string{"ssh", "-F", r.config(r.fresh), "-o", "LogLevel DEBUG1", "-o", fmt.Sprintf("ConnectTimeout %d", patience),
		"-o", "ControlMaster " + master, "-o", "ControlPersist " + persist}
	r.network.mu.Lock()
	options := way.options(r.network, r.to)
	r.network.mu.Unlock()
	for _, option := range options {
		argv = append(argv, "-o", option)
	}
	in, out, err := os.Pipe()
	if err != nil {
		return err
	}
	ready, ended := make(chan struct{}), make(chan error, 1)
	p := program{argv: append(argv, r.host, remote), stdin: in,
		line: func(line string) {
			switch {
			case !r.won(i):
			case line == "ready":
				close(ready)
			default:
				r.say(line)
			}
		},
		log: func(line string) {
			switch {
			case strings.HasPrefix(line, "Connecting to "):
				r.events <- event{route: i, begun: true}
			case line == "Connection established.":
				r.events <- event{route: i, connected: true}
			case strings.HasPrefix(line, "Remote protocol version"):
				r.events <- event{route: i, greeted: true}
			}
		},
	}
	life, cancel := context.WithCancel(r.life)
	stop := context.AfterFunc(ctx, cancel)
	r.open.Go(func() {
		defer cancel()
		defer in.Close()
		defer out.Close()
		ended <- told(p.run(life), false)
	})
	go func() {
		_, _ = out.Write(r.said)
	}()
	select {
	case <-ready:
		stop()
		r.mu.Lock()
		r.way.tell = out
		r.mu.Unlock()
		return nil
	case err := <-ended:
		if err == nil || errors.Is(context.Cause(ctx), errUnreachable) {
			err = fmt.Errorf("%w: the connection was lost", errUnreachable)
		}
		return err
	}
}
