package push

import "strings"

// remembers shows that a host which answers from memory hides nothing: whatever is done to it by hand, files that look the
// same to make and rsync among it, it looks again.
func remembers(r *rig) {
	const memory = "stat -c %i /run/odoogen/observed"
	warm := func() string {
		r.on("tests", "sleep 2.1") // what is younger is not remembered
		if said := r.run(0, change{}, "plan", "tests"); !strings.Contains(said, "nothing to do") {
			r.t.Fatalf("plan:\n%s", said)
		}
		return r.on("tests", memory)
	}
	before := warm()
	r.run(0, change{}, "plan", "tests")
	r.holds("tests", memory, before)
	if r.run(0, change{}, "drift", "tests"); r.on("tests", memory) == before {
		r.t.Error("drift has not looked again")
	}
	for _, c := range []struct {
		do, undo string
		code     int
		want     string
	}{
		{`f=/etc/odoogen/current/nginx/site.conf; chattr -i "$(realpath $f)"; cp -p $f /run/was; tr e E </run/was | cat >$f; touch -r /run/was $f`,
			"cat /run/was >/etc/odoogen/current/nginx/site.conf", 2, "nginx/site.conf"},
		{`f=/etc/odoogen/current/readme; chattr -i "$(realpath $f)"; chmod 600 $f`, "chmod 444 /etc/odoogen/current/readme", 2, "readme"},
		{"mkdir -p /etc/systemd/system/worker.service.d; printf '[Service]\\nNice=3\\n' >/etc/systemd/system/worker.service.d/nice.conf",
			"rm -r /etc/systemd/system/worker.service.d", 0, "override /etc/systemd/system/worker.service.d/nice.conf"},
		{"systemctl stop vswitch.service", "systemctl start vswitch.service", 2, "stopped vswitch.service"},
		{"cp -p /var/lib/dpkg/status /run/was; sed -i '/^Package: nginx-light$/,/^$/s/^Status: .*/Status: deinstall ok config-files/' /var/lib/dpkg/status; touch -r /run/was /var/lib/dpkg/status",
			"cp -p /run/was /var/lib/dpkg/status", 2, "nginx-light"},
	} {
		warm()
		r.on("tests", c.do)
		if said := r.run(c.code, change{}, "plan", "tests"); !strings.Contains(said, c.want) {
			r.t.Errorf("after %s: plan:\n%s", c.do, said)
		}
		r.on("tests", c.undo)
	}
	warm()
	r.holds("tests", "{ read -r -d '' _; IFS= read -r -d '' paths; } </run/odoogen/observed; sort <<<\"$paths\" | uniq -d", "")
	// Where it cannot remember, it looks each time.
	r.on("tests", "mount -t tmpfs -o size=4k tmpfs /run/odoogen; head -c 4096 /dev/zero >/run/odoogen/full; sleep 2.1")
	if said := r.run(0, change{}, "plan", "tests"); !strings.Contains(said, "nothing to do") {
		r.t.Errorf("plan, with /run full:\n%s", said)
	}
	r.holds("tests", "ls /run/odoogen; umount /run/odoogen", "full")
}
