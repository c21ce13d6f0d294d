package push

import (
	"embed"
	"strings"
	"sync"
)

//go:embed host/*.sh
var hostParts embed.FS

// hostScript is what works on a host, a verb for each phase of a push. It is one script, so that one connection brings
// all of it: its first part says what it needs, its last which verbs there are, and between them a part has one idea.
var hostScript = sync.OnceValue(func() string {
	var script strings.Builder
	for _, part := range []string{"start",
		"generations", "observe", "memory", "lease", "install", "stage", "prepare", "made", "check", "secrets", "doors", "turn", "probe", "end",
		"eject", "byhand", "verbs"} {
		text, err := hostParts.ReadFile("host/" + part + ".sh")
		if err != nil {
			panic(err) // it is compiled in
		}
		script.Write(text)
		script.WriteByte('\n')
	}
	return script.String()
})
