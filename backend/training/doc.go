// Package training is where a model comes from: a recipe says how to train, a
// job asks for it, an attempt carries it out somewhere.
//
// Three parties share the work. The service here keeps the queue and decides
// what is true. An engine places a process and reports whether it lives. The
// process is always our runner, which feeds a trainer from files and reports
// back over HTTP with the fence of its attempt: a number that only grows, so a
// runner that was given up can do no harm when it wakes.
package training
