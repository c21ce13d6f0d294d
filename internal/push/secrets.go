package push

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"odoogen/internal/artifact"
)

// Secrets are what the operator has of the values that units read: encrypted, wherever he keeps them.
type Secrets struct {
	Digests map[string]string                 // by name: the SHA-256 of what is encrypted, in hexadecimal
	Open    func(name string) ([]byte, error) // decrypts one
}

// SecretChange is what becomes of a secret on a host.
type SecretChange struct {
	Name string `json:"name"`
	Kind string `json:"kind"` // new, changed or removed
}

func (s SecretChange) String() string { return s.Name + " (" + s.Kind + ")" }

// What a secret's change can be.
const (
	SecretNew     = "new"
	SecretChanged = "changed"
	SecretRemoved = "removed" // when the host is confirmed: what goes back still needs it
)

// SecretFile is the file of a secret on a host.
type SecretFile struct {
	Mode string    // "600"
	Time time.Time // of its last modification; what a push gives has a whole second, what a hand writes has not
}

// Given is what a host has noted of a secret that a push brought: a line of RECORD. It says what encrypted file the value
// is of, and never the value's own digest.
type Given struct {
	Name   string
	Digest string // of the encrypted file
	Time   int64  // that the value's file was given
}

func (g Given) line() string { return fmt.Sprintf("%s\t%s\t%d\n", g.Name, g.Digest, g.Time) }

// secretName is what a secret's name may be: it is a file's name on a host.
var secretName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

func parseGiven(words []string) (Given, error) {
	if len(words) != 3 || len(words[0]) > 63 || !secretName.MatchString(words[0]) {
		return Given{}, errors.New("no line of RECORD")
	}
	seconds, err := strconv.ParseInt(words[2], 10, 64)
	return Given{Name: words[0], Digest: words[1], Time: seconds}, err
}

// secretsFound are the files of secrets among those that a host has found; an empty one is none.
func secretsFound(host *artifact.Host, found map[string][]string) map[string]SecretFile {
	all := map[string]SecretFile{}
	for _, s := range host.Secrets {
		f := found[path.Join(secretsDir, s.Name)]
		if len(f) == 5 && f[3] != "0" {
			whole, fraction, _ := strings.Cut(f[4], ".")
			seconds, _ := strconv.ParseInt(whole, 10, 64)
			nanoseconds, _ := strconv.ParseInt(fmt.Sprintf("%.9s", fraction+"000000000"), 10, 64)
			all[s.Name] = SecretFile{Mode: f[1], Time: time.Unix(seconds, nanoseconds)}
		}
	}
	return all
}

// secretsDir is where a host has them.
const secretsDir = "/var/lib/odoogen/secrets"

