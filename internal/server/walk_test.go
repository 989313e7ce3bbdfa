package server

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/internal/access"
)

// duty is what a route must ask of whoever comes. It is written here a second
// time, by hand, so that no route gets in, and none gets easier, unnoticed.
type duty struct {
	needs access.Permission
	about about
}

// about is what a route is about, as its address says it.
type about int

const (
	theHouse        about = iota + 1 // no environment and no key
	oneKey                           // a key in the path
	anEnvironment                    // an environment in the path
	both                             // an environment and a key in the path
	callers                          // an environment in the query, else the token's
	callersKey                       // and a key in the path
	whatTheBodySays                  // asked for again by the handler
	keyAndBody                       // a key in the path, environments in the body
)

// duties is what every route of the table must ask, by name.
var duties = map[string]duty{
	"evaluate-flag":            {access.Evaluate, callersKey},
	"evaluate-flags":           {access.Evaluate, callers},
	"evaluate-flags-slash":     {access.Evaluate, callers},
	"stream-notices":           {access.Evaluate, callers},
	"send-events":              {access.Send, callers},
	"send-logs":                {access.Send, callers},
	"send-featbit-insights":    {access.Send, callers},
	"send-agent-events":        {access.Send, callers},
	"send-agent-event":         {access.Send, callers},
	"send-collector-events":    {access.Send, callers},
	"send-segment-call":        {access.Send, callers},
	"send-segment-batch":       {access.Send, callers},
	"import-events":            {access.Import, callers},
	"decisions-page":           {access.Read, theHouse},
	"export-decisions":         {access.Read, theHouse},
	"learn-on-page":            {access.Write, whatTheBodySays},
	"review-page":              {access.Read, theHouse},
	"incidents-page":           {access.Read, theHouse},
	"open-incident-on-page":    {access.Report, whatTheBodySays},
	"resolve-incident-on-page": {access.Report, both},
	"experiments-page":         {access.Read, theHouse},
	"simulate-page":            {access.Read, theHouse},
	"cleanup-board":            {access.Read, theHouse},
	"cleanup-page":             {access.Read, both},
	"end-page":                 {access.Decide, both},
	"end-on-page":              {access.Decide, both},
	"close-on-page":            {access.Decide, both},
	"page-changes":             {access.Read, theHouse},
	"new-plan-page":            {access.Write, theHouse},
	"edit-plan-page":           {access.Read, theHouse},
	"draft-page":               {access.Read, whatTheBodySays},
	"save-plan":                {access.Write, whatTheBodySays},
	"act-page":                 {access.Decide, both},
	"export-board":             {access.Read, theHouse},
	"search-page":              {access.Read, theHouse},
	"search":                   {access.Read, theHouse},
	"act-on-rollout":           {access.Decide, both},
	"tail-events":              {access.Read, callers},
	"events-page":              {access.Read, theHouse},
	"letters-page":             {access.Read, theHouse},
	"letter-page":              {access.Read, theHouse},
	"replay-page":              {access.Write, theHouse},
	"replay-on-page":           {access.Write, theHouse},
	"purge-page":               {access.Manage, theHouse},
	"purge-on-page":            {access.Manage, theHouse},
	"unit-page":                {access.Read, whatTheBodySays},
	"ask-unit":                 {access.Read, whatTheBodySays},
	"export-on-page":           {access.Manage, theHouse},
	"erase-page":               {access.Manage, theHouse},
	"erase-on-page":            {access.Manage, theHouse},
	"get-inflow":               {access.Read, theHouse},
	"stream-rulesets":          {access.Sync, callers},
	"acknowledge-revision":     {access.Sync, callers},

	"flagd-evaluation-v1": {access.Evaluate, callers},
	"flagd-evaluation-v2": {access.Evaluate, callers},
	"flagd-schema-v1":     {access.Evaluate, callers},
	"flagd-sync-v1":       {access.Sync, callers},
	"export-flags":        {access.Sync, anEnvironment},

	"flag-history":      {access.Read, oneKey},
	"foresee-change":    {access.Write, keyAndBody},
	"flags-page":        {access.Read, theHouse},
	"flag-page":         {access.Read, oneKey},
	"new-flag-page":     {access.Write, theHouse},
	"new-flag":          {access.Write, whatTheBodySays},
	"edit-page":         {access.Write, keyAndBody},
	"edit-flag":         {access.Write, keyAndBody},
	"do-page":           {access.Write, keyAndBody},
	"restore-page":      {access.Write, keyAndBody},
	"save-flag":         {access.Write, keyAndBody},
	"history-page":      {access.Read, oneKey},
	"explain-page":      {access.Read, oneKey},
	"request-page":      {access.Read, oneKey},
	"answer-page":       {access.Write, keyAndBody},
	"cancel-page":       {access.Write, keyAndBody},
	"requests-page":     {access.Read, theHouse},
	"waiting-requests":  {access.Read, theHouse},
	"explain-flag":      {access.Read, callersKey},
	"flag-usage":        {access.Read, callersKey},
	"flag-references":   {access.Read, oneKey},
	"list-references":   {access.Read, theHouse},
	"upload-references": {access.Write, theHouse},
	"ramp-flag":         {access.Decide, keyAndBody},
	"debug-flag":        {access.Read, callersKey},
	"list-streams":      {access.Read, theHouse},
	"list-replicas":     {access.Read, theHouse},
	"apply":             {access.Write, whatTheBodySays},
	"list-flags":        {access.Read, theHouse},
	"get-flag":          {access.Read, oneKey},
	"switch-flag":       {access.Decide, keyAndBody},
	"create-flag":       {access.Write, whatTheBodySays},
	"patch-flag":        {access.Write, keyAndBody},
	"copy-environment":  {access.Write, keyAndBody},
	"list-schedules":    {access.Read, oneKey},
	"schedule-change":   {access.Write, keyAndBody},
	"cancel-schedule":   {access.Write, keyAndBody},
	"list-requests":     {access.Read, oneKey},
	"propose-change":    {access.Write, keyAndBody},
	"get-request":       {access.Read, oneKey},
	"answer-request":    {access.Write, keyAndBody},
	"flag-dependencies": {access.Read, callersKey},
	"list-segments":     {access.Read, theHouse},
	"get-segment":       {access.Read, oneKey},
	"delete-segment":    {access.Write, oneKey},
	"get-units":         {access.Read, oneKey},
	"put-units":         {access.Write, oneKey},
	"change-units":      {access.Write, oneKey},
	"get-list":          {access.Sync, callers},
	"list-environments": {access.Read, theHouse},
	"list-policies":     {access.Read, theHouse},
	"list-metrics":      {access.Read, theHouse},
	"list-rollouts":     {access.Read, theHouse},
	"get-rollout":       {access.Read, both},
	"command-rollout":   {access.Decide, both},
	"preview-command":   {access.Read, both},
	"report-check":      {access.Report, both},
	"confirm-condition": {access.Decide, both},
	"get-review":        {access.Read, theHouse},
	"get-outlook":       {access.Read, both},
	"foresee-plan":      {access.Read, whatTheBodySays},
	"rehearse-plan":     {access.Read, whatTheBodySays},
	"get-readout":       {access.Read, both},
	"list-looks":        {access.Read, both},
	"list-two-arms":     {access.Read, both},
	"get-trail":         {access.Read, both},
	"list-catalogue":    {access.Read, theHouse},
	"get-metric":        {access.Read, oneKey},
	"trace-unit":        {access.Read, whatTheBodySays},
	"get-unit-trace":    {access.Read, whatTheBodySays},
	"export-unit":       {access.Manage, theHouse},
	"delete-unit":       {access.Manage, theHouse},
	"list-deletions":    {access.Manage, theHouse},
	"list-decisions":    {access.Read, theHouse},
	"get-decision":      {access.Read, theHouse},
	"hook-alertmanager": {access.Report, whatTheBodySays},
	"hook-grafana":      {access.Report, whatTheBodySays},
	"hook-slo-alert":    {access.Report, whatTheBodySays},
	"open-incident":     {access.Report, whatTheBodySays},
	"resolve-incident":  {access.Report, both},
	"list-incidents":    {access.Read, theHouse},
	"get-facts":         {access.Read, theHouse},

	"explain-segment":     {access.Read, oneKey},
	"segments-page":       {access.Read, theHouse},
	"segment-page":        {access.Read, oneKey},
	"new-segment-page":    {access.Write, theHouse},
	"new-segment-preview": {access.Write, theHouse},
	"new-segment-save":    {access.Write, theHouse},
	"segment-edit-page":   {access.Write, oneKey},
	"segment-preview":     {access.Write, oneKey},
	"segment-save":        {access.Write, oneKey},
	"segment-units":       {access.Write, oneKey},
	"environments-page":   {access.Read, theHouse},
	"environment-page":    {access.Read, anEnvironment},
	"house-edit-page":     {access.Manage, theHouse},
	"house-preview":       {access.Manage, theHouse},
	"house-save":          {access.Manage, theHouse},

	"get-record":         {access.Read, theHouse},
	"decision-markdown":  {access.Read, theHouse},
	"prove-decision":     {access.Read, theHouse},
	"recompute-decision": {access.Read, theHouse},
	"get-outcome":        {access.Read, both},
	"record-outcome":     {access.Write, both},
	"list-cleanups":      {access.Read, theHouse},
	"flag-debt":          {access.Read, theHouse},
	"get-cleanup":        {access.Read, both},
	"cleanup-ticket":     {access.Read, both},
	"end-flag":           {access.Decide, both},
	"preview-ending":     {access.Decide, both},
	"close-cleanup":      {access.Decide, both},

	"check-totals":         {access.Read, both},
	"get-totals":           {access.Read, theHouse},
	"rebuild-totals":       {access.Manage, theHouse},
	"list-webhooks":        {access.Read, theHouse},
	"get-webhook":          {access.Read, theHouse},
	"remove-webhook":       {access.Manage, theHouse},
	"resume-webhook":       {access.Manage, theHouse},
	"test-webhook":         {access.Manage, theHouse},
	"reveal-secret":        {access.Manage, theHouse},
	"list-deliveries":      {access.Read, theHouse},
	"get-delivery":         {access.Read, theHouse},
	"redeliver":            {access.Manage, theHouse},
	"list-dead-letters":    {access.Read, theHouse},
	"preview-letter-order": {access.Read, theHouse},
	"compare":              {access.Read, theHouse},
	"guardrail":            {access.Read, theHouse},
	"failures":             {access.Read, theHouse},
	"srm":                  {access.Read, theHouse},
	"adjust":               {access.Read, theHouse},
	"power":                {access.Read, theHouse},
	"boundary":             {access.Read, theHouse},
	"verify":               {access.Read, theHouse},
	"audit":                {access.Manage, theHouse},
	"list-tokens":          {access.Manage, theHouse},
	"issue-token":          {access.Manage, theHouse},
	"rotate-token":         {access.Manage, theHouse},
	"revoke-token":         {access.Manage, theHouse},
	"list-people":          {access.Read, theHouse},
	"remove-person":        {access.Manage, theHouse},
	"delete-policy":        {access.Manage, theHouse},

	"delete-environment": {access.Manage, theHouse},
	"list-teams":         {access.Read, theHouse},
	"remove-team":        {access.Manage, theHouse},

	"list-letter-orders":  {access.Read, theHouse},
	"get-dead-letter":     {access.Read, theHouse},
	"replay-dead-letters": {access.Write, theHouse},
	"purge-dead-letters":  {access.Manage, theHouse},
	"metrics":             {access.Read, theHouse},

	"healthz":      {access.Public, theHouse},
	"readyz":       {access.Public, theHouse},
	"home":         {access.Read, theHouse},
	"rollout-page": {access.Read, both},
	"readout-page": {access.Read, both},

	"catalogue-page": {access.Read, theHouse},
	"declare-metric": {access.Write, whatTheBodySays},
	"metric-page":    {access.Read, oneKey},
	"change-metric":  {access.Write, oneKey},

	"decision-page": {access.Read, theHouse},
	"sign-in-page":  {access.Public, theHouse},
	"sign-in":       {access.Public, theHouse},
	"sign-out":      {access.Public, theHouse},

	"start-sign-in":  {access.Public, theHouse},
	"finish-sign-in": {access.Public, theHouse},
	"assets":         {access.Public, theHouse},
}

