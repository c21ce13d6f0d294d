package topology

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// drawCalendar is any text that the schema's #Calendar lets pass.
func drawCalendar(t *rapid.T) Calendar {
	clock := fmt.Sprintf("%02d:%02d", rapid.IntRange(0, 23).Draw(t, "hour"), rapid.IntRange(0, 59).Draw(t, "minute"))
	list := func(label string, highest int) string {
		numbers := rapid.SliceOfNDistinct(rapid.IntRange(1, highest), 1, 4, rapid.ID).Draw(t, label)
		texts := make([]string, len(numbers))
		for i, n := range numbers {
			texts[i] = fmt.Sprintf("%02d", n)
		}
		return strings.Join(texts, ",")
	}
	switch rapid.IntRange(0, 3).Draw(t, "kind") {
	case 0:
		return Calendar(clock)
	case 1:
		days := rapid.SliceOfNDistinct(rapid.SampledFrom(weekdays), 1, 7, rapid.ID).Draw(t, "weekdays")
		return Calendar(strings.Join(days, ",") + " " + clock)
	case 2:
		return Calendar("*-*-" + list("days", 31) + " " + clock)
	}
	return Calendar("*-" + list("months", 12) + "-" + list("days", 31) + " " + clock)
}

// systemdNext asks the real thing for the next starts.
func systemdNext(t testing.TB, c Calendar, after time.Time, n int) []string {
	out, err := exec.Command("systemd-analyze", "calendar", "--iterations="+fmt.Sprint(n),
		"--base-time="+after.Format("2006-01-02 15:04:05")+" UTC", string(c)).Output()
	if err != nil {
		t.Fatalf("systemd-analyze calendar %q: %v (apt-get install systemd)", c, err)
	}
	var starts []string
	for line := range strings.SplitSeq(string(out), "\n") {
		if what, at, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && (what == "Next elapse" || strings.HasPrefix(what, "Iter")) && at != "never" {
			starts = append(starts, strings.TrimSuffix(strings.TrimSpace(at), " UTC"))
		}
	}
	return starts
}

// next are the first n starts after a time, fewer where there are no more within a cycle. The cycle comes again and
// again until 2100, which is no leap year.
func next(c Calendar, after time.Time, n int) []time.Time {
	days, minute := newCalendars().starts(c)
	var starts []time.Time
	first := int(after.Sub(epoch).Hours()/24) - 1
	for day := max(0, first); day < first+cycle+2 && len(starts) < n; day++ {
		at := epoch.AddDate(0, 0, day).Add(time.Duration(minute) * time.Minute)
		if days.has(day%cycle) && at.After(after) {
			starts = append(starts, at)
		}
	}
	return starts
}

func TestCalendarStartsWhenSystemdSays(t *testing.T) {
	t.Setenv("TZ", "UTC")
	compare := func(c Calendar, after time.Time) string {
		const n, layout = 12, "Mon 2006-01-02 15:04:05"
		end := after.AddDate(0, 0, cycle-1)
		var got []string
		for _, at := range next(c, after, n) {
			if at.Before(end) {
				got = append(got, at.Format(layout))
			}
		}
		want := slices.DeleteFunc(systemdNext(t, c, after, n), func(start string) bool { // of rare days it looks further ahead
			at, err := time.Parse(layout, start)
			return err != nil || !at.Before(end)
		})
		return cmp.Diff(want, got)
	}
	if diff := compare("*-02-29 00:00", epoch.Add(122*time.Second)); diff != "" {
		t.Errorf("29 February (-systemd +odoogen):\n%s", diff)
	}
	rapid.Check(t, func(rt *rapid.T) {
		c := drawCalendar(rt)
		after := epoch.Add(time.Duration(rapid.Int64Range(0, 10*365*24*3600).Draw(rt, "after")) * time.Second)
		if diff := compare(c, after); diff != "" {
			rt.Fatalf("%q after %s (-systemd +odoogen):\n%s", c, after, diff)
		}
	})
}

// TestOverlapIsWhatTheStartsSay compares the answer on days with the one on a list of all starts in the cycle.
func TestOverlapIsWhatTheStartsSay(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		draw := func(label string) Schedule {
			return Schedule{drawCalendar(rt), Span(rapid.IntRange(1, 3*86400).Draw(rt, label))}
		}
		a, b := draw("a"), draw("b")
		want := false
		end := epoch.AddDate(0, 0, cycle)
		starts := func(s Schedule) []time.Time {
			all := next(s.At, epoch.Add(-time.Second), cycle)
			return slices.DeleteFunc(all, func(at time.Time) bool { return !at.Before(end) })
		}
		bs := starts(b)
		for _, x := range starts(a) {
			// Starts are in order: the first of b's that ends after x begins decides.
			n, _ := slices.BinarySearchFunc(bs, x, func(y, x time.Time) int { return y.Add(b.Max.Duration()).Compare(x.Add(time.Second)) })
			if n < len(bs) && bs[n].Before(x.Add(a.Max.Duration())) {
				want = true
				break
			}
		}
		if got := newCalendars().overlap(a, b).yes; got != want {
			rt.Fatalf("%v and %v: overlap %t, their starts say %t", a, b, got, want)
		}
	})
}

