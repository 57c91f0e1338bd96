package main

import "time"

// ahead is how far the provider is ahead of the machine's clock, as a duration;
// the linker of tests sets it, to that of the servers beside it.
var ahead string

// moved returns ahead.
func moved() time.Duration {
	if ahead == "" {
		return 0
	}
	by, err := time.ParseDuration(ahead)
	if err != nil {
		panic("the provider was linked with main.ahead=" + ahead + ", which is no duration")
	}
	return by
}
