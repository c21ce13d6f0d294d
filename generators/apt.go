package generators

import (
	"net/url"
	"regexp"
	"strings"

	"odoogen/internal/artifact"
	"odoogen/internal/conf"
	"odoogen/internal/topology"
)

// Apt writes the vendors' package sources, what may come from them, and how updates install themselves: the same on
// all hosts. Push fetches each vendor's key, holds it against the spec's fingerprint, and puts it in its keyring.
func Apt(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	out.add("apt/odoogen.sources", aptSources(t))
	preferences, err := aptPreferences(t)
	if err != nil {
		return nil, err
	}
	out.add("apt/preferences", preferences)
	out.add("apt/apt.conf", aptConf(t))
	out.constant("postgresql-common/createcluster.conf", "postgresql-common/createcluster.conf", readable)
	out.constant("needrestart/odoogen.conf", "needrestart/odoogen.conf", readable)
	return out.result()
}

func aptSources(t *topology.Topology) *conf.Text {
	s := conf.NewStanzas("packages.vendors", "Package sources of vendors")
	for _, v := range t.Packages.Vendors {
		s.Stanza()
		s.Field("Types", "deb", v.Path)
		s.Field("URIs", v.URI, v.Path+".uri")
		s.Field("Suites", v.Suite, v.Path+".suite")
		if len(v.Components) > 0 {
			s.Field("Components", strings.Join(v.Components, " "), v.Path+".components")
		}
		s.Field("Signed-By", v.Keyring(), v.Path)
	}
	return &s.Text
}

// aptPreferences let a vendor's source give the packages that the spec takes from it, at the version that it holds
// them at, and nothing else: a source can offer any package, a newer libc too (apt_preferences(5)).
func aptPreferences(t *topology.Topology) (*conf.Text, error) {
	s := conf.NewStanzas("packages.vendors", "What may be installed from the vendors' sources")
	for _, v := range t.Packages.Vendors {
		u, err := url.Parse(v.URI)
		if err != nil {
			return nil, err
		}
		origin := `origin "` + u.Hostname() + `"`
		s.Stanza()
		s.Field("Package", "*", v.Path)
		s.Field("Pin", origin, v.Path+".uri")
		s.Field("Pin-Priority", "-1", v.Path)
		for _, p := range v.Packages {
			pin := "version " + p.Version
			if p.Version == "*" {
				pin = origin
			}
			s.Stanza()
			s.Field("Package", p.Name, p.Path)
			s.Field("Pin", pin, p.Path, v.Path+".uri")
			s.Field("Pin-Priority", "990", p.Path)
		}
	}
	return &s.Text, nil
}

// aptConf says when packages are fetched and which of them an upgrade leaves alone. Lists and packages are fetched
// by Debian's timer at any time; they are installed by the patch window's job alone.
func aptConf(t *topology.Topology) *conf.Text {
	a := conf.NewAptConf("patching", "Updates: fetched at any time, installed in the patch window")
	a.Set("APT::Periodic::Enable", "1")
	a.Set("APT::Periodic::Update-Package-Lists", "1")
	a.Set("APT::Periodic::Download-Upgradeable-Packages", "1")
	a.Set("APT::Periodic::AutocleanInterval", "7")
	a.Set("APT::Periodic::Unattended-Upgrade", "0")
	a.Blank()
	a.Comment("A minor upgrade of PostgreSQL restarts every cluster of the host: done by hand, in the window.")
	a.Clear("Unattended-Upgrade::Package-Blacklist")
	a.Set("Unattended-Upgrade::Package-Blacklist::", "^postgresql-")
	for n, name := range t.Patching.Hold {
		a.Set("Unattended-Upgrade::Package-Blacklist::", "^"+regexp.QuoteMeta(name)+"$", "patching.hold["+itoa(n)+"]", "patching.hold")
	}
	a.Blank()
	a.Comment("One package after another, so that the end of the window can stop it between two.")
	a.Set("Unattended-Upgrade::MinimalSteps", "true")
	a.Set("Unattended-Upgrade::Remove-Unused-Kernel-Packages", "true")
	a.Set("Unattended-Upgrade::InstallOnShutdown", "false")
	a.Comment("The patch job reboots, and knows of deploys and backups.")
	a.Set("Unattended-Upgrade::Automatic-Reboot", "false")
	return &a.Text
}
