package lab

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// repository is one suite of a package archive, as apt wants it: https://wiki.debian.org/DebianRepository/Format.
// A suite that ends in "/" is a flat one, without dists and components.
type repository struct {
	dir           string
	suite         string
	origin, label string
	components    []string
	debs          []deb
}

// write links the packages into place and writes the signed indexes. Every component lists them all.
func (r repository) write(ctx context.Context, key *signer) error {
	var index []byte
	for _, d := range r.debs {
		name := filepath.Join(r.dir, d.name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.Link(d.file, name); err != nil && !os.IsExist(err) {
			return err
		}
		index = fmt.Appendf(index, "%s\n", d.stanza)
	}
	arch, err := output(ctx, "dpkg", "--print-architecture")
	if err != nil {
		return err
	}
	suite := filepath.Join(r.dir, "dists", r.suite)
	folders := []string{}
	for _, c := range r.components {
		folders = append(folders, c+"/binary-"+arch+"/")
	}
	if strings.HasSuffix(r.suite, "/") {
		suite, folders = filepath.Join(r.dir, r.suite), []string{""}
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(index); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	release := fmt.Sprintf("Origin: %s\nLabel: %s\nSuite: %s\nCodename: %s\nDate: %s\nArchitectures: %s all\nComponents: %s\nSHA256:\n",
		r.origin, r.label, r.suite, r.suite, time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 UTC"), arch, strings.Join(r.components, " "))
	for _, folder := range folders {
		for _, f := range []struct {
			name string
			data []byte
		}{{"Packages", index}, {"Packages.gz", packed.Bytes()}} {
			name := filepath.Join(suite, folder, f.name)
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(name, f.data, 0o644); err != nil {
				return err
			}
			release += fmt.Sprintf(" %x %d %s\n", sha256.Sum256(f.data), len(f.data), folder+f.name)
		}
	}
	if err := os.WriteFile(filepath.Join(suite, "Release"), []byte(release), 0o644); err != nil {
		return err
	}
	return key.sign(ctx, filepath.Join(suite, "Release"), filepath.Join(suite, "InRelease"))
}

// signer is the key of the lab's archives. It never leaves the machine, and nothing but lab hosts trusts it.
type signer struct {
	home        string
	fingerprint string
	armored     []byte // the public half
	binary      []byte
}

// archiveKey is made once.
func archiveKey(ctx context.Context) (*signer, error) {
	dir := filepath.Join(cache, "archive-key")
	err := once(dir, func(made string) error {
		if err := os.MkdirAll(made, 0o700); err != nil {
			return err
		}
		s := &signer{home: made}
		if err := s.gpg(ctx, "--passphrase", "", "--quick-generate-key", "odoogen lab <lab@invalid>", "ed25519", "sign", "never"); err != nil {
			return err
		}
		if err := s.gpg(ctx, "--output", made+"/key.asc", "--armor", "--export"); err != nil {
			return err
		}
		return s.gpg(ctx, "--output", made+"/key.gpg", "--export")
	})
	if err != nil {
		return nil, fmt.Errorf("archive key: %w", err)
	}
	s := &signer{home: dir}
	if s.armored, err = os.ReadFile(dir + "/key.asc"); err != nil {
		return nil, err
	}
	if s.binary, err = os.ReadFile(dir + "/key.gpg"); err != nil {
		return nil, err
	}
	listing, err := output(ctx, "gpg", "--batch", "--no-autostart", "--with-colons", "--show-keys", dir+"/key.gpg")
	if err != nil {
		return nil, err
	}
	for _, line := range strings.Split(listing, "\n") {
		if f := strings.Split(line, ":"); f[0] == "fpr" && len(f) > 9 {
			s.fingerprint = f[9]
			break
		}
	}
	return s, nil
}

func (s *signer) sign(ctx context.Context, from, to string) error {
	return s.gpg(ctx, "--passphrase", "", "--output", to, "--clearsign", from)
}

// gpg runs gpg and then ends the agent that it leaves behind.
func (s *signer) gpg(ctx context.Context, args ...string) error {
	argv := append([]string{"gpg", "--homedir", s.home, "--batch", "--yes", "--quiet", "--no-tty", "--pinentry-mode", "loopback"}, args...)
	err := run(ctx, argv...)
	if kill := run(ctx, "gpgconf", "--homedir", s.home, "--kill", "all"); err == nil {
		err = kill
	}
	return err
}
