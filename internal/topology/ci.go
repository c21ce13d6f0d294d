package topology

import (
	"fmt"
	"strconv"
)

// Paths of the CI host.
const (
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
