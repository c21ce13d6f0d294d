package main

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"
)

// classes draws kinds of instance of a cluster, and instances.
func (s *anySpec) classes(c anyCluster, number int) {
	name := s.name("a class", fmt.Sprintf("k%d", number), nil, fmt.Sprintf("k%d_a-b", number), fmt.Sprintf("k%d-", number))
	path := "classes: " + quoted(name) + ": "
	s.line("%s#Class & {cluster: %q, CPUQuota: %q, MemoryMax: %q}", path, c.name, s.pick("a quota", "150%", "50%", "400%", "333%"), s.pick("memory", "3G", "2000M", "6G", "3145728K"))
	port := 0
	if !s.departs("ports by name") {
		port = 8000 + 200*number
		s.line("%sport: %d", path, port)
	}
	s.maybe("the size of a class", path+"workers: 2", path+"workers: 0", path+"{workers: 3, max_cron_threads: 0}", path+"max_cron_threads: 2")
	s.maybe("pools", path+"db_maxconn: 2", path+"{db_maxconn: 10, db_maxconn_gevent: 2}")
	s.maybe("times", path+"limit_time_cpu: 1", path+"{limit_time_real: 1, limit_time_real_cron: 0}", path+"{limit_time_cpu: 3600, limit_time_real: 7200, limit_time_real_cron: 86400}")
	s.maybe("uploads", path+`upload: "1K"`, path+`upload: "2G"`, path+`upload: "3000M"`)
	s.maybe("demonstration data", path+"demo: true")
	s.maybe("a share", path+"IOWeight: 1", path+"IOWeight: 10000")
	s.maybe("an update's memory", path+`update: MemoryMax: "2G"`, path+`update: MemoryMax: "700M"`)
	s.maybe("disk", path+`disk: {database: "1G", filestore: "1M", release: "500M"}`)
	s.maybe("options of a class", path+`extra: {log_level: "warn", limit_request: 4096}`, path+"extra: unaccent: true", path+`extra: {log_handler: ":INFO,odoo.sql_db:WARNING", osv_memory_count_limit: 0}`)
	for n := range rapid.IntRange(1, 2).Draw(s.T, "instances") {
		s.instance(name, n, number, port > 0)
	}
}

// instance draws one instance. Two of a class and a class port have two versions.
func (s *anySpec) instance(class string, n, number int, byClass bool) {
	major := 19
	if n == 1 && byClass || s.departs("Odoo 17") {
		major = 17
	}
	if n == 1 && !byClass {
		major = 19
	}
	usual := fmt.Sprintf("i%d%c%d", number, 'a'+n, major)
	name := s.name("an instance", usual, s.instances, "a", "b"+fmt.Sprint(major), "quality_assurance_of_all17", "i_", "postgres", "c0", "x__1", "main", "odoo", "all")
	s.instances = append(s.instances, name)
	path := "instances: " + name + ": "
	domain := fmt.Sprintf("i%d-%d.%s", number, n, s.pick("a domain", "example.com", "a.b.c.d.xn--bcher-kva.example.org", "x.co", strings.Repeat("a", 63)+".example.net", "1.2.example.com"))
	if n == 1 && byClass { // the first has the other version's port
		s.line("%s#Instance & {class: %q, version: %q, domain: %q, http_port: %d}", path, class, fmt.Sprintf("%d.0", major), domain, 30000+number*10)
	} else {
		s.line("%s#Instance & {class: %q, version: %q, domain: %q}", path, class, fmt.Sprintf("%d.0", major), domain)
	}
	s.maybe("other names of a vhost", path+fmt.Sprintf(`aliases: ["www.%s"]`, domain), path+fmt.Sprintf(`aliases: ["a.%s", "b-1.%s", "0.%s"]`, domain, domain, domain))
	s.maybe("a database", path+fmt.Sprintf(`database: "d%d_%d"`, number, n), path+fmt.Sprintf(`database: "d%d_%d_%s"`, number, n, strings.Repeat("x", 56)), path+fmt.Sprintf(`database: "user%d%d"`, number, n))
	s.maybe("modules", path+"modules: []", path+`modules: ["base", "web", "account_edi_ubl_cii"]`)
	s.maybe("limits of its own", path+`{CPUQuota: "75%", MemoryMax: "4G"}`, path+`{workers: 1, db_maxconn: 3}`, path+"workers: 0", path+`{demo: true, upload: "5M", IOWeight: 7}`, path+`{limit_time_real: 5, update: MemoryMax: "3G"}`)
	s.maybe("options of an instance", path+`extra: {log_level: "info", transient_age_limit: 1.5}`, path+"extra: limit_request: 1", path+`extra: {email_from: "a;b@example.com", syslog: true}`)
	s.maybe("a vhost", path+`nginx: ["client_body_timeout 5m;"]`, path+`nginx: [`+quoted(`add_header X-Env "qa; {19} # 'x'" always;`)+`, "location /x { return 204; }"]`,
		path+`nginx: [`+quoted(`location ~ "^/x/([a-z]{2})$" { return 302 /web?lang=$1; }`)+`]`, path+`nginx: ["deny 192.0.2.0/24;", "error_page 404 /x.html;"]`)
	s.maybe("a move", path+`moved: from: name: "before`+fmt.Sprint(number)+`"`, path+`moved: from: database: "other"`)
	if s.departs("a drop-in of an instance") {
		host := s.hosts[len(s.hosts)-1]
		s.line(`%sunits: %q: dropin: %s`, host.path, s.pick("its unit", "odoo-"+name+".service", "odoo-"+name+".slice"), "Unit: Documentation: \"https://example.com/x?a=b\"")
	}
}

