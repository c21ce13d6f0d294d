package provenance

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"odoogen/internal/artifact"
	"odoogen/internal/topology"
	"odoogen/internal/vocabulary"
)

// starts tells whether a setting says when a timer starts something. An empty one empties all of them (systemd.timer(5)).
func (s setting) starts() bool {
	return s.section == "Timer" && strings.HasPrefix(s.key, "On") && vocabulary.UnitList(s.key)
}

func emptyStarts(all map[string]said) {
	for id, s := range all {
		if s.last.starts() {
			s.values = nil
			all[id] = s
		}
	}
}

// starts are all times of a timer, each with its setting; an empty text where it empties those of a file that is not read.
func starts(all map[string]said) []string {
	var times []string
	for _, s := range all {
		for _, value := range s.values {
			switch {
			case !s.last.starts():
			case value == "":
				times = append(times, "")
			default:
				times = append(times, s.last.key+"="+value)
			}
		}
	}
	slices.Sort(times)
	return slices.Compact(times)
}

// starting is a change of when a timer starts something: it is said in the field that the time comes from, or else in a drop-in.
// One that empties all times is said with the time that there is then.
func (f format) starting(o *topology.Origins, c *change, set setting, base, spec, hand map[string]said) (empties bool) {
	id := set.id()
	values := hand[id].values
	if field, zone := f.startField(o, spec[id].last); field != "" {
		if len(values) != 1 {
			c.words, c.Note = nil, fmt.Sprintf("%s is one time, and there are %d with those of all files", field, len(values))
			return false
		}
		w := word{path: field, like: field, texts: []string{asTime(values[0], zone)}}
		if text, _ := o.Text(field); text == w.texts[0] {
			c.words, c.Note = nil, same
			return false
		}
		if zone != "" && !strings.HasSuffix(values[0], " "+zone) {
			w.note = "in the zone of network.time, " + zone
		}
		c.words = []word{w}
		c.kept = func(t *artifact.Tree) bool {
			is := f.meaning(f.sources(t, nil))[id].values
			return len(is) == 1 && asTime(is[0], zone) == w.texts[0]
		}
		return false
	}
	times := starts(hand)
	var keys []string
	for _, time := range times {
		if key, _, _ := strings.Cut(time, "="); key != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	gone := func(time string) bool { return !slices.Contains(times, time) }
	switch empties = slices.Contains(times, "") || slices.ContainsFunc(starts(base), gone); {
	case !empties:
		return false
	case len(keys) > 1:
		c.words, c.Note = nil, "a drop-in that takes out one time takes out all, and there are several kinds: "+noWord
		return true
	case len(keys) == 1:
		set.key = keys[0]
	}
	own := slices.DeleteFunc(slices.Clone(hand[set.id()].values), func(value string) bool { return value == "" })
	c.words = []word{{path: f.fields(set)[0], list: true, texts: append([]string{""}, own...), note: c.words[0].note}}
	c.kept = func(t *artifact.Tree) bool { return slices.Equal(starts(f.meaning(f.sources(t, nil))), times) }
	return true
}

// startField is the field that a timer's own line comes from, and the zone that the line adds.
func (f format) startField(o *topology.Origins, was setting) (field, zone string) {
	from := strings.Fields(was.from)
	if len(from) == 0 || constant(from[0]) || slices.Contains(f.fields(was), from[0]) {
		return "", ""
	}
	if _, ok := o.Text(from[0]); !ok {
		return "", ""
	}
	if len(from) > 1 {
		zone, _ = o.Text(from[1])
	}
	return from[0], zone
}

var (
	timerSpan  = regexp.MustCompile(`^([1-9][0-9]{0,6}) ?(s|sec|m|min|h|hr|d)?$`)
	secondZero = regexp.MustCompile(`([0-9]{2}:[0-9]{2}):00$`)
	seconds    = map[string]int{"": 1, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "hr": 3600, "d": 86400}
)

// asTime is a time as the spec has it: a calendar in the spec's zone and without seconds, a span in the largest unit.
func asTime(value, zone string) string {
	if m := timerSpan.FindStringSubmatch(value); m != nil {
		n, _ := strconv.Atoi(m[1]) // of digits
		return topology.Span(n * seconds[m[2]]).String()
	}
	value = strings.Replace(strings.TrimSuffix(value, " "+zone), "*-*-* ", "", 1)
	return secondZero.ReplaceAllString(value, "$1")
}
