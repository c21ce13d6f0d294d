package push

import (
	"archive/tar"
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"odoogen/internal/artifact"
)

// Event is a line of a host's ledger.
type Event struct {
	Host       string `json:"host"`
	Time       string `json:"time"` // UTC, RFC 3339
	Generation string `json:"generation"`
	Verdict    string `json:"verdict"` // confirmed, reverted, reverted at boot, rolled back on the host, ejected, frozen, unlocked or purged
	Text       string `json:"text"`    // the commit, or the generation that came back, and who pushed it
}

// History reads the hosts' ledgers, oldest first. Where some do not answer it has those of the others.
func (p *Push) History(ctx context.Context) ([]Event, error) {
	var mu sync.Mutex
	byHost := map[string][]Event{}
	err := each(p.hosts, func(h *host) error {
		ctx, cancel := forAtMost(ctx, time.Minute)
		defer cancel()
		var ledger []Event
		err := p.net.call(ctx, call{host: h.name, verb: "ledger", line: func(w []string) {
			if len(w) == 4 {
				ledger = append(ledger, Event{h.name, w[0], w[1], w[2], w[3]})
			}
		}})
		if err == nil { // else it may be cut short
			mu.Lock()
			defer mu.Unlock()
			byHost[h.name] = ledger
		}
		return err
	})
	var all []Event
	for _, h := range p.hosts {
		all = append(all, byHost[h.name]...)
	}
	return all, err
}

// Return makes the push one to a generation that the only host of it still has: of that number, or for 0 the last one
// before the current that has other files. Its tree takes the place of the spec's. Secrets that the host has stay.
func (p *Push) Return(ctx context.Context, number int) error {
	if len(p.hosts) != 1 {
		return errors.New("a rollback is of one host")
	}
	h := p.hosts[0]
	seen, err := p.look(ctx, h)
	if err != nil {
		return fmt.Errorf("%s: %w", h.name, err)
	}
	name, err := seen.stored(number)
	if err != nil {
		return fmt.Errorf("%s: %w", h.name, err)
	}
	tree, err := p.net.export(ctx, h.name, name)
	if err != nil {
		return fmt.Errorf("%s: generation %s: %w", h.name, name, err)
	}
	p.returns, p.number = true, numberOf(name)
	h.tree = tree
	if h.wish, err = wishOf(tree); err != nil {
		return err
	}
	p.net.trees[h.name] = h.facts
	return nil
}

// stored finds a generation by its number; 0 is the last one before the current that has other files, for a secret that
// changed makes a generation too, and none that the host was taken back from by hand.
func (o *Observation) stored(number int) (string, error) {
	current, found, best := numberOf(o.Generation), "", 0
	for _, name := range o.Stored {
		n := numberOf(name)
		before := n < current && n > best && digestOf(name) != digestOf(o.Generation) && !slices.Contains(o.TakenBack, name)
		if number == n || number == 0 && before {
			found, best = name, n
		}
	}
	has := cmp.Or(strings.Join(o.Stored, ", "), "none")
	switch {
	case found != "":
		return found, nil
	case number > 0:
		return "", fmt.Errorf("it has no generation %d\nhint: it has %s", number, has)
	}
	return "", fmt.Errorf("it is %s, and no generation with other files is before that\nhint: it has %s", o.name(), has)
}

func digestOf(generation string) string {
	_, digest, _ := strings.Cut(generation, "-")
	return digest
}

func numberOf(generation string) int {
	text, _, _ := strings.Cut(generation, "-")
	n, _ := strconv.Atoi(text)
	return n
}

// export reads a generation from a host, and holds it against its MANIFEST.
func (n *network) export(ctx context.Context, host, generation string) (*artifact.Tree, error) {
	ctx, cancel := forAtMost(ctx, time.Minute)
	defer cancel()
	var coded string
	err := n.call(ctx, call{host: host, verb: "export", args: []string{generation}, line: func(w []string) { coded = w[0] }})
	if err != nil {
		return nil, err
	}
	data := map[string][]byte{}
	files := tar.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(coded)))
	for {
		header, err := files.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if data[strings.TrimPrefix(header.Name, "./")], err = io.ReadAll(files); err != nil {
			return nil, err
		}
	}
	return treeOf(host, data)
}
