package server

import "github.com/sluice-hq/sluice/internal/access"

// pageTable is for people. What a form of a page asks for needs the same
// permission as the call that does it.
var pageTable = []route{
	{"GET", "/", access.Read, whole, "home", "Page: the rollouts", plain((*server).homePage)},
	{"GET", "/changes", access.Read, whole, "page-changes", "Page: when there is something new (server-sent events)", plain((*server).pageChanges)},
	{"GET", "/search", access.Read, whole, "search-page", "Page: what is found by words", plain((*server).searchPage)},
	{"GET", "/rollouts/export", access.Read, whole, "export-board", "The board as CSV", plain((*server).exportBoard)},
	{"GET", "/rollouts/{environment}/{flag}/{number}", access.Read, inPath, "rollout-page", "Page: one rollout", plain((*server).rolloutPage)},
	{"GET", "/rollouts/{environment}/{flag}/{number}/{op}", access.Decide, inPath, "act-page", "Page: what an operation on a rollout would do", plain((*server).actPage)},
	{"POST", "/rollouts/{environment}/{flag}/{number}/{op}", access.Decide, inPath, "act-on-rollout", "Do what the form of that page asks for", plain((*server).actOnRollout)},
	{"GET", "/readouts/{environment}/{flag}/{number}", access.Read, inPath, "readout-page", "Page: what the data say of a rollout", plain((*server).readoutPage)},
	{"GET", "/decisions", access.Read, whole, "decisions-page", "Page: all decisions", plain((*server).decisionsPage)},
	{"GET", "/decisions/export", access.Read, whole, "export-decisions", "The decisions of that page as CSV or JSON lines", plain((*server).exportDecisions)},
	{"GET", "/decisions/{id}", access.Read, whole, "decision-page", "Page: one decision; with recompute=true it is made again", plain((*server).decisionPage)},
	{"POST", "/decisions/{id}/outcome", access.Write, inBody, "learn-on-page", "Record what was learnt from the rollout of a decision", plain((*server).learnOnPage)},
	{"GET", "/review", access.Read, whole, "review-page", "Page: what happened to releases in a time", plain((*server).reviewPage)},
	{"GET", "/incidents", access.Read, whole, "incidents-page", "Page: what was wrong with flags", plain((*server).incidentsPage)},
	{"POST", "/incidents", access.Report, inBody, "open-incident-on-page", "Open an incident", plain((*server).openIncidentOnPage)},
	{"POST", "/incidents/{environment}/{flag}/{incident}/resolve", access.Report, inPath, "resolve-incident-on-page", "Say how an incident ended", plain((*server).resolveOnPage)},
	{"GET", "/experiments", access.Read, whole, "experiments-page", "Page: what was tried, and what came of it", plain((*server).experimentsPage)},
	{"GET", "/simulate", access.Read, whole, "simulate-page", "Page: what made-up units get of flags, in each stage of a plan", plain((*server).simulatePage)},

	{"GET", "/catalogue", access.Read, whole, "catalogue-page", "Page: the metrics", plain((*server).cataloguePage)},
	{"POST", "/catalogue", access.Write, inBody, "declare-metric", "Do what the form of that page asks for", plain((*server).declareMetric)},
	{"GET", "/catalogue/{key}", access.Read, whole, "metric-page", "Page: one metric", plain((*server).metricPage)},
	{"POST", "/catalogue/{key}", access.Write, whole, "change-metric", "Do what the form of that page asks for", plain((*server).changeMetric)},
	{"GET", "/sign-in", access.Public, whole, "sign-in-page", "Page: sign in", plain((*server).signInPage)},
	{"POST", "/sign-in", access.Public, whole, "sign-in", "Sign in with a token", plain((*server).signIn)},
	{"POST", "/sign-out", access.Public, whole, "sign-out", "Sign out", plain((*server).signOut)},
	{"GET", "/assets/{name}", access.Public, whole, "assets", "Style sheet and scripts", plain((*server).asset)},

	{"GET", "/flags", access.Read, whole, "flags-page", "Page: the flags", plain((*server).flagsPage)},
	{"GET", "/flags/new", access.Write, whole, "new-flag-page", "Page: where a flag is made", plain((*server).newFlagPage)},
	{"POST", "/flags/new", access.Write, inBody, "new-flag", "Page: what the form of that page would create", plain((*server).newFlag)},
	{"GET", "/flags/{key}", access.Read, whole, "flag-page", "Page: one flag", plain((*server).flagPage)},
	{"GET", "/flags/{key}/edit", access.Write, inBody, "edit-page", "Page: the editor of a flag", plain((*server).editPage)},
	{"POST", "/flags/{key}/edit", access.Write, inBody, "edit-flag", "Page: what a form of the editor would do", plain((*server).editFlag)},
	{"GET", "/flags/{key}/do/{op}", access.Write, inBody, "do-page", "Page: what a switch of a flag would do", plain((*server).doPage)},
	{"GET", "/flags/{key}/restore", access.Write, inBody, "restore-page", "Page: what it would do to make a flag as it was at a revision", plain((*server).restorePage)},
	{"GET", "/flags/{key}/history", access.Read, whole, "history-page", "Page: what happened to a flag", plain((*server).tabPage)},
	{"GET", "/flags/{key}/explain", access.Read, whole, "explain-page", "Page: why a unit gets what it gets", plain((*server).tabPage)},
	{"GET", "/flags/{key}/requests/{id}", access.Read, whole, "request-page", "Page: one change request", plain((*server).requestPage)},
	{"POST", "/flags/{key}/requests/{id}/{op}", access.Write, inBody, "answer-page", "Do what a form of that page asks for", plain((*server).answerPage)},
	{"POST", "/flags/{key}/schedules/{id}/cancel", access.Write, inBody, "cancel-page", "Take back what waits for its time", plain((*server).cancelPage)},
	{"GET", "/requests", access.Read, whole, "requests-page", "Page: what waits for others to agree", plain((*server).requestsPage)},
	{"POST", "/flags/{key}/save", access.Write, inBody, "save-flag", "Do what the page before a change asked for", plain((*server).savePage)},
}
