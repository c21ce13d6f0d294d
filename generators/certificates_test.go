package generators

import "testing"

// A vhost whose domain changed has a certificate for it at once, or no push of that change would pass its probes; those
// of the others stay.
func TestAChangedDomainHasACertificate(t *testing.T) {
	got := onHost(t, edgeTree(t, sample(t), "tests"), `
cd /etc/odoogen/current
bin/certificates bootstrap >/dev/null
sed -i 's/qa17\.example\.com/renamed.example.com/' certbot/names
bin/certificates bootstrap
openssl x509 -noout -in /var/lib/odoogen/tls/qa17/fullchain.pem -checkhost renamed.example.com
`)
	const want = "qa17: self-signed, until the certificate authority answers\nHostname renamed.example.com does match certificate\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
