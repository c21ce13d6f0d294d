package topology

import (
	"fmt"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/errors"
)

// cueProblems turns CUE's errors into problems: one line each, at the user's place.
func cueProblems(o *Origins, loadErr errors.Error, root cue.Value) Problems {
	var err error = loadErr
	if loadErr == nil {
		err = root.Validate(cue.Concrete(true))
	}
	var problems Problems
	for _, e := range errors.Errors(err) {
		format, args := e.Msg()
		p := Problem{Message: fmt.Sprintf(format, args...)}
		for _, pos := range errors.Positions(e) {
			if !inSchema(pos.Filename()) {
				p.Place = o.place(pos)
				break
			}
		}
		for i, s := range e.Path() {
			if i > 0 {
				p.Path += "."
			}
			p.Path += s
		}
		problems = append(problems, p)
	}
	return problems
}
