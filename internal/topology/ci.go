package topology

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// Paths of the CI host.
const (
	// JenkinsHome is where Jenkins' package keeps everything: builds, plugins, keys.
	JenkinsHome = "/var/lib/jenkins"
	// JenkinsCasC is what Jenkins configures itself from (environment CASC_JENKINS_CONFIG).
	JenkinsCasC = Current + "/jenkins/casc"
	// AgentsDir holds the home of each agent.
	AgentsDir = "/var/lib/jenkins-agents"
)

// firstAgentUID is the user id of agent1. It is fixed, since systemd names the slice of a login by the id and
// limits have to name that slice; it lies above what adduser gives to people.
const firstAgentUID = 4201

// Agent is a build agent: a user of the CI host that Jenkins logs in as, over loopback.
type Agent struct {
	Name   string // in Jenkins, and of its user and group
	UID    int
	Always bool // connected all the time, not only on demand
}

// List is every agent, agent1 first.
func (a *Agents) List() []Agent {
	agents := make([]Agent, a.Max)
	for n := range agents {
		agents[n] = Agent{Name: "agent" + strconv.Itoa(n+1), UID: firstAgentUID + n, Always: n < a.Min}
	}
	return agents
}

// Home is the agent's home directory, and in it its workspaces (Jenkins' remoteFS).
func (a Agent) Home() string { return AgentsDir + "/" + a.Name }

// Slice holds every process that the agent starts: pam_systemd(8) puts the sessions of a login there.
func (a Agent) Slice() string { return fmt.Sprintf("user-%d.slice", a.UID) }

// Address is where Jenkins and the git mirror listen: the private network, or loopback on a host without one.
func (c *CI) Address() string {
	if c.Host.Private != "" {
		return c.Host.Private
	}
	return "127.0.0.1"
}

// AddressPath is the path of what decides Address.
func (c *CI) AddressPath() string {
	if c.Host.Private != "" {
		return c.Host.At("private")
	}
	return c.Host.Path
}

// Mirror is the repository's bare mirror, below MirrorDir.
func (r *Repository) Mirror() string { return r.Name + ".git" }

// MirrorsURL is where the mirrors of all repositories are.
func (c *CI) MirrorsURL() string {
	return "git://" + net.JoinHostPort(c.Address(), strconv.Itoa(c.Mirror.Port))
}

// MirrorURL is where jobs fetch the repository from: the mirror, never the hosting service.
func (c *CI) MirrorURL(r *Repository) string { return c.MirrorsURL() + "/" + r.Mirror() }

// JavaHome is where the package of Java lies: both Adoptium's and Debian's install below /usr/lib/jvm.
func (t *Topology) JavaHome() string {
	name := t.Java()
	if m := openJDK().FindStringSubmatch(name); m != nil {
		name = "java-" + m[1] + "-openjdk"
	}
	return "/usr/lib/jvm/" + name + "-amd64"
}

var openJDK = lazily(`^openjdk-([0-9]+)-`)

// Credential is where a unit finds a secret that it loads under its own name (systemd.exec(5), LoadCredential=).
func Credential(unit, secret string) string { return "/run/credentials/" + unit + "/" + secret }

// Cron is the calendar as cron reads it, minute to day of week: "0 3 * * 0" for "Sun 03:00".
func (c Calendar) Cron() string {
	days, clock, ok := strings.Cut(string(c), " ")
	if !ok {
		days, clock = "*-*-*", days
	}
	hour, minute, _ := strings.Cut(clock, ":")
	day, month, weekday := "*", "*", "*"
	if parts := strings.Split(days, "-"); len(parts) == 3 {
		month, day = cronNumbers(parts[1]), cronNumbers(parts[2])
	} else {
		weekday = cronWeekdays.Replace(days)
	}
	return strings.Join([]string{cronNumbers(minute), cronNumbers(hour), day, month, weekday}, " ")
}

var cronWeekdays = strings.NewReplacer("Sun", "0", "Mon", "1", "Tue", "2", "Wed", "3", "Thu", "4", "Fri", "5", "Sat", "6")

// cronNumbers drops the leading zeros of a list of numbers.
func cronNumbers(list string) string {
	words := strings.Split(list, ",")
	for i, w := range words {
		if n, err := strconv.Atoi(w); err == nil {
			words[i] = strconv.Itoa(n)
		}
	}
	return strings.Join(words, ",")
}
