package topology

// check holds the topology against every rule between entities.
func check(t *Topology, o *Origins, known Problems) Problems {
	return nil
}