// sources draws the repositories that instances are made of.
func (s *anySpec) sources() {
	repository := func(name, git string, version int, more string) {
		s.line("sources: repositories: %q: #Repository & {git: %q, branch: %q, rev: \"%040x\"%s}", name, git, s.pick("a branch", fmt.Sprintf("%d.0", version), "a/b-c_d.e", "0"), version, more)
	}
	community := s.name("a repository", "odoo", nil, "0", "o.d_o-o", strings.Repeat("x", 63))
	s.code = community[:min(len(community), 61)] + "19"
	enterprise, addons := s.departs("Enterprise"), s.departs("addons")
	for _, version := range []int{17, 19} {
		name := fmt.Sprintf("%s%d", community[:min(len(community), 61)], version)
		path := fmt.Sprintf(`sources: versions: "%d.0": `, version)
		repository(name, "https://github.com/odoo/odoo.git", version, s.pick("folders of modules", `, paths: ["addons", "odoo/addons"]`, "", `, paths: ["a.b/c-d", "_x/.y", "."]`))
		s.line("%scommunity: %q", path, name)
		if enterprise {
			repository(fmt.Sprintf("enterprise%d", version), "git@github.com:odoo/enterprise.git", version, `, credential: "enterprise-key"`)
			s.line(`%senterprise: "enterprise%d"`, path, version)
		}
		if addons {
			repository(fmt.Sprintf("addons%d", version), s.pick("an address", "ssh://git@git.example.com:2222/a/b_c.git", "git@git.example.com:a/b.git"), version, s.pick("a credential", `, credential: "a"`, ""))
			s.line(`%saddons: ["addons%d"]`, path, version)
		}
		s.maybe("Python packages", path+`pip: ["phonenumbers==8.13.50"]`, path+`pip: ["a_b.c-D[extra,m-o.r_e]==1!2.0rc1.post2.dev3+local.1", "x==0"]`)
		s.maybe("Debian packages of Python", path+`apt: ["python3-venv"]`, path+`apt: []`)
	}
	if enterprise {
		s.line("sources: knownHosts: %q: [%q]", "github.com", keyServer)
	}
	if addons {
		s.line("sources: knownHosts: %q: [%q]", "git.example.com", keyServer)
	}
	if s.departs("wkhtmltopdf") {
		s.line(`sources: wkhtmltopdf: {version: "0.12.6.1-3", url: "https://example.com/w~1+2.deb", sha256: "98ba0d157b50d36f23bd0dedf4c0aa28c7b0c50fcdcdc54aa5b6bbba81a3941d", fonts: %s}`,
			s.pick("fonts", `["fonts-dejavu-core"]`, "[]"))
	}
	s.maybe("releases", "sources: releases: keep: 1", "sources: releases: keep: 20")
}
