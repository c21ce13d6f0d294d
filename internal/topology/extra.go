package topology

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"odoogen/internal/vocabulary"
)

// ownOptions are the options of odoo.conf that odoogen writes or must leave unset, and the field that decides each;
// none for what is so for every instance.
var ownOptions = map[string]string{
	"http_interface": "", "proxy_mode": "", "http_enable": "", "list_db": "", "admin_passwd": "", "data_dir": "",
	"db_host": "", "db_port": "", "db_user": "", "dbfilter": "", "db_name": "database", "addons_path": "version",
	"http_port": "http_port", "gevent_port": "gevent_port", "workers": "workers", "max_cron_threads": "max_cron_threads",
	"db_maxconn": "db_maxconn", "db_maxconn_gevent": "db_maxconn_gevent",
	"limit_memory_soft": "MemoryMax", "limit_memory_hard": "MemoryMax",
	"limit_memory_soft_gevent": "MemoryMax", "limit_memory_hard_gevent": "MemoryMax",
	"limit_time_cpu": "limit_time_cpu", "limit_time_real": "limit_time_real", "limit_time_real_cron": "limit_time_real_cron",
	"with_demo": "demo", "without_demo": "demo",
}

// secretOptions hold secrets, which no tree may.
var secretOptions = []string{"db_password", "smtp_password", "proxy_access_token"}

// ownSettings are PostgreSQL's settings that odoogen or Debian writes, beside those of ClusterSettings.
var ownSettings = map[string]string{
	"listen_addresses": "", "unix_socket_directories": "", "cluster_name": "", "hba_file": "", "ident_file": "",
	"log_line_prefix": "", "ssl": "", "data_directory": "", "config_file": "", "external_pid_file": "",
	"port": "port", "shared_buffers": "ram", "effective_cache_size": "ram",
}

// ownSysctl are the kernel settings of generators/files/sysctl.d.
var ownSysctl = words(`vm.swappiness vm.dirty_background_bytes vm.dirty_bytes
	net.ipv4.conf.all.accept_redirects net.ipv4.conf.default.accept_redirects
	net.ipv4.conf.all.send_redirects net.ipv4.conf.default.send_redirects
	net.ipv6.conf.all.accept_redirects net.ipv6.conf.default.accept_redirects`)

func words(s string) []string { return strings.Fields(s) }

var (
	sysctlKey    = lazily(`^[a-z0-9_-]+(\.[A-Za-z0-9_:@-]+)+$`)
	extensionKey = lazily(`^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)+$`)
)

// checkExtra refuses settings that their program does not know, that odoogen decides, or that a file cannot carry.
func checkExtra(c *checker) {
	said := map[string]bool{} // a class's mistake is one, though every instance has it
	for _, i := range c.t.Instances {
		for _, s := range i.Extra {
			if key := fmt.Sprint(s.Path, i.Major()); !said[key] {
				said[key] = true
				c.option(i, s)
			}
		}
	}
	for _, cl := range c.t.Clusters {
		for _, s := range cl.Extra {
			c.postgresSetting(cl, s)
		}
	}
	for _, h := range c.t.Hosts {
		for _, s := range h.Sysctl {
			switch {
			case !sysctlKey().MatchString(s.Name):
				c.refuse(s.Path, "its path below /proc/sys, with dots: \"net.core.somaxconn\"", nil, "%q is no kernel setting", s.Name)
			case slices.Contains(ownSysctl, s.Name):
				c.refuse(s.Path, "", nil, "odoogen sets it on every host")
			default:
				c.carried(s)
			}
		}
	}
}

// option holds a further option of odoo.conf against the options of the instance's Odoo.
func (c *checker) option(i *Instance, s *Setting) {
	kind := vocabulary.OdooOption(s.Name, i.Major())
	field, own := ownOptions[s.Name]
	value := s.Value.Odoo()
	switch {
	case own && field == "":
		c.refuse(s.Path, "", nil, "odoogen sets it for every instance")
	case own:
		c.refuse(s.Path, "say "+field+" of the instance or of its class", nil, "odoogen sets it")
	case kind == 0:
		hint := ""
		if best := closest(s.Name, vocabulary.OdooOptions(i.Major())); best != "" {
			hint = "did you mean " + best + "?"
		}
		c.refuse(s.Path, hint, c.also(i.Path+".version", "%s", i.Name), "Odoo %s has no such option", i.Version)
	case slices.Contains(secretOptions, s.Name):
		c.refuse(s.Path, "", nil, "is a secret: none has a place in a spec or a tree")
	case kind.Complaint(value) != "":
		c.refuse(s.Path, "", nil, "%s: %s", s.Value, kind.Complaint(value))
	case (value == "True" || strings.EqualFold(value, "none")) && !kind.Boolean():
		c.refuse(s.Path, "", nil, "%s: Odoo reads no text here, but what the word says", s.Value)
	case strings.Contains(value, " ;") || strings.Contains(value, " #"):
		c.refuse(s.Path, "", nil, "has what looks like a comment and would be part of the value")
	default:
		c.carried(s)
	}
}

// postgresSetting holds a further setting against those of the cluster's version.
func (c *checker) postgresSetting(cl *Cluster, s *Setting) {
	known := vocabulary.PostgresSettings(cl.Version)
	field, own := ownSettings[s.Name]
	switch {
	case slices.Contains(fieldNames(reflect.TypeFor[ClusterSettings]()), s.Name):
		c.refuse(s.Path, "say "+cl.Path+".settings."+s.Name, nil, "odoogen knows it: the rules count with it")
	case own && field == "":
		c.refuse(s.Path, "", nil, "odoogen or Debian sets it for every cluster")
	case own:
		c.refuse(s.Path, "say "+cl.Path+"."+field, nil, "odoogen sets it")
	case !slices.Contains(known, s.Name) && !extensionKey().MatchString(s.Name):
		hint := "one of an extension has a dot in its name"
		if best := closest(s.Name, known); best != "" {
			hint = "did you mean " + best + "?"
		}
		c.refuse(s.Path, hint, c.also(cl.Path+".version", "%d", cl.Version), "PostgreSQL %d has no such setting", cl.Version)
	default:
		c.carried(s)
	}
}

// carried refuses a value that is not the same after a program has read it: white space at its ends is dropped.
func (c *checker) carried(s *Setting) {
	if text := string(s.Value); text != strings.TrimSpace(text) {
		c.refuse(s.Path, "", nil, "%q: white space at the ends would be lost", text)
	}
}

// Odoo is the value as odoo.conf has it: True and False.
func (s Scalar) Odoo() string {
	switch s {
	case "true":
		return "True"
	case "false":
		return "False"
	}
	return string(s)
}

// Switch is the value with on and off for true and false, as PostgreSQL and systemd read them.
func (s Scalar) Switch() string {
	switch s {
	case "true":
		return "on"
	case "false":
		return "off"
	}
	return string(s)
}

// SettingsFile is the file of the cluster in a tree that a further setting stands in.
func (c *Cluster) SettingsFile(s *Setting) string {
	if vocabulary.PostgresWantsRestart(s.Name) {
		return c.Folder() + "/postmaster.conf"
	}
	return c.Folder() + "/reload.conf"
}
