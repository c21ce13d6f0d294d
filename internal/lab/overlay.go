package lab

import (
	"bufio"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"runtime"
)

// Overlay is all that a spec must have otherwise in the lab: nobody but their owners has the private halves of the keys
// that it pins, and this machine has other processors than the hosts. Everything else of the lab is the world's.
type Overlay struct {
	HostKeys  map[string]string `json:"hostKeys"`  // hosts.NAME.hostKeys
	Box       string            `json:"box"`       // backup.storage.hostKey, and sources.knownHosts of every git server
	Revs      map[string]string `json:"revs"`      // sources.repositories.NAME.rev
	Admin     string            `json:"admin"`     // one more key that may log in
	Vendors   map[string]string `json:"vendors"`   // packages.vendors.NAME.fingerprint
	Downloads map[string]string `json:"downloads"` // SHA-256 by URL
	Cores     int               `json:"cores"`     // processors here: quotas that mean to limit are scaled to them
}

func (o *Overlay) add(p *Pool) {
	maps.Copy(o.Vendors, p.KeyOfVendor)
	maps.Copy(o.Downloads, p.Downloads)
}

func cores() int { return runtime.NumCPU() }

// Overlay is the running lab's.
func (l *Lab) Overlay() (*Overlay, error) {
	data, err := os.ReadFile(filepath.Join(l.dir, "overlay.json"))
	if err != nil {
		return nil, err
	}
	o := &Overlay{}
	return o, json.Unmarshal(data, o)
}

// readReceived reads what the world wrote down.
func readReceived(name string) ([]Received, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all := []Received{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r Received
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, lines.Err()
}
