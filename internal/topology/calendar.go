package topology

import (
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Calendar is when something starts, as systemd's OnCalendar reads it (systemd.time(7)): "02:00" every day,
// "Sun 03:00" every week, "*-01,07-15 05:00" on the 15th of January and July. Times are those of network.time.zone;
// an hour that a zone skips or repeats is not looked at.
type Calendar string

// pattern is a calendar taken apart: sets of bits, and minutes since midnight.
type pattern struct {
	weekdays uint8  // bit 0 is Sunday, as time.Weekday counts
	months   uint16 // bit 1 is January
	days     uint32 // bit 1 is the first of the month
	minute   int
}

// every day, week and month
const (
	anyWeekday = 1<<7 - 1
	anyMonth   = 1<<13 - 2
	anyDay     = 1<<32 - 2
)

var weekdays = []string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}

// parse takes a calendar apart. The schema has held it to its grammar; ok is false where a number is none of the
// calendar's, such as month 13.
func (c Calendar) parse() (p pattern, ok bool) {
	p = pattern{weekdays: anyWeekday, months: anyMonth, days: anyDay}
	day, clock, split := strings.Cut(string(c), " ")
	if !split {
		day, clock = "", string(c)
	}
	at, err := time.Parse("15:04", clock)
	if err != nil {
		return p, false
	}
	p.minute = at.Hour()*60 + at.Minute()
	switch {
	case day == "":
	case strings.HasPrefix(day, "*-"):
		months, days, split := strings.Cut(day[2:], "-")
		if !split {
			return p, false
		}
		if months != "*" {
			set, ok := numbers(months, 12)
			if !ok {
				return p, false
			}
			p.months = uint16(set)
		}
		set, ok := numbers(days, 31)
		if !ok {
			return p, false
		}
		p.days = set
	default:
		p.weekdays = 0
		for name := range strings.SplitSeq(day, ",") {
			n := -1
			for i, w := range weekdays {
				if w == name {
					n = i
				}
			}
			if n < 0 {
				return p, false
			}
			p.weekdays |= 1 << n
		}
	}
	return p, true
}

// numbers is the set of the numbers of a list such as "01,15".
func numbers(list string, highest int) (set uint32, ok bool) {
	for s := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > highest {
			return 0, false
		}
		set |= 1 << n
	}
	return set, true
}

// cycle is the days of 28 years: every day of a month falls on every day of the week within them.
const cycle = 28*365 + 7

// epoch is the first day of the cycle that overlaps are looked for in. Which one does not matter.
var epoch = time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)

// daySet is a set of the cycle's days.
type daySet [(cycle + 63) / 64]uint64

// almanac are the days of the cycle by what they are.
type almanac struct {
	weekdays [7]daySet
	months   [13]daySet // from January, 1, on
	days     [32]daySet // of the month, from the first on
}

var theAlmanac = sync.OnceValue(func() *almanac {
	var a almanac
	n := 0
	for month := 0; n < cycle; month++ {
		length := time.Date(epoch.Year(), time.Month(month+2), 0, 0, 0, 0, 0, time.UTC).Day()
		for day := 1; day <= length && n < cycle; day++ {
			a.weekdays[(int(epoch.Weekday())+n)%7].add(n)
			a.months[month%12+1].add(n)
			a.days[day].add(n)
			n++
		}
	}
	return &a
})

// daysOf is the days of the cycle on which the pattern starts.
func (p pattern) daysOf() *daySet {
	a := theAlmanac()
	all := union(a.weekdays[:], uint32(p.weekdays))
	if p.months != anyMonth {
		all.keep(union(a.months[:], uint32(p.months)))
	}
	if p.days != anyDay {
		all.keep(union(a.days[:], p.days))
	}
	return all
}

// union is the days of those sets whose bit is there.
func union(sets []daySet, which uint32) *daySet {
	var all daySet
	for ; which != 0; which &= which - 1 {
		for i, word := range &sets[bits.TrailingZeros32(which)] {
			all[i] |= word
		}
	}
	return &all
}

// keep leaves the days that the other set has too.
func (s *daySet) keep(other *daySet) {
	for i := range s {
		s[i] &= other[i]
	}
}

func (s *daySet) add(n int) { s[n/64] |= 1 << (n % 64) }

func (s *daySet) has(n int) bool { return s[n/64]>>(n%64)&1 == 1 }

// all yields the days of the set, one after another.
func (s *daySet) all(yield func(n int) bool) {
	for i, word := range s {
		for ; word != 0; word &= word - 1 {
			if !yield(i*64 + bits.TrailingZeros64(word)) {
				return
			}
		}
	}
}

// first is the first day of the set, -1 of an empty one.
func (s *daySet) first() int {
	for n := range s.all {
		return n
	}
	return -1
}

// gaps are the shortest and the longest time in days between two days that follow each other in the set.
func (s *daySet) gaps() (shortest, longest int) {
	shortest = cycle
	last := -1
	for n := range s.all {
		if last >= 0 {
			shortest, longest = min(shortest, n-last), max(longest, n-last)
		}
		last = n
	}
	return shortest, longest
}

// Gap is the longest time between two starts, 0 for a calendar that never comes twice.
func (c Calendar) Gap() Span {
	p, ok := c.parse()
	if !ok {
		return 0
	}
	_, longest := p.daysOf().gaps()
	return Span(longest) * 86400
}

// Schedule is when something may run: from each start of a calendar, for a time at most.
type Schedule struct {
	At  Calendar
	Max Span
}

// calendars answers questions on schedules, each once: many hosts and jobs have the same few.
type calendars struct {
	days  map[Calendar]start
	pairs map[[2]Schedule]overlap
	peaks map[string]peak
}

