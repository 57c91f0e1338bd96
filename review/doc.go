// Package review is desk three: people decide whether a candidate may ship.
//
// A candidate names a subject, a model directory or a snapshot, by its digest
// and the environment it is proposed for. A policy says what must hold; people
// vote in the words of its labels; when every requirement holds, the sign-off
// is signed and the gate opens. The gate never trusts a stored "approved": it
// recomputes the answer from the votes that still match the history.
package review
