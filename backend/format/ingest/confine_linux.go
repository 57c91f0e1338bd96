package ingest

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"syscall"
	"unsafe"
)

// The limits of a child. RLIMIT_AS is left alone: Go reserves far more address
// space than it uses.
const (
	maxMemory = 768 << 20
	softHeap  = 192 << 20
	maxCPU    = 900 // seconds
)

// Confine takes from this process what a parser does not need: memory and
// processor time without end, files to write, sockets, and other programs. It
// cannot be undone.
func Confine() error {
	debug.SetMemoryLimit(softHeap)
	debug.SetGCPercent(50)
	for resource, limit := range map[int]syscall.Rlimit{
		syscall.RLIMIT_DATA:  {Cur: maxMemory, Max: maxMemory},
		syscall.RLIMIT_CPU:   {Cur: maxCPU, Max: maxCPU + 5}, // the signal first, then the end
		syscall.RLIMIT_FSIZE: {},
		syscall.RLIMIT_CORE:  {},
	} {
		if err := syscall.Setrlimit(resource, &limit); err != nil {
			return fmt.Errorf("limit resource %d: %w", resource, err)
		}
	}
	return refuseCalls()
}

// A filter of system calls in the kernel's own small language (seccomp).
type filterStep struct {
	code   uint16
	jt, jf uint8
	k      uint32
}

type filterProgram struct {
	n     uint16
	steps *filterStep
}

// refuseCalls makes the calls that open a socket or start a program fail with
// EPERM, in all threads. Where the kernel or the machine has no such filter,
// the other limits must do.
func refuseCalls() error {
	var arch, seccomp uint32
	var refused []uint32
	switch runtime.GOARCH {
	case "amd64": // socket connect socketpair execve ptrace execveat bpf io_uring_setup, and the x32 calls below
		arch, seccomp, refused = 0xC000003E, 317, []uint32{41, 42, 53, 59, 101, 322, 321, 425}
	case "arm64":
		arch, seccomp, refused = 0xC00000B7, 277, []uint32{198, 203, 199, 221, 117, 281, 280, 425}
	default:
		return nil
	}
	const (
		load, jumpEqual, jumpAtLeast, answer = 0x20, 0x15, 0x35, 0x06
		allow, refuse                        = 0x7fff0000, 0x00050000 | uint32(syscall.EPERM)
	)
	steps := []filterStep{
		{load, 0, 0, 4},              // the architecture
		{jumpEqual, 1, 0, arch},      // ours: go on
		{answer, 0, 0, refuse},       // another: refuse
		{load, 0, 0, 0},              // the number of the call
		{jumpAtLeast, 0, 1, 1 << 30}, // x32
		{answer, 0, 0, refuse},
	}
	for _, call := range refused {
		steps = append(steps, filterStep{jumpEqual, 0, 1, call}, filterStep{answer, 0, 0, refuse})
	}
	steps = append(steps, filterStep{answer, 0, 0, allow})
	program := filterProgram{uint16(len(steps)), &steps[0]}
	const setNoNewPrivileges, setFilter, allThreads = 38, 1, 1
	// This thread gives up new privileges first; the filter hands that to the others.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, setNoNewPrivileges, 1, 0); errno != 0 {
		return nil
	}
	_, _, _ = syscall.RawSyscall(uintptr(seccomp), setFilter, allThreads, uintptr(unsafe.Pointer(&program)))
	runtime.KeepAlive(steps)
	return nil
}
