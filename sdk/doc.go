// Package sdk is a provider for OpenFeature that evaluates the flags of Sluice
// in the application itself, hears of changes when they happen, and brings what
// became of units to the server.
//
//	provider, err := sdk.New(sdk.Config{URL: "https://sluice.example.com", Token: token, Dir: "/var/lib/shop/sluice"})
//	…
//	err = openfeature.SetProviderWithContextAndWait(ctx, provider)
//	client := openfeature.NewClient("checkout")
//	if client.Boolean(ctx, "shop.checkout", false, openfeature.NewEvaluationContext("u-1", nil)) { … }
//
// It evaluates with package flags, as the server does, and never asks the server
// for an answer. What it promises:
//
// An evaluation waits for nothing: no lock that anything slow holds, no file, no
// network. It answers from one state of all flags, which a change replaces from
// one moment to the next.
//
// Once it has had flags, it answers from flags. They are never emptied: not by a
// server that is gone, refuses the token, was restored from a backup, or has
// lost them. The default in the code is used for a flag that was never known, for
// a value of another type than was asked for, and before the first flags came,
// which a last-known file or bootstrap data are there to prevent.
//
// A server that is behind what is held does not take anything back, a rollback
// least of all. After 30 seconds its log counts as another one, and is followed.
//
// An event has one ID from the moment it happens, in the queue, on disk, over a
// restart, and in every repeat, so that the server stores it once. Every event is
// sent, refused, dropped, or waits; Stats says how many of each. With Config.Dir
// a killed process loses the events of its last moments alone: those that were
// not handed to the operating system yet, usually within a millisecond. A loss
// of power takes what Queue.Sync allows. Without it, the process takes what waits.
//
// What it never does: it sends no attribute that Config.Attributes does not name,
// it derives no ID from a unit, it has no global state, and it writes nowhere but
// into Config.Dir. Package sdktest is for tests of applications.
package sdk
