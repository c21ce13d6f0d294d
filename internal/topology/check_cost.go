package topology

import (
	"fmt"
	"math"
)

func checkCost(c *checker) {
	b := &c.t.Budget
	var ps parts
	for _, h := range c.t.Hosts {
		ps = append(ps, part{"hosts", h.Path + ".hardware.monthly", cents(h.Hardware.Monthly), h.Name})
	}
	if s := c.t.Backup.Storage; s != nil {
		ps = append(ps, part{"storage", "backup.storage.monthly", cents(s.Monthly), ""})
	}
	total := (ps.sum()*(100+int64(b.Buffer)) + 99) / 100
	c.t.Cost = Booked{total, cents(b.Monthly), append(ps.paths(), "budget")}
	if total > cents(b.Monthly) {
		c.refuse("budget.monthly", "", ps.largest(c, money), "%s %s, but a month costs %s: (%s) + %s",
			money(cents(b.Monthly)), b.Currency, money(total), ps.byKind(money), b.Buffer)
	}
}

// cents keeps money exact.
func cents(amount float64) int64 { return int64(math.Round(amount * 100)) }

func money(n int64) string {
	if n%100 == 0 {
		return fmt.Sprint(n / 100)
	}
	return fmt.Sprintf("%d.%02d", n/100, n%100)
}
