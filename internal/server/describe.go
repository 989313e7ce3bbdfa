package server

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/access"
)

// scheme names how requests prove who they are, in the API document.
const scheme = "token"

// operation is what the API document says of every route alike.
func operation(at route) huma.Operation {
	op := huma.Operation{
		OperationID: at.name, Method: at.method, Path: at.path, Summary: at.summary, MaxBodyBytes: maxBody,
	}
	if at.needs != access.Public {
		op.Description = fmt.Sprintf("Needs the permission %q%s.", at.needs, at.scope.where())
		op.Security = []map[string][]string{{scheme: {}}}
	}
	return op
}

// where says for which environment a permission is needed.
func (c scope) where() string {
	switch c {
	case inPath:
		return " in the environment of the path"
	case ofCaller:
		return " in the environment of the query, else of the token"
	case bySelector:
		return " in the environment that the header Flagd-Selector names, else of the query, else of the token"
	case inBody:
		return " in each environment that the body names; what belongs to no environment asks for all of them"
	case whole:
	}
	return ""
}

// described is what the document says of a route whose handler reads and
// writes by itself. Pages are not in it.
type described struct {
	body   []string // media types of the request; none: no body
	taken  any      // what the body holds; nil: any object
	status int
	media  string // of the answer
	answer any    // what the answer holds; nil: any object
	fault  any    // what an error in JSON holds; nil: errors are problem documents alone
	query  map[string]string
}

var byItself = map[string]described{
	"get-units": {status: 200, media: "text/plain", query: map[string]string{"list": "included, which is the default, or excluded"}},
	"put-units": {body: []string{"text/plain", "application/x-ndjson"}, taken: "", status: 200, media: "application/json", answer: SegmentView{},
		query: map[string]string{"list": "included, which is the default, or excluded", "comment": "why, for the history"}},
	"get-list": {status: 200, media: "text/plain", query: map[string]string{"environment": "for tokens that are bound to none"}},
	"evaluate-flag": {body: []string{"application/json"}, taken: evaluationIn{}, status: 200, media: "application/json", answer: evaluationOut{}, fault: evaluationFault{},
		query: map[string]string{"environment": "for tokens that are bound to none"}},
	"evaluate-flags": {body: []string{"application/json"}, taken: evaluationIn{}, status: 200, media: "application/json", answer: evaluationsOut{}, fault: evaluationFault{},
		query: map[string]string{
			"environment":    "for tokens that are bound to none",
			"flagConfigEtag": "etag of the notice that made the client ask again: the answer is not older", "flagConfigLastModified": "of the same notice; the etag says more",
		}},
	"stream-notices":  {status: 200, media: "text/event-stream", answer: "", query: map[string]string{"environment": "for tokens that are bound to none", "ticket": "of the bulk answer, instead of a token; it ends after an hour or two"}},
	"stream-rulesets": {status: 200, media: "text/event-stream", answer: "", query: map[string]string{"environment": "for tokens that are bound to none"}},
	"debug-flag": {status: 200, media: "application/json", answer: DebugView{},
		query: map[string]string{"environment": "for tokens that are bound to none", flags.TargetingKey: "id of the unit; every other word of the query is an attribute of the context"}},
	"send-events": {body: []string{"application/json", "application/x-ndjson"}, taken: []eventIn{}, status: 202, media: "application/json",
		answer: ingest.Receipt{}, query: map[string]string{"environment": "for tokens that are bound to none", "token": "of a client (slc_…), where there are no headers, as with navigator.sendBeacon"}},
	"send-logs": {body: []string{"application/json", "application/x-protobuf"}, status: 200, media: "application/json",
		query: map[string]string{"environment": "for tokens that are bound to none"}},
	"import-events": {body: []string{"application/json", "application/x-ndjson"}, taken: []eventIn{}, status: 202, media: "application/json",
		answer: ingest.Receipt{}, query: map[string]string{"environment": "for tokens that are bound to none", "check": "true: say what would be taken, with status 200, and keep nothing"}},
	"tail-events": {status: 200, media: "text/event-stream", answer: "", query: map[string]string{
		"environment": "for tokens that are bound to none", "verdict": "accepted, dead, rejected or refused alone", "kind": "exposure, metric, deployment or reading alone",
		"name": "of the event, the flag or the service", "unit": "kind=id: events of this unit alone", "recent": "true: begin with what was not simply taken lately",
	}},
	"compare":           calculated(compareIn{}, compareOut{}),
	"guardrail":         calculated(guardrailIn{}, guardrailOut{}),
	"failures":          calculated(failuresIn{}, failuresOut{}),
	"srm":               calculated(srmIn{}, srmOut{}),
	"adjust":            calculated(adjustIn{}, adjustOut{}),
	"power":             calculated(powerIn{}, powerOut{}),
	"boundary":          calculated(boundaryIn{}, boundaryOut{}),
	"decision-markdown": {status: 200, media: "text/markdown", answer: "", query: map[string]string{"sql": "true: with the text of every query at the end"}},
	"cleanup-ticket":    {status: 200, media: "text/markdown", answer: ""},
	"audit":             {status: 200, media: "application/x-ndjson", query: map[string]string{"after": "sequence; the events behind it"}},
	"healthz":           {status: 200, media: "application/json"},
	"metrics":           {status: 200, media: "text/plain"},
	"readyz":            {status: 200, media: "application/json", fault: map[string]string{}, query: map[string]string{"for": "flags: what flags are served from alone"}},
}