// walker is somebody who tries every door, described without the code that
// guards them.
type walker struct {
	may         string // permissions where it reaches
	environment string // bound to it; empty: none
	keys        string // bound to keys with this prefix; empty: none
}

var walkers = map[string]walker{
	"":         {},
	"expired":  {},
	"revoked":  {},
	"client":   {may: "evaluate send", environment: "production"},
	"sdk":      {may: "evaluate send sync", environment: "production"},
	"foreign":  {may: "evaluate send sync", environment: "staging"},
	"viewer":   {may: "read sync"},
	"reporter": {may: "report"},
	"editor":   {may: "read sync evaluate send write"},
	"approver": {may: "read sync evaluate send import write report decide"},
	"admin":    {may: "read sync evaluate send import write report decide manage"},
	"home":     {may: "read sync evaluate send import write report decide manage", environment: "production"},
	"bound":    {may: "read sync evaluate send import write report decide manage", environment: "staging"},
	"shop":     {may: "read sync evaluate send import write report decide manage", keys: "shop."},
	"keys":     {may: "read sync evaluate send import write report decide manage", keys: "search."},
}

// passes says whether a walker gets through a door with this duty, when the
// path and the query are about walkKey in production.
func (w walker) passes(d duty) bool {
	if d.needs == access.Public {
		return true
	}
	if !slices.Contains(strings.Fields(w.may), string(d.needs)) {
		return false
	}
	reads := d.needs == access.Read // whoever may read something may ask for a list
	switch d.about {
	case theHouse:
		return reads || w.environment == "" && w.keys == ""
	case oneKey:
		return w.holds() && (reads || w.environment == "")
	case anEnvironment, callers:
		return w.lives() && (reads || w.keys == "")
	case both, callersKey:
		return w.lives() && w.holds()
	case whatTheBodySays:
		return true
	case keyAndBody:
		return w.holds()
	}
	return false
}

