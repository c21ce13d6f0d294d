package native

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// casc reads Jenkins' Configuration as Code: YAML, the keys that the plugins' published examples and sources have,
// credentials that exist where an agent names them, and no value that two files set.
func casc(c *check) {
	var ids []string
	var uses []use
	set := map[string]string{} // path of a plain value: the file that sets it
	for _, f := range c.files {
		var doc yaml.Node
		if err := yaml.Unmarshal(f.Data, &doc); err != nil {
			line := 0
			fmt.Sscanf(err.Error(), "yaml: line %d:", &line)
			c.fail(f.Path, line, "%s", err)
			continue
		}
		if len(doc.Content) != 1 {
			c.fail(f.Path, 0, "empty")
			continue
		}
		y := &cascFile{check: c, path: f.Path, set: set}
		y.walk("", doc.Content[0], false)
		ids, uses = append(ids, y.ids...), append(uses, y.uses...)
	}
	for _, u := range uses {
		if !slices.Contains(ids, u.id.Value) {
			c.fail(u.path, u.id.Line, "no credential has the id %s", u.id.Value)
		}
	}
}

// use is a place that names a credential.
type use struct {
	path string
	id   *yaml.Node
}

// cascFile is one file at work.
type cascFile struct {
	*check
	path string
	ids  []string // of credentials
	uses []use
	set  map[string]string
}

// walk checks a node at a path such as "jenkins.nodes.permanent": elements of a list add nothing to it.
func (y *cascFile) walk(at string, n *yaml.Node, inList bool) {
	switch n.Kind {
	case yaml.SequenceNode:
		for _, e := range n.Content {
			y.walk(at, e, true)
		}
	case yaml.ScalarNode:
		// Jenkins merges the files' mappings and lists, and refuses a value that two of them set.
		if before, ok := y.set[at]; ok && !inList && before != y.path {
			y.fail(y.path, n.Line, "%s is set in %s too", at, before)
		} else if !inList {
			y.set[at] = y.path
		}
	case yaml.MappingNode:
		known, checked := cascKeys[at]
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			if checked && !slices.Contains(known, key.Value) {
				y.fail(y.path, key.Line, "%s has no key %s that odoogen knows", strings.TrimPrefix(at+" of Configuration as Code", " of "), key.Value)
			}
			switch {
			case key.Value == "credentialsId":
				y.uses = append(y.uses, use{y.path, value})
			case key.Value == "id" && strings.HasPrefix(at, "credentials."):
				y.ids = append(y.ids, value.Value)
			}
			y.walk(strings.TrimPrefix(at+"."+key.Value, "."), value, inList)
		}
	}
}

// cascKeys are the keys at a path; a path that is not here takes any. Sources: the demos of
// configuration-as-code-plugin at 58646eb6; Jenkins 2.568.2, SSHLauncher of ssh-agents-plugin at 59cc5d65, matrix-auth,
// job-dsl: their @Symbol and @DataBound names.
var cascKeys = map[string][]string{
	"":                                  words("jenkins credentials unclassified security jobs items tool appearance configuration-as-code"),
	"jenkins":                           words("systemMessage numExecutors mode labelString securityRealm authorizationStrategy nodes crumbIssuer slaveAgentPort agentProtocols quietPeriod scmCheckoutRetryCount projectNamingStrategy markupFormatter globalNodeProperties primaryView views viewsTabBar myViewsTabBar disabledAdministrativeMonitors disableRememberMe noUsageStatistics remotingSecurity updateCenter nodeMonitors rawBuildsDir clouds log"),
	"jenkins.securityRealm":             words("local ldap saml"),
	"jenkins.securityRealm.local":       words("allowsSignup enableCaptcha users"),
	"jenkins.securityRealm.local.users": words("id name password description properties"),
	"jenkins.authorizationStrategy":     words("globalMatrix projectMatrix loggedInUsersCanDoAnything"),
	"jenkins.authorizationStrategy.globalMatrix":               words("entries"),
	"jenkins.authorizationStrategy.globalMatrix.entries":       words("user group"),
	"jenkins.authorizationStrategy.loggedInUsersCanDoAnything": words("allowAnonymousRead"),
	"jenkins.nodes":                        words("permanent"),
	"jenkins.nodes.permanent":              words("name nodeDescription labelString numExecutors remoteFS mode retentionStrategy launcher nodeProperties"),
	"jenkins.nodes.permanent.launcher":     words("ssh inbound"),
	"jenkins.nodes.permanent.launcher.ssh": words("host port credentialsId javaPath jvmOptions prefixStartSlaveCmd suffixStartSlaveCmd launchTimeoutSeconds maxNumRetries retryWaitTime tcpNoDelay workDir sshHostKeyVerificationStrategy"),
	"jenkins.nodes.permanent.launcher.ssh.sshHostKeyVerificationStrategy": words("manuallyProvidedKeyVerificationStrategy knownHostsFileKeyVerificationStrategy manuallyTrustedKeyVerificationStrategy"),
	"jenkins.nodes.permanent.retentionStrategy":                           words("always demand schedule"),
	"jenkins.nodes.permanent.retentionStrategy.demand":                    words("inDemandDelay idleDelay"),
	"credentials":                                      words("system"),
	"credentials.system":                               words("domainCredentials"),
	"credentials.system.domainCredentials":             words("domain credentials"),
	"credentials.system.domainCredentials.credentials": words("basicSSHUserPrivateKey string usernamePassword file"),
	"credentials.system.domainCredentials.credentials.basicSSHUserPrivateKey":                  words("scope id username description passphrase privateKeySource usernameSecret"),
	"credentials.system.domainCredentials.credentials.basicSSHUserPrivateKey.privateKeySource": words("directEntry"),
	"credentials.system.domainCredentials.credentials.string":                                  words("scope id secret description"),
	"jobs": words("script file url providedEnv"),
}
