package generators_test

import (
	"testing"

	"odoogen/generators"
	"odoogen/internal/topology"
)

// BenchmarkLoad is envs.cue to the topology.
func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := topology.Load(repository); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBuild is the topology to the trees, in memory.
func BenchmarkBuild(b *testing.B) {
	t, _, err := topology.Load(repository)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := generators.Build(t); err != nil {
			b.Fatal(err)
		}
	}
}