const walkKey = "shop.none"

// fill puts something in the place of every variable of a path.
var fill = strings.NewReplacer("{environment}", "production", "{flag}", walkKey, "{key}", walkKey, "{number}", "1",
	"{id}", "none", "{incident}", "none", "{op}", "hold", "{command}", "srm", "{name}", "none", "{person}", "none", "{team}", "none", "{webhook}", "none", "{policy}", "none", "{sha256}", "none", "{method}", "None")

func (w walker) lives() bool { return w.environment == "" || w.environment == "production" }
func (w walker) holds() bool { return strings.HasPrefix(walkKey, w.keys) }

// dead adds a token that has expired and one that was revoked.
func (h *house) dead() {
	h.t.Helper()
	soon := h.Now().Add(time.Second)
	admin := access.Token{Class: access.Account, Role: access.Admin}
	revoked := h.issue("revoked", admin)
	admin.Expires = &soon
	h.issue("expired", admin)
	h.want("admin", "DELETE", "/api/v1/tokens/"+revoked.ID, "", http.StatusNoContent, "")
}

// knock sends a request and returns the status alone: a stream does not end.
func (h *house) knock(who, method, path string) int {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), method, h.URL+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	if token := h.tokens[who]; token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	_ = answer.Body.Close() // what a stream still holds is of no interest
	return answer.StatusCode
}