// The shapes of OFREP and of the events, for the document alone: their own
// rooms read and write them.
type (
	evaluationIn struct {
		Context map[string]any `json:"context" doc:"targetingKey and attributes of the unit" example:"{\"targetingKey\":\"visitor-1\"}"`
	}
	evaluationOut struct {
		Key      string         `json:"key"`
		Value    any            `json:"value"`
		Variant  string         `json:"variant"`
		Reason   string         `json:"reason" example:"SPLIT"`
		Metadata map[string]any `json:"metadata" doc:"revision, and rollout, stage and epoch of a unit that is enrolled: an exposure repeats them"`
	}
	evaluationsOut struct {
		Flags        []evaluationOut  `json:"flags"`
		EventStreams []eventStreamOut `json:"eventStreams,omitempty" doc:"where the client hears of changes"`
	}
	eventStreamOut struct {
		Type     string `json:"type" enum:"sse"`
		Endpoint struct {
			RequestURI string `json:"requestUri" doc:"target of the stream at the same origin; it holds a ticket: do not log it"`
		} `json:"endpoint"`
		InactivityDelaySec int `json:"inactivityDelaySec"`
	}
	evaluationFault struct {
		Key     string `json:"key,omitempty"`
		Code    string `json:"errorCode" example:"FLAG_NOT_FOUND"`
		Details string `json:"errorDetails,omitempty"`
	}
	eventIn struct {
		Kind     string            `json:"kind" enum:"exposure,metric,deployment,reading"`
		ID       string            `json:"id" format:"uuid" doc:"version 7, made once by the sender and kept on every retry"`
		At       string            `json:"at,omitempty" format:"date-time" doc:"the id's time when absent"`
		Flag     string            `json:"flag,omitempty" doc:"of an exposure"`
		Variant  string            `json:"variant,omitempty" doc:"of an exposure"`
		Unit     *ingest.Unit      `json:"unit,omitempty" doc:"of an exposure"`
		Revision uint64            `json:"revision,omitempty" doc:"of the flag, as its evaluation said"`
		Reason   string            `json:"reason,omitempty" doc:"of the evaluation"`
		SDK      *ingest.SDK       `json:"sdk,omitempty" doc:"of an exposure: what evaluated the flag; warnings name it"`
		Name     string            `json:"name,omitempty" doc:"of a metric event, as a declared metric names it, or of a reading; a reading flag.evaluations says how often an SDK has evaluated a flag"`
		Value    float64           `json:"value,omitempty" doc:"of a metric event or a reading"`
		Labels   map[string]string `json:"labels,omitempty" doc:"of a reading; of flag.evaluations: flag, variant, reason and way, which is asked or listed" example:"{\"flag\":\"checkout.express-pay\",\"variant\":\"on\",\"reason\":\"SPLIT\"}"`
		Units    map[string]string `json:"units,omitempty" doc:"of a metric event: id by kind of unit"`
	}
)

// parameter is a variable in a path template.
var parameter = regexp.MustCompile(`\{(\w+)\}`)

// describe puts a route into the API document.
func describe(api huma.API, at route) {
	d, ok := byItself[at.name]
	if !ok {
		return
	}
	op := operation(at)
	op.Parameters = d.parameters(at)
	schema := func(v any) *huma.Schema {
		if v == nil {
			return &huma.Schema{Type: "object"}
		}
		t := reflect.TypeOf(v)
		return api.OpenAPI().Components.Schemas.Schema(t, true, exported(t.Name()))
	}
	if len(d.body) > 0 {
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{}}
	}
	for _, media := range d.body {
		op.RequestBody.Content[media] = &huma.MediaType{Schema: schema(d.taken)}
	}
	faults := map[string]*huma.MediaType{"application/problem+json": {Schema: schema(Problem{})}}
	if d.fault != nil {
		faults["application/json"] = &huma.MediaType{Schema: schema(d.fault)}
	}
	op.Responses = map[string]*huma.Response{
		strconv.Itoa(d.status): {Description: http.StatusText(d.status), Content: map[string]*huma.MediaType{d.media: {Schema: schema(d.answer)}}},
		"default":              {Description: "Error", Content: faults},
	}
	api.OpenAPI().AddOperation(&op)
}

// parameters lists the variables of the path and of the query.
func (d described) parameters(at route) []*huma.Param {
	var all []*huma.Param
	for _, m := range parameter.FindAllStringSubmatch(at.path, -1) {
		all = append(all, &huma.Param{Name: m[1], In: "path", Required: true, Schema: &huma.Schema{Type: "string"}})
	}
	for _, name := range slices.Sorted(maps.Keys(d.query)) {
		all = append(all, &huma.Param{Name: name, In: "query", Description: d.query[name], Schema: &huma.Schema{Type: "string"}})
	}
	return all
}

func exported(name string) string {
	if name == "" {
		return name
	}
	return strings.ToUpper(name[:1]) + name[1:]
}
