package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
)

// eventsSendCmd sends events as an application does.
type eventsSendCmd struct {
	client
	output
	File        string        `arg:"" optional:"" help:"Events as JSON: an array, or one a line; - for standard input."`
	Environment string        `short:"e" help:"Environment, for tokens that are bound to none."`
	Exposure    string        `help:"A unit met a variant of this flag." placeholder:"FLAG"`
	Variant     string        `help:"That variant; without it the flag is evaluated first, as an application does."`
	Revision    uint64        `help:"Of the flag when it served the variant."`
	Reason      string        `help:"Of the evaluation, such as SPLIT."`
	Metric      string        `help:"Something happened to units: the name of the event." placeholder:"NAME"`
	Reading     string        `help:"A measurement without a unit: its name." placeholder:"NAME"`
	Deployment  string        `help:"A version of this service went live." placeholder:"SERVICE"`
	Version     string        `help:"That version."`
	Value       *float64      `help:"Of a metric's event, 1 without it, or of a reading."`
	Unit        []string      `help:"What was exposed, or to what it happened; may be repeated." placeholder:"KIND=ID"`
	Attribute   []string      `help:"More about it, or a label of a reading; may be repeated." placeholder:"NAME=VALUE"`
	At          time.Time     `help:"When it happened; now without it." format:"2006-01-02T15:04:05Z07:00"`
	Synthetic   bool          `help:"Show it, and leave it out of every analysis."`
	Patience    time.Duration `help:"How long to try while the server has no room or does not answer." default:"30s"`
}

// Help says what a repeat does.
func (eventsSendCmd) Help() string {
	return "An event without an id gets one here, so that sending a file of such events twice counts them twice: give them ids, or import the file."
}

// Run sends what it is told and says what became of it.
func (c eventsSendCmd) Run(ctx context.Context) error {
	events, err := c.events(ctx)
	if err != nil {
		return err
	}
	var total sent
	for first := 0; len(events) > 0; {
		var p bundle
		for len(events) > 0 && p.fits(events[0]) {
			p.add(events[0])
			events = events[1:]
		}
		r, err := c.postEvents(ctx, eventsPath("/v1/events", c.Environment), p, c.Patience)
		if err != nil {
			return err
		}
		base := first
		total.add(r, func(i int) string { return fmt.Sprintf("event %d", base+i+1) })
		first += p.events
	}
	if err := c.write(total, func(w io.Writer) { total.table(w, "accepted") }); err != nil {
		return err
	}
	return total.err()
}

// events returns what is to be sent, each with an ID.
func (c eventsSendCmd) events(ctx context.Context) ([][]byte, error) {
	kinds := 0
	for _, name := range []string{c.File, c.Exposure, c.Metric, c.Reading, c.Deployment} {
		if name != "" {
			kinds++
		}
	}
	switch {
	case kinds != 1:
		return nil, errors.New("say what to send: a file, or one of --exposure, --metric, --reading and --deployment")
	case c.File != "":
		source, err := slurp(c.File)
		if err != nil {
			return nil, fmt.Errorf("reading events: %w", err)
		}
		return splitEvents(source)
	}
	one, err := c.one(ctx)
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(one)
	return [][]byte{b}, err
}

// splitEvents takes a body of events apart and gives those an ID that have none.
func splitEvents(source []byte) ([][]byte, error) {
	var list []json.RawMessage
	if trimmed := bytes.TrimSpace(source); len(trimmed) > 0 && trimmed[0] == '[' {
		if err := json.Unmarshal(trimmed, &list); err != nil {
			return nil, fmt.Errorf("reading an array of events: %w", err)
		}
	} else {
		for d := json.NewDecoder(bytes.NewReader(source)); ; {
			var one json.RawMessage
			if err := d.Decode(&one); err == io.EOF {
				break
			} else if err != nil {
				return nil, fmt.Errorf("reading event %d: %w", len(list)+1, err)
			}
			list = append(list, one)
		}
	}
	if len(list) == 0 {
		return nil, errors.New("there is no event to send")
	}
	events := make([][]byte, len(list))
	for i, e := range list {
		b, err := withID(e)
		if err != nil {
			return nil, fmt.Errorf("reading event %d: %w", i+1, err)
		}
		events[i] = b
	}
	return events, nil
}