// TestTable_everyRouteByEverybody walks every route of the table as every kind
// of principal. A route without a duty fails: write down what it must ask.
func TestTable_everyRouteByEverybody(t *testing.T) {
	now := time.Now() // deadlines of connections are the machine's
	h := newHouseWith(t, func(h *House) { h.Now = func() time.Time { return now } })
	h.issueKeys()
	h.dead()
	now = now.Add(time.Hour)
	for _, r := range table {
		d, ok := duties[r.name]
		if !ok || r.needs != d.needs || r.scope == 0 {
			t.Errorf("%s %s (%s) asks for %q; what it must ask is %q, written down in duties", r.method, r.path, r.name, r.needs, d.needs)
			continue
		}
		path := fill.Replace(r.path)
		if strings.Contains(path, "{") {
			t.Fatalf("%s has a variable that this test does not fill", r.path)
		}
		if r.scope == ofCaller || r.scope == bySelector {
			path += "?environment=production"
		}
		for who, w := range walkers {
			code := h.knock(who, r.method, path)
			want := "in"
			switch {
			case !w.passes(d) && w.may == "":
				want = "401"
			case !w.passes(d):
				want = "403"
			}
			got := map[int]string{http.StatusUnauthorized: "401", http.StatusForbidden: "403"}[code]
			if got == "" || r.name == "sign-in" && code == http.StatusForbidden { // that is its answer to a wrong token
				got = "in"
			}
			if got != want {
				t.Errorf("%s %s as %q: got %s (%d), want %s", r.method, path, who, got, code, want)
			}
		}
	}
	if len(duties) != len(table) {
		t.Errorf("%d duties for %d routes: take out those of routes that are gone", len(duties), len(table))
	}
}

