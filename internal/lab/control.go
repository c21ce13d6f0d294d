package lab

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"path/filepath"
)

// request is what a client asks of the supervisor, over the unix socket in the lab's directory: one line of JSON.
type request struct {
	Op    string            `json:"op"` // status, names, boot, power-off, power-on, cut, heal, fill, drain, save, restore
	Host  string            `json:"host,omitempty"`
	Sides []string          `json:"sides,omitempty"` // of cut and heal
	Names map[string]string `json:"names,omitempty"` // that DNS answers from now on
}

// answer is one line back: talk while work goes on, and at last how it ended.
type answer struct {
	Say    string  `json:"say,omitempty"`
	Done   bool    `json:"done,omitempty"`
	Error  string  `json:"error,omitempty"`
	Status *Status `json:"status,omitempty"`
}

// Status is a lab as it is now.
type Status struct {
	ID        string       `json:"id"`
	Spec      string       `json:"spec"`
	Dir       string       `json:"dir"`
	Running   bool         `json:"running"`
	Hosts     []HostStatus `json:"hosts"`
	Positions []Position   `json:"positions"`
	World     string       `json:"world"` // address of the outside world
	Received  int          `json:"received"`
}

// HostStatus is a host of the lab as it is now.
type HostStatus struct {
	Name    string   `json:"name"`
	State   string   `json:"state"` // off, booting, running, failed
	Debian  int      `json:"debian"`
	Public  string   `json:"public"`
	Private string   `json:"private"`
	Boots   int      `json:"boots"`
	Cut     []string `json:"cut"`               // sides whose cable is unplugged
	Init    int      `json:"init"`              // its first process, as the supervisor numbers it; 0 when off
	Machine bool     `json:"machine,omitempty"` // it is a virtual machine
}

// Position is where an operator's program may run.
type Position struct {
	Name    string `json:"name"`
	Public  string `json:"public"`
	Private string `json:"private,omitempty"`
}

// ask sends a request and follows it to its end.
func ask(ctx context.Context, dir string, r request, say func(string)) (*Status, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", filepath.Join(dir, "control"))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err := json.NewEncoder(conn).Encode(r); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(conn)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var a answer
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			return nil, err
		}
		if a.Say != "" {
			say(a.Say)
		}
		if a.Done {
			if a.Error != "" {
				return nil, errors.New(a.Error)
			}
			return a.Status, nil
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return nil, fmt.Errorf("the lab ended before it answered\nhint: see %s/log", dir)
}

// serveControl answers clients until the listener is closed.
func (s *supervisor) serveControl(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			var r request
			if err := json.NewDecoder(conn).Decode(&r); err != nil {
				return
			}
			out := json.NewEncoder(conn)
			say := func(line string) { _ = out.Encode(answer{Say: line}) }
			a := answer{Done: true}
			if err := s.do(r, say); err != nil {
				a.Error = err.Error()
			}
			a.Status = s.status()
			_ = out.Encode(a)
		}()
	}
}