func TestOverlap(t *testing.T) {
	for _, tt := range []struct {
		name string
		a, b Schedule
		want string // when, or empty for never
	}{
		{"same time", Schedule{"02:00", 3600}, Schedule{"02:30", 3600}, "02:30"},
		{"one ends as the other begins", Schedule{"02:00", 3600}, Schedule{"03:00", 3600}, ""},
		{"over midnight", Schedule{"23:30", 3600}, Schedule{"00:15", 60}, "00:15"},
		{"from one day of the week into the next", Schedule{"Sat 23:30", 3600}, Schedule{"Sun 00:15", 60}, "Sun 00:15"},
		{"over the end of the week", Schedule{"Sun 23:30", 7200}, Schedule{"Mon 01:00", 60}, "Mon 01:00"},
		{"over the end of a month", Schedule{"*-01-31 23:30", 3600}, Schedule{"*-02-01 00:00", 60}, "Thu 1 Feb 00:00"},
		{"over a leap day", Schedule{"*-02-28 20:00", 2 * 86400}, Schedule{"*-03-01 10:00", 60}, "Fri 1 Mar 10:00"},
		{"a day of the month on a day of the week", Schedule{"*-01-15 06:00", 3600}, Schedule{"Sun 05:00", 7200}, "Sun 15 Jan 06:00"},
		{"two days", Schedule{"Sat 08:00", 7200}, Schedule{"Sun 08:00", 7200}, ""},
		{"never", Schedule{"*-02-30 08:00", 7200}, Schedule{"08:00", 7200}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, pair := range [][2]Schedule{{tt.a, tt.b}, {tt.b, tt.a}} {
				o := newCalendars().overlap(pair[0], pair[1])
				got := ""
				if o.yes {
					got = onTheClock(o.at, tt.a.At, tt.b.At)
				}
				if got != tt.want {
					t.Errorf("%v: %q, want %q", pair, got, tt.want)
				}
			}
		})
	}
}

func TestPeak(t *testing.T) {
	for _, tt := range []struct {
		name    string
		demands []demand
		amount  int64
		running []int
	}{
		{"apart", []demand{{Schedule{"01:00", 3600}, false, 3}, {Schedule{"02:00", 3600}, false, 2}}, 3, []int{0}},
		{"together", []demand{{Schedule{"01:00", 7200}, false, 3}, {Schedule{"02:00", 3600}, false, 2}}, 5, []int{0, 1}},
		{"over midnight", []demand{{Schedule{"23:00", 7200}, false, 3}, {Schedule{"Mon 00:30", 3600}, false, 2}}, 5, []int{0, 1}},
		{"always", []demand{{Schedule{"", 1800}, true, 1}, {Schedule{"02:00", 3600}, false, 2}}, 3, []int{0, 1}},
		{"on one day of the quarter", []demand{{Schedule{"Sun 05:00", 7200}, false, 2}, {Schedule{"*-01,04-15 06:00", 3600}, false, 3}}, 5, []int{0, 1}},
		{"none", nil, 0, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newCalendars().peak(tt.demands)
			if p.amount != tt.amount || !slices.Equal(p.running, tt.running) {
				t.Errorf("%d of %v, want %d of %v", p.amount, p.running, tt.amount, tt.running)
			}
		})
	}
}

// TestPeakIsWhatTheStartsSay compares the answer on sets of days with one that looks at every start of the cycle.
func TestPeakIsWhatTheStartsSay(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var demands []demand
		var starts []time.Time
		var begun [][]time.Time
		for range rapid.IntRange(1, 4).Draw(rt, "demands") {
			d := demand{Schedule{drawCalendar(rt), Span(rapid.IntRange(60, 3*86400).Draw(rt, "max"))}, false, rapid.Int64Range(1, 9).Draw(rt, "amount")}
			demands = append(demands, d)
			begun = append(begun, next(d.At, epoch.Add(-time.Second), cycle))
			starts = append(starts, begun[len(begun)-1]...)
		}
		var want int64
		for _, now := range starts {
			var sum int64
			for i, d := range demands {
				// The last one that began: before it, none lasts longer.
				if n, found := slices.BinarySearchFunc(begun[i], now, time.Time.Compare); found || n > 0 {
					if !found {
						n--
					}
					if now.Before(begun[i][n].Add(d.Max.Duration())) {
						sum += d.Amount
					}
				}
			}
			if now.Before(epoch.AddDate(0, 0, cycle)) {
				want = max(want, sum)
			}
		}
		if got := newCalendars().peak(demands); got.amount != want {
			rt.Fatalf("%v: peak %d, their starts say %d", demands, got.amount, want)
		}
	})
}