// secrets are words of flag definitions that no browser may learn: names of
// rules, what they ask for, and what nobody is served.
var secrets = []string{"embargoed-countries", "secret-attribute", "secret-value", "secret-unit", "unserved-variant"}

const secretFlag = `apiVersion: sluice/v1
kind: Flag
key: shop.none
purpose: operational
owner: shop-team
type: string
variants: {plain: "a", special: "b", unserved-variant: "c"}
default: plain
safe: plain
environments:
  production:
    enabled: true
    rules:
      - {name: embargoed-countries, when: {attribute: secret-attribute, op: in, values: [secret-value, other]}, serve: special}
`

// TestClientToken_learnsNoRules: whatever a client token asks, with whatever
// context, no answer holds a word of a definition that is not its own result.
func TestClientToken_learnsNoRules(t *testing.T) {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", secretFlag, http.StatusOK, "created")
	for _, r := range table {
		if walkers["client"].passes(duties[r.name]) && strings.Contains(r.path, "stream") {
			continue // does not end; its own test reads it
		}
		for _, body := range []string{"", "{}", `{"context":{"targetingKey":"u"}}`, `{"context":{"targetingKey":"u","secret-attribute":1}}`} {
			_, answer, _ := h.ask("client", r.method, fill.Replace(r.path), body)
			for _, s := range secrets {
				if strings.Contains(answer, s) && !strings.Contains(body, s) {
					t.Errorf("%s %s with %s tells a client token of %s: %s", r.method, r.path, body, s, answer)
				}
			}
		}
	}
	match := h.want("client", "POST", "/ofrep/v1/evaluate/flags/shop.none", `{"context":{"secret-attribute":"secret-value"}}`, 200, "TARGETING_MATCH")
	if strings.Contains(match, "embargoed") {
		t.Errorf("a match names its rule: %s", match)
	}
}
