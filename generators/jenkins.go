package generators

import (
	"fmt"
	"strings"

	"odoogen/internal/artifact"
	"odoogen/internal/conf"
	"odoogen/internal/topology"
)

// Jenkins writes the CI host: the controller's unit, all of its configuration as code, the list of its plugins, and
// the agents' slices and keys. Jenkins reads its configuration when it starts; nothing of it is set by hand.
func Jenkins(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	ci := h.CI
	if ci == nil {
		return out.result()
	}
	restart := artifact.Restart(topology.JenkinsUnit)
	dropIn := "systemd/system/" + topology.JenkinsUnit + ".d/"
	out.add(dropIn+"10-odoogen.conf", jenkinsUnit(t, h), artifact.DaemonReload, restart)
	out.constant(dropIn+"20-hardening.conf", "systemd/jenkins-hardening.conf", readable, artifact.DaemonReload, restart)
	out.add(dropIn+"30-limits.conf", limits("ci.jenkins", "Limits of the Jenkins controller.", "Service", ci.Jenkins.Limits), artifact.DaemonReload)

	out.add("jenkins/casc/controller.yaml", jenkinsController(t, ci), restart)
	out.add("jenkins/casc/credentials.yaml", jenkinsCredentials(t, ci), restart)
	if len(ci.Jobs) > 0 {
		out.add("jenkins/casc/jobs.yaml", jenkinsJobs(t, ci), restart)
	}
	out.add("jenkins/plugins.txt", jenkinsPlugins(ci), restart)
	out.constant("bin/jenkins-plugins", "bin/jenkins-plugins", executable)

	for _, a := range ci.Agents.List() {
		what := "Limits of everything that the login " + a.Name + " runs: builds of one agent."
		out.add("systemd/system/"+a.Slice()+".d/10-limits.conf",
			limits("ci.agents", what, "Slice", ci.Agents.Limits, "ci.agents.max"), artifact.DaemonReload)
		out.add("ssh/authorized_keys/"+a.Name, agentKeys(ci))
	}
	return out.result()
}

// limits is a drop-in of nothing but the owner's limits: systemd applies it with daemon-reload alone.
func limits(owner, what, section string, l topology.Limits, also ...string) *conf.Text {
	u := conf.NewUnit(owner, what)
	from := func(field string) []string { return append([]string{owner + ".limits." + field}, also...) }
	u.Section(section)
	u.Set("CPUQuota", l.CPUQuota.String(), from("CPUQuota")...)
	u.Set("MemoryMax", l.MemoryMax.String(), from("MemoryMax")...)
	u.Set("IOWeight", itoa(l.IOWeight), from("IOWeight")...)
	return &u.Text
}

// jenkinsUnit tells the package's unit what it reads from its environment (/usr/bin/jenkins).
func jenkinsUnit(t *topology.Topology, h *topology.Host) *conf.Text {
	ci, j := h.CI, &h.CI.Jenkins
	u := conf.NewUnit("ci.jenkins", "The Jenkins controller: its Java, its address, its configuration and its secrets.")
	u.Section("Unit")
	u.Set("Wants", "network-online.target")
	u.Set("After", "network-online.target")
	if h.VLANByUnit(t) { // the address that it listens on
		u.Set("Wants", topology.VSwitchUnit, "network.vswitch", h.At("uplink.manager"))
		u.Set("After", topology.VSwitchUnit, "network.vswitch", h.At("uplink.manager"))
	}
	u.Section("Service")
	u.Environment("JAVA_HOME", t.JavaHome(), "packages.vendors", "ci.jenkins")
	u.Environment("JAVA_OPTS", "-Djava.awt.headless=true -Djenkins.install.runSetupWizard=false -Xmx"+j.Heap.String(), "ci.jenkins.heap")
	u.Environment("JENKINS_LISTEN_ADDRESS", ci.Address(), ci.AddressPath())
	u.Environment("JENKINS_PORT", itoa(j.Port), "ci.jenkins.port")
	u.Environment("CASC_JENKINS_CONFIG", topology.JenkinsCasC)
	u.Comment("A secret that is missing stops the start. Without this it would be an empty password.")
	u.Environment("CASC_STRICT_SECRET_RESOLUTION", "true")
	for _, s := range []struct{ name, path string }{
		{j.Admin, "ci.jenkins.admin"}, {j.AgentKey, "ci.jenkins.agentKey"}, {j.DeployKey, "ci.jenkins.deployKey"},
	} {
		u.Set("LoadCredential", s.name+":"+topology.SecretFile(s.name), s.path)
	}
	u.Comment("Without its plugins, Jenkins would not read that configuration, and be open to everybody. It is not started then.")
	u.Exec("ExecCondition", []string{topology.Bin + "/jenkins-plugins"})
	u.Set("RestartSec", "10s")
	return &u.Text
}

