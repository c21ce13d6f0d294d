package topology

// Calendar is when a job starts, as systemd's OnCalendar reads it.
type Calendar string