// withID gives an event an ID that has none. What is no object stays as it is:
// the server says what is wrong with it.
func withID(e json.RawMessage) ([]byte, error) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(e, &fields) != nil || fields == nil || fields["id"] != nil {
		var line bytes.Buffer
		err := json.Compact(&line, e)
		return line.Bytes(), err
	}
	id, at := event.New(), time.Time{}
	if json.Unmarshal(fields["at"], &at) == nil && !at.IsZero() {
		id = ingest.DeriveID(at, id.String()) // its day is the event's
	}
	fields["id"] = json.RawMessage(`"` + id.String() + `"`)
	return json.Marshal(fields)
}

// one is the event that the flags of the command describe.
func (c eventsSendCmd) one(ctx context.Context) (any, error) {
	units, err := pairs("--unit", c.Unit)
	if err != nil {
		return nil, err
	}
	more, err := pairs("--attribute", c.Attribute)
	if err != nil {
		return nil, err
	}
	id := event.New()
	if !c.At.IsZero() {
		id = ingest.DeriveID(c.At, id.String())
	}
	switch {
	case c.Exposure != "":
		return c.exposure(ctx, ingest.Exposure{Kind: ingest.KindExposure, ID: id, At: c.At, Attributes: more, Synthetic: c.Synthetic}, units)
	case c.Metric != "":
		return ingest.MetricEvent{Kind: ingest.KindMetric, ID: id, Name: c.Metric, Value: c.Value, Units: units, At: c.At, Attributes: more, Synthetic: c.Synthetic}, nil
	case c.Deployment != "":
		return ingest.Deployment{Kind: ingest.KindDeployment, ID: id, Service: c.Deployment, Version: c.Version, At: c.At, Attributes: more, Synthetic: c.Synthetic}, nil
	}
	if c.Value == nil {
		return nil, errors.New("a reading has a --value")
	}
	return ingest.Reading{Kind: ingest.KindReading, ID: id, Name: c.Reading, Value: *c.Value, Labels: more, At: c.At, Synthetic: c.Synthetic}, nil
}

// exposure says which variant the unit met: as it was told, or as the flag
// answers now.
func (c eventsSendCmd) exposure(ctx context.Context, e ingest.Exposure, units map[string]string) (any, error) {
	if len(units) != 1 {
		return nil, errors.New("an exposure has one --unit, the one that the flag was evaluated for")
	}
	e.Flag, e.Variant, e.Revision, e.Reason = c.Exposure, c.Variant, c.Revision, c.Reason
	for e.Unit.Kind, e.Unit.ID = range units { // the only one
	}
	if e.Variant == "" {
		answer, err := c.evaluated(ctx, e.Unit)
		if err != nil {
			return nil, err
		}
		revision, _ := answer.Metadata["revision"].(float64)
		e.Variant, e.Reason, e.Revision = answer.Variant, answer.Reason, uint64(revision)
	}
	e.Enrolled = e.Reason == "SPLIT"
	return e, nil
}

// evaluated asks what the unit gets.
func (c eventsSendCmd) evaluated(ctx context.Context, u ingest.Unit) (answer evaluated, err error) {
	about := evaluateCmd{client: c.client, UnitKind: u.Kind}
	about.Key, about.Environment, about.Unit = c.Exposure, c.Environment, u.ID
	body, err := about.body()
	if err != nil {
		return answer, err
	}
	path := eventsPath("/ofrep/v1/evaluate/flags/"+url.PathEscape(c.Exposure), c.Environment)
	err = c.do(ctx, http.MethodPost, path, "application/json", body, &answer)
	if err == nil && answer.Variant == "" {
		err = fmt.Errorf("flag %s leaves the value to the code, so that there is no variant to have met", c.Exposure)
	}
	return answer, ofrepFault(err)
}

// pairs reads NAME=VALUE.
func pairs(name string, list []string) (map[string]string, error) {
	found := map[string]string{}
	for p := range slices.Values(list) {
		k, v, ok := strings.Cut(p, "=")
		if !ok || k == "" || v == "" {
			return nil, fmt.Errorf("%s %q is not a name and a value; write one such as user=u-1", name, p)
		}
		found[k] = v
	}
	return found, nil
}
