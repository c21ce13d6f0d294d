package lab

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	_ "embed"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// sshd is all servers of the world that speak ssh, whatever name they are called by: the Storage Box look-alike, which
// gives sftp in a chroot and no shell, and the git servers, from which is only read. Every key is welcome, as whoever has
// an account there has put theirs there.
const sshd = `HostKey /etc/ssh/box_key
PidFile none
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
AuthorizedKeysFile none
AuthorizedKeysCommand /usr/local/bin/any-key %%t %%k
AuthorizedKeysCommandUser nobody
Subsystem sftp internal-sftp
DisableForwarding yes
PermitTTY no
Match User %s
	ForceCommand internal-sftp
	ChrootDirectory /srv/box/%%u
Match User *
	ForceCommand /usr/local/bin/read-git
`

// readGit is what a git server does for whoever has logged in.
//
//go:embed read-git
var readGit string

// startPrograms starts the certificate authority (pebble), the receiver of metrics (Prometheus) and the Storage Box.
// They run in a tree of their own: the base image, those packages, and what is written here.
func (w *world) startPrograms(ctx context.Context) error {
	suite := w.Hosts[0].Suite()
	if err := overlay(ctx, w.Pools[suite]+"/world:"+w.Images[suite], w.dir()); err != nil {
		return err
	}
	root := filepath.Join(w.dir(), "root")
	for _, m := range []struct{ from, to string }{{"/dev", "dev"}, {"/proc", "proc"}, {w.gitDir(), "srv/git"}} {
		if err := os.MkdirAll(filepath.Join(root, m.to), 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m.from, filepath.Join(root, m.to), "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return err
		}
	}
	if err := w.writeFiles(root); err != nil {
		return err
	}
	for _, p := range [][]string{
		{"/usr/bin/pebble", "-config", "/etc/pebble.json", "-dnsserver", "127.0.0.1:53"},
		{"/usr/bin/prometheus", "--config.file=/etc/prometheus.yml", "--storage.tsdb.path=/srv/prometheus",
			"--web.listen-address=127.0.0.1:9090", "--web.enable-remote-write-receiver", "--log.level=warn"},
		{"/usr/sbin/sshd", "-D", "-e", "-f", "/etc/ssh/world_config"},
	} {
		if err := w.startProgram(root, p); err != nil {
			return err
		}
	}
	if err := w.fetchIssuer(); err != nil {
		return err
	}
	return os.WriteFile(w.authorities(), slices.Concat([]byte("\n"), w.ca.pem, w.issuer), 0o644)
}

func (w *world) writeFiles(root string) error {
	key, err := os.ReadFile(filepath.Join(w.config.dir(), "keys", "box"))
	if err != nil {
		return err
	}
	cert, err := w.ca.certificate("localhost")
	if err != nil {
		return err
	}
	secret, err := x509.MarshalECPrivateKey(w.ca.key)
	if err != nil {
		return err
	}
	pebble, err := json.Marshal(map[string]any{"pebble": map[string]any{"listenAddress": "127.0.0.1:14000",
		"managementListenAddress": "127.0.0.1:15000", "certificate": "/etc/pebble.pem", "privateKey": "/etc/pebble.key",
		"httpPort": 80, "tlsPort": 443}})
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		mode os.FileMode
		data []byte
	}{
		{"etc/ssh/box_key", 0o600, key},
		{"etc/ssh/world_config", 0o644, w.sshd()},
		{"usr/local/bin/any-key", 0o755, []byte("#!/bin/sh\necho \"$1 $2\"\n")},
		{"usr/local/bin/read-git", 0o755, []byte(readGit)},
		{"etc/gitconfig", 0o644, []byte("[safe]\n\tdirectory = *\n")},
		{"etc/pebble.json", 0o644, pebble},
		{"etc/pebble.pem", 0o644, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})},
		{"etc/pebble.key", 0o600, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret})},
		{"etc/prometheus.yml", 0o644, []byte("global: {}\n")},
	} {
		name := filepath.Join(root, f.name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, f.data, f.mode); err != nil {
			return err
		}
	}
	return w.makeUsers(root)
}

// sshd is the configuration of the world's ssh server, which listens on every port that the spec names.
func (w *world) sshd() []byte {
	ports := []string{w.Box.Port}
	for _, r := range w.Repositories {
		if r.Port != "" && !slices.Contains(ports, r.Port) {
			ports = append(ports, r.Port)
		}
	}
	var b []byte
	for _, port := range ports {
		b = fmt.Appendf(b, "Port %s\n", port)
	}
	return fmt.Appendf(b, sshd, w.Box.User)
}

// makeUsers gives the box its user, whose home is /home, all that it may write to, as on the real one; and the git
// servers theirs.
func (w *world) makeUsers(root string) error {
	const uid = 2000
	users := []string{w.Box.User}
	for _, r := range w.Repositories {
		if r.User != "" && !slices.Contains(users, r.User) {
			users = append(users, r.User)
		}
	}
	for n, user := range users {
		if user == "" || strings.ContainsAny(user, ":/\n") {
			return fmt.Errorf("the lab's ssh server cannot have a user named %q", user)
		}
		home, shell := "/home", "/bin/false"
		if n > 0 {
			home, shell = "/srv/git", "/bin/sh" // which runs what sshd is told to run
		}
		if err := appendTo(filepath.Join(root, "etc/passwd"), fmt.Appendf(nil, "%s:x:%d:%d::%s:%s\n", user, uid+n, uid+n, home, shell)); err != nil {
			return err
		}
		if err := appendTo(filepath.Join(root, "etc/shadow"), fmt.Appendf(nil, "%s:*:19000:0:99999:7:::\n", user)); err != nil {
			return err
		}
	}
	home := filepath.Join(root, "srv/box", w.Box.User, "home")
	if err := os.MkdirAll(home, 0o755); err != nil {
		return err
	}
	if err := os.Chown(home, uid, uid); err != nil {
		return err
	}
	return os.MkdirAll(filepath.Join(root, "run/sshd"), 0o755)
}

// startProgram runs a program of the world for as long as the lab lives.
func (w *world) startProgram(root string, argv []string) error {
	log, err := os.OpenFile(filepath.Join(w.dir(), filepath.Base(argv[0])+".log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	c, err := program{argv: argv, log: log, attr: &syscall.SysProcAttr{Chroot: root},
		env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0"}}.start()
	if err != nil {
		return fmt.Errorf("%s: %w", argv[0], err)
	}
	go func() {
		_, err := c.wait()
		fmt.Fprintln(os.Stderr, argv[0], "ended:", err)
	}()
	return nil
}

// fetchIssuer asks pebble, which makes a new root at each start, for it.
func (w *world) fetchIssuer() error {
	client := &http.Client{Timeout: 2 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} // over loopback, to a program of ours
	var err error
	for range 100 {
		var r *http.Response
		if r, err = client.Get("https://127.0.0.1:15000/roots/0"); err == nil {
			w.issuer, err = io.ReadAll(r.Body)
			r.Body.Close()
			return err
		}
		var op *net.OpError
		if !errors.As(err, &op) {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("pebble does not answer: %w%s", err, logTail(filepath.Join(w.dir(), "pebble.log")))
}

func logTail(name string) string {
	data, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	return tail(string(data))
}