// compareSecrets notes what becomes of secrets. Where the operator has none of a name, the file on the host suffices,
// whoever put it there; else what the operator has counts.
func (p *Plan) compareSecrets(host *artifact.Host, seen *Observation, digests map[string]string) {
	wanted := map[string]bool{}
	for _, s := range host.Secrets {
		wanted[s.Name] = true
		file, there := seen.Secrets[s.Name]
		given, known := seen.Given[s.Name]
		switch digest := digests[s.Name]; {
		case digest == "" && !there:
			p.Missing = append(p.Missing, s.Name)
		case digest == "":
		case !there:
			p.Secrets = append(p.Secrets, SecretChange{s.Name, SecretNew})
		case known && (file.Mode != "600" || !file.Time.Equal(time.Unix(given.Time, 0))):
			p.Drift = append(slices.Clone(p.Drift), "secrets/"+s.Name)
			p.Secrets = append(p.Secrets, SecretChange{s.Name, SecretChanged})
		case given.Digest != digest:
			p.Secrets = append(p.Secrets, SecretChange{s.Name, SecretChanged})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(seen.Given)) {
		if !wanted[name] {
			p.Secrets = append(p.Secrets, SecretChange{name, SecretRemoved})
		}
	}
}

// restartConsumers notes the units of a host that must read secrets again. What a timer starts reads them whenever it
// starts: one that runs now is not disturbed.
func (p *Plan) restartConsumers(host *artifact.Host, seen *Observation, owed map[Action]bool) {
	other := map[string]bool{}
	for _, c := range p.Secrets {
		other[c.Name] = c.Kind != SecretRemoved && !seen.Same[c.Name]
	}
	for _, s := range host.Secrets {
		if !other[s.Name] {
			continue
		}
		for _, unit := range s.Consumers {
			if !slices.Contains(host.Units, strings.TrimSuffix(unit, ".service")+".timer") {
				owed[Action{"restart", unit}] = true
			}
		}
	}
}

// digests are those of what may be given to a host. Who goes back to what a host was gives only what it lacks.
func (p *Push) digests(h *host) map[string]string {
	if !p.returns {
		return p.Secrets.Digests
	}
	lacking := maps.Clone(p.Secrets.Digests)
	maps.DeleteFunc(lacking, func(name, _ string) bool { _, there := h.seen.Secrets[name]; return there })
	return lacking
}

// wayTo is how a secret that nobody has comes to be. What a generation of before reads, the spec may name no more: its value is
// then where it went, in the repository's past.
func (p *Push) wayTo(name string) string {
	reads := func(h *artifact.Host) bool {
		return slices.ContainsFunc(h.Secrets, func(s artifact.Secret) bool { return s.Name == name })
	}
	if slices.ContainsFunc(p.wanted, reads) {
		return "odoogen secrets edit " + name
	}
	return fmt.Sprintf("the spec names it no more: git checkout COMMIT -- secrets/%s.age, from before it left", name)
}

// open decrypts what the plans of the hosts give, each once, before anything is done.
func (p *Push) open(hosts []*host) (map[string][]byte, error) {
	values := map[string][]byte{}
	for _, h := range hosts {
		for _, s := range h.plan.Secrets {
			if _, has := values[s.Name]; has || s.Kind == SecretRemoved {
				continue
			}
			value, err := p.Secrets.Open(s.Name)
			if err != nil {
				return nil, err
			}
			values[s.Name] = value
		}
	}
	return values, nil
}

// give brings a host the values that its plan says, for the turn to put in place. What turns out to be the value that it
// has already, encrypted anew, restarts nothing.
func (p *Push) give(ctx context.Context, h *host, values map[string][]byte) error {
	if len(h.plan.Secrets) == 0 {
		return nil
	}
	p.Say(h.name, "secrets")
	now := time.Now()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	var err error
	put := func(name string, data []byte) {
		if err == nil {
			err = w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(data)), ModTime: time.Unix(now.Unix(), 0)})
		}
		if err == nil {
			_, err = w.Write(data)
		}
	}
	record := maps.Clone(h.seen.Given)
	for _, s := range h.plan.Secrets {
		if s.Kind == SecretRemoved {
			delete(record, s.Name)
			continue
		}
		record[s.Name] = Given{Name: s.Name, Digest: p.Secrets.Digests[s.Name], Time: now.Unix()}
		put(s.Name, values[s.Name])
	}
	var lines strings.Builder
	for _, name := range slices.Sorted(maps.Keys(record)) {
		lines.WriteString(record[name].line())
	}
	put("RECORD", []byte(lines.String()))
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return err
	}
	ctx, cancel := forAtMost(ctx, time.Minute)
	defer cancel()
	h.seen.Same = map[string]bool{}
	err = p.net.call(ctx, call{host: h.name, verb: "give", args: []string{p.nonce}, stdin: &out, line: func(w []string) {
		if w[0] == "same" && len(w) == 2 {
			h.seen.Same[w[1]] = true
		}
	}})
	if err != nil || len(h.seen.Same) == 0 {
		return err
	}
	spared, err := NewPlan(h.tree, h.seen, p.digests(h))
	if err == nil {
		h.plan.Actions, h.plan.undo = spared.Actions, spared.undo
	}
	return err
}