// start is a calendar taken apart: its days, and its minute of the day.
type start struct {
	days   *daySet
	minute int
}

type overlap struct {
	at  time.Time // when the first common time begins
	yes bool
}

func newCalendars() *calendars {
	return &calendars{map[Calendar]start{}, map[[2]Schedule]overlap{}, map[string]peak{}}
}

// starts are the days on which a calendar starts, and its minute of the day; nil for a calendar that is none.
func (cs *calendars) starts(c Calendar) (*daySet, int) {
	known, ok := cs.days[c]
	if !ok {
		if p, ok := c.parse(); ok {
			known = start{p.daysOf(), p.minute}
		}
		cs.days[c] = known
	}
	return known.days, known.minute
}

// overlap is the first time that two schedules have in common, over midnight and the ends of months too.
func (cs *calendars) overlap(a, b Schedule) overlap {
	key := [2]Schedule{a, b}
	found, known := cs.pairs[key]
	if !known {
		found = cs.findOverlap(a, b)
		cs.pairs[key] = found
	}
	return found
}

func (cs *calendars) findOverlap(a, b Schedule) overlap {
	aDays, aMinute := cs.starts(a.At)
	bDays, bMinute := cs.starts(b.At)
	if aDays == nil || bDays == nil {
		return overlap{}
	}
	// b starts k days after a, or before: how far the longer of the two can reach.
	reach := int(max(a.Max, b.Max))/86400 + 1
	best := -1
	for k := -reach; k <= reach; k++ {
		aStart, bStart := Span(aMinute*60), Span((k*1440+bMinute)*60)
		if aStart >= bStart+b.Max || bStart >= aStart+a.Max {
			continue
		}
		for n := range aDays.all {
			if m := n + k; m >= 0 && m < cycle && bDays.has(m) {
				if minute := n*1440 + max(aMinute, k*1440+bMinute); best < 0 || minute < best {
					best = minute
				}
				break
			}
		}
	}
	if best < 0 {
		return overlap{}
	}
	return overlap{epoch.Add(time.Duration(best) * time.Minute), true}
}

// demand is a schedule and how much it takes while it runs.
type demand struct {
	Schedule
	Always bool // it may run at any time
	Amount int64
}

// peak is the most that demands take together.
type peak struct {
	at      time.Time // when that is
	amount  int64
	running []int // which of them run then
}

// peak finds when demands take most, and how much that is.
func (cs *calendars) peak(demands []demand) peak {
	key := fmt.Sprint(demands)
	found, known := cs.peaks[key]
	if !known {
		found = cs.findPeak(demands)
		cs.peaks[key] = found
	}
	return found
}

func (cs *calendars) findPeak(demands []demand) peak {
	best := peak{at: epoch}
	var timed []int
	for i, d := range demands {
		switch days, _ := cs.starts(d.At); {
		case d.Always:
			best.amount, best.running = best.amount+d.Amount, append(best.running, i)
		case days != nil:
			timed = append(timed, i)
		}
	}
	// The sum grows only when something starts. Of the days on which one does, those are told apart on which others
	// run beside it.
	always := company{running: best.running, sum: best.amount}
	for _, i := range timed {
		days, minute := cs.starts(demands[i].At)
		all := []company{{days: *days, running: always.running, sum: always.sum}}
		for _, j := range timed {
			all = split(all, cs.runs(demands[j].Schedule, minute), j, demands[j].Amount)
		}
		most := always
		for _, c := range all {
			if c.sum > most.sum || c.sum == most.sum && c.days.first() < most.days.first() {
				most = c
			}
		}
		if most.sum > best.amount {
			at := time.Duration(most.days.first()*1440+minute) * time.Minute
			best = peak{epoch.Add(at), most.sum, most.running}
		}
	}
	return best
}

// company is the days on which the same demands run at one minute of the day, and what they take.
type company struct {
	days    daySet
	running []int
	sum     int64
}

// split tells the days apart on which demand n runs too.
func split(all []company, days daySet, n int, amount int64) []company {
	var parts []company
	for _, c := range all {
		with := company{running: append(slices.Clip(c.running), n), sum: c.sum + amount}
		without := company{running: c.running, sum: c.sum}
		for i, word := range c.days {
			with.days[i], without.days[i] = word&days[i], word&^days[i]
		}
		for _, part := range []company{with, without} {
			if part.days.first() >= 0 {
				parts = append(parts, part)
			}
		}
	}
	return parts
}

// runs are the days on which a schedule, started that day or before, runs at a minute of the day.
func (cs *calendars) runs(s Schedule, minute int) daySet {
	var all daySet
	days, start := cs.starts(s.At)
	for k := 0; Span((k*1440+minute-start)*60) < s.Max && k < cycle; k++ {
		if k*1440+minute < start {
			continue
		}
		words, rest := k/64, k%64
		for n := words; n < len(all); n++ {
			all[n] |= days[n-words] << rest
			if n > words {
				all[n] |= days[n-words-1] >> (64 - rest) // nothing where rest is 0
			}
		}
	}
	return all
}

// onTheClock is a time as a reader of calendars puts it: a day is named where one of them names days, and the
// cycle's year says nothing.
func onTheClock(at time.Time, calendars ...Calendar) string {
	layout := "15:04"
	for _, c := range calendars {
		p, _ := c.parse()
		if p.weekdays != anyWeekday && layout == "15:04" {
			layout = "Mon 15:04"
		}
		if p.months != anyMonth || p.days != anyDay {
			layout = "Mon 2 Jan 15:04"
		}
	}
	return at.Format(layout)
}
