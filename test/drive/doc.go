// Package drive starts programs, watches what they use, and calls their APIs, from outside as their users do: for the tests
// of the whole product, the chaos campaign and the benchmark.
//
// Launch starts a program that does not outlive the test; Answers waits until it is ready; End asks it to go, or kills it.
// A Caller speaks JSON with it and InParallel does many calls at once.
package drive
