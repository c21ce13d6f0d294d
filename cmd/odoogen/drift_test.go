package main

import (
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"odoogen/internal/push"
)

// Whatever drift tells, drift --adopt has a line of CUE for it, or a comment.
func TestAdoptionIsSilentAboutNothing(t *testing.T) {
	t.Chdir(repository)
	b, err := compile(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	plans := []*push.Plan{{
		Host: "tests",
		Drift: []string{
			"odoo/qa17.conf", "odoo/ba17.conf", "systemd/system/odoo.slice", "nginx/old.conf", "nginx", "/etc/nginx/conf.d/odoogen.conf",
			"secrets/restic-password", "stopped odoo-qa17.service", "firewall inet odoogen",
		},
		Hands: []push.Hand{
			{Kind: "masked", What: "odoo-ba17.service"}, {Kind: "enabled", What: "odoo-qa17.service"}, {Kind: "disabled", What: "odoo-qa19.service"},
			{Kind: "override", What: "/etc/systemd/system/odoo-qa17.service.d/override.conf"}, {Kind: "override", What: "/etc/systemd/system/odoo-qa17.service.d/null.conf"},
			{Kind: "override", What: "/etc/ssh/sshd_config.d/00-cloud.conf"},
		},
	}, {Host: "ci"}}
	var out strings.Builder
	printAdoption(&out, b, plans, []push.Edited{
		{Host: "tests", Path: "odoo/qa17.conf", Data: b.Trees[1].File("odoo/qa17.conf").Data},
		{Host: "tests", Path: "odoo/ba17.conf", Gone: true},
		{Host: "tests", Path: "systemd/system/odoo.slice", Data: []byte("x"), Old: true},
		{Host: "tests", Path: "nginx/old.conf", Data: []byte("return 204;\n")},
		{Host: "tests", Path: "/etc/systemd/system/odoo-qa17.service.d/override.conf", Data: []byte("[Service]\nEnvironment=X=1\nSetCredential=key:hunter2\n")},
		{Host: "tests", Path: "/etc/ssh/sshd_config.d/00-cloud.conf", Data: []byte("PermitRootLogin yes\n")},
	})
	const want = `// tests: systemd/system/odoo.slice: the spec has changed since it was pushed
// tests: odoo/qa17.conf: has another mode or owner: a push with --overwrite-drift gives it its own
// tests: odoo/ba17.conf: was deleted: a push with --overwrite-drift brings it back
// tests: nginx/old.conf: the spec has no word for what this file says
// tests: /etc/ssh/sshd_config.d/00-cloud.conf: the spec has no word for what this file says
// tests: /etc/systemd/system/odoo-qa17.service.d/override.conf: Environment = X=1
hosts: tests: units: "odoo-qa17.service": dropin: Service: Environment: ["X=1"]
// tests: /etc/systemd/system/odoo-qa17.service.d/override.conf: SetCredential: is or holds a secret: none has a place in a spec or a tree
// tests: nginx: the spec has no word for it; a push with --overwrite-drift takes it back
// tests: /etc/nginx/conf.d/odoogen.conf: the spec has no word for it; a push with --overwrite-drift makes it odoogen's way into the generation again
// tests: secrets/restic-password: a spec has no values of secrets; a push with --overwrite-drift brings the one that odoogen secrets edit has
// tests: stopped odoo-qa17.service: the spec has no word for it; systemctl start odoo-qa17.service, or a push with --overwrite-drift starts it
// tests: firewall inet odoogen: the spec has no word for it; a push with --overwrite-drift loads its rules; what opens ports is open of the host, and 22 access.whitelist
// tests: masked odoo-ba17.service: the spec has no word for it; systemctl unmask odoo-ba17.service; systemctl start odoo-ba17.service
// tests: enabled odoo-qa17.service: the spec has no word for it; systemctl disable odoo-qa17.service
// tests: disabled odoo-qa19.service: the spec has no word for it; systemctl enable odoo-qa19.service
// tests: override /etc/systemd/system/odoo-qa17.service.d/null.conf: the spec has no word for it; it is no file that can be read
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("-want +got\n%s\n%s", diff, out.String())
	}
}
