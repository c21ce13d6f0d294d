package lab

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/cgi"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"odoogen/internal/artifact"
)

// odoo is the stand-in for Odoo itself: what the repository of its code holds in the lab.
//
//go:embed odoo/odoo-bin odoo/odoo/*.py
var odoo embed.FS

// Repository is a git repository that the hosts fetch, with what they expect to find in it.
type Repository struct {
	Name    string   `json:"name"`
	Branch  string   `json:"branch"`
	Path    string   `json:"path"`              // of its address, whoever the server is: "odoo/odoo.git"
	Port    string   `json:"port,omitempty"`    // of ssh; empty for http
	User    string   `json:"user,omitempty"`    // of ssh
	Folders []string `json:"folders,omitempty"` // below it, that hold modules
	Odoo    int      `json:"odoo,omitempty"`    // the version of Odoo that is in it
	Modules []string `json:"modules,omitempty"` // beside base and web, that an instance declares
}

// repositoriesIn reads them out of all hosts' trees: what one host fetches, instances of another run.
func repositoriesIn(trees []*artifact.Tree) ([]*Repository, error) {
	byName := map[string]*Repository{}
	for _, tree := range trees {
		f := tree.File("mirror/repositories")
		if f == nil {
			continue
		}
		for _, w := range rows(f.Data) {
			if len(w) != 4 || w[2] == "-" || byName[w[0]] != nil {
				continue
			}
			r := &Repository{Name: w[0], Branch: w[1]}
			if err := r.address(w[2]); err != nil {
				return nil, err
			}
			byName[r.Name] = r
		}
	}
	for _, tree := range trees {
		for _, f := range tree.Files {
			if strings.HasPrefix(f.Path, "instances/") && strings.HasSuffix(f.Path, ".env") {
				expect(byName, settings(f.Data))
			}
		}
	}
	var all []*Repository
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		all = append(all, byName[name])
	}
	return all, nil
}

// expect notes what an instance wants to find where.
func expect(byName map[string]*Repository, instance map[string]string) {
	for _, folder := range strings.Fields(instance["ADDONS"]) {
		name, below, _ := strings.Cut(folder, "/")
		if r := byName[name]; r != nil && !slices.Contains(r.Folders, below) {
			r.Folders = append(r.Folders, below)
		}
	}
	name, _, _ := strings.Cut(instance["ODOO_BIN"], "/")
	r := byName[name]
	if r == nil {
		return
	}
	r.Odoo, _ = strconv.Atoi(instance["MAJOR"])
	for _, module := range strings.Fields(instance["MODULES_WANTED"]) {
		if module != "base" && module != "web" && !slices.Contains(r.Modules, module) {
			r.Modules = append(r.Modules, module)
		}
	}
	slices.Sort(r.Modules)
}

var scpAddress = regexp.MustCompile(`^([^@/]+)@([^:/]+):/?(.+)$`)

// address takes "https://server/path", "ssh://user@server:port/path" or "user@server:path".
func (r *Repository) address(text string) error {
	if m := scpAddress.FindStringSubmatch(text); m != nil && !strings.Contains(text, "://") {
		r.User, r.Port, r.Path = m[1], "22", path.Clean(m[3])
	} else {
		u, err := url.Parse(text)
		if err != nil {
			return err
		}
		r.Path = path.Clean(strings.TrimPrefix(u.Path, "/"))
		if u.Scheme == "ssh" {
			r.User, r.Port = u.User.Username(), u.Port()
			if r.Port == "" {
				r.Port = "22"
			}
		}
	}
	if !filepath.IsLocal(r.Path) || r.Path == "." {
		return fmt.Errorf("%s: the lab cannot serve the repository %q", r.Name, text)
	}
	return nil
}

// content are the files of the repository.
func (r *Repository) content() map[string]string {
	files := map[string]string{"README.md": "The lab's stand-in for this repository.\n"}
	folders := r.Folders
	if len(folders) == 0 {
		folders = []string{""}
	}
	module := func(folder, name, manifest string) {
		dir := path.Join(folder, name)
		files[path.Join(dir, "__init__.py")] = ""
		files[path.Join(dir, "__manifest__.py")] = "{'name': 'stand-in', 'author': 'odoogen lab', " + manifest + "}\n"
	}
	if r.Odoo == 0 {
		module(folders[0], notInNames.ReplaceAllString(strings.ToLower(r.Name), "_")+"_stand_in", "'version': '1.0', 'depends': ['web']")
		return files
	}
	_ = fs.WalkDir(odoo, "odoo", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			data, _ := odoo.ReadFile(name)
			files[strings.TrimPrefix(name, "odoo/")] = string(data)
		}
		return err
	})
	files["odoo/release.py"] = fmt.Sprintf("version_info = (%d, 0, 0, 'final', 0, '')\nversion = series = serie = major_version = '%[1]d.0'\n", r.Odoo)
	last := folders[len(folders)-1] // odoo/addons, as in Odoo's own
	module(last, "base", "'version': '1.3', 'depends': []")
	files[path.Join(last, "base/data/neutralize.sql")] = `UPDATE ir_cron SET active = false;
UPDATE ir_mail_server SET active = false;
INSERT INTO ir_config_parameter (key, value) VALUES ('database.is_neutralized', 'true') ON CONFLICT (key) DO UPDATE SET value = 'true';
`
	module(folders[0], "web", "'version': '1.0', 'depends': ['base'], 'auto_install': True")
	for _, name := range r.Modules {
		module(folders[0], name, "'version': '1.0', 'depends': ['web']")
	}
	return files
}

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

