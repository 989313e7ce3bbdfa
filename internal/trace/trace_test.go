package trace_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/internal/trace"
	"github.com/sluice-hq/sluice/internal/trace/tracetest"
)

// Somebody else's trace, of which they write, and of which they do not.
const (
	theirs   = "4bf92f3577b34da6a3ce929d0e0e4736"
	sampled  = "00-" + theirs + "-00f067aa0ba902b7-01"
	unwanted = "00-" + theirs + "-00f067aa0ba902b7-00"
)

func headers(traceparent string) http.Header { return http.Header{"Traceparent": {traceparent}} }

// A trace goes from a request by a message to whoever reads it, and on.
func TestTraceGoesOn(t *testing.T) {
	r := tracetest.NewRecorder()
	ctx := r.Sender().Into(t.Context())
	request, asked := trace.Start(trace.From(ctx, headers(sampled)), trace.Server, "request")
	message := trace.Parent(request)
	asked.End(nil)
	read, load := trace.Start(ctx, trace.Consumer, "load", "", "no traceparent", message)
	load.Number("rows", 3)
	block := trace.Parent(read)
	load.End(errors.New("the store is gone"))
	look, looked := trace.Start(ctx, trace.Internal, "look")
	trace.In(look).Link(block)
	trace.In(look).Link("")
	_, decided := trace.Start(look, trace.Internal, "decide")
	decided.Text("action", "hold")
	decided.End(nil)
	looked.End(nil)
	_, other := trace.Start(ctx, trace.Internal, "of another trace")
	other.End(nil)
	want := `request
  ~> load rows=3
    ~> look
      decide action=hold
`
	if got := r.Draw(theirs, "rows", "action"); got != want {
		t.Errorf("drawn (-want +got):\n%s", cmp.Diff(want, got))
	}
}

// What nobody wants to hear of leaves nothing in messages.
func TestUnsampledLeavesNothing(t *testing.T) {
	r := tracetest.NewRecorder()
	ctx, span := trace.Start(trace.From(r.Sender().Into(t.Context()), headers(unwanted)), trace.Server, "request")
	if got := trace.Parent(ctx); got != "" {
		t.Errorf("the message carries %q", got)
	}
	span.End(nil)
	if got := r.Draw(theirs); got != "" {
		t.Errorf("drawn:\n%s", got)
	}
}

// Where nobody traces, nothing is done and nothing is allocated.
func TestOffCostsNothing(t *testing.T) {
	background, h := t.Context(), headers(sampled)
	links := []string{sampled}
	allocations := testing.AllocsPerRun(100, func() { passed(background, h, links) })
	if allocations != 0 {
		t.Errorf("%v allocations, want none", allocations)
	}
}

// passed is what a shell does.
func passed(ctx context.Context, h http.Header, links []string) (err error) {
	ctx, span := trace.Start(trace.From(ctx, h), trace.Consumer, "load", links...)
	defer func() { span.End(err) }()
	span.Number("rows", 1000)
	span.Text("traceparent", trace.Parent(ctx))
	trace.In(ctx).Text("rows", "many")
	return ctx.Err()
}
