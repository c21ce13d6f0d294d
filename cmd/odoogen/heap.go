package main

import (
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

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
	_ = unix.Madvise(make([]byte, min(max(bytes, least), most)), unix.MADV_HUGEPAGE) // a kernel that has none says no
	runtime.GC()
}