// makeRepositories makes the bare repositories below dir, one commit on each branch, and returns the commits by
// repository. They depend on nothing but what is in them: no clock, no name of a person. Repositories of the same path
// and branch are one, with the files of all.
func makeRepositories(ctx context.Context, dir string, all []*Repository) (map[string]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil { // where there are none, the git servers have nothing
		return nil, err
	}
	type place struct{ path, branch string }
	files := map[place]map[string]string{}
	var order []place
	for _, r := range all {
		at := place{r.Path, r.Branch}
		if files[at] == nil {
			files[at] = map[string]string{}
			order = append(order, at)
		}
		maps.Copy(files[at], r.content())
	}
	revs := map[place]string{}
	for _, at := range order {
		bare := filepath.Join(dir, at.path)
		if _, err := os.Stat(bare); err != nil {
			if err := os.MkdirAll(bare, 0o755); err != nil {
				return nil, err
			}
			if _, err := git(ctx, bare, "", "init", "--quiet", "--bare", "--object-format=sha1", "--initial-branch="+at.branch, "."); err != nil {
				return nil, err
			}
		}
		if _, err := git(ctx, bare, commit(at.branch, files[at]), "fast-import", "--quiet"); err != nil {
			return nil, err
		}
		rev, err := git(ctx, bare, "", "rev-parse", "refs/heads/"+at.branch)
		if err != nil {
			return nil, err
		}
		revs[at] = rev
	}
	byName := map[string]string{}
	for _, r := range all {
		byName[r.Name] = revs[place{r.Path, r.Branch}]
	}
	return byName, nil
}

// commit is the input of git-fast-import(1) for a branch of one commit.
func commit(branch string, files map[string]string) string {
	var b bytes.Buffer
	text := func(s string) { fmt.Fprintf(&b, "data %d\n%s\n", len(s), s) }
	fmt.Fprintf(&b, "commit refs/heads/%s\ncommitter odoogen lab <lab@invalid> 0 +0000\n", branch)
	text("The lab's stand-in\n")
	for _, name := range slices.Sorted(maps.Keys(files)) {
		mode := "100644"
		if strings.HasPrefix(files[name], "#!") {
			mode = "100755"
		}
		fmt.Fprintf(&b, "M %s inline %s\n", mode, name)
		text(files[name])
	}
	return b.String()
}

// git runs git in a repository, without what the machine configures.
func git(ctx context.Context, dir, stdin string, args ...string) (string, error) {
	return outputOf(ctx, stdin, slices.Concat([]string{"env", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "git", "-C", dir}, args)...)
}

// serveGit answers git's own requests (smart HTTP) for the repositories below dir, for reading; it returns false for every
// other request.
func serveGit(rw http.ResponseWriter, r *http.Request, dir string) bool {
	at, ok := strings.CutSuffix(path.Clean(r.URL.Path), "/info/refs")
	if !ok {
		at, ok = strings.CutSuffix(path.Clean(r.URL.Path), "/git-upload-pack")
	}
	if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(at), "HEAD")); !ok || err != nil {
		return false
	}
	program, err := find("git")
	if err != nil {
		http.Error(rw, err.Error(), http.StatusInternalServerError)
		return true
	}
	backend := cgi.Handler{Path: program, Args: []string{"http-backend"}, Env: []string{"GIT_PROJECT_ROOT=" + dir,
		"GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null"}}
	backend.ServeHTTP(rw, r)
	return true
}

// rows are the words of each line of a generated table.
func rows(data []byte) [][]string {
	var all [][]string
	for line := range strings.Lines(string(data)) {
		if w := strings.Fields(line); len(w) > 0 && !strings.HasPrefix(w[0], "#") {
			all = append(all, w)
		}
	}
	return all
}

// settings are the values of a generated KEY=value file whose values are plain words.
func settings(data []byte) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(string(data)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(key, "#") {
			all[key] = strings.Trim(value, `"'`)
		}
	}
	return all
}
