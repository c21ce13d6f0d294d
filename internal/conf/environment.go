package conf

import "strings"

// Environment appends a variable of the unit's environment: its value as it is, specifiers unexpanded
// (systemd.exec(5), Environment=). Never a secret: everybody may read it.
func (u *Unit) Environment(name, value string, from ...string) {
	value = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%").Replace(value)
	u.SetSpecifiers("Environment", `"`+name+"="+value+`"`, from...)
}
