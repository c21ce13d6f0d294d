package secrets

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Wanted is a secret that the spec names.
type Wanted struct {
	Name string
	Path string // where the spec names it
}

// State is what became of one secret in the store.
type State struct {
	Name    string `json:"name"`
	Path    string `json:"path,omitempty"` // where the spec names it; empty for one that is left over
	Opened  bool   `json:"opened"`         // a key has opened it
	Wrong   string `json:"wrong,omitempty"`
	Differs string `json:"differs,omitempty"` // what is no fault, and should be put right
}

// Check holds the store against what the spec wants of it. With keys, it opens every secret; without, it says what the
// headers show.
func (s Store) Check(wanted []Wanted, to []Recipient, keys *Keys) ([]State, error) {
	names, err := s.Names()
	if err != nil {
		return nil, err
	}
	var all []State
	for _, w := range wanted {
		state := State{Name: w.Name, Path: w.Path}
		if slices.Contains(names, w.Name) {
			s.inspect(&state, to, keys)
		} else {
			state.Wrong = "missing"
		}
		if _, err := os.Stat(filepath.Join(s.Dir, w.Name)); err == nil {
			state.Wrong = strings.Join(nonEmpty(state.Wrong, filepath.Join(s.Dir, w.Name)+" is in clear"), ", and ")
		}
		all = append(all, state)
	}
	for _, name := range names {
		if !slices.ContainsFunc(wanted, func(w Wanted) bool { return w.Name == name }) {
			state := State{Name: name}
			s.inspect(&state, to, keys)
			state.Differs = strings.Join(nonEmpty("left over: the spec names no such secret", state.Differs), ", and ")
			all = append(all, state)
		}
	}
	slices.SortFunc(all, func(a, b State) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

func (s Store) inspect(state *State, to []Recipient, keys *Keys) {
	h, err := s.sealedTo(state.Name)
	if err != nil {
		state.Wrong = "not a file that age encrypted"
		return
	}
	missing, extra := h.differs(to)
	var differs []string
	if len(missing) > 0 {
		slices.Sort(missing)
		differs = append(differs, "not encrypted to "+strings.Join(slices.Compact(missing), ", "))
	}
	if extra > 0 {
		differs = append(differs, fmt.Sprintf("encrypted to %d more than it should be", extra))
	}
	state.Differs = strings.Join(differs, ", ")
	if keys == nil {
		return
	}
	if _, err := s.Open(state.Name, keys); err != nil {
		state.Wrong = reason(err)
		return
	}
	state.Opened = true
}

// reason is an error without the hint below it.
func reason(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\n")
	return text
}

func nonEmpty(all ...string) []string {
	return slices.DeleteFunc(all, func(s string) bool { return s == "" })
}