// jenkinsController is the controller's own configuration: no builds on it, one user, and the agents.
func jenkinsController(t *topology.Topology, ci *topology.CI) *conf.Text {
	admin := conf.Object().
		Set("id", "admin").
		Set("password", jenkinsSecret(conf.CasCWord, ci.Jenkins.Admin), "ci.jenkins.admin")
	nodes := conf.Array()
	for _, a := range ci.Agents.List() {
		nodes.Add(conf.Object().Set("permanent", agentNode(t, ci, a)))
	}
	controller := conf.Object().
		Set("systemMessage", "Configured by odoogen: what is changed here by hand is lost at the next start.").
		Set("numExecutors", 0).
		Set("mode", "EXCLUSIVE").
		Set("slaveAgentPort", -1). // agents are logged in to; nobody calls in
		Set("securityRealm", conf.Object().
			Set("local", conf.Object().
				Set("allowsSignup", false).
				Set("users", conf.Array(admin)))).
		Set("authorizationStrategy", conf.Object().
			Set("loggedInUsersCanDoAnything", conf.Object().
				Set("allowAnonymousRead", false))).
		Set("nodes", nodes, "ci.agents")
	return conf.YAML("ci.jenkins", "The Jenkins controller and its agents, as Jenkins' configuration as code reads it.", conf.Object().
		Set("jenkins", controller).
		Set("unclassified", conf.Object().
			Set("location", conf.Object().Set("url", conf.CasC(ci.Jenkins.URL), "ci.jenkins.url"))))
}

// agentNode is one agent: a login on this very host, over loopback, whose host key is known.
func agentNode(t *topology.Topology, ci *topology.CI, a topology.Agent) *conf.Node {
	// Minutes: at once when a build waits, and away ten minutes after the last.
	retention := conf.Object().Set("demand", conf.Object().Set("inDemandDelay", 0).Set("idleDelay", 10))
	node := conf.Object().
		Set("name", a.Name).
		Set("labelString", strings.Join(ci.Agents.Labels, " "), "ci.agents.labels", "ci.agents.max").
		Set("numExecutors", ci.Agents.Executors, "ci.agents.executors", "ci.agents.max").
		Set("remoteFS", a.Home()).
		Set("mode", "NORMAL").
		Set("launcher", conf.Object().
			Set("ssh", conf.Object().
				Set("host", "127.0.0.1").
				Set("port", 22).
				Set("credentialsId", a.Name).
				Set("javaPath", t.JavaHome()+"/bin/java", "packages.vendors", "ci.agents").
				Set("sshHostKeyVerificationStrategy", hostKeyStrategy(ci.Host), ci.Host.At("hostKeys"), "ci.agents.max")))
	if a.Always {
		return node.Set("retentionStrategy", "always", "ci.agents.min", "ci.agents.max")
	}
	return node.Set("retentionStrategy", retention, "ci.agents.min", "ci.agents.max")
}

// hostKeyStrategy is the host key that an agent must prove; where the spec pins none, the first one seen, which over
// loopback is the host's own.
func hostKeyStrategy(h *topology.Host) *conf.Node {
	if len(h.HostKeys) == 0 {
		return conf.Object().Set("manuallyTrustedKeyVerificationStrategy", conf.Object().Set("requireInitialManualTrust", false))
	}
	return conf.Object().Set("manuallyProvidedKeyVerificationStrategy", conf.Object().Set("key", conf.CasC(h.HostKeys[0])))
}

// jenkinsCredentials are the keys that Jenkins logs in with.
func jenkinsCredentials(t *topology.Topology, ci *topology.CI) *conf.Text {
	all := conf.Array()
	key := func(id, user, description, secret string, from ...string) {
		all.Add(conf.Object().
			Set("basicSSHUserPrivateKey", conf.Object().
				Set("scope", map[bool]string{true: "GLOBAL", false: "SYSTEM"}[id == "deploy"]).
				Set("id", id).
				Set("username", conf.CasC(user)).
				Set("description", description).
				Set("privateKeySource", conf.Object().
					Set("directEntry", conf.Object().
						Set("privateKey", jenkinsSecret(conf.CasCFile, secret))))), from...)
	}
	key("deploy", t.Access.Deploy.User, "deploys releases", ci.Jenkins.DeployKey, "ci.jenkins.deployKey", "access.deploy.user")
	for _, a := range ci.Agents.List() {
		key(a.Name, a.Name, "opens "+a.Name, ci.Jenkins.AgentKey, "ci.jenkins.agentKey", "ci.agents.max")
	}
	return conf.YAML("ci.jenkins", "Keys that Jenkins logs in with. They lie in its unit's credentials, not here.", conf.Object().
		Set("credentials", conf.Object().
			Set("system", conf.Object().
				Set("domainCredentials", conf.Array(conf.Object().Set("credentials", all))))))
}

