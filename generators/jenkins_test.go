package generators

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"odoogen/internal/topology"
)

// publishedKeys are the keys that Jenkins reads at each place, from configuration-as-code-plugin 58646eb6 (demos/),
// jenkins 2.568.2 (@DataBoundSetter, @Symbol), ssh-agents-plugin 59cc5d65 and ssh-credentials-plugin 372. An unknown
// key makes Jenkins refuse its whole configuration. [] is an element of a list.
var publishedKeys = map[string]string{
	"":                                      "jenkins unclassified credentials jobs",
	"/jenkins":                              "systemMessage numExecutors mode labelString slaveAgentPort securityRealm authorizationStrategy nodes",
	"/jenkins/securityRealm":                "local",
	"/jenkins/securityRealm/local":          "allowsSignup users",
	"/jenkins/securityRealm/local/users/[]": "id password",
	"/jenkins/authorizationStrategy":        "loggedInUsersCanDoAnything globalMatrix",
	"/jenkins/authorizationStrategy/loggedInUsersCanDoAnything": "allowAnonymousRead",
	"/jenkins/nodes/[]":                                                       "permanent",
	"/jenkins/nodes/[]/permanent":                                             "name nodeDescription labelString numExecutors remoteFS mode retentionStrategy launcher",
	"/jenkins/nodes/[]/permanent/retentionStrategy":                           "demand",
	"/jenkins/nodes/[]/permanent/retentionStrategy/demand":                    "inDemandDelay idleDelay",
	"/jenkins/nodes/[]/permanent/launcher":                                    "ssh",
	"/jenkins/nodes/[]/permanent/launcher/ssh":                                "host port credentialsId javaPath launchTimeoutSeconds maxNumRetries retryWaitTime sshHostKeyVerificationStrategy",
	"/jenkins/nodes/[]/permanent/launcher/ssh/sshHostKeyVerificationStrategy": "manuallyProvidedKeyVerificationStrategy manuallyTrustedKeyVerificationStrategy",
	"/jenkins/nodes/[]/permanent/launcher/ssh/sshHostKeyVerificationStrategy/manuallyProvidedKeyVerificationStrategy": "key",
	"/jenkins/nodes/[]/permanent/launcher/ssh/sshHostKeyVerificationStrategy/manuallyTrustedKeyVerificationStrategy":  "requireInitialManualTrust",
	"/unclassified":                            "location",
	"/unclassified/location":                   "url adminAddress",
	"/credentials":                             "system",
	"/credentials/system":                      "domainCredentials",
	"/credentials/system/domainCredentials/[]": "credentials",
	"/credentials/system/domainCredentials/[]/credentials/[]":                                                     "basicSSHUserPrivateKey",
	"/credentials/system/domainCredentials/[]/credentials/[]/basicSSHUserPrivateKey":                              "scope id username description privateKeySource",
	"/credentials/system/domainCredentials/[]/credentials/[]/basicSSHUserPrivateKey/privateKeySource":             "directEntry",
	"/credentials/system/domainCredentials/[]/credentials/[]/basicSSHUserPrivateKey/privateKeySource/directEntry": "privateKey",
	"/jobs/[]": "script",
}

// unpublished lists the keys of a value that Jenkins does not know.
func unpublished(value any, path string) []string {
	var unknown []string
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			if !strings.Contains(" "+publishedKeys[path]+" ", " "+key+" ") {
				unknown = append(unknown, path+"/"+key)
			}
			unknown = append(unknown, unpublished(inner, path+"/"+key)...)
		}
	case []any:
		for _, inner := range v {
			unknown = append(unknown, unpublished(inner, path+"/[]")...)
		}
	}
	return unknown
}

// cascOf reads the host's configuration as code as Jenkins does: all files, none with a root key of another.
func cascOf(t *testing.T, spec *topology.Topology) map[string]any {
	t.Helper()
	whole := map[string]any{}
	for path, text := range generated(t, Jenkins, spec, "ci") {
		if !strings.HasPrefix(path, "jenkins/casc/") {
			continue
		}
		var part map[string]any
		if err := yaml.Unmarshal([]byte(text), &part); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for key, value := range part {
			if _, twice := whole[key]; twice {
				t.Errorf("%s: %s stands in another file, too", path, key)
			}
			whole[key] = value
		}
	}
	return whole
}

