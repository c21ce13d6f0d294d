package push

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"odoogen/internal/artifact"
)

// keepFor is how long a connection waits for the next command: who reads a plan, and pushes then, has logged in already. It
// is never what confirms.
const keepFor = "60s"

// longestSocket is what is left of sockaddr_un's path (unix(7)) beside the suffix that ssh appends while it makes one.
const longestSocket = 107 - len(".0123456789abcdef")

// KeepDir is a directory of the user's own for the connections that commands leave to each other, as Push.KeepIn has it. It
// is empty where there is none that is his alone, or short enough for the name of a socket. It lies below the directory,
// or where that is empty, in the user's runtime directory.
func KeepDir(below string) string {
	dir := filepath.Join(cmp.Or(below, os.Getenv("XDG_RUNTIME_DIR"), os.TempDir()), fmt.Sprintf("odoogen-ssh-%d", os.Getuid()))
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return ""
	}
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() || info.Mode().Perm() != 0o700 || len(dir)+len("/0123456789abcdef.0123456789.0") > longestSocket {
		return ""
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); !ok || int(owner.Uid) != os.Getuid() {
		return ""
	}
	return dir
}

// keptName begins the names of a connection's sockets: it tells where it leads, by which way, and whose keys it trusts.
func (n *network) keptName(host string, r artifact.Route, jump bool) string {
	leads := append([]string{host, r.Address, fmt.Sprint(jump), r.Jump}, n.trees[host].HostKeys...)
	sum := sha256.Sum256([]byte(strings.Join(leads, "\n")))
	return filepath.Join(n.keepIn, fmt.Sprintf("%x", sum[:8]))
}

// kept is a connection to the host that an earlier command has left; nil where there is none. Whether the network that it
// goes over is still there is for the race to find out.
func (n *network) kept(host string) *route {
	if n.keepIn == "" || n.lost[host] > 0 {
		return nil
	}
	for _, r := range n.routes(connection{host, false}) {
		sockets, _ := filepath.Glob(n.keptName(host, r.Route, r.jump) + ".*")
		for _, socket := range sockets {
			c, err := net.Dial("unix", socket)
			if err == nil {
				c.Close()
				return &route{r.Route, r.jump, socket, true}
			}
			if errors.Is(err, syscall.ECONNREFUSED) { // of an ssh that was killed
				_ = os.Remove(socket)
			}
		}
	}
	return nil
}
