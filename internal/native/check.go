package native

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"odoogen/internal/artifact"
)

// check is one class's checker at work on one host.
type check struct {
	ctx    context.Context
	vetter *Vetter
	root   *root
	host   *host
	tree   *artifact.Tree
	files  []*artifact.File // those of the class that are to be read
	Result

	failed string // the last program that exited with a code other than 0
}

// current is where a host finds the generation that it runs.
const current = "/etc/odoogen/current"

// at is a file's path on the host.
func at(f *artifact.File) string { return current + "/" + f.Path }

// paths are the files' paths on the host.
func (c *check) paths() []string {
	all := make([]string, len(c.files))
	for i, f := range c.files {
		all[i] = at(f)
	}
	return all
}

// fail records a problem of a file's line; line 0 for the file as a whole.
func (c *check) fail(path string, line int, format string, args ...any) {
	c.Problems = append(c.Problems, Problem{path, line, fmt.Sprintf(format, args...)})
}

// run runs a program in the root and returns what it did.
func (c *check) run(argv ...string) result { return c.runCommand(command{argv: argv}) }

func (c *check) runCommand(cmd command) result {
	res := c.root.runCommand(c.ctx, cmd)
	if res.code != 0 {
		c.failed = fmt.Sprintf("%s: exit code %d", strings.Join(cmd.argv, " "), res.code)
	}
	return res
}

// finish refuses what a program refused without a word that became a problem.
func (c *check) finish() {
	if c.failed != "" && len(c.Problems) == 0 {
		c.fail("", 0, "%s", c.failed)
	}
}

// quiet runs a program that must succeed and say nothing on standard error; each line it says is a problem.
func (c *check) quiet(argv ...string) result {
	res := c.run(argv...)
	c.complaints(res.stderr)
	if res.code != 0 && strings.TrimSpace(res.stderr) == "" {
		c.complaints(res.stdout)
	}
	return res
}

// complaintsOf records what a program that failed said, on both its outputs.
func (c *check) complaintsOf(res result) {
	if res.code != 0 {
		c.complaints(res.stdout)
		c.complaints(res.stderr)
	}
}

// complaints records each line of a program's output as a problem, at the file and line that it names.
func (c *check) complaints(output string) {
	for line := range strings.Lines(output) {
		if line = strings.TrimSpace(line); line != "" {
			c.complaint(line)
		}
	}
}

func (c *check) complaint(message string) {
	path, line := c.locate(message)
	if path == "" {
		path, line = c.blame(message)
	}
	c.fail(path, line, "%s", preamble().ReplaceAllString(message, ""))
}

// locate finds the tree's file, and its line, that a program named.
func (c *check) locate(message string) (string, int) {
	for _, name := range absolute().FindAllString(message, -1) {
		file := c.inTree(strings.TrimRight(name, "."))
		if file == "" {
			continue
		}
		before, after, _ := strings.Cut(message, name)
		m := lineAfter().FindStringSubmatch(after)
		if m == nil {
			m = lineBefore().FindStringSubmatch(before)
		}
		if m == nil {
			return file, 0
		}
		line, _ := strconv.Atoi(m[1])
		return file, line
	}
	return "", 0
}

// blame finds the last line of the class's files that holds what a program quoted.
func (c *check) blame(message string) (string, int) {
	for _, m := range quoted().FindAllStringSubmatch(message, -1) {
		for _, f := range slices.Backward(c.files) {
			if i := bytes.LastIndex(f.Data, []byte(m[1])); i >= 0 {
				return f.Path, bytes.Count(f.Data[:i], []byte("\n")) + 1
			}
		}
	}
	return "", 0
}

var (
	absolute = lazily(`/[^\s"'<>:;,()]+`)
	quoted   = lazily(`["']([^"']+)["']`)
	// ":3", ": 3:", "(3)", ": line 3", " line 3", `" line 3`, ": syntax error near line 3".
	lineAfter = lazily(`^(?:\(|"?:? ?(?:line )?|[^/]* near line )(\d+)`)
	// `line 3 of configuration file "`, "line 3 in "
	lineBefore = lazily(`line (\d+) (?:of configuration file "|in )$`)
	// A file and line at the beginning, which the report says in its own words, and nginx's time and process.
	preamble = lazily(`^(/[^\s:]+: ?(\d+:)+ |\d+/\d+/\d+ \d+:\d+:\d+ (\[emerg\] )?)(\d+#\d+: )?`)
)

// inTree is the path in the tree of a file that the host knows by name, directly or through a door.
func (c *check) inTree(name string) string {
	name = path.Clean(name)
	for _, d := range c.host.Doors {
		if d.Link == "" {
			continue
		}
		if rest, ok := strings.CutPrefix(name, d.Path); ok && (rest == "" || rest[0] == '/') {
			name = d.Link + rest
		}
	}
	name, ok := strings.CutPrefix(name, current+"/")
	if !ok {
		if name, ok = strings.CutPrefix(name, generation+"/"); !ok {
			return ""
		}
	}
	if c.tree.File(name) == nil {
		return ""
	}
	return name
}

// lazily is a pattern that is compiled when it is first used: what starts most often checks nothing.
func lazily(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}
