package topology

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Files of the spec's own may stand in folders that are made to take more: a daemon's NAME.d, what /usr/local and /opt
// hold. A file that the distribution owns is never replaced.
var (
	filePath  = lazily(`^(/[A-Za-z0-9_+@-][A-Za-z0-9._+@-]*)+$`)
	fileRoom  = lazily(`^(/etc/([^/]+/)?[^/]+\.d/[^/]+|/usr/local/(bin|sbin|etc|share|libexec)/.+|/opt/.+)$`)
	fileTaken = []string{"/opt/odoo/", "/usr/local/etc/odoogen/", "/etc/odoogen/", "/etc/sysusers.d/", "/etc/tmpfiles.d/", "/etc/sysctl.d/", "/etc/init.d/"}
)

// largestFile is as much as a tree takes of one file: it is text that a person reviews.
const largestFile = 1 << 20

// TreePath is the file's place in a tree; a door leads from its place on the host to it.
func (f *HostFile) TreePath() string { return "files" + f.Name }

// readFiles reads the sources of the hosts' files. They lie in the spec's directory, and no link leads out of it.
func (t *Topology) readFiles(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, h := range t.Hosts {
		for _, f := range h.Files {
			f.Data, f.unread = readSource(root, f.Source)
		}
	}
	return nil
}

// readSource reads one file below root, which must be text that a tree can hold.
func readSource(root *os.Root, name string) ([]byte, error) {
	if !fs.ValidPath(name) {
		return nil, errors.New("is no path below the spec's directory")
	}
	info, err := root.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errors.New("is not there")
	case err != nil:
		return nil, errors.New("leads out of the spec's directory, or cannot be read")
	case !info.Mode().IsRegular():
		return nil, errors.New("is no file")
	}
	file, err := root.Open(name)
	if err != nil {
		return nil, errors.New("cannot be read")
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, largestFile+1))
	switch {
	case err != nil:
		return nil, errors.New("cannot be read")
	case len(data) > largestFile:
		return nil, errors.New("is larger than 1 MiB")
	case len(data) == 0:
		return nil, errors.New("is empty")
	case !utf8.Valid(data) || strings.ContainsFunc(string(data), strange):
		return nil, errors.New("is no text")
	case data[len(data)-1] != '\n':
		return nil, errors.New("does not end with a line break")
	}
	return data, nil
}

// strange tells whether a character is none of a text file.
func strange(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }

// checkFiles refuses files at places that are not the spec's to fill, and sources that cannot be carried.
func checkFiles(c *checker) {
	for _, h := range c.t.Hosts {
		own := c.t.ownUnits(h)
		for n, f := range h.Files {
			c.filePlace(f)
			if n > 0 && strings.HasPrefix(f.Name, h.Files[n-1].Name+"/") {
				c.refuse(f.Path, "", c.also(h.Files[n-1].Path, "a file"), "%s is a file, not a folder", h.Files[n-1].Name)
			}
			if f.unread != nil {
				c.refuse(f.Path+".source", "a text file beside the spec, by its path from there", nil, "%q %s", f.Source, f.unread)
			}
			if _, unit, is := strings.Cut(f.Effect, ":"); is {
				if _, known := own[unit]; !known && (strings.HasPrefix(unit, "odoo") || strings.HasPrefix(unit, "postgresql@")) {
					c.refuse(f.Path+".effect", nearest(unit, own), nil, "%s has no unit %s", h.Name, unit)
				}
			}
		}
	}
}

func (c *checker) filePlace(f *HostFile) {
	const room = "in a NAME.d folder below /etc, in /usr/local/{bin,sbin,etc,share,libexec} or in /opt"
	switch last := f.Name[strings.LastIndexByte(f.Name, '/')+1:]; {
	case !filePath().MatchString(f.Name):
		c.refuse(f.Path, "letters, digits and \"._+@-\", without a dot at the beginning of a name", nil, "%q is no plain absolute path", f.Name)
	case strings.Contains(last, "odoogen") || slices.ContainsFunc(fileTaken, func(p string) bool { return strings.HasPrefix(f.Name, p) }):
		c.refuse(f.Path, room, nil, "%s is odoogen's or the distribution's own place", f.Name)
	case !fileRoom().MatchString(f.Name):
		c.refuse(f.Path, room, nil, "%s is no place for a file of the spec's own", f.Name)
	}
}
