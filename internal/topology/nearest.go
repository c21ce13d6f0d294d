package topology

import (
	"maps"
	"slices"
	"strings"
)

// nearest is the hint for a name that is not among the known ones.
func nearest[T any](name string, known map[string]T) string {
	names := slices.Sorted(maps.Keys(known))
	best, bestDistance := "", 3
	for _, k := range names {
		if d := distance(name, k); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	switch {
	case best != "":
		return "did you mean " + best + "?"
	case len(names) == 0:
		return "there is none"
	case len(names) > 12:
		return ""
	}
	return "there is " + strings.Join(names, ", ")
}

// distance is how many letters must be typed, dropped or changed to make b of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
