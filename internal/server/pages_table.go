package server

import "github.com/sluice-hq/sluice/internal/access"

// pageTable is for people. What a form of a page asks for needs the same
// permission as the call that does it.
var pageTable = []route{
	{"GET", "/", access.Read, whole, "home", "Page: the rollouts", plain((*server).homePage)},
	{"GET", "/changes", access.Read, whole, "page-changes", "Page: when there is something new (server-sent events)", plain((*server).pageChanges)},
	{"GET", "/rollouts/{environment}/{flag}/{number}", access.Read, inPath, "rollout-page", "Page: one rollout", plain((*server).rolloutPage)},
	{"GET", "/rollouts/{environment}/{flag}/{number}/{op}", access.Decide, inPath, "act-page", "Page: what an operation on a rollout would do", plain((*server).actPage)},
	{"POST", "/rollouts/{environment}/{flag}/{number}/{op}", access.Decide, inPath, "act-on-rollout", "Do what the form of that page asks for", plain((*server).actOnRollout)},
	{"GET", "/readouts/{environment}/{flag}/{number}", access.Read, inPath, "readout-page", "Page: what the data say of a rollout", plain((*server).readoutPage)},
	{"GET", "/decisions/{id}", access.Read, whole, "decision-page", "Page: one decision", plain((*server).decisionPage)},
	{"GET", "/sign-in", access.Public, whole, "sign-in-page", "Page: sign in", plain((*server).signInPage)},
	{"POST", "/sign-in", access.Public, whole, "sign-in", "Sign in with a token", plain((*server).signIn)},
	{"POST", "/sign-out", access.Public, whole, "sign-out", "Sign out", plain((*server).signOut)},
	{"GET", "/assets/{name}", access.Public, whole, "assets", "Style sheet and scripts", plain((*server).asset)},

	{"GET", "/flags", access.Read, whole, "flags-page", "Page: the flags", plain((*server).flagsPage)},
	{"GET", "/flags/{key}", access.Read, whole, "flag-page", "Page: one flag", plain((*server).flagPage)},
}
