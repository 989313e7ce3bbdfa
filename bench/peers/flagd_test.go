package peers

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	peer "github.com/diegoholiveira/jsonlogic/v3"
	"github.com/open-feature/flagd/core/pkg/evaluator"
	"github.com/open-feature/flagd/core/pkg/logger"
	"github.com/open-feature/flagd/core/pkg/store"
	"github.com/open-feature/flagd/core/pkg/sync"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/sluice-hq/sluice/flags/flagd"
)

// flagd's own operators, which it adds to the evaluator of JSONLogic that it
// uses.
var (
	silent     = logger.NewLogger(zap.NewNop(), false)
	fractional = evaluator.NewFractional(silent).Evaluate
	semVer     = evaluator.NewSemVerComparison(silent).SemVerEvaluation
)

func init() { //nolint:gochecknoinits // the library keeps operators in a variable of its own, which this fills
	evaluator.NewResolver(nil, silent, nil)
}

// server is flagd without its doors: what its providers evaluate by in process.
type server struct{ *evaluator.JSON }

// serve gives flagd a document. It returns the complaints of flagd's schema.
func serve(t testing.TB, doc flagd.Document) (server, []string) {
	t.Helper()
	warned, seen := observer.New(zapcore.WarnLevel)
	log := logger.NewLogger(zap.New(warned), false)
	flags, err := store.NewStore(log, []string{"test"})
	if err != nil {
		t.Fatal(err)
	}
	s := server{evaluator.NewJSON(log, flags)}
	if err := s.SetState(sync.DataSync{FlagData: string(doc.JSON()), Source: "test"}); err != nil {
		t.Fatal(err)
	}
	var complaints []string
	for _, entry := range seen.TakeAll() {
		complaints = append(complaints, entry.Message)
	}
	return s, complaints
}

// answer is the variant, "" for none.
func (s server) answer(ctx context.Context, key string, attributes map[string]any) (string, error) {
	v := s.ResolveAsAnyValue(ctx, "", key, attributes)
	return v.Variant, v.Error
}

// definition is a flag as flagd reads it.
type definition struct {
	State          string                     `json:"state"`
	Variants       map[string]json.RawMessage `json:"variants"`
	DefaultVariant *string                    `json:"defaultVariant"`
	Targeting      any                        `json:"targeting"`
}

// answer does what server does, without reading rule and context from JSON each
// time: the variant, "" for none.
func (d definition) answer(key string, attributes map[string]any) (variant string, err error) {
	if d.State != "ENABLED" {
		return "", nil
	}
	byDefault := ""
	if d.DefaultVariant != nil {
		byDefault = *d.DefaultVariant
	}
	if d.Targeting == nil {
		return byDefault, nil
	}
	context := map[string]any{"$flagd": map[string]any{"flagKey": key, "timestamp": 1.8e9}}
	for name, v := range attributes {
		if name != "$flagd" {
			context[name] = v
		}
	}
	is, err := peer.ApplyInterface(d.Targeting, context)
	if err != nil {
		return "", err
	}
	if is == nil {
		return byDefault, nil
	}
	name := fmt.Sprint(is)
	if _, ok := d.Variants[name]; !ok {
		return "", fmt.Errorf("%s is not a variant", name)
	}
	return name, nil
}
