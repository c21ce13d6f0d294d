package topology

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// Calendar is when something starts, as systemd's OnCalendar reads it (systemd.time(7)): "02:00" every day,
// "Sun 03:00" every week, "*-01,07-15 05:00" on the 15th of January and July. Times are those of the hosts' zone;
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

// on tells whether the pattern has a day.
func (p pattern) on(day time.Time) bool {
	return p.weekdays>>day.Weekday()&1 == 1 && p.months>>day.Month()&1 == 1 && p.days>>day.Day()&1 == 1
}

// Next are the first n starts after a time, fewer where there are no more within 28 years.
func (c Calendar) Next(after time.Time, n int) []time.Time {
	p, ok := c.parse()
	if !ok {
		return nil
	}
	var starts []time.Time
	midnight := time.Date(after.Year(), after.Month(), after.Day(), 0, 0, 0, 0, after.Location())
	for range cycle {
		if len(starts) == n {
			break
		}
		at := midnight.Add(time.Duration(p.minute) * time.Minute)
		if p.on(midnight) && at.After(after) {
			starts = append(starts, at)
		}
		midnight = midnight.AddDate(0, 0, 1)
	}
	return starts
}

// cycle is the days of 28 years: every day of a month falls on every day of the week within them.
const cycle = 28*365 + 7

// epoch is the first day of the cycle that overlaps are looked for in. Which one does not matter.
var epoch = time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)

// daySet is a set of the cycle's days.
type daySet [(cycle + 63) / 64]uint64

// daysOf is the days of the cycle on which the pattern starts.
func (p pattern) daysOf() *daySet {
	var s daySet
	for n := range cycle {
		if p.on(epoch.AddDate(0, 0, n)) {
			s[n/64] |= 1 << (n % 64)
		}
	}
	return &s
}

func (s *daySet) has(n int) bool { return s[n/64]>>(n%64)&1 == 1 }

func (s *daySet) empty() bool {
	n := 0
	for _, word := range s {
		n += bits.OnesCount64(word)
	}
	return n == 0
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
		for n := range cycle {
			if m := n + k; m >= 0 && m < cycle && aDays.has(n) && bDays.has(m) {
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
	always, base := best.running, best.amount
	// together are the demands that run at a minute of the cycle.
	together := func(now int) (running []int, sum int64) {
		running, sum = always[:len(always):len(always)], base
		for _, i := range timed {
			days, minute := cs.starts(demands[i].At)
			for day := now / 1440; day >= 0 && Span((now-day*1440-minute)*60) < demands[i].Max; day-- {
				if days.has(day) && day*1440+minute <= now {
					running, sum = append(running, i), sum+demands[i].Amount
					break
				}
			}
		}
		return running, sum
	}
	// The sum grows only when something starts: every start is looked at, with what runs then.
	horizon := cs.horizon(demands, timed)
	for _, i := range timed {
		days, minute := cs.starts(demands[i].At)
		for day := range horizon {
			if !days.has(day) {
				continue
			}
			now := day*1440 + minute
			if running, sum := together(now); sum > best.amount {
				best = peak{epoch.Add(time.Duration(now) * time.Minute), sum, running}
			}
		}
	}
	return best
}

// horizon is how many days show all that can come together: a few weeks, unless a calendar names days of the month.
func (cs *calendars) horizon(demands []demand, timed []int) int {
	days := 14
	for _, i := range timed {
		if p, _ := demands[i].At.parse(); p.days != anyDay || p.months != anyMonth {
			return cycle
		}
		days = max(days, 14+2*int(demands[i].Max/86400))
	}
	return min(days, cycle)
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
