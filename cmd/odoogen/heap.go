package main

import (
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// A compilation is over in a second: fewer collections than Go makes of its own, at 100. With hundreds of instances half as
// much: the memory that collections leave unused, which a virtual machine may have to ask its host for, costs more there
// than they do.
const collect, collectMany = 400, 200

// limitHeap has the heap grow by few collections, and above the limit by as many as keep memory there; only a topology of
// thousands of instances comes near. GOGC and GOMEMLIMIT decide where they are set.
func limitHeap() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collect)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(1 << 30)
	}
}

// hugeHeap has the heap grow over memory that the kernel gives 2 MiB at a time where it is asked to (Debian's gives it
// anyway, Ubuntu's to who asks: transparent_hugepage=madvise). A compilation is over in a tenth of a second, and in a
// virtual machine, where the first touch of a page is dear, a quarter of that was spent on first touches of 4 KiB pages.
// Memory that is not touched is not used: this makes addresses the heap's own, nearly all that one arena of Go's has, or as
// many as a spec of that size takes to compile.
func hugeHeap() {
	const least, most, perByte = 56 << 20, 1 << 30, 1500
	bytes := 0
	files, _ := filepath.Glob("*.cue")
	for _, name := range files {
		if info, err := os.Stat(name); err == nil {
			bytes += int(info.Size()) * perByte
		}
	}
	percent := debug.SetGCPercent(-1)                                                // one collection, and that is the one below
	_ = unix.Madvise(make([]byte, min(max(bytes, least), most)), unix.MADV_HUGEPAGE) // a kernel that has none says no
	runtime.GC()
	if bytes > least && os.Getenv("GOGC") == "" {
		percent = collectMany
	}
	debug.SetGCPercent(percent)
}
