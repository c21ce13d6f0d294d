// Package schema holds the CUE definitions of a topology: shape, bounds and defaults, and no logic. The same
// bytes are compiled into odoogen and copied beside a user's envs.cue, so that the two cannot drift apart.
package schema

import "embed"

// Files are the definitions, package schema of CUE.
//
//go:embed *.cue
var Files embed.FS
