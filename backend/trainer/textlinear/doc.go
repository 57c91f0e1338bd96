// Package textlinear is the trainer behind the recipe text-linear: hashed word
// and character n-grams and a softmax regression, in plain Go, so that a model
// comes out on a machine with nothing installed.
//
// It learns with AdaGrad from rows of {key, text, answer}, is deterministic by
// its seed, and knows Adjudge only by the files of a job directory: it reads
// job.json, params.json and input/, and writes output/.
package textlinear
