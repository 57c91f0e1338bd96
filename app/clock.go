package app

import "time"

// ahead is how far a program of the tests is ahead of the machine's clock, as a
// duration. Only their linker sets it (see CONTRIBUTING.md): no flag and no
// variable of the environment moves the clock of a program that people use.
var ahead string

// now is the program's clock: whatever it writes down as a time, or compares with
// one that was written down, is told by this one. What only measures how long
// something takes reads time.Now, and so does what compares with clocks of others.
func now() time.Time {
	if ahead == "" {
		return time.Now()
	}
	by, err := time.ParseDuration(ahead)
	if err != nil {
		panic("the program was linked with app.ahead=" + ahead + ", which is no duration")
	}
	return time.Now().Add(by)
}