func TestJenkinsKnowsEveryKey(t *testing.T) {
	spec := sampleTopology(t)
	for _, pinned := range []bool{true, false} {
		if !pinned {
			spec.CI.Host.HostKeys = nil
		}
		if unknown := unpublished(cascOf(t, spec), ""); len(unknown) > 0 {
			t.Errorf("Jenkins knows no %s", strings.Join(unknown, ", "))
		}
	}
}

func TestJenkinsAgents(t *testing.T) {
	spec := sampleTopology(t)
	nodes := cascOf(t, spec)["jenkins"].(map[string]any)["nodes"].([]any)
	files := generated(t, Jenkins, spec, "ci")
	var got []string
	for _, n := range nodes {
		node := n.(map[string]any)["permanent"].(map[string]any)
		kind, demand := node["retentionStrategy"].(string)
		if !demand {
			kind = "demand"
		}
		got = append(got, fmt.Sprint(node["name"], " ", kind))
		wantLines(t, files, "ssh/authorized_keys/"+node["name"].(string), `restrict,from="127.0.0.1" `+spec.CI.Agents.Key)
	}
	if want := "agent1 always,agent2 always,agent3 demand,agent4 demand"; strings.Join(got, ",") != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for uid := 4201; uid <= 4204; uid++ {
		wantLines(t, files, fmt.Sprintf("systemd/system/user-%d.slice.d/10-limits.conf", uid), "[Slice]", "CPUQuota=300%", "MemoryMax=8G", "IOWeight=50")
	}
}

// No secret reaches the tree: Jenkins reads each from the file that its unit is given.
func TestJenkinsSecrets(t *testing.T) {
	spec := sampleTopology(t)
	files := generated(t, Jenkins, spec, "ci")
	for _, s := range spec.SecretsOf(spec.CI.Host) {
		for _, consumer := range s.Consumers {
			if consumer != topology.JenkinsUnit {
				continue
			}
			wantLines(t, files, "systemd/system/jenkins.service.d/10-odoogen.conf", "LoadCredential="+s.Name+":/var/lib/odoogen/secrets/"+s.Name)
			reads := "${readFile:/run/credentials/jenkins.service/" + s.Name + "}"
			if all := files["jenkins/casc/controller.yaml"] + files["jenkins/casc/credentials.yaml"]; !strings.Contains(all, reads) {
				t.Errorf("nothing reads %s", reads)
			}
		}
	}
}

func TestJenkinsUnit(t *testing.T) {
	spec := sampleTopology(t)
	wantLines(t, generated(t, Jenkins, spec, "ci"), "systemd/system/jenkins.service.d/10-odoogen.conf",
		`Environment=JAVA_HOME=/usr/lib/jvm/temurin-21-jre-amd64`,
		`Environment=JENKINS_LISTEN_ADDRESS=10.0.0.3`,
		`Environment=JENKINS_PORT=8080`,
		`Environment=CASC_JENKINS_CONFIG=/etc/odoogen/current/jenkins/casc`,
		"After=odoogen-vswitch.service")
	if files := generated(t, Jenkins, spec, "tests"); len(files) > 0 {
		t.Errorf("%d files on a host without CI", len(files))
	}
}

// What a job's Jenkinsfile says or leaves out: at `at` it starts, and after maxDuration it is aborted.
func TestJenkinsJobs(t *testing.T) {
	spec := sampleTopology(t)
	scripts := jobScripts(t, spec)
	if len(scripts) != 2 {
		t.Fatalf("%d scripts for one job", len(scripts))
	}
	for _, want := range []string{"pipelineJob('e2e-nightly') {", "url('git://10.0.0.3:9418/addons19.git')", "branch('refs/heads/19.0')", "scriptPath('ci/e2e.Jenkinsfile')"} {
		if !strings.Contains(scripts[0], want) {
			t.Errorf("no %s in\n%s", want, scripts[0])
		}
	}
	for _, want := range []string{"pipelineJob('e2e-nightly.timer') {", `spec('TZ=Etc/UTC\n0 2 * * *')`, `script('timeout(180) {\n  build(\'e2e-nightly\')\n}\n')`} {
		if !strings.Contains(scripts[1], want) {
			t.Errorf("no %s in\n%s", want, scripts[1])
		}
	}
}