func jenkinsSecret(read func(string) string, name string) string {
	return read(topology.Credential(topology.JenkinsUnit, name))
}

// jenkinsJobs are the pipelines, in job-dsl. A pipeline cannot end itself in time whatever its Jenkinsfile says; so
// each is started by a small one that waits for it, no longer than maxDuration, and then aborts it.
func jenkinsJobs(t *topology.Topology, ci *topology.CI) *conf.Text {
	jobs := conf.Array()
	for _, j := range ci.Jobs {
		jobs.Add(conf.Object().Set("script", jobScript(ci, j), j.Path))
		jobs.Add(conf.Object().Set("script", timerScript(t, j), j.Path))
	}
	return conf.YAML("ci.jobs", "Jenkins' pipelines, in job-dsl, as its configuration as code reads them.", conf.Object().Set("jobs", jobs))
}

func jobScript(ci *topology.CI, j *topology.CIJob) *conf.Text {
	g := conf.NewGroovy(j.Path)
	g.Open("pipelineJob", []any{j.Name})
	g.Call("description", []any{fmt.Sprintf("%s of %s, branch %s. Started by %s.", j.Script, j.RepositoryName, j.Repository.Branch, timerName(j))},
		j.Path+".script", j.Path+".repository", j.Repository.Path+".branch")
	g.Open("logRotator", nil)
	g.Call("numToKeep", []any{keptBuilds})
	g.Close()
	g.Open("properties", nil)
	g.Call("disableConcurrentBuilds", nil)
	g.Close()
	g.Open("definition", nil)
	g.Open("cpsScm", nil)
	g.Call("lightweight", []any{true})
	g.Call("scriptPath", []any{j.Script}, j.Path+".script")
	g.Open("scm", nil)
	g.Open("git", nil)
	g.Open("remote", nil)
	g.Call("url", []any{ci.MirrorURL(j.Repository)}, j.Path+".repository", "ci.mirror.port", ci.AddressPath())
	g.Close()
	g.Call("branch", []any{"refs/heads/" + j.Repository.Branch}, j.Repository.Path+".branch", j.Path+".repository")
	for range 5 {
		g.Close()
	}
	return &g.Text
}

func timerScript(t *topology.Topology, j *topology.CIJob) *conf.Text {
	minutes := int((j.MaxDuration + 59) / 60)
	run := conf.NewGroovy(j.Path)
	run.Open("timeout", []any{minutes}) // minutes, its default unit
	run.Call("build", []any{j.Name})    // an abort of this step aborts the build
	run.Close()

	g := conf.NewGroovy(j.Path)
	g.Open("pipelineJob", []any{timerName(j)})
	g.Call("description", []any{"Starts " + j.Name + " and ends it after " + j.MaxDuration.String() + "."}, j.Path+".maxDuration")
	g.Open("logRotator", nil)
	g.Call("numToKeep", []any{keptBuilds})
	g.Close()
	g.Open("properties", nil)
	g.Call("disableConcurrentBuilds", nil)
	g.Open("pipelineTriggers", nil)
	g.Open("triggers", nil)
	g.Open("cron", nil)
	g.Call("spec", []any{"TZ=" + t.Network.Time.Zone + "\n" + j.At.Cron()}, j.Path+".at", "network.time.zone")
	for range 4 {
		g.Close()
	}
	g.Open("definition", nil)
	g.Open("cps", nil)
	g.Call("script", []any{run.Source()}, j.Path+".maxDuration")
	g.Call("sandbox", []any{true})
	for range 3 {
		g.Close()
	}
	return &g.Text
}

// timerName is the pipeline that starts a job. No job that the spec names can be called so.
func timerName(j *topology.CIJob) string { return j.Name + ".timer" }

// keptBuilds is how many builds of a job Jenkins keeps: a month of a nightly one.
const keptBuilds = 30

// jenkinsPlugins is the list that jenkins-plugin-manager installs, one "id:version" a line.
func jenkinsPlugins(ci *topology.CI) *conf.Text {
	t := conf.Of("ci.jenkins.plugins")
	t.Header("Jenkins' plugins. Those that they need themselves come with them.")
	for _, p := range ci.Jenkins.Plugins {
		t.Line(p.Name+":"+p.Version, p.Path)
	}
	return &t
}

// agentKeys are who may log in as an agent: Jenkins, from this host, without forwarding or terminal.
func agentKeys(ci *topology.CI) *conf.Text {
	t := conf.Of("ci.agents")
	t.Header("Who may log in as an agent: Jenkins, over loopback.")
	t.Line(`restrict,from="127.0.0.1" `+ci.Agents.Key, "ci.agents.key", "ci.agents.max")
	return &t
}
