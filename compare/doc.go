// Package compare is desk two: it keeps what was run, which models came out and
// what they answered, and says how two of them differ, in numbers that carry
// their interval and in a sentence that a person can act on.
//
// A comparison is a document with a digest. It is computed from integer counts,
// so that the same two prediction sets on the same snapshot give the same bytes
// on every machine; votes and attestations point at its digest.
package compare
