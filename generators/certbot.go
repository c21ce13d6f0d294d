package generators

import (
	"odoogen/internal/artifact"
	"odoogen/internal/conf"
	"odoogen/internal/topology"
)

// Certbot writes what gives each vhost a certificate: the names, the authority, and the script that makes a
// self-signed certificate at once and asks for a real one later. Debian's certbot.timer renews; the script is its
// deploy hook too, remembered by certbot for each certificate.
func Certbot(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	if !h.RunsOdoo() {
		return nil, nil
	}
	out.constant("bin/certificates", "bin/certificates", executable)
	out.add("certbot/names", certificateNames(h),
		artifact.Run(topology.CertificatesUnit), artifact.Restart(topology.Timer(topology.IssueUnit)))
	out.add("certbot/authority.env", authority(t), artifact.Restart(topology.Timer(topology.IssueUnit)))
	for _, unit := range []string{topology.CertificatesUnit, topology.IssueUnit} {
		out.constant("systemd/system/"+unit, "systemd/"+unit, readable, artifact.DaemonReload)
	}
	timer := topology.Timer(topology.IssueUnit)
	out.constant("systemd/system/"+timer, "systemd/"+timer, readable, artifact.DaemonReload, artifact.Restart(timer))
	return out.result()
}

// certificateNames is a line per vhost: the certificate's name, which is the instance's, and its domains.
func certificateNames(h *topology.Host) *conf.Text {
	w := conf.NewWords(h.Path, "Certificates: a name and its domains")
	for _, i := range h.Instances {
		w.Add(append([]string{i.Name, i.Domain}, i.Aliases...), i.At("domain"), i.At("aliases"))
	}
	return &w.Text
}

func authority(t *topology.Topology) *conf.Text {
	e := conf.NewEnv("network.acme", "The certificate authority")
	e.Set("EMAIL", t.Network.ACME.Email, "network.acme.email")
	e.Set("DIRECTORY", t.Network.ACME.Directory, "network.acme.directory")
	e.Set("WEBROOT", topology.Webroot)
	return &e.Text
}
