package main

import (
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"odoogen/internal/topology"
)

// completeHosts completes names of hosts, those that are not among the words already; completeHost only the first word. What
// follows is no file.
func completeHosts(cmd *cobra.Command, words []string, _ string) ([]string, cobra.ShellCompDirective) {
	dir, _ := cmd.Flags().GetString("directory")
	left := slices.DeleteFunc(hostNames(dir), func(name string) bool { return slices.Contains(words, name) })
	return left, cobra.ShellCompDirectiveNoFileComp
}

func completeHost(cmd *cobra.Command, words []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(words) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return completeHosts(cmd, words, begun)
}

// hostNames are the hosts that were reviewed, which takes no time, or else the spec's. A spec that does not compile has none.
func hostNames(dir string) []string {
	var names []string
	reviewed, _ := treesIn(filepath.Join(dir, "golden"))
	for _, dir := range reviewed {
		names = append(names, filepath.Base(dir))
	}
	if len(names) > 0 {
		return names
	}
	t, _, err := topology.Load(dir)
	if err != nil {
		return nil
	}
	for _, h := range t.Hosts {
		names = append(names, h.Name)
	}
	return names
}
