package main

import "os/exec"

// endTogether does nothing: a command that is cancelled ends by itself here.
func endTogether(*exec.Cmd) {}
