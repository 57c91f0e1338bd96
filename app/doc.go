// Package app is what runs: the commands, the configuration and the wiring of
// every room into one program. main.go calls Main and nothing else.
//
// # The house
//
// Adjudge is a house of rooms. What a room may know of the others is written
// in a table (house_test.go) that a test holds; an arrow reads "imports":
//
//	                          main.go
//	                             │
//	                            app ─────────────── desktop.go, the only file that knows Wails
//	       ┌──────────┬──────────┼──────────────┬───────────────┐
//	       │          │          │              │               │
//	       │     backend/web ─▶ frontend/page ─▶ frontend/ui    │
//	       │          │          │                              │
//	backend/store     │          │                     backend/{blob, columns, format, media,
//	(all SQL)         │          │                     signer, live, meter, trace, engine, runner,
//	       │          │          │                     checkpoint, outbound, trainer}: one room each
//	       ▼          ▼          ▼                              │
//	    backend/training    backend/{identity, erasure}         │
//	       │                                                    │
//	       ▼                                                    ▼
//	    review ─▶ compare ─▶ labeling          the desks: every rule of the product
//	       │          │          │
//	       ▼          ▼          ▼
//	    backend/{fault, ledger, work, stat}    the leaves, which every room may import
//
// Beside them stand frontend/static (icons, styles, and what the bundler wrote)
// and frontend/islands (the elements that HTML does not have, in TypeScript),
// build (tools of this repository, not of the product) and testdata.
//
// The desks and backend/training say what is allowed and what follows from
// what. They know no SQL, no HTTP and no clock: the store, the pages and the
// time are handed to them here, in app. A desk owns the interface of what it
// needs (its Tx, its Files), so that an arrow never points from a rule to a
// tool.
//
// # How a request travels
//
// A handler of backend/web parses a form, calls one method of one service, and
// renders what comes back. The service opens one transaction, decides with
// pure functions, writes, records the event in the history and enqueues what
// has to follow; what follows (a file, a process, a signature) happens after
// the commit, driven by the row that was committed with it.
//
// # Two builds
//
// Without tags this is the server and the command line, in pure Go. With the
// tags desktop,production,webkit2_41 it also has a window, which shows the same
// server over loopback.
package app