// Whatever a name holds, a script stays what it is: calls of plain strings in balanced blocks.
func TestJobScriptsAreWellFormed(t *testing.T) {
	spec := sampleTopology(t)
	for _, name := range []string{"e2e-nightly", `a'); evil('`, "a${readFile:/etc/shadow}", `\`, "a\nb", "ü"} {
		spec.CI.Jobs[0].Name = name
		for _, script := range jobScripts(t, spec) {
			depth := 0
			for line := range strings.SplitSeq(strings.TrimSuffix(script, "\n"), "\n") {
				switch code := strings.TrimSpace(line); {
				case openedBlock.MatchString(code):
					depth++
				case code == "}":
					depth--
				case !plainCall.MatchString(code):
					t.Errorf("%q: no call: %s", name, line)
				}
				if depth < 0 {
					t.Fatalf("%q: closed too often:\n%s", name, script)
				}
			}
			if depth != 0 {
				t.Errorf("%q: %d blocks left open:\n%s", name, depth, script)
			}
			if strings.Contains(script, "${") {
				t.Errorf("%q: configuration as code would read a secret:\n%s", name, script)
			}
		}
	}
}

const groovyArgument = `('([^'\\$]|\\.)*'|[0-9]+|true|false)`

var (
	openedBlock = regexp.MustCompile(`^[a-zA-Z]+(\(` + groovyArgument + `\))? \{$`)
	plainCall   = regexp.MustCompile(`^[a-zA-Z]+\((` + groovyArgument + `(, ` + groovyArgument + `)*)?\)$`)
)

func jobScripts(t *testing.T, spec *topology.Topology) []string {
	t.Helper()
	var scripts []string
	for _, j := range cascOf(t, spec)["jobs"].([]any) {
		scripts = append(scripts, j.(map[string]any)["script"].(string))
	}
	return scripts
}

func TestJenkinsPlugins(t *testing.T) {
	text := generated(t, Jenkins, sampleTopology(t), "ci")["jenkins/plugins.txt"]
	line := regexp.MustCompile(`^(#.*|[a-z0-9-]+:[0-9][0-9A-Za-z._-]*)$`)
	plugins := 0
	for l := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		if !line.MatchString(l) {
			t.Errorf("no plugin: %q", l)
		}
		if !strings.HasPrefix(l, "#") {
			plugins++
		}
	}
	if plugins != 10 {
		t.Errorf("%d plugins, want the spec's 10", plugins)
	}
}

// Jenkins without configuration-as-code would be open to everybody: it must not start, whatever the list says.
func TestJenkinsDoesNotStartWithoutItsPlugins(t *testing.T) {
	files := generated(t, Jenkins, sampleTopology(t), "ci")
	dir := t.TempDir()
	write := func(path, text string, mode os.FileMode) {
		t.Helper()
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	start := func() (string, error) {
		cmd := exec.Command(filepath.Join(dir, "bin/jenkins-plugins"))
		cmd.Env = append(os.Environ(), "JENKINS_HOME="+dir)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	write("bin/jenkins-plugins", files["bin/jenkins-plugins"], 0o777)
	write("jenkins/plugins.txt", "# none\n", 0o666)
	if out, err := start(); err == nil || !strings.Contains(out, "configuration-as-code") {
		t.Errorf("an empty list starts Jenkins: %s", out)
	}
	write("jenkins/plugins.txt", files["jenkins/plugins.txt"], 0o666)
	write("plugins/configuration-as-code.jpi", "", 0o666)
	for line := range strings.SplitSeq(files["jenkins/plugins.txt"], "\n") {
		if id, _, ok := strings.Cut(line, ":"); ok && id != "git" && !strings.HasPrefix(line, "#") {
			write("plugins/"+id+".jpi", "", 0o666)
		}
	}
	if out, err := start(); err == nil || !strings.Contains(out, "plugins: git\n") {
		t.Errorf("git is missing, and it says: %s", out)
	}
	write("plugins/git.hpi", "", 0o666)
	if out, err := start(); err != nil {
		t.Errorf("with all plugins: %v: %s", err, out)
	}
}
